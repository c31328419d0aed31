//! The statements of the release before this one on PostgreSQL, as its program sends them. Frozen: replace them as a
//! whole when a release is out.

use super::{
    Bind::{Bytes, Flags, NoBytes, Number, Numbers, Text, Texts},
    Step,
};

/// What the previous release does, on a list that has A-1.
pub(super) fn steps() -> Vec<Step> {
    let (time, later) = (Text("2026-01-31T09:30:05.000000Z"), Text("2026-01-31T09:40:00.000000Z"));
    let insert = |statement, key, id, count| {
        let (user, source) = (Text("U2"), Text("command"));
        let item = [Texts(key), Texts(id), Texts(&["A summary"]), Texts(&["Open"])];
        Step(statement, [vec![Text("C1"), time.clone(), user, source], item.to_vec()].concat(), count)
    };
    let begin = || {
        let head = ["one", "create", "C1", "U1", "{}"].map(Text).to_vec();
        Step(INTENT_BEGIN, [head, vec![Number(7), Text("begun"), time.clone()]].concat(), 1)
    };
    let save = |version, next, state, count| {
        let versions = [Number(version), Number(next)];
        let rest = [Text(state), Text("{}"), later.clone()];
        Step(INTENT_SAVE, [vec![Text("one")], versions.to_vec(), rest.to_vec()].concat(), count)
    };
    let record = |count| {
        let head = [Text("A"), Text("one"), later.clone()];
        let item = [Texts(&["1"]), Texts(&["A-1"]), Texts(&["A summary"])];
        Step(INTENT_RECORD, [head, item].concat(), count)
    };
    let disable = |user, count| Step(SWITCH_DISABLE, vec![Text("p"), Text(user), later.clone()], count);
    let refusal = |count| {
        let binds = vec![Text("p.wasm"), Text("one"), later.clone(), later.clone()];
        Step(SWITCH_CLAIM_REFUSAL, binds, count)
    };
    let space = || vec![Text("p"), Text("")];
    let put = |keys, bytes, value| {
        let binds = [space(), vec![Bytes(b"k"), Number(keys), Number(bytes), Bytes(value)]].concat();
        Step(STORAGE_PUT, binds, 1)
    };
    let changes = vec![
        // track, which finds some of them on the list already; a moved issue; untrack.
        insert(INSERT_IF_ALL_ARE_NEW, &["B-1"], &["11"], 1),
        insert(INSERT_IF_ALL_ARE_NEW, &["B-1"], &["11"], 0),
        insert(INSERT, &["A-1"], &["1"], 0),
        insert(INSERT, &["C-3"], &["13"], 1),
        Step(ADDED_AT, vec![Text("C1"), time.clone(), Text("U2"), Texts(&["B-1"])], 1),
        Step(FIND, vec![Text("C1"), Texts(&["B-1"]), Texts(&["11"])], 1),
        Step(PARK_ROWS, vec![Numbers(vec![2])], 1),
        Step(RENAME_ROWS, vec![Numbers(vec![2]), Texts(&["B-2"]), Texts(&["12"])], 1),
        Step(
            REFRESH_ROWS,
            vec![later.clone(), Numbers(vec![2]), Texts(&["Renamed"]), Texts(&["Done"]), Flags(&[true])],
            1,
        ),
        Step(DELETE, vec![Text("C1"), Texts(&["C-3", "NO-1"])], 1),
        Step(DELETE_ROWS, vec![Numbers(vec![99])], 0),
        // intents
        begin(),
        begin(),
        save(7, 8, "confirmed", 1),
        save(6, 9, "confirmed", 0),
        Step(
            INTENT_CLAIM,
            vec![Number(9), later.clone(), Text("2026-01-31T09:50:00.000000Z"), Number(10)],
            1,
        ),
        save(9, 10, "finished", 1),
        Step(INTENT_GET, vec![Text("one")], 1),
        record(1),
        record(0),
        Step(INTENT_RECENT, vec![Text("A"), later.clone(), Number(10)], 1),
        Step(INTENT_FORGET, vec![Text("2026-01-01T00:00:00.000000Z")], 0),
        // switches
        disable("U1", 1),
        disable("U2", 0),
        Step(SWITCH_ENABLE, vec![Text("p"), Text("U2"), later.clone()], 1),
        disable("U3", 1),
        Step(SWITCH_DISABLED, vec![], 1),
        refusal(1),
        refusal(0),
        // storage
        Step(STORAGE_TURN, vec![Text("p")], 1),
        Step(STORAGE_LOOK, [space(), vec![Bytes(b"k"), NoBytes]].concat(), 1),
        put(1, 2, b"v"),
        put(0, 1, b"vv"),
        Step(STORAGE_GET, [space(), vec![Bytes(b"k")]].concat(), 1),
        Step(STORAGE_LIST, [space(), vec![Bytes(b""), NoBytes, Number(10)]].concat(), 1),
        Step(STORAGE_TAKE, [space(), vec![Bytes(b"none"), Number(0), Number(0)]].concat(), 1),
    ];
    [changes, reads()].concat()
}

