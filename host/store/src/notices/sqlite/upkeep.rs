//! Forgets what nobody needs any more, a little at a time.

use serde_json::json;

use crate::{
    database::sqlite::clock::now_ms,
    database::{error::DatabaseError, sqlite::statements::StatementQueue},
};

// The last argument is how many rows are removed at once.

const TOLD: &str = "
    DELETE FROM notice_outbox WHERE id IN (
        SELECT id FROM notice_outbox
        WHERE noted_at < ?1 ->> 0 AND state NOT IN ('waiting', 'sending', 'kept')
        ORDER BY noted_at LIMIT ?1 ->> 1)
    RETURNING ''";

const LINKS: &str = concat!(
    "DELETE FROM shown_links WHERE rowid IN (SELECT rowid FROM shown_links WHERE shown_ms < ",
    now_ms!(),
    " - 86400000 LIMIT ?1 ->> 0) RETURNING ''"
);

/// What is on no list any more. That an issue is silenced is kept, for the day that somebody tracks it again.
const THREADS: &str = "
    DELETE FROM notice_threads WHERE rowid IN (
        SELECT thread.rowid FROM notice_threads AS thread
        WHERE NOT is_muted AND NOT EXISTS (
            SELECT 1 FROM channel_tracked_issues AS row
            WHERE row.channel_id = thread.channel_id AND row.issue_id = thread.issue_id)
        LIMIT ?1 ->> 0)
    RETURNING ''";

const DONE: &str = "
    DELETE FROM done_issues WHERE rowid IN (
        SELECT known.rowid FROM done_issues AS known
        WHERE NOT EXISTS (
            SELECT 1 FROM channel_tracked_issues AS row
            WHERE row.channel_id = known.channel_id AND row.issue_id = known.issue_id)
        LIMIT ?1 ->> 0)
    RETURNING ''";

/// What no channel hears all about: when one does again, what was known then is no news.
const FIELDS: &str = "
    DELETE FROM issue_fields WHERE rowid IN (
        SELECT known.rowid FROM issue_fields AS known
        WHERE NOT EXISTS (
            SELECT 1 FROM channel_tracked_issues AS row JOIN channel_notices AS setting
                ON setting.channel_id = row.channel_id AND setting.mode = 'all'
            WHERE row.issue_id = known.issue_id)
        LIMIT ?1 ->> 0)
    RETURNING ''";

const OWN: &str = concat!(
    "DELETE FROM own_changes WHERE rowid IN (SELECT rowid FROM own_changes WHERE until_ms < ",
    now_ms!(),
    " - 3600000 LIMIT ?1 ->> 0) RETURNING ''"
);

/// `before`: when it was told.
pub(super) async fn forget(writer: &StatementQueue, before: &str) -> Result<(), DatabaseError> {
    let told = writer.remove_in_batches(&[TOLD], &[json!(before)]).await.map(drop);
    // One that takes too long keeps none of the others from their turn.
    let mut ended = told;
    for statement in [&[LINKS], &[THREADS], &[DONE], &[FIELDS], &[OWN]] {
        let removed = writer.remove_in_batches(statement, &[]).await.map(drop);
        ended = ended.and(removed);
    }
    ended
}
