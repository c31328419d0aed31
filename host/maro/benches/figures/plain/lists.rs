//! The lists as a server that has nothing else to care for keeps them: pools of sqlx, and a statement for each
//! thing that is done. The tables are MARO's own.

use std::{collections::HashSet, time::Duration};

use maro_domain::{
    ids::{ChannelId, UserId},
    issue::{Issue, IssueKey},
};
use sqlx::{
    PgPool, SqlitePool,
    postgres::PgPoolOptions,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};

/// As many as MARO has.
const POSTGRES_CONNECTIONS: u32 = 10;
const SQLITE_READERS: u32 = 2;

const PAGE: &str = "SELECT issue_key, last_jira_summary, last_jira_status FROM channel_tracked_issues
    WHERE channel_id = $1 ORDER BY tracked_at, id LIMIT $2";

const COUNT: &str = "SELECT count(*) FROM channel_tracked_issues WHERE channel_id = $1";

const POSTGRES_ADD: &str = "
    INSERT INTO channel_tracked_issues (channel_id, tracked_by, issue_key, issue_id, last_jira_summary,
        last_jira_status, tracked_at, last_synced_at)
    SELECT $1, $2, issue_key, issue_id, summary, status, now(), now()
    FROM unnest($3::text[], $4::text[], $5::text[], $6::text[]) AS item (issue_key, issue_id, summary, status)
    ON CONFLICT DO NOTHING RETURNING issue_key";

const POSTGRES_REMOVE: &str = "
    DELETE FROM channel_tracked_issues WHERE channel_id = $1 AND issue_key = ANY($2) RETURNING issue_key";

const SQLITE_ADD: &str = "
    INSERT INTO channel_tracked_issues (channel_id, tracked_by, issue_key, issue_id, last_jira_summary,
        last_jira_status, tracked_at, last_synced_at)
    VALUES ($1, $2, $3, $4, $5, $6, strftime('%Y-%m-%dT%H:%M:%f000Z'), strftime('%Y-%m-%dT%H:%M:%f000Z'))
    ON CONFLICT DO NOTHING";

const SQLITE_REMOVE: &str = "DELETE FROM channel_tracked_issues WHERE channel_id = $1 AND issue_key = $2";

/// Key, summary and status.
pub(super) type Row = (String, Option<String>, Option<String>);

pub(super) enum Lists {
    Sqlite { readers: SqlitePool, writer: SqlitePool },
    Postgres(PgPool),
}

impl Lists {
    pub(super) async fn open(url: &str) -> Self {
        let Some(path) = url.strip_prefix("sqlite://") else {
            let options = PgPoolOptions::new().max_connections(POSTGRES_CONNECTIONS);
            return Self::Postgres(options.connect(url).await.unwrap());
        };
        // As durable as MARO: what was answered survives the process.
        let options = SqliteConnectOptions::new()
            .filename(path)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Normal)
            .busy_timeout(Duration::from_secs(5));
        let pool = |size| SqlitePoolOptions::new().max_connections(size).connect_with(options.clone());
        Self::Sqlite { readers: pool(SQLITE_READERS).await.unwrap(), writer: pool(1).await.unwrap() }
    }

    /// The first rows of a list.
    pub(super) async fn first(&self, channel: &ChannelId, limit: u32) -> Vec<Row> {
        let (channel, limit) = (channel.as_str(), i64::from(limit));
        match self {
            Self::Sqlite { readers, .. } => {
                sqlx::query_as(PAGE).bind(channel).bind(limit).fetch_all(readers).await
            }
            Self::Postgres(pool) => sqlx::query_as(PAGE).bind(channel).bind(limit).fetch_all(pool).await,
        }
        .unwrap()
    }

    pub(super) async fn count(&self, channel: &ChannelId) -> i64 {
        match self {
            Self::Sqlite { readers, .. } => {
                sqlx::query_scalar(COUNT).bind(channel.as_str()).fetch_one(readers).await
            }
            Self::Postgres(pool) => sqlx::query_scalar(COUNT).bind(channel.as_str()).fetch_one(pool).await,
        }
        .unwrap()
    }

    /// For each issue, whether it is new on the list.
    pub(super) async fn add(&self, channel: &ChannelId, user: &UserId, issues: &[Issue]) -> Vec<bool> {
        match self {
            Self::Sqlite { writer, .. } => {
                let mut transaction = writer.begin().await.unwrap();
                let mut added = Vec::with_capacity(issues.len());
                for issue in issues {
                    let insert = sqlx::query(SQLITE_ADD)
                        .bind(channel.as_str())
                        .bind(user.as_str())
                        .bind(issue.key.as_str())
                        .bind(issue.id.as_str())
                        .bind(&issue.summary)
                        .bind(&issue.status);
                    added.push(insert.execute(&mut *transaction).await.unwrap().rows_affected() == 1);
                }
                transaction.commit().await.unwrap();
                added
            }
            Self::Postgres(pool) => {
                let column = |text: fn(&Issue) -> &str| issues.iter().map(text).collect::<Vec<_>>();
                let added: Vec<String> = sqlx::query_scalar(POSTGRES_ADD)
                    .bind(channel.as_str())
                    .bind(user.as_str())
                    .bind(column(|issue| issue.key.as_str()))
                    .bind(column(|issue| issue.id.as_str()))
                    .bind(column(|issue| &issue.summary))
                    .bind(column(|issue| &issue.status))
                    .fetch_all(pool)
                    .await
                    .unwrap();
                let added: HashSet<String> = added.into_iter().collect();
                issues.iter().map(|issue| added.contains(issue.key.as_str())).collect()
            }
        }
    }

    /// For each key, whether it was on the list.
    pub(super) async fn remove(&self, channel: &ChannelId, keys: &[IssueKey]) -> Vec<bool> {
        match self {
            Self::Sqlite { writer, .. } => {
                let mut removed = Vec::with_capacity(keys.len());
                for key in keys {
                    let delete = sqlx::query(SQLITE_REMOVE).bind(channel.as_str()).bind(key.as_str());
                    removed.push(delete.execute(writer).await.unwrap().rows_affected() == 1);
                }
                removed
            }
            Self::Postgres(pool) => {
                let keys: Vec<&str> = keys.iter().map(IssueKey::as_str).collect();
                let delete = sqlx::query_scalar(POSTGRES_REMOVE).bind(channel.as_str()).bind(&keys);
                let removed: HashSet<String> = delete.fetch_all(pool).await.unwrap().into_iter().collect();
                keys.iter().map(|&key| removed.contains(key)).collect()
            }
        }
    }
}