fn reads() -> Vec<Step> {
    let later = Text("2026-01-31T09:40:00.000000Z");
    vec![
        Step(PAGE, vec![Text("C1"), Number(10), Number(0)], 1),
        Step(COUNT, vec![Text("C1")], 1),
        Step(PRESENT, vec![Text("C1"), Texts(&["A-1"])], 1),
        Step(STALE, vec![later.clone(), Number(10)], 1),
        Step(PLACES, vec![Text("A-1"), Text("1")], 1),
    ]
}

const PAGE: &str = "
    SELECT coalesce(json_agg(json_build_array(issue_key, issue_id,
        (extract(epoch FROM tracked_at) * 1000000)::bigint, tracked_by, source,
        (extract(epoch FROM last_synced_at) * 1000000)::bigint, last_jira_status, last_jira_summary)),
        '[]')::text
    FROM (SELECT * FROM channel_tracked_issues WHERE channel_id = $1
          ORDER BY tracked_at, id LIMIT $2::bigint + 1 OFFSET $3) AS page";

const COUNT: &str = "SELECT count(*)::text FROM channel_tracked_issues WHERE channel_id = $1";

const PRESENT: &str = "
    SELECT coalesce(json_agg(issue_key), '[]')::text FROM channel_tracked_issues
    WHERE channel_id = $1 AND issue_key = ANY($2)";

const STALE: &str = "
    SELECT coalesce(json_agg(json_build_array(channel_id, issue_key)), '[]')::text
    FROM (SELECT channel_id, issue_key FROM channel_tracked_issues
          WHERE coalesce(last_synced_at, '-infinity'::timestamptz) < $1::timestamptz
          ORDER BY coalesce(last_synced_at, '-infinity'::timestamptz), id LIMIT $2) AS stale";

const PLACES: &str = "
    SELECT coalesce(json_agg(json_build_array(channel_id, issue_key)), '[]')::text
    FROM (SELECT channel_id, issue_key FROM channel_tracked_issues WHERE issue_key = $1
          UNION
          SELECT channel_id, issue_key FROM channel_tracked_issues WHERE issue_id = $2
          ORDER BY channel_id, issue_key) AS places";

const INSERT: &str = "WITH item AS MATERIALIZED (
                SELECT nextval('channel_tracked_issues_id_seq') AS id, issue_key, issue_id, summary, status
                FROM unnest($5::text[], $6::text[], $7::text[], $8::text[])
                    AS item (issue_key, issue_id, summary, status))
            INSERT INTO channel_tracked_issues (id, channel_id, issue_key, issue_id, tracked_at, tracked_by,
                source, last_jira_summary, last_jira_status, last_synced_at)
            SELECT id, $1, issue_key, issue_id, $2::timestamptz, $3, $4, summary, status,
                CASE WHEN status IS NOT NULL THEN $2::timestamptz END
            FROM item  ORDER BY issue_key
            ON CONFLICT DO NOTHING
            RETURNING issue_key";

const INSERT_IF_ALL_ARE_NEW: &str = "WITH item AS MATERIALIZED (
                SELECT nextval('channel_tracked_issues_id_seq') AS id, issue_key, issue_id, summary, status
                FROM unnest($5::text[], $6::text[], $7::text[], $8::text[])
                    AS item (issue_key, issue_id, summary, status))
            INSERT INTO channel_tracked_issues (id, channel_id, issue_key, issue_id, tracked_at, tracked_by,
                source, last_jira_summary, last_jira_status, last_synced_at)
            SELECT id, $1, issue_key, issue_id, $2::timestamptz, $3, $4, summary, status,
                CASE WHEN status IS NOT NULL THEN $2::timestamptz END
            FROM item WHERE NOT EXISTS (SELECT FROM channel_tracked_issues
                       WHERE channel_id = $1 AND issue_key = ANY($5))
        AND NOT EXISTS (SELECT FROM channel_tracked_issues
                        WHERE channel_id = $1 AND issue_id = ANY($6)) ORDER BY issue_key
            ON CONFLICT DO NOTHING
            RETURNING issue_key";

