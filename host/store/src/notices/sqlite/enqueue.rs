//! Writes changes of status to the outbox, in the transaction that changes the rows.

use serde_json::{Value, json};
use sqlx::{Row as _, SqliteConnection};

use crate::{
    audit::sqlite::replay_guard,
    database::sqlite::{clock::now_ms, write::run},
    notices::{own_change::is_changing, timing::GATHERING_MS},
};

/// Since when an issue has been done.
const DONE: &str = "
    INSERT INTO done_issues AS known (channel_id, issue_id, since)
    SELECT change.value ->> 0, change.value ->> 2, change.value ->> 8 FROM json_each(?1) AS change
    WHERE change.value ->> 6 = 'done' AND change.value ->> 5 <> 'done'
    ON CONFLICT (channel_id, issue_id, team_id, site_id) DO UPDATE SET since = excluded.since, is_offered = 0";

/// Each change is looked up: whatever looks for changes of what has been done reads all that has been.
const REOPENED: &str = "
    DELETE FROM done_issues WHERE rowid IN (
        SELECT known.rowid FROM json_each(?1) AS change CROSS JOIN done_issues AS known
            ON known.channel_id = change.value ->> 0 AND known.issue_id = change.value ->> 2
        WHERE change.value ->> 6 <> 'done')";

/// What the channels want to hear. What a digest tells is kept for it. A channel that hears nothing because it's
/// older than notices is told once how to turn them on. What isn't told changes the head line of an issue's thread
/// all the same, also one that is only about to be sent. A worker that holds the channel may have read that issue
/// before.
const NOTE: &str = concat!(
    "INSERT INTO notice_outbox (channel_id, issue_key, issue_id, kind, from_status, to_status, set_by, noted_at, state)
    SELECT value ->> 0, value ->> 1, value ->> 2,
        CASE WHEN NOT is_told THEN 'head' WHEN mode = 'off' THEN 'introduction' ELSE 'status' END,
        value ->> 3, value ->> 4, value ->> 7, value ->> 8, iif(mode = 'digest' OR NOT is_told, 'kept', 'waiting')
    FROM (
        SELECT change.key AS place, change.value AS value, coalesce(setting.mode, 'status') AS mode,
            coalesce(thread.is_muted, 0) = 0 AND coalesce(setting.mode, '') NOT IN ('digest', 'off')
                AND (thread.is_head_line = 1 AND thread.head_ts IS NOT NULL
                    OR setting.held_until_ms > ",
    now_ms!(),
    " AND EXISTS (SELECT 1 FROM notice_outbox AS other
                               WHERE other.channel_id = change.value ->> 0 AND other.issue_id = change.value ->> 2
                                   AND other.state IN ('waiting', 'sending')))
                AND (setting.held_until_ms > ",
    now_ms!(),
    " OR NOT EXISTS (SELECT 1 FROM notice_outbox AS other
                                WHERE other.channel_id = change.value ->> 0 AND other.issue_id = change.value ->> 2
                                    AND other.state = 'kept' AND other.kind = 'head')) AS has_line,
            coalesce(thread.is_muted, 0) = 0 AND NOT change.value ->> 9
                AND NOT ",
    is_changing!("(change.value ->> 1)", now_ms!()),
    " AND CASE coalesce(setting.mode, 'status')
                    WHEN 'all' THEN true
                    WHEN 'digest' THEN true
                    WHEN 'done' THEN change.value ->> 6 = 'done' AND change.value ->> 5 <> 'done'
                    WHEN 'off' THEN NOT setting.is_introduced AND change.value ->> 5 <> change.value ->> 6
                        AND change.value ->> 5 <> '' AND change.value ->> 6 <> ''
                    ELSE change.value ->> 5 <> change.value ->> 6
                        AND change.value ->> 5 <> '' AND change.value ->> 6 <> '' END AS is_told
        FROM json_each(?1) AS change
        LEFT JOIN channel_notices AS setting ON setting.channel_id = change.value ->> 0
            AND setting.team_id = '' AND setting.site_id = ''
        LEFT JOIN notice_threads AS thread ON thread.channel_id = change.value ->> 0
            AND thread.issue_id = change.value ->> 2 AND thread.team_id = '' AND thread.site_id = '')
    WHERE is_told OR has_line
    ORDER BY place
    RETURNING channel_id, issue_key, kind, noted_at, state, issue_id"
);

/// What waits, in the words of the index of what is open: SQLite uses it for nothing else.
macro_rules! is_waiting {
    ($this:literal) => {
        concat!($this, ".state IN ('waiting', 'sending') AND ", $this, ".state = 'waiting'")
    };
}
pub(crate) use is_waiting;

/// While Slack takes no messages, what waits of an issue is one change of each kind, from where it was to where it
/// is. What a worker may be telling just now stays as it is. `$this` is a row among several of its issue and kind,
/// and there is another that is `$other` it. `$settings`: the channels that it's about, as `setting`.
macro_rules! is_one_change {
    ($settings:literal, $this:literal, $other:literal) => {
        concat!(
            is_waiting!($this),
            " AND ",
            $this,
            ".kind IN ('status', 'assignee', 'priority', 'sprint', 'comments') AND ",
            $this,
            ".channel_id IN (
                SELECT setting.channel_id FROM ",
            $settings,
            " WHERE setting.paused_for IS NOT NULL AND setting.mode <> 'off' AND setting.held_until_ms <= ",
            now_ms!(),
            ") AND EXISTS (SELECT 1 ",
            same!($this),
            " AND other.id ",
            $other,
            " ",
            $this,
            ".id)"
        )
    };
}
pub(crate) use is_one_change;

