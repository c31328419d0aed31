//! The turns in PostgreSQL.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;

use crate::{
    database::{
        error::DatabaseError,
        postgres::{PostgresDatabase, attempt::Effect, clock::now_ms, deadline::in_time},
        time::millis,
    },
    jira_polls::{Coverage, JiraPolls, LONGEST_TERM_MS, Turn, parse, parse_coverage},
};

/// A turn isn't later by more than seconds for a clock that was set back. By less, another replica took it while this
/// one waited for the row.
const TAKE: &str = concat!(
    "INSERT INTO jira_polls AS poll (asked_ms, known_ms) SELECT ",
    now_ms!(),
    ", 0 WHERE ",
    in_time!("$2"),
    " ON CONFLICT (team_id, site_id) DO UPDATE SET asked_ms = excluded.asked_ms
    WHERE poll.asked_ms <= excluded.asked_ms - $1::bigint OR poll.asked_ms > excluded.asked_ms + 10000
    RETURNING asked_ms || ' ' || known_ms"
);

const END: &str = concat!(
    "UPDATE jira_polls SET known_ms = CASE WHEN known_ms > ",
    now_ms!(),
    " THEN $1::bigint ELSE greatest(known_ms, $1::bigint) END,
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
    " - known_ms) FROM jira_polls
        WHERE team_id = '' AND site_id = '' AND since_ms > 0 AND greatest(since_ms, known_ms) <= ",
    now_ms!(),
    "), '')"
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

/// `$1` is the replica, `$2` for how long it leads, and `$3` how far ahead such a time may be.
const LEAD: &str = concat!(
    "INSERT INTO jira_polls AS poll (asked_ms, known_ms, leader, leads_until_ms) SELECT 0, 0, $1::bigint, ",
    now_ms!(),
    " + $2::bigint WHERE ",
    in_time!("$4"),
    " ON CONFLICT (team_id, site_id) DO UPDATE SET leader = excluded.leader, leads_until_ms = excluded.leads_until_ms
    WHERE poll.leader IS NULL OR poll.leader = excluded.leader
        OR poll.leads_until_ms NOT BETWEEN ",
    now_ms!(),
    " AND ",
    now_ms!(),
    " + $3::bigint
    RETURNING 'leads'"
);

const RESIGN: &str = concat!(
    "UPDATE jira_polls SET leader = NULL WHERE team_id = '' AND site_id = '' AND leader = $1::bigint AND ",
    in_time!("$2")
);

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
    fn is_shared(&self) -> bool {
        true
    }

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

    async fn lead(&self, holder: i64, time: Duration) -> Result<bool, DatabaseError> {
        let statement = || sqlx::query(LEAD).bind(holder).bind(millis(time)).bind(LONGEST_TERM_MS);
        Ok(!self.database.fetch_all(Effect::Repeatable, statement).await?.is_empty())
    }

    async fn resign(&self, holder: i64) -> Result<(), DatabaseError> {
        let statement = || sqlx::query(RESIGN).bind(holder);
        self.database.execute(Effect::Repeatable, statement).await.map(drop)
    }

    async fn may_sweep(&self, pace: Duration) -> Result<bool, DatabaseError> {
        let statement = || sqlx::query(SWEEP).bind(millis(pace));
        Ok(self.database.execute(Effect::Once, statement).await? > 0)
    }
}
