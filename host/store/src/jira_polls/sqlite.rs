//! The turns in a SQLite file.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use serde_json::json;

use crate::{
    database::{
        error::DatabaseError,
        sqlite::{
            SqliteDatabase,
            statements::{StatementQueue, Statements},
        },
    },
    jira_polls::{JiraPolls, Turn, millis, parse},
};

/// A turn is no later for a clock that was set back.
const TAKE: &str = "
    INSERT INTO jira_polls AS poll (asked_ms, known_ms)
    VALUES (CAST(unixepoch('now', 'subsec') * 1000 AS INTEGER), 0)
    ON CONFLICT (team_id, site_id) DO UPDATE SET asked_ms = excluded.asked_ms
    WHERE poll.asked_ms <= excluded.asked_ms - ?1 ->> 0 OR poll.asked_ms > excluded.asked_ms
    RETURNING asked_ms || ' ' || known_ms";

const END: &str = "
    UPDATE jira_polls SET known_ms = max(known_ms, ?1 ->> 0) WHERE team_id = '' AND site_id = ''";

/// The turns in a SQLite file.
pub(crate) struct SqliteJiraPolls {
    writer: StatementQueue,
}

impl SqliteJiraPolls {
    pub(crate) fn new(database: &Arc<SqliteDatabase>) -> Self {
        Self { writer: StatementQueue::on(database) }
    }
}

#[async_trait]
impl JiraPolls for SqliteJiraPolls {
    async fn take_turn(&self, interval: Duration) -> Result<Option<Turn>, DatabaseError> {
        let statements = Statements::new(&[TAKE], vec![json!(millis(interval))]);
        Ok(self.writer.ask(statements).await?.first().and_then(|row| parse(row)))
    }

    async fn end_turn(&self, turn: Turn) -> Result<(), DatabaseError> {
        self.writer.ask(Statements::new(&[END], vec![json!(turn.asked_ms)])).await.map(drop)
    }
}
