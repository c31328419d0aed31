//! Where issues stood in PostgreSQL's lists before they were untracked: the audit log has it. It has no index for this and
//! may be long, so all of it is read only for what was untracked lately.

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
