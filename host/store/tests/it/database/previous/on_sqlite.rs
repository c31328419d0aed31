//! The statements of the release before this one on SQLite, as its program sends them. Frozen: replace them as a
//! whole when a release is out.

use serde_json::{Value, json};

use super::{
    Bind::{Bytes, Json, NoBytes, Number, Text},
    Step,
};

/// What the previous release does, on a list that has A-1.
pub(super) fn steps() -> Vec<Step> {
    let row = |key: &str, id: &str, status: Value| {
        json!([["C1", key, id, "2026-01-31T09:30:05.000000Z", "U2", "command", "A summary", status]])
    };
    let ask = |form, asks: Value| Step(form, vec![Json(asks), Number(10), Number(0)], 1);
    let change = |statement, values: Value, count| Step(statement, vec![Json(values)], count);
    let begin = || {
        let time = "2026-01-31T09:30:00.000000Z";
        change(INTENT_BEGIN, json!(["one", "create", "C1", "U1", "{}", 7, "begun", time]), 1)
    };
    let later = "2026-01-31T09:40:00.000000Z";
    vec![
        // track, which finds some of them on the list already; a moved issue; untrack.
        change(INSERT_ALL, row("B-1", "11", json!("Open")), 1),
        change(INSERT, row("B-1", "11", json!("Open")), 0),
        change(INSERT, row("A-1", "1", Value::Null), 0),
        change(INSERT, row("C-3", "13", Value::Null), 1),
        Step(FIND, vec![Json(json!([["C1", "B-1"]])), Json(json!([["C1", "11"]]))], 1),
        change(PARK_ROWS, json!([2]), 1),
        change(RENAME_ROWS, json!([[2, "B-2", "12"]]), 1),
        change(REFRESH_ROWS, json!([[2, later, "Renamed", "Done"]]), 1),
        change(DELETE, json!([["C1", "C-3"], ["C1", "NO-1"]]), 1),
        change(DELETE_ROWS, json!([99]), 0),
        // tracked
        ask(PAGE, json!(["C1"])),
        ask(COUNT, json!(["C1"])),
        ask(PRESENT, json!([["C1", ["A-1"]]])),
        ask(STALE, json!([later])),
        ask(PLACES, json!([["A-1", "1"]])),
        ask(PING, json!([null])),
        // intents
        begin(),
        begin(),
        change(INTENT_SAVE, json!(["one", 7, 8, "confirmed", "{}", "2026-01-31T09:31:00.000000Z"]), 1),
        change(INTENT_SAVE, json!(["one", 7, 8, "confirmed", "{}", later]), 0),
        change(INTENT_CLAIM, json!([9, later, later, 10]), 1),
        change(INTENT_SAVE, json!(["one", 9, 10, "finished", "{}", later]), 1),
        ask(INTENT_GET, json!(["one"])),
        change(INTENT_RECORD, json!([["A", "one", later, "1", "A-1", "A summary"]]), 1),
        change(INTENT_RECORD, json!([["A", "one", later, "1", "A-1", "A summary"]]), 0),
        ask(INTENT_RECENT, json!([["A", later]])),
        change(INTENT_FORGET_TICKETS, json!(["2026-01-01T00:00:00.000000Z"]), 0),
        change(INTENT_FORGET_INTENTS, json!(["2026-01-01T00:00:00.000000Z"]), 0),
        // switches
        change(SWITCH_DISABLE, json!(["p", "U1", later]), 1),
        change(SWITCH_DISABLE, json!(["p", "U2", later]), 0),
        change(SWITCH_ENABLE, json!(["p", "U2", later]), 1),
        change(SWITCH_DISABLE, json!(["p", "U3", later]), 1),
        ask(SWITCH_DISABLED, json!([null])),
        change(SWITCH_CLAIM_REFUSAL, json!(["p.wasm", "one", later, later]), 1),
        change(SWITCH_CLAIM_REFUSAL, json!(["p.wasm", "one", later, later]), 0),
        // storage
        Step(STORAGE_LOOK, vec![Text("p"), Text(""), Bytes(b"k"), NoBytes], 1),
        Step(STORAGE_PUT, vec![Text("p"), Text(""), Bytes(b"k"), Bytes(b"v")], 1),
        Step(STORAGE_COUNT, vec![Text("p"), Text(""), Number(1), Number(2)], 1),
        Step(STORAGE_PUT, vec![Text("p"), Text(""), Bytes(b"k"), Bytes(b"vv")], 1),
        Step(STORAGE_COUNT, vec![Text("p"), Text(""), Number(0), Number(1)], 1),
        ask(STORAGE_GET, json!([["p", "", "6B"]])),
        ask(STORAGE_LIST, json!([["p", "", "", null]])),
        Step(STORAGE_TAKE, vec![Text("p"), Text(""), Bytes(b"none")], 0),
    ]
}

