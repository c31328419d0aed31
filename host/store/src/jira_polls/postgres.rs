//! The turns in PostgreSQL.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;

use crate::{
    database::{
        error::DatabaseError,
        postgres::{PostgresDatabase, attempt::Effect, deadline::in_time},
    },
    jira_polls::{Coverage, JiraPolls, Turn, millis, parse, parse_coverage},
};

macro_rules! now_ms {
    () => {
        "(extract(epoch FROM statement_timestamp()) * 1000)::bigint"
    };
}

/// A turn is no later for a clock that was set back.
const TAKE: &str = concat!(
    "INSERT INTO jira_polls AS poll (asked_ms, known_ms) SELECT ",
    now_ms!(),
    ", 0 WHERE ",
    in_time!("$2"),
    " ON CONFLICT (team_id, site_id) DO UPDATE SET asked_ms = excluded.asked_ms
    WHERE poll.asked_ms <= excluded.asked_ms - $1::bigint OR poll.asked_ms > excluded.asked_ms
    RETURNING asked_ms || ' ' || known_ms"
);

const END: &str = concat!(
    "UPDATE jira_polls SET known_ms = greatest(known_ms, $1::bigint),
        since_ms = CASE WHEN $2 AND since_ms > 0 THEN since_ms ELSE $1::bigint END
    WHERE team_id = '' AND site_id = '' AND ",
    in_time!("$3")
);

const COVERAGE: &str = concat!(
    "SELECT coalesce((
        SELECT (",
    now_ms!(),
    " - since_ms) || ' ' || (",
    now_ms!(),
    " - known_ms) FROM jira_polls WHERE team_id = '' AND site_id = '' AND since_ms > 0), '')"
);

const SWEEP: &str = concat!(
    "UPDATE jira_polls SET swept_ms = ",
    now_ms!(),
    " WHERE team_id = '' AND site_id = '' AND (swept_ms <= ",
    now_ms!(),
    " - $1::bigint OR swept_ms > ",
    now_ms!(),
    ") AND ",
    in_time!("$2")
);

/// The turns in PostgreSQL.
pub(crate) struct PostgresJiraPolls {
    database: Arc<PostgresDatabase>,
}

impl PostgresJiraPolls {
    pub(crate) fn new(database: Arc<PostgresDatabase>) -> Self {
        Self { database }
    }
}

#[async_trait]
impl JiraPolls for PostgresJiraPolls {
    async fn take_turn(&self, interval: Duration) -> Result<Option<Turn>, DatabaseError> {
        let statement = || sqlx::query(TAKE).bind(millis(interval));
        let rows = self.database.fetch_all(Effect::Once, statement).await?;
        Ok(rows.first().and_then(|row| parse(row)))
    }

    async fn end_turn(&self, turn: Turn, is_gapless: bool) -> Result<(), DatabaseError> {
        let statement = || sqlx::query(END).bind(turn.asked_ms).bind(is_gapless);
        self.database.execute(Effect::Repeatable, statement).await.map(drop)
    }

    async fn coverage(&self) -> Result<Option<Coverage>, DatabaseError> {
        Ok(parse_coverage(&self.database.read(|| sqlx::query(COVERAGE)).await?))
    }

    async fn may_sweep(&self, pace: Duration) -> Result<bool, DatabaseError> {
        let statement = || sqlx::query(SWEEP).bind(millis(pace));
        Ok(self.database.execute(Effect::Once, statement).await? > 0)
    }
}