/// What waits of the same kind of the same issue.
macro_rules! same {
    ($this:literal) => {
        concat!(
            "FROM notice_outbox AS other WHERE other.channel_id = ",
            $this,
            ".channel_id AND other.issue_id = ",
            $this,
            ".issue_id AND other.kind = ",
            $this,
            ".kind AND ",
            is_waiting!("other")
        )
    };
}
pub(crate) use same;

/// The last begins where the first did. Comments are counted, and several people's have no one name.
macro_rules! take_up {
    ($settings:literal) => {
        concat!(
            "UPDATE notice_outbox AS later SET
                from_status = iif(kind = 'comments',
                    (SELECT CAST(sum(CAST(other.from_status AS INTEGER)) AS TEXT) ",
            same!("later"),
            "), (SELECT other.from_status ",
            same!("later"),
            " ORDER BY other.id LIMIT 1)),
                set_by = iif(kind = 'comments' AND EXISTS (SELECT 1 ",
            same!("later"),
            " AND other.set_by IS NOT later.set_by), NULL, set_by)
            WHERE ",
            is_one_change!($settings, "later", "<"),
            " AND NOT EXISTS (SELECT 1 ",
            same!("later"),
            " AND other.id > later.id)"
        )
    };
}
pub(crate) use take_up;

/// Once the last has taken up the others.
macro_rules! drop_earlier {
    ($settings:literal) => {
        concat!("DELETE FROM notice_outbox AS earlier WHERE ", is_one_change!($settings, "earlier", ">"))
    };
}
pub(crate) use drop_earlier;

const TAKE_UP: &str = take_up!(
    "json_each(?1) AS channel JOIN channel_notices AS setting ON setting.channel_id = channel.value ->> 0"
);
const DROP_EARLIER: &str = drop_earlier!(
    "json_each(?1) AS channel JOIN channel_notices AS setting ON setting.channel_id = channel.value ->> 0"
);

/// What is kept of issues, each a channel and an issue.
macro_rules! kept {
    () => {
        "FROM json_each(?1) AS change JOIN notice_outbox AS kept
            ON kept.channel_id = change.value ->> 0 AND kept.issue_id = change.value ->> 1
            AND kept.state = 'kept' AND kept.kind = 'status'"
    };
}

/// What is kept of an issue is one change: the first takes up the last.
const KEEP: &str = concat!(
    "UPDATE notice_outbox AS first SET (to_status, set_by, noted_at) = (
        SELECT to_status, set_by, noted_at FROM notice_outbox AS last
        WHERE last.channel_id = first.channel_id AND last.issue_id = first.issue_id
            AND last.state = 'kept' AND last.kind = 'status' ORDER BY last.id DESC LIMIT 1)
    WHERE id IN (SELECT min(kept.id) ",
    kept!(),
    " GROUP BY kept.channel_id, kept.issue_id HAVING count(*) > 1)"
);

const KEEP_ONE: &str = concat!(
    "DELETE FROM notice_outbox WHERE id IN (SELECT kept.id ",
    kept!(),
    ") AND id NOT IN (SELECT min(kept.id) ",
    kept!(),
    " GROUP BY kept.channel_id, kept.issue_id)"
);

const QUEUE: &str = concat!(
    "INSERT INTO channel_notices AS setting (channel_id, due_ms)
    SELECT DISTINCT channel.value ->> 0, ",
    now_ms!(),
    " + channel.value ->> 1 FROM json_each(?1) AS channel WHERE true
    ON CONFLICT (channel_id, team_id, site_id) DO UPDATE
    SET due_ms = iif(setting.paused_for IS NULL, min(coalesce(setting.due_ms, excluded.due_ms), excluded.due_ms),
            coalesce(setting.due_ms, excluded.due_ms)),
        is_introduced = setting.is_introduced OR setting.mode = 'off'"
);

/// Writes what the channels want to hear about these changes.
pub(crate) async fn note(connection: &mut SqliteConnection, changes: &[Value]) -> Result<(), sqlx::Error> {
    if changes.is_empty() {
        return Ok(());
    }
    let (mut channels, mut kept) = (Vec::new(), Vec::new());
    let mut entries = Vec::new();
    run(connection, DONE, &[changes]).await?;
    run(connection, REOPENED, &[changes]).await?;
    for row in run(connection, NOTE, &[changes]).await? {
        let (channel, key): (String, String) = (row.try_get(0)?, row.try_get(1)?);
        let (kind, at, state): (String, String, String) = (row.try_get(2)?, row.try_get(3)?, row.try_get(4)?);
        match state.as_str() {
            "kept" if kind == "status" => kept.push(json!([channel, row.try_get::<String, _>(5)?])),
            _ => channels.push(json!([channel, GATHERING_MS])),
        }
        if kind == "status" {
            let none = Value::Null;
            entries.push(json!([at, "", channel, "", "notice", key, none, none, "begun", none, none, none]));
        }
    }
    if !channels.is_empty() {
        for statement in [QUEUE, TAKE_UP, DROP_EARLIER] {
            run(connection, statement, &[&channels]).await?;
        }
    }
    if !kept.is_empty() {
        for statement in [KEEP, KEEP_ONE] {
            run(connection, statement, &[&kept]).await?;
        }
    }
    replay_guard::note(connection, &entries).await
}
