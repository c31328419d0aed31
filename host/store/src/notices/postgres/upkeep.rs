//! Forgets what nobody needs any more, a little at a time.

use crate::{
    database::postgres::clock::now_ms,
    database::{
        error::DatabaseError,
        postgres::{PostgresDatabase, deadline::in_time},
    },
};

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

/// What is on no list any more. That an issue is silenced is kept, for the day that somebody tracks it again.
const THREADS: &str = concat!(
    "DELETE FROM notice_threads WHERE ctid = ANY(ARRAY(
        SELECT thread.ctid FROM notice_threads AS thread
        WHERE NOT is_muted AND NOT EXISTS (
            SELECT FROM channel_tracked_issues AS row
            WHERE row.channel_id = thread.channel_id AND row.issue_id = thread.issue_id)
        LIMIT $1)) AND ",
    in_time!("$2")
);

const DONE: &str = concat!(
    "DELETE FROM done_issues WHERE ctid = ANY(ARRAY(
        SELECT known.ctid FROM done_issues AS known
        WHERE NOT EXISTS (
            SELECT FROM channel_tracked_issues AS row
            WHERE row.channel_id = known.channel_id AND row.issue_id = known.issue_id)
        LIMIT $1)) AND ",
    in_time!("$2")
);

/// What no channel hears all about: when one does again, what was known then is no news.
const FIELDS: &str = concat!(
    "DELETE FROM issue_fields WHERE ctid = ANY(ARRAY(
        SELECT known.ctid FROM issue_fields AS known
        WHERE NOT EXISTS (
            SELECT FROM channel_tracked_issues AS row JOIN channel_notices AS setting
                ON setting.channel_id = row.channel_id AND setting.mode = 'all'
            WHERE row.issue_id = known.issue_id)
        LIMIT $1)) AND ",
    in_time!("$2")
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
    for statement in [LINKS, THREADS, DONE, FIELDS, OWN] {
        let removed = database.remove_in_batches(|| sqlx::query(statement)).await.map(drop);
        ended = ended.and(removed);
    }
    ended
}
