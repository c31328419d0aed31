//! The claims in a SQLite file.

use std::sync::Arc;

use async_trait::async_trait;
use jiff::Timestamp;
use serde_json::json;

use crate::{
    claimed_notices::NoticeClaims,
    database::{
        error::DatabaseError,
        sqlite::{
            SqliteDatabase,
            statements::{StatementQueue, Statements},
        },
        time::time_text,
    },
};

const CLAIM: &str = "
    INSERT INTO plugin_refusals (file_name, content, told_at) VALUES (?1 ->> 0, ?1 ->> 1, ?1 ->> 2)
    ON CONFLICT (file_name) DO UPDATE SET content = excluded.content, told_at = excluded.told_at
    WHERE content <> excluded.content OR told_at < ?1 ->> 3
    RETURNING file_name";

const RELEASE: &str = "
    DELETE FROM plugin_refusals WHERE file_name = ?1 ->> 0 AND told_at = ?1 ->> 1
    RETURNING file_name";

pub(crate) struct SqliteNoticeClaims {
    writer: StatementQueue,
}

impl SqliteNoticeClaims {
    pub(crate) fn new(database: &Arc<SqliteDatabase>) -> Self {
        Self { writer: StatementQueue::on(database) }
    }
}

#[async_trait]
impl NoticeClaims for SqliteNoticeClaims {
    async fn claim(
        &self,
        subject: &str,
        content: &str,
        now: Timestamp,
        told_before: Timestamp,
    ) -> Result<bool, DatabaseError> {
        let arguments =
            vec![json!(subject), json!(content), json!(time_text(now)), json!(time_text(told_before))];
        Ok(!self.writer.ask(Statements::new(&[CLAIM], arguments)).await?.is_empty())
    }

    async fn release(&self, subject: &str, claimed_at: Timestamp) -> Result<(), DatabaseError> {
        let arguments = vec![json!(subject), json!(time_text(claimed_at))];
        self.writer.ask(Statements::new(&[RELEASE], arguments)).await.map(drop)
    }
}
