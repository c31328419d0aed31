//! The lists: which Jira issues each channel tracks.
//!
//! Owns the table `channel_tracked_issues`. Doesn't know about Jira or Slack.

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};

use crate::{database::error::DatabaseError, tracker::jira_answers::JiraAnswers};
use maro_domain::{
    author::Author,
    ids::ChannelId,
    issue::{Issue, IssueId, IssueKey},
    tracked::{
        FilteredPage, ListFilter, ListSummary, PageRequest, Removal, Source, TrackOutcome, TrackedIssue,
        TrackedPage, UntrackOutcome,
    },
};

pub(crate) mod observed;
pub(crate) mod postgres;
pub(crate) mod sqlite;

pub mod jira_answers;
mod known_fields;
mod newer_answer;
mod reconcile;
mod shown_status;
mod stored;

/// Every issue on every list, as channel and key.
pub(crate) const LISTED: &str = "SELECT channel_id, issue_key FROM channel_tracked_issues ORDER BY id";

/// How long after it was untracked an issue still finds its place in the list. People undo at once, or after a holiday,
/// and the audit log since then is read for it.
pub const KEEPS_PLACE_FOR: SignedDuration = SignedDuration::from_hours(31 * 24);

/// Who adds issues to the list of their channel, and why.
#[derive(Debug, Clone, Copy)]
pub struct TrackRequest<'a> {
    pub author: &'a Author,
    pub source: Source,
}

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

    /// Removes keys from the list of the author's channel. A key given twice is removed once.
    async fn remove(
        &self,
        author: &Author,
        keys: &[IssueKey],
        now: Timestamp,
    ) -> Result<Removal, DatabaseError>;

    /// As [`ChannelIssueTracker::remove`]. Returns one outcome for each key, in order.
    async fn untrack(
        &self,
        author: &Author,
        keys: &[IssueKey],
        now: Timestamp,
    ) -> Result<Vec<UntrackOutcome>, DatabaseError> {
        Ok(self.remove(author, keys, now).await?.outcomes)
    }

    /// Moves rows of a channel's list to where their issues stood before they were last untracked, with who had added
    /// them, as far as the audit log knows it: for what is taken back. Of what wasn't untracked after `since`, the rows
    /// stay where they are.
    async fn put_back(
        &self,
        channel: &ChannelId,
        keys: &[IssueKey],
        since: Timestamp,
    ) -> Result<(), DatabaseError>;

    /// Whether an issue was put on a channel's list or taken off it since then, as far as the audit log knows it.
    async fn has_changed(
        &self,
        channel: &ChannelId,
        key: &IssueKey,
        since: Timestamp,
    ) -> Result<bool, DatabaseError>;

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

    /// Writes Jira's answers to every list that the issues are on. The rows of an issue are those with the key that Jira
    /// was asked for, with the issue's key of now, or with its id. `None` means that Jira no longer shows it: the summary
    /// becomes empty and the status [`MISSING_STATUS`]. An empty status keeps the stored one. A moved issue is renamed, as
    /// [`ChannelIssueTracker::track`] does.
    ///
    /// A row that says the same already isn't written: that Jira was asked is noted once for each issue. What is older
    /// than what is stored changes nothing, by Jira's own time of the issue's last change, whichever replica asked when.
    /// If that doesn't say it, what Jira was asked later is newer.
    ///
    /// [`MISSING_STATUS`]: maro_domain::tracked::MISSING_STATUS
    async fn record(&self, told: JiraAnswers) -> Result<(), DatabaseError>;

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
