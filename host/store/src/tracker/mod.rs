//! The lists: which Jira issues each channel tracks.
//!
//! Owns the table `channel_tracked_issues`. Knows neither Jira nor Slack.

use std::{error::Error, sync::Arc};

use async_trait::async_trait;
use jiff::Timestamp;

use crate::database::DatabaseError;
use maro_domain::{
    ids::{ChannelId, UserId},
    issue::{Issue, IssueKey},
    tracked::{PageRequest, Source, TrackOutcome, TrackedPage, UntrackOutcome},
};

pub mod open;
pub mod postgres;
pub mod sqlite;

mod reconcile;
mod stored;

/// Why the lists could not be read or changed.
///
/// A repeated call ends in the same list.
#[derive(Debug, Clone, thiserror::Error)]
pub enum TrackerError {
    /// The database refuses, is gone, or is too busy to give a connection.
    #[error("the database is unavailable")]
    Unavailable(#[source] Arc<dyn Error + Send + Sync>),
    /// The database did not answer in time.
    #[error("the database did not answer in time")]
    TimedOut,
    /// The database's answer to a change was lost. The list has changed as asked, or not at all.
    #[error("the database's answer was lost")]
    Uncertain(#[source] Arc<dyn Error + Send + Sync>),
}

impl From<DatabaseError> for TrackerError {
    fn from(error: DatabaseError) -> Self {
        match error {
            DatabaseError::Unavailable(source) => Self::Unavailable(source),
            DatabaseError::TimedOut => Self::TimedOut,
            DatabaseError::Uncertain(source) => Self::Uncertain(source),
        }
    }
}

/// Who adds issues to which list, and why.
#[derive(Debug, Clone, Copy)]
pub struct TrackRequest<'a> {
    pub channel: &'a ChannelId,
    pub tracked_by: &'a UserId,
    pub source: Source,
}

/// The lists, by channel. SQLite and PostgreSQL behave alike: one suite tests both.
///
/// Every method is atomic, and may be repeated. Times are kept to the microsecond. A row that another tool
/// wrote and that makes no sense (its key is none, its time cannot be read) is left out and logged: it
/// never hides the others.
#[async_trait]
pub trait ChannelIssueTracker: Send + Sync {
    /// Adds issues to a channel's list; one outcome for each, in order.
    ///
    /// An issue that is on the list under an older key (it has moved) is renamed and reported as
    /// [`TrackOutcome::AlreadyTracked`]; so is an issue that stands a second time in `issues`. If it is on
    /// the list twice, under both keys, the older row stays. A row without Jira's id gets it. Summary and
    /// status of the rows are refreshed either way, and count as synced `now`; but an empty status is not
    /// stored and does not count, so that the next sync reads it.
    async fn track(
        &self,
        request: TrackRequest<'_>,
        issues: &[Issue],
        now: Timestamp,
    ) -> Result<Vec<TrackOutcome>, TrackerError>;

    /// Removes keys from a channel's list; one outcome for each, in order. A key given twice is removed
    /// once.
    async fn untrack(
        &self,
        channel: &ChannelId,
        keys: &[IssueKey],
    ) -> Result<Vec<UntrackOutcome>, TrackerError>;

    /// A part of a channel's list, oldest first.
    async fn get_tracked_issues(
        &self,
        channel: &ChannelId,
        page: PageRequest,
    ) -> Result<TrackedPage, TrackerError>;

    /// How many issues a channel tracks.
    async fn count_tracked_issues(&self, channel: &ChannelId) -> Result<u32, TrackerError>;

    /// For each key, in order, whether a channel tracks it.
    async fn is_tracked(&self, channel: &ChannelId, keys: &[IssueKey]) -> Result<Vec<bool>, TrackerError>;

    /// Writes what Jira said just now into the rows of a channel. Each pair is the key under which the
    /// issue is on the list, and Jira's answer: `None` if Jira no longer shows it, which leaves the summary
    /// as it was and makes the status [`MISSING_STATUS`]. An empty status leaves the stored one. A moved
    /// issue is renamed, as [`ChannelIssueTracker::track`] does. Keys that are not on the list are ignored.
    ///
    /// [`MISSING_STATUS`]: maro_domain::tracked::MISSING_STATUS
    async fn update_sync_status(
        &self,
        channel: &ChannelId,
        updates: &[(IssueKey, Option<Issue>)],
        now: Timestamp,
    ) -> Result<(), TrackerError>;

    /// At most `limit` rows last synced before `before` or never, those waiting longest first.
    async fn get_stale_issues(
        &self,
        before: Timestamp,
        limit: u32,
    ) -> Result<Vec<(ChannelId, IssueKey)>, TrackerError>;

    /// Every list that an issue is on, and its key there, by key or by Jira's immutable id.
    async fn get_channels_tracking(&self, issue: &Issue) -> Result<Vec<(ChannelId, IssueKey)>, TrackerError>;

    /// Whether the database answers.
    async fn ping(&self) -> Result<(), TrackerError>;
}
