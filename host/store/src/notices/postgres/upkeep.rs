//! Forgets what nobody needs any more, a little at a time.

use crate::{
    database::postgres::clock::now_ms,
    database::{
        error::{self, DatabaseError},
        postgres::{PostgresDatabase, attempt::Effect, deadline::in_time},
    },
};

/// How many rows are looked through at once.
const RANGE: i64 = 5_000;

// The last two arguments are how many rows are removed at once, and the deadline.

const TOLD: &str = concat!(
    "DELETE FROM notice_outbox WHERE id IN (
        SELECT id FROM notice_outbox
        WHERE noted_at < $1::text::timestamptz AND state NOT IN ('waiting', 'sending', 'kept')
        ORDER BY noted_at LIMIT $2) AND ",
    in_time!("$3")
);

const LINKS: &str = concat!(
    "DELETE FROM shown_links WHERE ctid = ANY(ARRAY(
        SELECT ctid FROM shown_links WHERE shown_ms < ",
    now_ms!(),
    " - 86400000 LIMIT $1)) AND ",
    in_time!("$2")
);

/// Looks through a table by ranges of its key, so many rows at a time however few of them go: where nearly all rows
/// stay, a statement that looks for a thousand others reads them all. What a row depends on is looked up row by row.
/// Returns where the range ended, unless the table did.
macro_rules! walk {
    ($table:literal, $key:literal, $goes:literal) => {
        concat!(
            "WITH page AS MATERIALIZED (
                SELECT ctid, * FROM ",
            $table,
            " WHERE (",
            $key,
            ") > ($1, $2) ORDER BY ",
            $key,
            " LIMIT $3),
            removed AS (
                DELETE FROM ",
            $table,
            " WHERE ctid = ANY(ARRAY(SELECT known.ctid FROM page AS known WHERE ",
            $goes,
            ")) AND ",
            in_time!("$4"),
            ")
            SELECT json_build_array(",
            $key,
            ")::text FROM page ORDER BY ",
            $key,
            " OFFSET $3 - 1"
        )
    };
}

/// What is on no list any more. That an issue is silenced is kept, for the day that somebody tracks it again.
const THREADS: &str = walk!(
    "notice_threads",
    "channel_id, issue_id",
    "NOT known.is_muted AND (
        SELECT true FROM channel_tracked_issues AS row
        WHERE row.channel_id = known.channel_id AND row.issue_id = known.issue_id LIMIT 1) IS NULL"
);

const DONE: &str = walk!(
    "done_issues",
    "channel_id, issue_id",
    "(SELECT true FROM channel_tracked_issues AS row
      WHERE row.channel_id = known.channel_id AND row.issue_id = known.issue_id LIMIT 1) IS NULL"
);

/// What no channel hears all about: when one does again, what was known then is no news.
const FIELDS: &str = walk!(
    "issue_fields",
    "issue_id, team_id",
    "(SELECT true FROM channel_tracked_issues AS row JOIN channel_notices AS setting
          ON setting.channel_id = row.channel_id AND setting.mode = 'all'
      WHERE row.issue_id = known.issue_id LIMIT 1) IS NULL"
);

const OWN: &str = concat!(
    "DELETE FROM own_changes WHERE ctid = ANY(ARRAY(
        SELECT ctid FROM own_changes WHERE until_ms < ",
    now_ms!(),
    " - 3600000 LIMIT $1)) AND ",
    in_time!("$2")
);

/// `before`: when it was told.
pub(super) async fn forget(database: &PostgresDatabase, before: &str) -> Result<(), DatabaseError> {
    let told = database.remove_in_batches(|| sqlx::query(TOLD).bind(before)).await.map(drop);
    // One that takes too long keeps none of the others from their turn.
    let mut ended = told;
    for statement in [LINKS, OWN] {
        let removed = database.remove_in_batches(|| sqlx::query(statement)).await.map(drop);
        ended = ended.and(removed);
    }
    for statement in [THREADS, DONE, FIELDS] {
        ended = ended.and(walk(database, statement).await);
    }
    ended
}

/// Takes a table's ranges one after the other.
async fn walk(database: &PostgresDatabase, statement: &'static str) -> Result<(), DatabaseError> {
    let mut place = [String::new(), String::new()];
    loop {
        let [first, second] = &place;
        let range = || sqlx::query(statement).bind(first).bind(second).bind(RANGE);
        let ended = database.fetch_all(Effect::Repeatable, range).await?;
        let Some(ended) = ended.first() else { return Ok(()) };
        place = error::parse(ended)?;
    }
}
