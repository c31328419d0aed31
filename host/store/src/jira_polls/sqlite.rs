//! The turns in a SQLite file.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use serde_json::{Value, json};

use crate::{
    database::{
        error::DatabaseError,
        sqlite::{
            SqliteDatabase,
            read::{Question, for_each_ask},
            statements::{StatementQueue, Statements},
        },
        time::millis,
    },
    jira_polls::{Coverage, JiraPolls, Turn, parse, parse_coverage},
};

/// A turn isn't later by more than seconds for a clock that was set back.
const TAKE: &str = "
    INSERT INTO jira_polls AS poll (asked_ms, known_ms)
    VALUES (CAST(unixepoch('now', 'subsec') * 1000 AS INTEGER), 0)
    ON CONFLICT (team_id, site_id) DO UPDATE SET asked_ms = excluded.asked_ms
    WHERE poll.asked_ms <= excluded.asked_ms - ?1 ->> 0 OR poll.asked_ms > excluded.asked_ms + 10000
    RETURNING asked_ms || ' ' || known_ms";

const END: &str = "
    UPDATE jira_polls SET known_ms = iif(known_ms > CAST(unixepoch('now', 'subsec') * 1000 AS INTEGER), ?1 ->> 0,
            max(known_ms, ?1 ->> 0)),
        since_ms = iif(?1 ->> 1 AND since_ms > 0, since_ms, ?1 ->> 0)
    WHERE team_id = '' AND site_id = ''";

/// `ask.value` isn't used.
const COVERAGE: &str = for_each_ask!(
    "SELECT coalesce((
        SELECT (CAST(unixepoch('now', 'subsec') * 1000 AS INTEGER) - since_ms) || ' '
            || (CAST(unixepoch('now', 'subsec') * 1000 AS INTEGER) - known_ms)
        FROM jira_polls WHERE team_id = '' AND site_id = '' AND since_ms > 0
            AND max(since_ms, known_ms) <= CAST(unixepoch('now', 'subsec') * 1000 AS INTEGER)), '')"
);

const SWEEP: &str = "
    UPDATE jira_polls SET swept_ms = CAST(unixepoch('now', 'subsec') * 1000 AS INTEGER)
    WHERE team_id = '' AND site_id = ''
        AND (swept_ms <= CAST(unixepoch('now', 'subsec') * 1000 AS INTEGER) - ?1 ->> 0
            OR swept_ms > CAST(unixepoch('now', 'subsec') * 1000 AS INTEGER))
    RETURNING 'may'";

pub(crate) struct SqliteJiraPolls {
    database: Arc<SqliteDatabase>,
    writer: StatementQueue,
}

impl SqliteJiraPolls {
    pub(crate) fn new(database: Arc<SqliteDatabase>) -> Self {
        Self { writer: StatementQueue::on(&database), database }
    }
}

#[async_trait]
impl JiraPolls for SqliteJiraPolls {
    // There is one process.
    fn is_shared(&self) -> bool {
        false
    }

    async fn take_turn(&self, interval: Duration) -> Result<Option<Turn>, DatabaseError> {
        let statements = Statements::new(&[TAKE], vec![json!(millis(interval))]);
        Ok(self.writer.ask(statements).await?.first().and_then(|row| parse(row)))
    }

    async fn end_turn(&self, turn: Turn, is_gapless: bool) -> Result<(), DatabaseError> {
        let arguments = vec![json!(turn.asked_ms), json!(is_gapless)];
        self.writer.ask(Statements::new(&[END], arguments)).await.map(drop)
    }

    async fn coverage(&self) -> Result<Option<Coverage>, DatabaseError> {
        Ok(parse_coverage(&self.database.read(Question::of(COVERAGE, Value::Null)).await?))
    }

    async fn lead(&self, _: i64, _: Duration) -> Result<bool, DatabaseError> {
        Ok(true)
    }

    async fn resign(&self, _: i64) -> Result<(), DatabaseError> {
        Ok(())
    }

    async fn may_sweep(&self, pace: Duration) -> Result<bool, DatabaseError> {
        let rows = self.writer.ask(Statements::new(&[SWEEP], vec![json!(millis(pace))])).await?;
        Ok(!rows.is_empty())
    }
}
