//! The lists, with somebody who watches the calls.

use async_trait::async_trait;
use jiff::Timestamp;

use crate::{
    database::error::DatabaseError,
    observer::Observed,
    tracker::{Answered, ChannelIssueTracker, TrackRequest},
};
use maro_domain::{
    author::Author,
    ids::ChannelId,
    issue::{Issue, IssueId, IssueKey},
    tracked::{
        FilteredPage, ListFilter, ListSummary, PageRequest, TrackOutcome, TrackedIssue, TrackedPage,
        UntrackOutcome,
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

    async fn untrack(
        &self,
        author: &Author,
        keys: &[IssueKey],
        now: Timestamp,
    ) -> Result<Vec<UntrackOutcome>, DatabaseError> {
        self.watch("untrack", self.table.untrack(author, keys, now)).await
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

    async fn update_sync_status(
        &self,
        channel: &ChannelId,
        updates: &[(IssueKey, Option<Issue>)],
        asked_at: Timestamp,
    ) -> Result<(), DatabaseError> {
        self.watch("sync", self.table.update_sync_status(channel, updates, asked_at)).await
    }

    async fn record(&self, answers: &[Answered], asked_at: Timestamp) -> Result<(), DatabaseError> {
        self.watch("record", self.table.record(answers, asked_at)).await
    }

    async fn oldest_sync(&self) -> Result<Option<Timestamp>, DatabaseError> {
        self.watch("oldest_sync", self.table.oldest_sync()).await
    }

    async fn forget_sync(&self, issue: &Issue) -> Result<(), DatabaseError> {
        self.watch("forget_sync", self.table.forget_sync(issue)).await
    }

    async fn get_stale_issues(
        &self,
        before: Timestamp,
        limit: u32,
    ) -> Result<Vec<(ChannelId, IssueKey)>, DatabaseError> {
        self.watch("stale", self.table.get_stale_issues(before, limit)).await
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
