//! The audit log in PostgreSQL. Other replicas may write to it at the same time.

use std::sync::Arc;

use async_trait::async_trait;
use jiff::Timestamp;
use sqlx::PgConnection;

use crate::{
    audit::{
        AuditLog, Entry, Pruned,
        author_and_request::Stamp,
        postgres::replay_guard::{note_one, outcome, stamped},
    },
    config::PostgresConfig,
    database::{
        error::DatabaseError,
        postgres::{PostgresDatabase, attempt::Effect, deadline::in_time},
        time::time_text,
    },
};
use maro_domain::{author::Author, request_token::RequestToken};

pub(crate) mod replay_guard;

/// An entry by itself. `$10` to `$12` are its action, subject and outcome.
const NOTE: &str = concat!(
    "WITH noted AS (",
    note_one!("$10::text", "$11::text", "$12::text", "(SELECT 1) AS one WHERE ", in_time!("$13")),
    ")",
    outcome!()
);

/// The first replica of the day gets a row.
const BEGIN_PRUNING: &str = concat!(
    "UPDATE audit_retention
    SET kept_since = greatest(kept_since, $1::timestamptz), pruned_at = $2::timestamptz
    WHERE pruned_at < $3::timestamptz AND ",
    in_time!("$4")
);

/// Entries have their ids in the order of their times, or nearly. So the oldest are the first.
const PRUNE: &str = concat!(
    "DELETE FROM audit_log
    WHERE id IN (SELECT id FROM audit_log ORDER BY id LIMIT $2) AND at < $1::timestamptz AND ",
    in_time!("$3")
);

/// How many entries are removed at once.
const BATCH: u32 = 1_000;

/// The audit log in PostgreSQL.
pub(crate) struct PostgresAuditLog {
    database: Arc<PostgresDatabase>,
}

impl PostgresAuditLog {
    pub(crate) fn new(database: Arc<PostgresDatabase>) -> Self {
        Self { database }
    }

    async fn add(&self, stamp: &Stamp, entry: Entry<'_>) -> Result<(), DatabaseError> {
        let Entry { action, subject, outcome } = entry;
        let statement = || stamped(NOTE, stamp).bind(action).bind(subject).bind(outcome);
        self.database.change(stamp.claim(), Effect::Repeatable, statement).await.map(|_| ())
    }
}

/// A connection that only reads the log.
///
/// # Errors
/// One sentence for the operator.
pub(super) async fn open_to_read(config: &PostgresConfig) -> anyhow::Result<PgConnection> {
    PostgresDatabase::connect_once(config).await
}

#[async_trait]
impl AuditLog for PostgresAuditLog {
    async fn begin(&self, author: &Author, entry: Entry<'_>, now: Timestamp) -> Result<(), DatabaseError> {
        self.add(&Stamp::new(author, now), entry).await
    }

    async fn note(&self, author: &Author, entry: Entry<'_>, now: Timestamp) -> Result<(), DatabaseError> {
        self.add(&Stamp::without_request(author, now), entry).await
    }

    async fn is_replay(&self, request: &RequestToken) -> Result<bool, DatabaseError> {
        Ok(self.database.handling_of(request).await?.is_some_and(|handling| handling != request.handling()))
    }

    async fn prune(
        &self,
        kept_since: Timestamp,
        due_before: Timestamp,
        now: Timestamp,
    ) -> Result<Pruned, DatabaseError> {
        let [kept_since, due_before, now] = [kept_since, due_before, now].map(time_text);
        let (kept_since, due_before, now) = (&*kept_since, &*due_before, &*now);
        let begin = || sqlx::query(BEGIN_PRUNING).bind(kept_since).bind(now).bind(due_before);
        if self.database.execute(Effect::Once, begin).await? == 0 {
            return Ok(Pruned::NotDue);
        }
        let mut removed = 0;
        loop {
            let prune = || sqlx::query(PRUNE).bind(kept_since).bind(i64::from(BATCH));
            let batch = self.database.execute(Effect::Repeatable, prune).await?;
            removed += batch;
            if batch < u64::from(BATCH) {
                return Ok(Pruned::Removed(removed));
            }
        }
    }
}
