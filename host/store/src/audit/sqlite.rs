//! The audit log in a SQLite file.

use std::{path::Path, sync::Arc};

use async_trait::async_trait;
use jiff::Timestamp;
use serde_json::json;
use sqlx::SqliteConnection;

use crate::{
    audit::{AuditLog, Entry, Pruned, author_and_request::Stamp},
    database::{
        error::{self, DatabaseError},
        sqlite::{
            SqliteDatabase,
            read::{Question, for_each_ask},
            statements::{StatementQueue, Statements},
        },
        time::time_text,
    },
};
use maro_domain::{author::Author, request_token::RequestToken};

pub(crate) mod replay_guard;

/// Changes nothing but the log.
const NOTHING: &str = "SELECT ''";

/// The first to ask on a day gets a row.
const BEGIN_PRUNING: &str = "
    UPDATE audit_retention SET kept_since = max(kept_since, ?1 ->> 0), pruned_at = ?1 ->> 1
    WHERE pruned_at < ?1 ->> 2
    RETURNING ''";

/// Entries have their ids in the order of their times, or nearly. So the oldest are the first.
const PRUNE: &str = "
    DELETE FROM audit_log
    WHERE id IN (SELECT id FROM audit_log ORDER BY id LIMIT ?1 ->> 1) AND at < ?1 ->> 0
    RETURNING ''";

/// `ask.value` is the request.
const HANDLING: &str = for_each_ask!(
    "coalesce((SELECT cast(handling AS TEXT) FROM audit_log WHERE request = ask.value), 'null')"
);

/// How many entries are removed at once. Others wait for it.
const BATCH: usize = 200;

/// The audit log in a SQLite file.
pub(crate) struct SqliteAuditLog {
    database: Arc<SqliteDatabase>,
    writer: StatementQueue,
}

impl SqliteAuditLog {
    pub(crate) fn new(database: Arc<SqliteDatabase>) -> Self {
        Self { writer: StatementQueue::on(&database), database }
    }

    async fn add(&self, stamp: Stamp, entry: Entry<'_>) -> Result<(), DatabaseError> {
        let statements = Statements::new(&[NOTHING], Vec::new()).noting(&stamp, &[entry]);
        self.writer.ask(statements).await.map(|_| ())
    }
}

/// A connection that only reads the log.
///
/// # Errors
/// One sentence for the operator. It names the file.
pub(super) async fn open_to_read(path: &Path) -> anyhow::Result<SqliteConnection> {
    SqliteDatabase::open_to_read(path).await
}

#[async_trait]
impl AuditLog for SqliteAuditLog {
    async fn begin(&self, author: &Author, entry: Entry<'_>, now: Timestamp) -> Result<(), DatabaseError> {
        self.add(Stamp::new(author, now), entry).await
    }

    async fn note(&self, author: &Author, entry: Entry<'_>, now: Timestamp) -> Result<(), DatabaseError> {
        self.add(Stamp::without_request(author, now), entry).await
    }

    async fn is_replay(&self, request: &RequestToken) -> Result<bool, DatabaseError> {
        let ask = json!(hex::encode(request.request()));
        let handling: Option<i64> = error::parse(&self.database.read(Question::of(HANDLING, ask)).await?)?;
        Ok(handling.is_some_and(|handling| handling != request.handling()))
    }

    async fn prune(
        &self,
        kept_since: Timestamp,
        due_before: Timestamp,
        now: Timestamp,
    ) -> Result<Pruned, DatabaseError> {
        let [kept_since, due_before, now] = [kept_since, due_before, now].map(|time| json!(time_text(time)));
        let begin = Statements::new(&[BEGIN_PRUNING], vec![kept_since.clone(), now, due_before]);
        if self.writer.ask(begin).await?.is_empty() {
            return Ok(Pruned::NotDue);
        }
        let mut removed = 0;
        loop {
            let prune = Statements::new(&[PRUNE], vec![kept_since.clone(), json!(BATCH)]);
            let batch = self.writer.ask(prune).await?.len();
            removed += batch as u64;
            if batch < BATCH {
                return Ok(Pruned::Removed(removed));
            }
        }
    }
}
