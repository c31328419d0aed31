//! The lists: which Jira issues each channel tracks.
//!
//! Owns the table `channel_tracked_issues`. Doesn't know about Jira or Slack.

use async_trait::async_trait;
use jiff::Timestamp;

use crate::database::error::DatabaseError;
use maro_domain::{
    author::Author,
    ids::ChannelId,
    issue::{Issue, IssueId, IssueKey},
    tracked::{
        FilteredPage, ListFilter, ListSummary, PageRequest, Source, TrackOutcome, TrackedIssue, TrackedPage,
        UntrackOutcome,
    },
};

pub(crate) mod observed;
pub(crate) mod postgres;
pub(crate) mod sqlite;

mod reconcile;
mod stored;

/// Every issue on every list, as channel and key.
pub(crate) const LISTED: &str = "SELECT channel_id, issue_key FROM channel_tracked_issues ORDER BY id";

/// Who adds issues to the list of their channel, and why.
#[derive(Debug, Clone, Copy)]
pub struct TrackRequest<'a> {
    pub author: &'a Author,
    pub source: Source,
}

/// A channel, an issue's key on its list, and Jira's answer. `None` means that Jira no longer shows it.
pub type Answered = (ChannelId, IssueKey, Option<Issue>);

/// The lists by channel. SQLite and PostgreSQL behave the same: one suite tests both.
///
/// Every method is atomic and may be repeated: the list is the same afterwards. What authors add and remove is in
/// the audit log with the same transaction, and only for the first handling of their request that changes
/// anything. Times are kept to the microsecond. Invalid rows written by other tools (with a bad key or time) are
/// skipped and logged, so that they never hide the others.
#[async_trait]
pub trait ChannelIssueTracker: Send + Sync {
    /// Adds issues to a channel's list. Returns one outcome for each, in order.
    ///
    /// A moved issue that is on the list under an older key is renamed and reported as
    /// [`TrackOutcome::AlreadyTracked`]. The same goes for an issue that is in `issues` twice. If it is on
    /// the list twice, under both keys, the older row stays. A row without Jira's id gets it. Summary and
    /// status of the rows are refreshed in any case, and count as synced `now`. An empty status isn't stored
    /// and doesn't count, so that the next sync reads it.
    async fn track(
        &self,
        request: TrackRequest<'_>,
        issues: &[Issue],
        now: Timestamp,
    ) -> Result<Vec<TrackOutcome>, DatabaseError>;

    /// Removes keys from the list of the author's channel. Returns one outcome for each, in order. A key given
    /// twice is removed once.
    async fn untrack(
        &self,
        author: &Author,
        keys: &[IssueKey],
        now: Timestamp,
    ) -> Result<Vec<UntrackOutcome>, DatabaseError>;

    /// Part of a channel's list, oldest first.
    async fn get_tracked_issues(
        &self,
        channel: &ChannelId,
        page: PageRequest,
    ) -> Result<TrackedPage, DatabaseError>;

    /// Part of the issues of a channel's list that fit a filter, oldest first, and how many there are.
    async fn get_filtered_issues(
        &self,
        channel: &ChannelId,
        filter: ListFilter<'_>,
        page: PageRequest,
    ) -> Result<FilteredPage, DatabaseError>;

    /// The rows of a channel's list with one of these keys or of Jira's ids, oldest first.
    async fn find_tracked_issues(
        &self,
        channel: &ChannelId,
        keys: &[IssueKey],
        ids: &[IssueId],
    ) -> Result<Vec<TrackedIssue>, DatabaseError>;

    /// The lists of at most `limit` of these channels that have any issues, those that were added to last first.
    async fn summarize(&self, channels: &[ChannelId], limit: u32) -> Result<Vec<ListSummary>, DatabaseError>;

    /// How many issues a channel tracks.
    async fn count_tracked_issues(&self, channel: &ChannelId) -> Result<u32, DatabaseError>;

    /// For each key, in order, whether a channel tracks it.
    async fn is_tracked(&self, channel: &ChannelId, keys: &[IssueKey]) -> Result<Vec<bool>, DatabaseError>;

    /// Writes Jira's latest answers into the rows of a channel. Each pair is an issue's key on the list and
    /// Jira's answer. `None` means that Jira no longer shows it: the summary becomes empty and the status
    /// [`MISSING_STATUS`]. An empty status keeps the stored one. A moved issue is renamed, as
    /// [`ChannelIssueTracker::track`] does. Keys that aren't on the list are ignored.
    ///
    /// `asked_at` is when Jira was asked. What it was asked later stays, so that an answer that was long on its
    /// way takes nothing back.
    ///
    /// [`MISSING_STATUS`]: maro_domain::tracked::MISSING_STATUS
    async fn update_sync_status(
        &self,
        channel: &ChannelId,
        updates: &[(IssueKey, Option<Issue>)],
        asked_at: Timestamp,
    ) -> Result<(), DatabaseError>;

    /// As [`ChannelIssueTracker::update_sync_status`], for many channels at a time.
    async fn record(&self, answers: &[Answered], asked_at: Timestamp) -> Result<(), DatabaseError>;

    /// When Jira was last asked about the row that waits longest, of those about which it was ever asked.
    async fn oldest_sync(&self) -> Result<Option<Timestamp>, DatabaseError>;

    /// Makes every row of an issue one that was never synced, so that it is the next to be. Finds the issue by
    /// key or by Jira's immutable id.
    async fn forget_sync(&self, issue: &Issue) -> Result<(), DatabaseError>;

    /// At most `limit` rows that were last synced before `before` or never, longest waiting first.
    async fn get_stale_issues(
        &self,
        before: Timestamp,
        limit: u32,
    ) -> Result<Vec<(ChannelId, IssueKey)>, DatabaseError>;

    /// Every list that an issue is on, with its key there. Finds the issue by key or by Jira's immutable id.
    async fn get_channels_tracking(&self, issue: &Issue)
    -> Result<Vec<(ChannelId, IssueKey)>, DatabaseError>;

    /// Checks that the database answers.
    async fn ping(&self) -> Result<(), DatabaseError>;

    /// Checks that a change could be made, as far as that can be known without one: nothing is left behind. Fails
    /// if the database is read-only or its disk is full. Called every few seconds, so it mustn't cost much.
    async fn try_change(&self) -> Result<(), DatabaseError> {
        self.ping().await
    }
}
