//! The claims in PostgreSQL. Other replicas may write to them at the same time.

use std::sync::Arc;

use async_trait::async_trait;
use jiff::Timestamp;

use crate::{
    claimed_notices::NoticeClaims,
    database::{
        error::DatabaseError,
        postgres::{PostgresDatabase, attempt::Effect, deadline::in_time},
        time::time_text,
    },
};

const CLAIM: &str = concat!(
    "INSERT INTO plugin_refusals AS refusal (file_name, content, told_at) SELECT $1, $2, $3::timestamptz WHERE ",
    in_time!("$5"),
    " ON CONFLICT (file_name) DO UPDATE SET content = excluded.content, told_at = excluded.told_at
    WHERE refusal.content <> excluded.content OR refusal.told_at < $4::timestamptz"
);

const RELEASE: &str = concat!(
    "DELETE FROM plugin_refusals WHERE file_name = $1 AND told_at = $2::timestamptz AND ",
    in_time!("$3")
);

pub(crate) struct PostgresNoticeClaims {
    database: Arc<PostgresDatabase>,
}

impl PostgresNoticeClaims {
    pub(crate) fn new(database: Arc<PostgresDatabase>) -> Self {
        Self { database }
    }
}

#[async_trait]
impl NoticeClaims for PostgresNoticeClaims {
    async fn claim(
        &self,
        subject: &str,
        content: &str,
        now: Timestamp,
        told_before: Timestamp,
    ) -> Result<bool, DatabaseError> {
        let (now, told_before) = (time_text(now), time_text(told_before));
        // A retry would find the claim of the first attempt, and take it for somebody else's.
        let statement = || {
            let query = sqlx::query(CLAIM).bind(subject).bind(content);
            query.bind(now.clone()).bind(told_before.clone())
        };
        Ok(self.database.execute(Effect::Once, statement).await? > 0)
    }

    async fn release(&self, subject: &str, claimed_at: Timestamp) -> Result<(), DatabaseError> {
        let claimed_at = time_text(claimed_at);
        let statement = || sqlx::query(RELEASE).bind(subject).bind(claimed_at.clone());
        self.database.execute(Effect::Repeatable, statement).await.map(drop)
    }
}
