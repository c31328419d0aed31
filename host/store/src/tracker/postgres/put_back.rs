//! What the audit log in PostgreSQL knows of lists: where issues stood before they were untracked, and what was on a list.
//! It has no index for this and may be long, so all of it is read only for what was untracked lately.

use jiff::Timestamp;

use crate::database::{
    error::{self, DatabaseError},
    postgres::{PostgresDatabase, attempt::Effect, deadline::in_time},
    time::time_text,
};

/// What was untracked lately, and by which entry.
const REMOVED: &str = "
    SELECT coalesce(json_agg(json_build_array(subject, entry)), '[]')::text
    FROM (SELECT subject, max(id) AS entry FROM audit_log
          WHERE id > coalesce((SELECT id FROM audit_log WHERE at < $3::timestamptz ORDER BY id DESC LIMIT 1), 0)
              AND action = 'untrack' AND outcome = 'done' AND channel_id = $1 AND subject = ANY($2)
          GROUP BY subject) AS removed";

/// How many entries there are. The clocks of those who write them may differ: only an hour earlier their order is that of
/// their times.
const CHANGES: &str = "
    SELECT count(*)::text FROM audit_log
    WHERE id > coalesce((SELECT id FROM audit_log WHERE at < $3::timestamptz - interval '1 hour'
                         ORDER BY id DESC LIMIT 1), 0)
        AND action IN ('track', 'untrack') AND outcome = 'done' AND channel_id = $1 AND subject = $2
        AND at >= $3::timestamptz";

/// `added` is when the removed were tracked before. `placed` is what was tracked together with these: a microsecond apart,
/// it stays in its order, whatever rows are new.
const PUT_BACK: &str = concat!(
    "WITH added AS MATERIALIZED (
         SELECT DISTINCT ON (subject) subject, at
         FROM audit_log JOIN unnest($2::text[], $3::bigint[]) AS removed (key, entry) ON removed.key = subject
         WHERE action = 'track' AND outcome = 'done' AND channel_id = $1 AND id < removed.entry
         ORDER BY subject, id DESC),
     placed AS MATERIALIZED (
         SELECT subject, at, user_id, row_number() OVER (PARTITION BY at ORDER BY id) - 1 AS place
         FROM audit_log
         WHERE action = 'track' AND outcome = 'done' AND channel_id = $1 AND at IN (SELECT at FROM added))
     UPDATE channel_tracked_issues AS row
     SET tracked_at = placed.at + placed.place * interval '1 microsecond', tracked_by = placed.user_id
     FROM placed
     WHERE row.channel_id = $1 AND row.issue_key = placed.subject
         AND (EXISTS (SELECT FROM added WHERE added.subject = placed.subject AND added.at = placed.at)
              OR row.tracked_at BETWEEN placed.at AND placed.at + interval '999 microseconds') AND ",
    in_time!("$4")
);

pub(super) async fn has_changed(
    database: &PostgresDatabase,
    channel: &str,
    key: &str,
    since: Timestamp,
) -> Result<bool, DatabaseError> {
    let since = time_text(since);
    let json = database.read(|| sqlx::query(CHANGES).bind(channel).bind(key).bind(since.clone())).await?;
    Ok(error::parse::<u64>(&json)? > 0)
}

pub(super) async fn put_back(
    database: &PostgresDatabase,
    channel: &str,
    keys: &[&str],
    since: Timestamp,
) -> Result<(), DatabaseError> {
    let since = time_text(since);
    let removed =
        database.read(|| sqlx::query(REMOVED).bind(channel).bind(keys.to_vec()).bind(since.clone())).await?;
    let removed: Vec<(String, i64)> = error::parse(&removed)?;
    if removed.is_empty() {
        return Ok(());
    }
    let (keys, entries): (Vec<String>, Vec<i64>) = removed.into_iter().unzip();
    let query = || sqlx::query(PUT_BACK).bind(channel).bind(keys.clone()).bind(entries.clone());
    database.execute(Effect::Repeatable, query).await.map(|_| ())
}