const PAGE: &str =
    "SELECT (SELECT json_group_array(json_array(issue_key, issue_id, tracked_at, tracked_by, source,
         last_synced_at, last_jira_status, last_jira_summary))
     FROM (SELECT * FROM channel_tracked_issues WHERE channel_id = ask.value
           ORDER BY tracked_at, id LIMIT ?2 + 1 OFFSET ?3)) FROM json_each(?1) AS ask";

const COUNT: &str = "SELECT (SELECT cast(count(*) AS TEXT) FROM channel_tracked_issues WHERE channel_id = ask.value) FROM json_each(?1) AS ask";

const PRESENT: &str = "SELECT (SELECT json_group_array(issue_key) FROM channel_tracked_issues
     WHERE channel_id = ask.value ->> 0
         AND issue_key IN (SELECT value FROM json_each(ask.value, '$[1]'))) FROM json_each(?1) AS ask";

const STALE: &str = "SELECT (SELECT json_group_array(json_array(channel_id, issue_key))
     FROM (SELECT channel_id, issue_key FROM channel_tracked_issues
           WHERE coalesce(last_synced_at, '') < ask.value
           ORDER BY coalesce(last_synced_at, ''), id LIMIT ?2)) FROM json_each(?1) AS ask";

const PLACES: &str = "SELECT (SELECT json_group_array(json_array(channel_id, issue_key))
     FROM (SELECT channel_id, issue_key FROM channel_tracked_issues WHERE issue_key = ask.value ->> 0
           UNION
           SELECT channel_id, issue_key FROM channel_tracked_issues WHERE issue_id = ask.value ->> 1
           ORDER BY channel_id, issue_key)) FROM json_each(?1) AS ask";

const PING: &str = "SELECT (SELECT json_group_array(id) FROM (SELECT id FROM channel_tracked_issues LIMIT 1)) FROM json_each(?1) AS ask";

const INSERT: &str =
    "INSERT INTO channel_tracked_issues (channel_id, issue_key, issue_id, tracked_at, tracked_by,
                source, last_jira_summary, last_jira_status, last_synced_at)
            SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5,
                value ->> 6, value ->> 7, iif(value ->> 7 IS NULL, NULL, value ->> 3)
            FROM json_each(?1) WHERE true ON CONFLICT DO NOTHING RETURNING channel_id, issue_key";

const INSERT_ALL: &str =
    "INSERT INTO channel_tracked_issues (channel_id, issue_key, issue_id, tracked_at, tracked_by,
                source, last_jira_summary, last_jira_status, last_synced_at)
            SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5,
                value ->> 6, value ->> 7, iif(value ->> 7 IS NULL, NULL, value ->> 3)
            FROM json_each(?1) WHERE true ";

const DELETE: &str = "
    DELETE FROM channel_tracked_issues WHERE id IN (
        SELECT row.id FROM json_each(?1) AS item
        CROSS JOIN channel_tracked_issues AS row
            ON row.issue_key = item.value ->> 1 AND row.channel_id = item.value ->> 0)
    RETURNING channel_id, issue_key";

