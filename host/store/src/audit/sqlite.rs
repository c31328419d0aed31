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

/// The first to ask on a day gets a row. A time that is still to come was a clock's that went ahead.
const BEGIN_PRUNING: &str = "
    UPDATE audit_retention SET kept_since = max(kept_since, ?1 ->> 0), pruned_at = ?1 ->> 1
    WHERE pruned_at < ?1 ->> 2 OR pruned_at > ?1 ->> 1
    RETURNING ''";

/// The last id of the next entries, and the earliest of their times. Null behind the last entry.
const NEXT: &str = for_each_ask!(
    "SELECT iif(count(*) = 0, 'null', json_array(max(id), min(at)))
    FROM (SELECT id, at FROM audit_log WHERE id > ask.value ORDER BY id LIMIT ?2)"
);

const PRUNE: &str = "
    DELETE FROM audit_log WHERE id > ?1 ->> 1 AND id <= ?1 ->> 2 AND at < ?1 ->> 0
    RETURNING ''";

/// `ask.value` is the request.
const HANDLING: &str = for_each_ask!(
    "coalesce((SELECT cast(handling AS TEXT) FROM audit_log WHERE request = ask.value), 'null')"
);

/// How many entries are removed at once. Others wait for it.
const BATCH: u32 = 200;

pub(crate) struct SqliteAuditLog {
    database: Arc<SqliteDatabase>,
    writer: StatementQueue,
}

impl SqliteAuditLog {
    pub(crate) fn new(database: Arc<SqliteDatabase>) -> Self {
        Self { writer: StatementQueue::on(&database), database }
    }

    /// The last id of the entries that are removed together, and the earliest of their times. `None` behind the last.
    async fn next(&self, after: i64) -> Result<Option<(i64, String)>, DatabaseError> {
        error::parse(&self.database.read(Question::of(NEXT, after).limit(BATCH)).await?)
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
        let [kept_since, due_before, now] = [kept_since, due_before, now].map(time_text);
        let begin = Statements::new(&[BEGIN_PRUNING], vec![json!(kept_since), json!(now), json!(due_before)]);
        if self.writer.ask(begin).await?.is_empty() {
            return Ok(Pruned::NotDue);
        }
        let (mut removed, mut after) = (0, 0);
        // All entries: a clock that went ahead may have left some that stay among those that go.
        while let Some((last, earliest)) = self.next(after).await? {
            if earliest < kept_since {
                let prune = Statements::new(&[PRUNE], vec![json!(kept_since), json!(after), json!(last)]);
                removed += self.writer.ask(prune).await?.len() as u64;
            }
            after = last;
        }
        Ok(Pruned::Removed(removed))
    }
}
