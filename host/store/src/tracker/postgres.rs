//! The lists in PostgreSQL, for production with several replicas.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use async_trait::async_trait;
use jiff::Timestamp;

use crate::{
    audit::author_and_request::Stamp,
    database::{
        error::{self, DatabaseError},
        postgres::{PostgresDatabase, attempt::Effect, deadline::in_time},
    },
    tracker::{
        ChannelIssueTracker, TrackRequest,
        jira_answers::{JiraAnswers, MAX_TRANSACTIONS, ROWS_AT_ONCE, ROWS_PER_TRANSACTION},
        postgres::{listed::listed, write::Tracking},
        stored::{
            parse_filtered, parse_first_rows, parse_page, parse_places, parse_present, parse_rows,
            parse_summaries, stored_filter,
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

mod listed;
mod put_back;
mod rename_rows;
mod write;
mod write_answers;

/// Returns one row more than requested, to tell whether the list continues.
const PAGE: &str = concat!(
    "SELECT ",
    listed!(),
    "::text
    FROM (SELECT * FROM channel_tracked_issues WHERE channel_id = $1
          ORDER BY tracked_at, id LIMIT $2::bigint + 1 OFFSET $3) AS page"
);

/// Whether a row is of the channel `$1` and fits the filter `$4`. `$5` and `$6` are the person and the ids of issues
/// for `mine`.
macro_rules! fits {
    () => {
        "channel_id = $1
         AND CASE $4::text
             WHEN 'open' THEN last_jira_category IS DISTINCT FROM 'done'
             WHEN 'done' THEN last_jira_category IS NOT DISTINCT FROM 'done'
             WHEN 'mine' THEN tracked_by = $5::text OR issue_id = ANY($6::text[])
             ELSE true END "
    };
}

/// The rows of [`PAGE`], how many issues there are in all, and how many of them are open.
const FILTERED: &str = concat!(
    "SELECT json_build_array(
         (SELECT ",
    listed!(),
    "
          FROM (SELECT * FROM channel_tracked_issues WHERE ",
    fits!(),
    "       ORDER BY tracked_at, id LIMIT $2::bigint + 1 OFFSET $3) AS page),
         count(*), count(*) FILTER (WHERE last_jira_category IS DISTINCT FROM 'done'))::text
     FROM channel_tracked_issues WHERE ",
    fits!()
);

const FOUND: &str = concat!(
    "SELECT ",
    listed!(),
    "::text
    FROM (SELECT * FROM channel_tracked_issues
          WHERE channel_id = $1 AND (issue_key = ANY($2) OR issue_id = ANY($3))
          ORDER BY tracked_at, id) AS page"
);

const COUNT: &str = "SELECT count(*)::text FROM channel_tracked_issues WHERE channel_id = $1";

/// Those that were added to last come first.
const SUMMARIES: &str = "
    SELECT coalesce(json_agg(json_build_array(channel_id, count, open)), '[]')::text
    FROM (SELECT channel_id, count(*) AS count,
              count(*) FILTER (WHERE last_jira_category IS DISTINCT FROM 'done') AS open
          FROM channel_tracked_issues WHERE channel_id = ANY($1)
          GROUP BY channel_id ORDER BY max(tracked_at) DESC, channel_id LIMIT $2) AS summaries";

const PRESENT: &str = "
    SELECT coalesce(json_agg(issue_key), '[]')::text FROM channel_tracked_issues
    WHERE channel_id = $1 AND issue_key = ANY($2)";

/// Whether people can write to the row's channel. Of one that is paused, the list is kept as it is.
macro_rules! is_heard {
    () => {
        "NOT EXISTS (SELECT FROM paused_channels AS paused
                     WHERE paused.channel_id = channel_tracked_issues.channel_id) "
    };
}

const PLACES: &str = concat!(
    "SELECT coalesce(json_agg(json_build_array(channel_id, issue_key)), '[]')::text
    FROM (SELECT channel_id, issue_key FROM channel_tracked_issues WHERE issue_key = $1 AND ",
    is_heard!(),
    "     UNION
          SELECT channel_id, issue_key FROM channel_tracked_issues WHERE issue_id = $2 AND ",
    is_heard!(),
    "     ORDER BY channel_id, issue_key) AS places"
);

/// Changes nothing, and yet only a server that takes writes makes it.
const PING: &str = concat!("DELETE FROM channel_tracked_issues WHERE false AND ", in_time!("$1"));

pub(crate) struct PostgresTracker {
    database: Arc<PostgresDatabase>,
}

impl PostgresTracker {
    pub(crate) fn new(database: Arc<PostgresDatabase>) -> Self {
        Self { database }
    }
}

#[async_trait]
impl ChannelIssueTracker for PostgresTracker {
    async fn track(
        &self,
        request: TrackRequest<'_>,
        issues: &[Issue],
        now: Timestamp,
    ) -> Result<Vec<TrackOutcome>, DatabaseError> {
        let was_asked = &AtomicBool::new(false);
        let stamp = &Stamp::new(request.author, now);
        let change = &Tracking { stamp, source: request.source };
        let added =
            self.database.attempt_for(stamp.claim(), Effect::Repeatable, |mut lease, deadline| async move {
                let is_again = was_asked.swap(true, Ordering::Relaxed);
                let mut added = write::track(&mut lease, deadline, change, issues, now).await?;
                if is_again && let Some(added) = &mut added {
                    added.extend(write::added_at(&mut lease, stamp, issues).await?);
                }
                Ok(added)
            });
        let mut added = stamp.claim().settle(added.await?, |added| !added.is_empty())?;
        Ok(issues.iter().map(|issue| TrackOutcome::new(added.remove(issue.key.as_str()))).collect())
    }

    async fn remove(
        &self,
        author: &Author,
        keys: &[IssueKey],
        now: Timestamp,
    ) -> Result<Removal, DatabaseError> {
        let stamp = &Stamp::new(author, now);
        let removed =
            self.database.attempt_for(stamp.claim(), Effect::Once, |mut lease, deadline| async move {
                write::untrack(&mut lease, deadline, stamp, keys).await
            });
        let removed = stamp.claim().settle(removed.await?, |removed| !removed.keys.is_empty())?;
        let mut gone = removed.keys;
        Ok(Removal {
            outcomes: keys.iter().map(|key| UntrackOutcome::new(gone.remove(key.as_str()))).collect(),
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
        put_back::put_back(&self.database, channel.as_str(), &keys, since).await
    }

    async fn has_changed(
        &self,
        channel: &ChannelId,
        key: &IssueKey,
        since: Timestamp,
    ) -> Result<bool, DatabaseError> {
        put_back::has_changed(&self.database, channel.as_str(), key.as_str(), since).await
    }

    async fn get_tracked_issues(
        &self,
        channel: &ChannelId,
        page: PageRequest,
    ) -> Result<TrackedPage, DatabaseError> {
        let (limit, offset) = (i64::from(page.limit), i64::from(page.offset));
        let json =
            self.database.read(|| sqlx::query(PAGE).bind(channel.as_str()).bind(limit).bind(offset)).await?;
        parse_page(&json, channel, page)
    }

    async fn get_filtered_issues(
        &self,
        channel: &ChannelId,
        filter: ListFilter<'_>,
        page: PageRequest,
    ) -> Result<FilteredPage, DatabaseError> {
        let (limit, offset) = (i64::from(page.limit), i64::from(page.offset));
        let (name, person, ids) = stored_filter(filter);
        let query = || {
            let page = sqlx::query(FILTERED).bind(channel.as_str()).bind(limit).bind(offset);
            page.bind(name).bind(person).bind(ids.clone())
        };
        let json = self.database.read(query).await?;
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
        let json = self
            .database
            .read(|| sqlx::query(FOUND).bind(channel.as_str()).bind(texts.clone()).bind(ids.clone()))
            .await?;
        parse_rows(&json, channel)
    }

    async fn summarize(&self, channels: &[ChannelId], limit: u32) -> Result<Vec<ListSummary>, DatabaseError> {
        let channels: Vec<&str> = channels.iter().map(ChannelId::as_str).collect();
        let query = || sqlx::query(SUMMARIES).bind(channels.clone()).bind(i64::from(limit));
        parse_summaries(&self.database.read(query).await?)
    }

    async fn count_tracked_issues(&self, channel: &ChannelId) -> Result<u32, DatabaseError> {
        let json = self.database.read(|| sqlx::query(COUNT).bind(channel.as_str())).await?;
        error::parse(&json)
    }

    async fn is_tracked(&self, channel: &ChannelId, keys: &[IssueKey]) -> Result<Vec<bool>, DatabaseError> {
        let texts: Vec<&str> = keys.iter().map(IssueKey::as_str).collect();
        let json =
            self.database.read(|| sqlx::query(PRESENT).bind(channel.as_str()).bind(texts.clone())).await?;
        parse_present(&json, keys)
    }

    async fn record(&self, told: JiraAnswers) -> Result<(), DatabaseError> {
        let (mut left, mut limit) = (Some(told), ROWS_PER_TRANSACTION);
        for _ in 0..MAX_TRANSACTIONS {
            let Some(part) = &left else { break };
            let recorded = self.database.attempt(Effect::Repeatable, |mut lease, _| async move {
                write_answers::write(&mut lease, part, limit).await
            });
            left = match recorded.await {
                // The same again, but less of it.
                Err(DatabaseError::TimedOut) if limit > ROWS_AT_ONCE => {
                    limit /= 4;
                    continue;
                }
                recorded => recorded?,
            };
        }
        Ok(())
    }

    async fn get_channels_tracking(
        &self,
        issue: &Issue,
    ) -> Result<Vec<(ChannelId, IssueKey)>, DatabaseError> {
        let json = self
            .database
            .read(|| sqlx::query(PLACES).bind(issue.key.as_str()).bind(issue.id.as_str()))
            .await?;
        parse_places(&json)
    }

    async fn ping(&self) -> Result<(), DatabaseError> {
        self.database.execute(Effect::Repeatable, || sqlx::query(PING)).await.map(|_| ())
    }
}