const FIND: &str = "
    SELECT json_group_array(json_array(id, channel_id, issue_key, issue_id)) FROM (
        SELECT id, channel_id, issue_key, issue_id FROM channel_tracked_issues WHERE id IN (
            SELECT row.id FROM json_each(?1) AS item
            CROSS JOIN channel_tracked_issues AS row
                ON row.issue_key = item.value ->> 1 AND row.channel_id = item.value ->> 0
            UNION ALL
            SELECT row.id FROM json_each(?2) AS item
            CROSS JOIN channel_tracked_issues AS row
                ON row.issue_id = item.value ->> 1 AND row.channel_id = item.value ->> 0)
        ORDER BY tracked_at, id)";

const DELETE_ROWS: &str = "DELETE FROM channel_tracked_issues WHERE id IN (SELECT value FROM json_each(?1))";

const PARK_ROWS: &str = "
    UPDATE channel_tracked_issues SET issue_key = 'row ' || id, issue_id = NULL
    WHERE id IN (SELECT value FROM json_each(?1))";

const RENAME_ROWS: &str = "
    UPDATE channel_tracked_issues AS row
    SET issue_key = item.value ->> 1, issue_id = item.value ->> 2
    FROM json_each(?1) AS item WHERE row.id = item.value ->> 0";

const REFRESH_ROWS: &str = "
    UPDATE channel_tracked_issues AS row
    SET last_synced_at = coalesce(item.value ->> 1, last_synced_at),
        last_jira_summary = coalesce(item.value ->> 2, last_jira_summary),
        last_jira_status = coalesce(item.value ->> 3, last_jira_status)
    FROM json_each(?1) AS item WHERE row.id = item.value ->> 0";

const INTENT_GET: &str = "SELECT (SELECT json_group_array(json_array(id, kind, channel_id, user_id, state, data, version, created_at,
         updated_at))
     FROM ticket_intents WHERE id = ask.value) FROM json_each(?1) AS ask";

const INTENT_RECENT: &str = "SELECT (SELECT json_group_array(json_array(issue_id, issue_key, summary))
     FROM (SELECT * FROM created_tickets
           WHERE project_key = ask.value ->> 0 AND created_at >= ask.value ->> 1
           ORDER BY created_at DESC, issue_id DESC LIMIT ?2)) FROM json_each(?1) AS ask";

const INTENT_BEGIN: &str = "
    INSERT INTO ticket_intents (id, kind, channel_id, user_id, data, version, state, created_at, updated_at)
    VALUES (?1 ->> 0, ?1 ->> 1, ?1 ->> 2, ?1 ->> 3, ?1 ->> 4, ?1 ->> 5, ?1 ->> 6, ?1 ->> 7, ?1 ->> 7)
    ON CONFLICT (id) DO UPDATE SET id = excluded.id
    RETURNING json_array(id, kind, channel_id, user_id, state, data, version, created_at, updated_at)";

const INTENT_SAVE: &str = "
    UPDATE ticket_intents
    SET version = ?1 ->> 2, state = ?1 ->> 3, data = ?1 ->> 4, updated_at = ?1 ->> 5
    WHERE id = ?1 ->> 0 AND version = ?1 ->> 1
    RETURNING id";

const INTENT_CLAIM: &str = "
    UPDATE ticket_intents SET version = ?1 ->> 0, updated_at = ?1 ->> 1
    WHERE id IN (
        SELECT id FROM ticket_intents
        WHERE state IN ('begun', 'confirmed') AND kind IN ('create', 'link', 'stories', 'plugin_create')
            AND updated_at < ?1 ->> 2
        ORDER BY updated_at, id LIMIT ?1 ->> 3)
    RETURNING json_array(id, kind, channel_id, user_id, state, data, version, created_at, updated_at)";

const INTENT_RECORD: &str = "
    INSERT INTO created_tickets (project_key, intent_id, created_at, issue_id, issue_key, summary)
    SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5
    FROM json_each(?1) WHERE true
    ON CONFLICT DO NOTHING
    RETURNING issue_id";

