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
        error::{self, DatabaseError},
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

/// The first replica of the day gets a row. A replica's clock that is ahead of the server's counts as that: else it
/// would stop all others until its time has come.
const BEGIN_PRUNING: &str = concat!(
    "UPDATE audit_retention
    SET kept_since = greatest(kept_since, $1::timestamptz), pruned_at = least($2::timestamptz, now())
    WHERE (pruned_at < $3::timestamptz OR pruned_at > now()) AND ",
    in_time!("$4")
);

/// The last id of the next entries, and whether any is to go. Null behind the last entry.
const NEXT: &str = "SELECT CASE WHEN count(*) = 0 THEN 'null'
    ELSE json_build_array(max(id), min(at) < $3::timestamptz)::text END
    FROM (SELECT id, at FROM audit_log WHERE id > $1 ORDER BY id LIMIT $2) AS next";

const PRUNE: &str =
    concat!("DELETE FROM audit_log WHERE id > $2 AND id <= $3 AND at < $1::timestamptz AND ", in_time!("$4"));

/// How many entries are removed at once.
const BATCH: u32 = 1_000;

pub(crate) struct PostgresAuditLog {
    database: Arc<PostgresDatabase>,
}

impl PostgresAuditLog {
    pub(crate) fn new(database: Arc<PostgresDatabase>) -> Self {
        Self { database }
    }

    /// The last id of the entries that are removed together, and whether any of them is older. `None` behind the last.
    async fn next(&self, after: i64, kept_since: &str) -> Result<Option<(i64, bool)>, DatabaseError> {
        let next = || sqlx::query(NEXT).bind(after).bind(i64::from(BATCH)).bind(kept_since);
        error::parse(&self.database.read(next).await?)
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
        let (mut removed, mut after) = (0, 0);
        // All entries: a clock that went ahead may have left some that stay among those that go.
        while let Some((last, has_old)) = self.next(after, kept_since).await? {
            if has_old {
                let prune = || sqlx::query(PRUNE).bind(kept_since).bind(after).bind(last);
                removed += self.database.execute(Effect::Repeatable, prune).await?;
            }
            after = last;
        }
        Ok(Pruned::Removed(removed))
    }
}
