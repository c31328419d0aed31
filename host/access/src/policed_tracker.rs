//! The lists, which keep no words of issues that may not be shown in their channel.

use std::{borrow::Cow, sync::Arc};

use async_trait::async_trait;
use jiff::Timestamp;

use crate::{Access, policy_in_channel::Sight};
use maro_domain::{
    author::Author,
    ids::ChannelId,
    issue::{Issue, IssueId, IssueKey, StatusCategory},
    tracked::{
        FilteredPage, ListFilter, ListSummary, PageRequest, Removal, TrackOutcome, TrackedIssue, TrackedPage,
        WITHHELD_STATUS,
    },
};
use maro_store::{
    database::error::DatabaseError,
    tracker::{
        ChannelIssueTracker, TrackRequest,
        jira_answers::{JiraAnswers, Sieve},
    },
};

/// The lists behind the access policy: whatever writes a summary or a status passes here.
pub struct PolicedTracker {
    lists: Arc<dyn ChannelIssueTracker>,
    access: Arc<Access>,
}

impl PolicedTracker {
    pub fn new(lists: Arc<dyn ChannelIssueTracker>, access: Arc<Access>) -> Self {
        Self { lists, access }
    }
}

/// What may be kept of an issue.
fn kept<'a>(sight: &Sight, issue: &'a Issue) -> Cow<'a, Issue> {
    match sight.issue(issue) {
        Ok(()) => Cow::Borrowed(issue),
        Err(_) => {
            let status = WITHHELD_STATUS.to_owned();
            Cow::Owned(Issue {
                summary: String::new(),
                status,
                status_id: None,
                status_category: StatusCategory::Unknown,
                ..issue.clone()
            })
        }
    }
}

/// What each list may keep of Jira's answers.
struct Policy(Arc<Access>);

impl Sieve for Policy {
    fn kept(&self, channel: &ChannelId, issue: &Issue) -> Issue {
        kept(&self.0.in_store(channel), issue).into_owned()
    }
}

#[async_trait]
impl ChannelIssueTracker for PolicedTracker {
    async fn track(
        &self,
        request: TrackRequest<'_>,
        issues: &[Issue],
        now: Timestamp,
    ) -> Result<Vec<TrackOutcome>, DatabaseError> {
        let sight = self.access.in_store(&request.author.channel);
        if sight.is_all() {
            return self.lists.track(request, issues, now).await;
        }
        let issues: Vec<Issue> = issues.iter().map(|issue| kept(&sight, issue).into_owned()).collect();
        self.lists.track(request, &issues, now).await
    }

    async fn remove(
        &self,
        author: &Author,
        keys: &[IssueKey],
        now: Timestamp,
    ) -> Result<Removal, DatabaseError> {
        self.lists.remove(author, keys, now).await
    }

    async fn put_back(
        &self,
        channel: &ChannelId,
        keys: &[IssueKey],
        since: Timestamp,
    ) -> Result<(), DatabaseError> {
        self.lists.put_back(channel, keys, since).await
    }

    async fn has_changed(
        &self,
        channel: &ChannelId,
        key: &IssueKey,
        since: Timestamp,
    ) -> Result<bool, DatabaseError> {
        self.lists.has_changed(channel, key, since).await
    }

    async fn get_tracked_issues(
        &self,
        channel: &ChannelId,
        page: PageRequest,
    ) -> Result<TrackedPage, DatabaseError> {
        self.lists.get_tracked_issues(channel, page).await
    }

    async fn get_filtered_issues(
        &self,
        channel: &ChannelId,
        filter: ListFilter<'_>,
        page: PageRequest,
    ) -> Result<FilteredPage, DatabaseError> {
        self.lists.get_filtered_issues(channel, filter, page).await
    }

    async fn find_tracked_issues(
        &self,
        channel: &ChannelId,
        keys: &[IssueKey],
        ids: &[IssueId],
    ) -> Result<Vec<TrackedIssue>, DatabaseError> {
        self.lists.find_tracked_issues(channel, keys, ids).await
    }

    async fn summarize(&self, channels: &[ChannelId], limit: u32) -> Result<Vec<ListSummary>, DatabaseError> {
        self.lists.summarize(channels, limit).await
    }

    async fn count_tracked_issues(&self, channel: &ChannelId) -> Result<u32, DatabaseError> {
        self.lists.count_tracked_issues(channel).await
    }

    async fn is_tracked(&self, channel: &ChannelId, keys: &[IssueKey]) -> Result<Vec<bool>, DatabaseError> {
        self.lists.is_tracked(channel, keys).await
    }

    async fn record(&self, told: JiraAnswers) -> Result<(), DatabaseError> {
        self.lists.record(told.through(Arc::new(Policy(Arc::clone(&self.access))))).await
    }

    async fn get_channels_tracking(
        &self,
        issue: &Issue,
    ) -> Result<Vec<(ChannelId, IssueKey)>, DatabaseError> {
        self.lists.get_channels_tracking(issue).await
    }

    async fn ping(&self) -> Result<(), DatabaseError> {
        self.lists.ping().await
    }

    async fn try_change(&self) -> Result<(), DatabaseError> {
        self.lists.try_change().await
    }
}