const DELETE: &str = "
    WITH doomed AS MATERIALIZED (
        SELECT id FROM channel_tracked_issues WHERE channel_id = $1 AND issue_key = ANY($2)
        ORDER BY id FOR UPDATE)
    DELETE FROM channel_tracked_issues USING doomed WHERE channel_tracked_issues.id = doomed.id
    RETURNING issue_key";

const FIND: &str = "
    SELECT id, channel_id, issue_key, issue_id, (extract(epoch FROM tracked_at) * 1000000)::bigint
    FROM channel_tracked_issues
    WHERE channel_id = $1 AND (issue_key = ANY($2) OR issue_id = ANY($3))
    ORDER BY id FOR UPDATE";

const DELETE_ROWS: &str = "DELETE FROM channel_tracked_issues WHERE id = ANY($1)";

const PARK_ROWS: &str = "
    UPDATE channel_tracked_issues SET issue_key = 'row ' || id, issue_id = NULL WHERE id = ANY($1)";

const RENAME_ROWS: &str = "
    UPDATE channel_tracked_issues AS row SET issue_key = item.issue_key, issue_id = item.issue_id
    FROM unnest($1::bigint[], $2::text[], $3::text[]) AS item (id, issue_key, issue_id)
    WHERE row.id = item.id";

const REFRESH_ROWS: &str = "
    UPDATE channel_tracked_issues AS row
    SET last_synced_at = CASE WHEN item.is_sync THEN $1::timestamptz ELSE last_synced_at END,
        last_jira_summary = coalesce(item.summary, last_jira_summary),
        last_jira_status = coalesce(item.status, last_jira_status)
    FROM unnest($2::bigint[], $3::text[], $4::text[], $5::boolean[])
        AS item (id, summary, status, is_sync)
    WHERE row.id = item.id";

const ADDED_AT: &str = "
    SELECT issue_key FROM channel_tracked_issues
    WHERE channel_id = $1 AND tracked_at = $2::timestamptz AND tracked_by = $3 AND issue_key = ANY($4)";

const INTENT_BEGIN: &str = "INSERT INTO ticket_intents AS intent
        (id, kind, channel_id, user_id, data, version, state, created_at, updated_at)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8::timestamptz, $8::timestamptz)
     ON CONFLICT (id) DO UPDATE SET id = excluded.id
     RETURNING json_build_array(intent.id, intent.kind, intent.channel_id, intent.user_id, intent.state,
                intent.data, intent.version, (extract(epoch FROM intent.created_at) * 1000000)::bigint,
                (extract(epoch FROM intent.updated_at) * 1000000)::bigint)::text";

const INTENT_SAVE: &str = "
    UPDATE ticket_intents SET version = $3, state = $4, data = $5, updated_at = $6::timestamptz
    WHERE id = $1 AND version IN ($2, $3)";

const INTENT_CLAIM: &str = "WITH abandoned AS MATERIALIZED (
        SELECT id FROM ticket_intents
        WHERE state IN ('begun', 'confirmed') AND kind IN ('create', 'link', 'stories', 'plugin_create')
            AND updated_at < $3::timestamptz
        ORDER BY updated_at, id LIMIT $4 FOR UPDATE SKIP LOCKED)
     UPDATE ticket_intents AS intent SET version = $1, updated_at = $2::timestamptz
     FROM abandoned WHERE intent.id = abandoned.id
     RETURNING json_build_array(intent.id, intent.kind, intent.channel_id, intent.user_id, intent.state,
                intent.data, intent.version, (extract(epoch FROM intent.created_at) * 1000000)::bigint,
                (extract(epoch FROM intent.updated_at) * 1000000)::bigint)::text";

const INTENT_GET: &str = "SELECT coalesce(json_agg(json_build_array(intent.id, intent.kind, intent.channel_id, intent.user_id, intent.state,
                intent.data, intent.version, (extract(epoch FROM intent.created_at) * 1000000)::bigint,
                (extract(epoch FROM intent.updated_at) * 1000000)::bigint)), '[]')::text FROM ticket_intents AS intent WHERE intent.id = $1";

