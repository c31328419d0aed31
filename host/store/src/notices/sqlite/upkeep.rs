//! Forgets what nobody needs any more, a little at a time.

use serde_json::json;

use crate::database::{
    error::DatabaseError,
    sqlite::{
        SqliteDatabase,
        clock::now_ms,
        read::{Question, for_each_ask},
        statements::{StatementQueue, Statements},
    },
};

/// How many rows are looked through at once.
const RANGE: u32 = 2_000;

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

/// Looks through a table by ranges of its rows, however few of them go: looking through all of it would have
/// everybody else wait. The first is where the range after `ask.value` ends, of `?2` rows at most, and the second
/// goes through a range.
macro_rules! walk {
    ($table:literal, $stays:literal) => {
        Walk {
            end: for_each_ask!(
                "SELECT coalesce(CAST(max(rowid) AS TEXT), '') FROM (SELECT rowid FROM ",
                $table,
                " WHERE rowid > ask.value ORDER BY rowid LIMIT ?2)"
            ),
            remove: &[concat!(
                "DELETE FROM ",
                $table,
                " AS known WHERE rowid > ?1 ->> 0 AND rowid <= ?1 ->> 1 AND NOT (",
                $stays,
                ")"
            )],
        }
    };
}

struct Walk {
    end: &'static str,
    remove: &'static [&'static str],
}

/// What is on no list any more. That an issue is silenced is kept, for the day that somebody tracks it again.
const THREADS: Walk = walk!(
    "notice_threads",
    "is_muted OR EXISTS (
        SELECT 1 FROM channel_tracked_issues AS row
        WHERE row.channel_id = known.channel_id AND row.issue_id = known.issue_id)"
);

const DONE: Walk = walk!(
    "done_issues",
    "EXISTS (
        SELECT 1 FROM channel_tracked_issues AS row
        WHERE row.channel_id = known.channel_id AND row.issue_id = known.issue_id)"
);

/// What no channel hears all about: when one does again, what was known then is no news.
const FIELDS: Walk = walk!(
    "issue_fields",
    "EXISTS (
        SELECT 1 FROM channel_tracked_issues AS row JOIN channel_notices AS setting
            ON setting.channel_id = row.channel_id AND setting.mode = 'all'
        WHERE row.issue_id = known.issue_id)"
);

const OWN: &str = concat!(
    "DELETE FROM own_changes WHERE rowid IN (SELECT rowid FROM own_changes WHERE until_ms < ",
    now_ms!(),
    " - 3600000 LIMIT ?1 ->> 0) RETURNING ''"
);

/// `before`: when it was told.
pub(super) async fn forget(
    database: &SqliteDatabase,
    writer: &StatementQueue,
    before: &str,
) -> Result<(), DatabaseError> {
    let told = writer.remove_in_batches(&[TOLD], &[json!(before)]).await.map(drop);
    // One that takes too long keeps none of the others from their turn.
    let mut ended = told;
    for statement in [&[LINKS], &[OWN]] {
        let removed = writer.remove_in_batches(statement, &[]).await.map(drop);
        ended = ended.and(removed);
    }
    for table in [THREADS, DONE, FIELDS] {
        ended = ended.and(table.walk(database, writer).await);
    }
    ended
}

impl Walk {
    /// Takes a table's ranges one after the other.
    async fn walk(self, database: &SqliteDatabase, writer: &StatementQueue) -> Result<(), DatabaseError> {
        let mut place = 0_i64;
        loop {
            let end = database.read(Question::of(self.end, place).limit(RANGE)).await?;
            let Ok(end) = end.parse::<i64>() else { return Ok(()) };
            writer.ask(Statements::new(self.remove, vec![json!(place), json!(end)])).await?;
            place = end;
        }
    }
}
