//! What the audit log in PostgreSQL knows of lists: where issues stood before they were untracked, and what was on a list.
//! It has no index for this and may be long, so all of it is read only for what was untracked lately.

use jiff::Timestamp;

use crate::database::{
    error::{self, DatabaseError},
    postgres::{PostgresDatabase, attempt::Effect, deadline::in_time},
    time::time_text,
};

/// The keys by which the audit log may know issues of the list `$1`: those of now, `$2`, and those from before they were
/// moved.
macro_rules! names {
    () => {
        "SELECT key, key AS subject FROM unnest($2::text[]) AS key
         UNION
         SELECT row.issue_key, earlier.issue_key FROM channel_tracked_issues AS row
         JOIN earlier_keys AS earlier ON earlier.issue_id = row.issue_id
         WHERE row.channel_id = $1 AND row.issue_key = ANY($2)"
    };
}

/// What was untracked lately, and by which entry.
const REMOVED: &str = concat!(
    "WITH name AS MATERIALIZED (",
    names!(),
    ")
    SELECT coalesce(json_agg(json_build_array(key, entry)), '[]')::text
    FROM (SELECT name.key, max(id) AS entry FROM audit_log JOIN name ON name.subject = audit_log.subject
          WHERE id > coalesce((SELECT id FROM audit_log WHERE at < $3::timestamptz ORDER BY id DESC LIMIT 1), 0)
              AND action = 'untrack' AND outcome = 'done' AND channel_id = $1
          GROUP BY name.key) AS removed"
);

/// How many entries there are. The clocks of those who write them may differ: only an hour earlier their order is that of
/// their times.
const CHANGES: &str = "
    SELECT count(*)::text FROM audit_log
    WHERE id > coalesce((SELECT id FROM audit_log WHERE at < $3::timestamptz - interval '1 hour'
                         ORDER BY id DESC LIMIT 1), 0)
        AND action IN ('track', 'untrack') AND outcome = 'done' AND channel_id = $1 AND subject = $2
        AND at >= $3::timestamptz";

/// `added` is when the removed were tracked before. `placed` is what was tracked together with these: a microsecond apart,
/// it stays in its order, whatever rows are new. `standing` is which rows those are now, of whatever key.
const PUT_BACK: &str = concat!(
    "WITH name AS MATERIALIZED (",
    names!(),
    "),
     added AS MATERIALIZED (
         SELECT DISTINCT ON (name.key) name.key, at
         FROM unnest($2::text[], $3::bigint[]) AS removed (key, entry) JOIN name ON name.key = removed.key
         JOIN audit_log ON audit_log.subject = name.subject
         WHERE action = 'track' AND outcome = 'done' AND channel_id = $1 AND id < removed.entry
         ORDER BY name.key, id DESC),
     placed AS MATERIALIZED (
         SELECT subject, at, user_id, row_number() OVER (PARTITION BY at ORDER BY id) - 1 AS place
         FROM audit_log
         WHERE action = 'track' AND outcome = 'done' AND channel_id = $1 AND at IN (SELECT at FROM added)),
     standing AS MATERIALIZED (
         SELECT placed.*, row.id FROM placed JOIN channel_tracked_issues AS row
             ON row.channel_id = $1 AND row.issue_key = placed.subject
         UNION
         SELECT placed.*, row.id FROM placed JOIN earlier_keys AS earlier ON earlier.issue_key = placed.subject
         JOIN channel_tracked_issues AS row ON row.channel_id = $1 AND row.issue_id = earlier.issue_id)
     UPDATE channel_tracked_issues AS row
     SET tracked_at = standing.at + standing.place * interval '1 microsecond', tracked_by = standing.user_id,
         former_key = coalesce(row.former_key, nullif(standing.subject, row.issue_key))
     FROM standing
     WHERE row.id = standing.id
         AND (EXISTS (SELECT FROM added WHERE added.key = row.issue_key AND added.at = standing.at)
              OR row.tracked_at BETWEEN standing.at AND standing.at + interval '999 microseconds') AND ",
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
