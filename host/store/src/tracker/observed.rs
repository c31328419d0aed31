//! The lists, with somebody who watches the calls.

use async_trait::async_trait;
use jiff::Timestamp;

use crate::{
    database::error::DatabaseError,
    observer::Observed,
    tracker::{ChannelIssueTracker, TrackRequest, jira_answers::JiraAnswers},
};
use maro_domain::{
    author::Author,
    ids::ChannelId,
    issue::{Issue, IssueId, IssueKey},
    tracked::{
        FilteredPage, ListFilter, ListSummary, PageRequest, Removal, TrackOutcome, TrackedIssue, TrackedPage,
    },
};

#[async_trait]
impl ChannelIssueTracker for Observed<dyn ChannelIssueTracker> {
    async fn track(
        &self,
        request: TrackRequest<'_>,
        issues: &[Issue],
        now: Timestamp,
    ) -> Result<Vec<TrackOutcome>, DatabaseError> {
        self.watch("track", self.table.track(request, issues, now)).await
    }

    async fn remove(
        &self,
        author: &Author,
        keys: &[IssueKey],
        now: Timestamp,
    ) -> Result<Removal, DatabaseError> {
        self.watch("untrack", self.table.remove(author, keys, now)).await
    }

    async fn put_back(
        &self,
        channel: &ChannelId,
        keys: &[IssueKey],
        since: Timestamp,
    ) -> Result<(), DatabaseError> {
        self.watch("put_back", self.table.put_back(channel, keys, since)).await
    }

    async fn has_changed(
        &self,
        channel: &ChannelId,
        key: &IssueKey,
        since: Timestamp,
    ) -> Result<bool, DatabaseError> {
        self.watch("has_changed", self.table.has_changed(channel, key, since)).await
    }

    async fn get_tracked_issues(
        &self,
        channel: &ChannelId,
        page: PageRequest,
    ) -> Result<TrackedPage, DatabaseError> {
        self.watch("page", self.table.get_tracked_issues(channel, page)).await
    }

    async fn get_filtered_issues(
        &self,
        channel: &ChannelId,
        filter: ListFilter<'_>,
        page: PageRequest,
    ) -> Result<FilteredPage, DatabaseError> {
        self.watch("page", self.table.get_filtered_issues(channel, filter, page)).await
    }

    async fn find_tracked_issues(
        &self,
        channel: &ChannelId,
        keys: &[IssueKey],
        ids: &[IssueId],
    ) -> Result<Vec<TrackedIssue>, DatabaseError> {
        self.watch("find", self.table.find_tracked_issues(channel, keys, ids)).await
    }

    async fn summarize(&self, channels: &[ChannelId], limit: u32) -> Result<Vec<ListSummary>, DatabaseError> {
        self.watch("summaries", self.table.summarize(channels, limit)).await
    }

    async fn count_tracked_issues(&self, channel: &ChannelId) -> Result<u32, DatabaseError> {
        self.watch("count", self.table.count_tracked_issues(channel)).await
    }

    async fn is_tracked(&self, channel: &ChannelId, keys: &[IssueKey]) -> Result<Vec<bool>, DatabaseError> {
        self.watch("is_tracked", self.table.is_tracked(channel, keys)).await
    }

    async fn record(&self, told: JiraAnswers) -> Result<(), DatabaseError> {
        self.watch("record", self.table.record(told)).await
    }

    async fn get_channels_tracking(
        &self,
        issue: &Issue,
    ) -> Result<Vec<(ChannelId, IssueKey)>, DatabaseError> {
        self.watch("channels", self.table.get_channels_tracking(issue)).await
    }

    async fn ping(&self) -> Result<(), DatabaseError> {
        self.watch("ping", self.table.ping()).await
    }

    async fn try_change(&self) -> Result<(), DatabaseError> {
        self.watch("try_change", self.table.try_change()).await
    }
}
