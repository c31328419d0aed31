//! What the audit log in SQLite knows of lists: where issues stood before they were untracked, and what was on a list. It
//! has no index for this and may be long, so all of it is read only for what was untracked lately.

use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use crate::database::{
    sqlite::{
        read::{Question, for_each_ask},
        statements::Statements,
    },
    time::time_text,
};

/// The keys by which the audit log may know issues of a list: those of now, and those from before they were moved. `$keys`
/// has the keys of now in a column `value`, and `$channel` is the list.
macro_rules! names {
    ($keys:literal, $channel:literal) => {
        concat!(
            "SELECT value AS key, value AS subject FROM ",
            $keys,
            " UNION
             SELECT row.issue_key, earlier.issue_key FROM ",
            $keys,
            " CROSS JOIN channel_tracked_issues AS row ON row.issue_key = value AND row.channel_id = ",
            $channel,
            " CROSS JOIN earlier_keys AS earlier ON earlier.issue_id = row.issue_id"
        )
    };
}

/// What was untracked lately, and by which entry. `ask.value` is the channel, the keys and since when.
const REMOVED: &str = for_each_ask!(
    "WITH name AS MATERIALIZED (",
    names!("json_each(ask.value, '$[1]')", "ask.value ->> 0"),
    ")
    SELECT json_group_array(json_array(key, entry))
     FROM (SELECT name.key AS key, max(id) AS entry FROM audit_log JOIN name ON name.subject = audit_log.subject
           WHERE id > coalesce((SELECT id FROM audit_log WHERE at < ask.value ->> 2 ORDER BY id DESC LIMIT 1), 0)
               AND action = 'untrack' AND outcome = 'done' AND channel_id = ask.value ->> 0
           GROUP BY name.key)"
);

/// How many entries there are. `ask.value` is the channel, the key, since when, and a time before which no entry is looked at.
const CHANGES: &str = for_each_ask!(
    "SELECT cast(count(*) AS TEXT) FROM audit_log
     WHERE id > coalesce((SELECT id FROM audit_log WHERE at < ask.value ->> 3 ORDER BY id DESC LIMIT 1), 0)
         AND action IN ('track', 'untrack') AND outcome = 'done' AND channel_id = ask.value ->> 0
         AND subject = ask.value ->> 1 AND at >= ask.value ->> 2"
);

/// How much the clocks of those who write entries may differ: so much earlier is their order that of their times.
const DISORDER: SignedDuration = SignedDuration::from_hours(1);

/// `added` is when the removed were tracked before; SQLite takes the other columns from the row that has the highest id.
/// `placed` is what was tracked together with these: a microsecond apart, it stays in its order, whatever rows are new.
/// `standing` is which rows those are now, of whatever key.
const PUT_BACK: &str = concat!(
    "WITH name AS MATERIALIZED (",
    names!("(SELECT value ->> 0 AS value FROM json_each(?1, '$[1]'))", "?1 ->> 0"),
    "),
    added AS MATERIALIZED (
        SELECT name.key, entry.at, max(entry.id)
        FROM json_each(?1, '$[1]') AS removed CROSS JOIN name ON name.key = removed.value ->> 0
        CROSS JOIN audit_log AS entry ON entry.subject = name.subject
        WHERE entry.action = 'track' AND entry.outcome = 'done' AND entry.channel_id = ?1 ->> 0
            AND entry.id < removed.value ->> 1
        GROUP BY name.key),
    placed AS MATERIALIZED (
        SELECT subject, at, user_id, substr(at, 1, 20) AS second, CAST(substr(at, 21, 6) AS INTEGER) AS us,
            row_number() OVER (PARTITION BY at ORDER BY id) - 1 AS place
        FROM audit_log
        WHERE action = 'track' AND outcome = 'done' AND channel_id = ?1 ->> 0
            AND at IN (SELECT at FROM added)),
    standing AS MATERIALIZED (
        SELECT placed.*, row.id AS row_id FROM placed CROSS JOIN channel_tracked_issues AS row
            ON row.issue_key = placed.subject AND row.channel_id = ?1 ->> 0
        UNION
        SELECT placed.*, row.id FROM placed CROSS JOIN earlier_keys AS earlier
            ON earlier.issue_key = placed.subject
        CROSS JOIN channel_tracked_issues AS row
            ON row.issue_id = earlier.issue_id AND row.channel_id = ?1 ->> 0)
    UPDATE channel_tracked_issues AS row
    SET tracked_at = standing.second || printf('%06d', min(standing.us + standing.place, 999999)) || 'Z',
        tracked_by = standing.user_id,
        former_key = coalesce(row.former_key, nullif(standing.subject, row.issue_key))
    FROM standing
    WHERE row.id = standing.row_id
        AND (EXISTS (SELECT 1 FROM added WHERE added.key = row.issue_key AND added.at = standing.at)
             OR row.tracked_at BETWEEN standing.at
                AND standing.second || printf('%06d', min(standing.us + 999, 999999)) || 'Z')"
);

pub(super) fn removed(channel: &str, keys: &[&str], since: Timestamp) -> Question {
    Question::of(REMOVED, json!([channel, keys, time_text(since)]))
}

pub(super) fn changes(channel: &str, key: &str, since: Timestamp) -> Question {
    let earlier = since.checked_sub(DISORDER).unwrap_or(Timestamp::MIN);
    Question::of(CHANGES, json!([channel, key, time_text(since), time_text(earlier)]))
}

pub(super) fn put_back(channel: &str, removed: &[(String, i64)]) -> Statements {
    Statements::new(&[PUT_BACK], vec![json!(channel), json!(removed)])
}