const INTENT_FORGET_TICKETS: &str =
    "DELETE FROM created_tickets WHERE created_at < ?1 ->> 0 RETURNING issue_id";

const INTENT_FORGET_INTENTS: &str = "
    DELETE FROM ticket_intents WHERE state IN ('draft', 'finished', 'failed') AND updated_at < ?1 ->> 0
    RETURNING id";

const SWITCH_DISABLE: &str = "
    INSERT INTO plugin_switches (plugin_name, disabled_by, disabled_at)
    VALUES (?1 ->> 0, ?1 ->> 1, ?1 ->> 2)
    ON CONFLICT (plugin_name) DO UPDATE
    SET disabled_by = excluded.disabled_by, disabled_at = excluded.disabled_at,
        enabled_by = NULL, enabled_at = NULL
    WHERE enabled_at IS NOT NULL
    RETURNING plugin_name";

const SWITCH_ENABLE: &str = "
    UPDATE plugin_switches SET enabled_by = ?1 ->> 1, enabled_at = ?1 ->> 2
    WHERE plugin_name = ?1 ->> 0 AND enabled_at IS NULL
    RETURNING plugin_name";

const SWITCH_DISABLED: &str = "SELECT (SELECT json_group_array(json_array(plugin_name, disabled_by, disabled_at))
     FROM (SELECT * FROM plugin_switches WHERE enabled_at IS NULL ORDER BY plugin_name)) FROM json_each(?1) AS ask";

const SWITCH_CLAIM_REFUSAL: &str = "
    INSERT INTO plugin_refusals (file_name, content, told_at) VALUES (?1 ->> 0, ?1 ->> 1, ?1 ->> 2)
    ON CONFLICT (file_name) DO UPDATE SET content = excluded.content, told_at = excluded.told_at
    WHERE content <> excluded.content OR told_at < ?1 ->> 3
    RETURNING file_name";

const STORAGE_GET: &str = "SELECT (coalesce(
        (SELECT json_quote(hex(value)) FROM plugin_storage
         WHERE plugin = ask.value ->> 0 AND channel_id = ask.value ->> 1 AND key = unhex(ask.value ->> 2)),
        'null')) FROM json_each(?1) AS ask";

const STORAGE_LIST: &str = "SELECT (SELECT json_group_array(hex(key))
     FROM (SELECT key FROM plugin_storage
           WHERE plugin = ask.value ->> 0 AND channel_id = ask.value ->> 1
               AND key >= unhex(ask.value ->> 2)
               AND (ask.value ->> 3 IS NULL OR key < unhex(ask.value ->> 3))
           ORDER BY key LIMIT ?2)) FROM json_each(?1) AS ask";

const STORAGE_LOOK: &str = "
    SELECT length(kept.value), kept.value = ?4,
        coalesce((SELECT keys FROM plugin_storage_usage WHERE plugin = ?1 AND channel_id = ?2), 0),
        coalesce((SELECT bytes FROM plugin_storage_usage WHERE plugin = ?1 AND channel_id = ?2), 0),
        coalesce((SELECT sum(bytes) FROM plugin_storage_usage WHERE plugin = ?1), 0)
    FROM (SELECT 1) LEFT JOIN plugin_storage AS kept
        ON kept.plugin = ?1 AND kept.channel_id = ?2 AND kept.key = ?3";

const STORAGE_PUT: &str = "
    INSERT INTO plugin_storage (plugin, channel_id, key, value) VALUES (?1, ?2, ?3, ?4)
    ON CONFLICT (plugin, channel_id, key) DO UPDATE SET value = excluded.value";

const STORAGE_TAKE: &str = "DELETE FROM plugin_storage WHERE plugin = ?1 AND channel_id = ?2 AND key = ?3";

const STORAGE_COUNT: &str = "
    INSERT INTO plugin_storage_usage (plugin, channel_id, keys, bytes) VALUES (?1, ?2, ?3, ?4)
    ON CONFLICT (plugin, channel_id)
    DO UPDATE SET keys = keys + excluded.keys, bytes = bytes + excluded.bytes";