const INTENT_RECORD: &str = "
    INSERT INTO created_tickets (project_key, intent_id, created_at, issue_id, issue_key, summary)
    SELECT $1, $2, $3::timestamptz, issue_id, issue_key, summary
    FROM unnest($4::text[], $5::text[], $6::text[]) AS item (issue_id, issue_key, summary)
    ORDER BY issue_id
    ON CONFLICT DO NOTHING";

const INTENT_RECENT: &str = "
    SELECT coalesce(json_agg(json_build_array(issue_id, issue_key, summary)), '[]')::text
    FROM (SELECT * FROM created_tickets WHERE project_key = $1 AND created_at >= $2::timestamptz
          ORDER BY created_at DESC, issue_id DESC LIMIT $3) AS recent";

const INTENT_FORGET: &str = "
    WITH forgotten AS (DELETE FROM created_tickets WHERE created_at < $1::timestamptz)
    DELETE FROM ticket_intents WHERE state IN ('draft', 'finished', 'failed') AND updated_at < $1::timestamptz";

const SWITCH_DISABLE: &str = "
    INSERT INTO plugin_switches AS switch (plugin_name, disabled_by, disabled_at)
    VALUES ($1, $2, $3::timestamptz)
    ON CONFLICT (plugin_name) DO UPDATE
    SET disabled_by = excluded.disabled_by, disabled_at = excluded.disabled_at,
        enabled_by = NULL, enabled_at = NULL
    WHERE switch.enabled_at IS NOT NULL";

const SWITCH_ENABLE: &str = "
    UPDATE plugin_switches SET enabled_by = $2, enabled_at = $3::timestamptz
    WHERE plugin_name = $1 AND enabled_at IS NULL";

const SWITCH_DISABLED: &str = "
    SELECT coalesce(json_agg(json_build_array(plugin_name, disabled_by,
        (extract(epoch FROM disabled_at) * 1000000)::bigint) ORDER BY plugin_name), '[]')::text
    FROM plugin_switches WHERE enabled_at IS NULL";

const SWITCH_CLAIM_REFUSAL: &str = "
    INSERT INTO plugin_refusals AS refusal (file_name, content, told_at) VALUES ($1, $2, $3::timestamptz)
    ON CONFLICT (file_name) DO UPDATE SET content = excluded.content, told_at = excluded.told_at
    WHERE refusal.content <> excluded.content OR refusal.told_at < $4::timestamptz";

const STORAGE_GET: &str =
    "SELECT value FROM plugin_storage WHERE plugin = $1 AND channel_id = $2 AND key = $3";

const STORAGE_LIST: &str = "
    SELECT key FROM plugin_storage
    WHERE plugin = $1 AND channel_id = $2 AND key >= $3 AND ($4::bytea IS NULL OR key < $4)
    ORDER BY key LIMIT $5";

const STORAGE_TURN: &str = "SELECT pg_advisory_xact_lock(hashtextextended('plugin_storage ' || $1, 0))";

const STORAGE_LOOK: &str = "
    SELECT octet_length(kept.value)::bigint, kept.value = $4,
        coalesce((SELECT keys FROM plugin_storage_usage WHERE plugin = $1 AND channel_id = $2), 0),
        coalesce((SELECT bytes FROM plugin_storage_usage WHERE plugin = $1 AND channel_id = $2), 0),
        coalesce((SELECT sum(bytes) FROM plugin_storage_usage WHERE plugin = $1), 0)::bigint
    FROM (SELECT 1) AS one LEFT JOIN plugin_storage AS kept
        ON kept.plugin = $1 AND kept.channel_id = $2 AND kept.key = $3";

const STORAGE_PUT: &str = "WITH made AS (INSERT INTO plugin_storage (plugin, channel_id, key, value) VALUES ($1, $2, $3, $6)
     ON CONFLICT (plugin, channel_id, key) DO UPDATE SET value = excluded.value)
             INSERT INTO plugin_storage_usage AS usage (plugin, channel_id, keys, bytes) VALUES ($1, $2, $4, $5)
             ON CONFLICT (plugin, channel_id)
             DO UPDATE SET keys = usage.keys + excluded.keys, bytes = usage.bytes + excluded.bytes";

const STORAGE_TAKE: &str = "WITH made AS (DELETE FROM plugin_storage WHERE plugin = $1 AND channel_id = $2 AND key = $3)
             INSERT INTO plugin_storage_usage AS usage (plugin, channel_id, keys, bytes) VALUES ($1, $2, $4, $5)
             ON CONFLICT (plugin, channel_id)
             DO UPDATE SET keys = usage.keys + excluded.keys, bytes = usage.bytes + excluded.bytes";
