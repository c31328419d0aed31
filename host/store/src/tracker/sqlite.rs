//! The lists in a SQLite file.

use std::sync::Arc;

use async_trait::async_trait;
use jiff::Timestamp;

use crate::{
    audit::author_and_request::Stamp,
    database::{
        error::{self, DatabaseError},
        sqlite::{SqliteDatabase, queue::Queue, statements::StatementQueue},
    },
    tracker::{
        ChannelIssueTracker, TrackRequest,
        jira_answers::{JiraAnswers, MAX_TRANSACTIONS},
        sqlite::{item::ListChange, write::Made},
        stored::{
            parse_filtered, parse_first_rows, parse_page, parse_places, parse_present, parse_rows,
            parse_summaries,
        },
    },
};
use maro_domain::{
    author::Author,
    ids::ChannelId,
    issue::{Issue, IssueId, IssueKey},
    tracked::{
        FilteredPage, ListFilter, ListSummary, PageRequest, Removal, TrackOutcome, TrackedIssue, TrackedPage,
        UntrackOutcome,
    },
};

mod item;
mod put_back;
mod read;
mod rename_rows;
mod write;
mod write_answers;

pub(crate) struct SqliteTracker {
    database: Arc<SqliteDatabase>,
    writer: Queue<ListChange, Option<Made>>,
    records: Queue<JiraAnswers, Option<JiraAnswers>>,
    statements: StatementQueue,
}

impl SqliteTracker {
    pub(crate) fn new(database: Arc<SqliteDatabase>) -> Self {
        let (writer, records) = (database.start_writer(), database.start_writer());
        Self { writer, records, statements: StatementQueue::on(&database), database }
    }
}

#[async_trait]
impl ChannelIssueTracker for SqliteTracker {
    async fn track(
        &self,
        request: TrackRequest<'_>,
        issues: &[Issue],
        now: Timestamp,
    ) -> Result<Vec<TrackOutcome>, DatabaseError> {
        let stamp = Stamp::new(request.author, now);
        let claim = stamp.claim().clone();
        let change = ListChange::Track { stamp, source: request.source.as_str(), issues: issues.to_vec() };
        let added = claim.settle(self.writer.ask(change).await?, |made| made.items.contains(&true))?;
        Ok(added.items.into_iter().map(TrackOutcome::new).collect())
    }

    async fn remove(
        &self,
        author: &Author,
        keys: &[IssueKey],
        now: Timestamp,
    ) -> Result<Removal, DatabaseError> {
        let stamp = Stamp::new(author, now);
        let claim = stamp.claim().clone();
        let change = ListChange::Untrack { stamp, keys: keys.to_vec() };
        let removed = claim.settle(self.writer.ask(change).await?, |made| made.items.contains(&true))?;
        Ok(Removal {
            outcomes: removed.items.into_iter().map(UntrackOutcome::new).collect(),
            list: removed.list.map(|json| parse_first_rows(&json, &author.channel)).transpose()?,
        })
    }

    async fn put_back(
        &self,
        channel: &ChannelId,
        keys: &[IssueKey],
        since: Timestamp,
    ) -> Result<(), DatabaseError> {
        let keys: Vec<&str> = keys.iter().map(IssueKey::as_str).collect();
        let removed = self.database.read(put_back::removed(channel.as_str(), &keys, since)).await?;
        let removed: Vec<(String, i64)> = error::parse(&removed)?;
        if !removed.is_empty() {
            self.statements.ask(put_back::put_back(channel.as_str(), &removed)).await?;
        }
        Ok(())
    }

    async fn has_changed(
        &self,
        channel: &ChannelId,
        key: &IssueKey,
        since: Timestamp,
    ) -> Result<bool, DatabaseError> {
        let question = put_back::changes(channel.as_str(), key.as_str(), since);
        Ok(error::parse::<u64>(&self.database.read(question).await?)? > 0)
    }

    async fn get_tracked_issues(
        &self,
        channel: &ChannelId,
        page: PageRequest,
    ) -> Result<TrackedPage, DatabaseError> {
        let json = self.database.read(read::page(channel.as_str(), page.limit, page.offset)).await?;
        parse_page(&json, channel, page)
    }

    async fn get_filtered_issues(
        &self,
        channel: &ChannelId,
        filter: ListFilter<'_>,
        page: PageRequest,
    ) -> Result<FilteredPage, DatabaseError> {
        let json = self.database.read(read::filtered(channel.as_str(), filter, page)).await?;
        parse_filtered(&json, channel, page)
    }

    async fn find_tracked_issues(
        &self,
        channel: &ChannelId,
        keys: &[IssueKey],
        ids: &[IssueId],
    ) -> Result<Vec<TrackedIssue>, DatabaseError> {
        let texts: Vec<&str> = keys.iter().map(IssueKey::as_str).collect();
        let ids: Vec<&str> = ids.iter().map(IssueId::as_str).collect();
        let json = self.database.read(read::found(channel.as_str(), &texts, &ids)).await?;
        parse_rows(&json, channel)
    }

    async fn summarize(&self, channels: &[ChannelId], limit: u32) -> Result<Vec<ListSummary>, DatabaseError> {
        let channels: Vec<&str> = channels.iter().map(ChannelId::as_str).collect();
        parse_summaries(&self.database.read(read::summaries(&channels, limit)).await?)
    }

    async fn count_tracked_issues(&self, channel: &ChannelId) -> Result<u32, DatabaseError> {
        let json = self.database.read(read::count(channel.as_str())).await?;
        error::parse(&json)
    }

    async fn is_tracked(&self, channel: &ChannelId, keys: &[IssueKey]) -> Result<Vec<bool>, DatabaseError> {
        let texts: Vec<&str> = keys.iter().map(IssueKey::as_str).collect();
        let json = self.database.read(read::present(channel.as_str(), &texts)).await?;
        parse_present(&json, keys)
    }

    async fn record(&self, told: JiraAnswers) -> Result<(), DatabaseError> {
        let mut left = Some(told);
        for _ in 0..MAX_TRANSACTIONS {
            let Some(part) = left else { break };
            left = self.records.ask(part).await?;
        }
        Ok(())
    }

    async fn get_channels_tracking(
        &self,
        issue: &Issue,
    ) -> Result<Vec<(ChannelId, IssueKey)>, DatabaseError> {
        let json = self.database.read(read::places(issue.key.as_str(), issue.id.as_str())).await?;
        parse_places(&json)
    }

    async fn ping(&self) -> Result<(), DatabaseError> {
        self.database.read(read::ping()).await.map(|_| ())
    }

    async fn try_change(&self) -> Result<(), DatabaseError> {
        self.ping().await?;
        self.database.try_change().await
    }
}
