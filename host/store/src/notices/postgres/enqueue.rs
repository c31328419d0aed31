//! Writes changes of status to the outbox, in the transaction that changes the rows.

use jiff::Timestamp;

use crate::{
    database::{
        postgres::{clock::now_ms, lease::Lease},
        time::time_text,
    },
    notices::{note::StatusChange, own_change::is_changing, timing::GATHERING_MS},
};

/// What the channels want to hear is written to the outbox, they are put into the queue, and the log says so. What a
/// digest tells is kept for it, one change an issue. Since when an issue has been done is noted for every channel. A
/// channel that hears nothing because it's older than notices is told once how to turn them on. While Slack takes no
/// messages, what waits of an issue is one change, too, unless a worker may be telling it just now: its number is
/// another one then, so that a worker who read the change before can't begin to tell it. What isn't told changes the head
/// line of an issue's thread all the same, also one that is only about to be sent. A worker that holds the channel may
/// have read that issue before.
const NOTE: &str = concat!(
    "WITH change AS (
        SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[],
            $8::text[], $11::boolean[]) WITH ORDINALITY AS change (channel_id, issue_key, issue_id, from_status,
            to_status, from_category, to_category, set_by, is_silent, place)),
    done AS (
        INSERT INTO done_issues AS known (channel_id, issue_id, since)
        SELECT DISTINCT channel_id, issue_id, $9::text::timestamptz FROM change
        WHERE to_category = 'done' AND from_category <> 'done' ORDER BY channel_id, issue_id
        ON CONFLICT (channel_id, issue_id, team_id, site_id)
        DO UPDATE SET since = excluded.since, is_offered = false),
    reopened AS (
        DELETE FROM done_issues AS known USING change
        WHERE known.channel_id = change.channel_id AND known.issue_id = change.issue_id
            AND change.to_category <> 'done'),
    judged AS (
        SELECT change.*, coalesce(setting.mode, 'status') AS mode,
            setting.paused_for IS NOT NULL AND setting.mode NOT IN ('off', 'digest')
                AND setting.held_until_ms <= ",
    now_ms!(),
    " AS is_paused,
            thread.is_muted IS NOT TRUE AND coalesce(setting.mode, '') NOT IN ('digest', 'off')
                AND (thread.is_head_line AND thread.head_ts IS NOT NULL
                    OR setting.held_until_ms > ",
    now_ms!(),
    " AND EXISTS (SELECT FROM notice_outbox AS other
                               WHERE other.channel_id = change.channel_id AND other.issue_id = change.issue_id
                                   AND other.state IN ('waiting', 'sending')))
                AND (setting.held_until_ms > ",
    now_ms!(),
    " OR NOT EXISTS (SELECT FROM notice_outbox AS other
                                WHERE other.channel_id = change.channel_id AND other.issue_id = change.issue_id
                                    AND other.state = 'kept' AND other.kind = 'head')) AS has_line,
            thread.is_muted IS NOT TRUE AND NOT change.is_silent
                AND NOT ",
    is_changing!("change.issue_key", now_ms!()),
    " AND CASE coalesce(setting.mode, 'status')
                    WHEN 'all' THEN true
                    WHEN 'digest' THEN true
                    WHEN 'done' THEN to_category = 'done' AND from_category <> 'done'
                    WHEN 'off' THEN NOT setting.is_introduced AND from_category <> to_category
                        AND from_category <> '' AND to_category <> ''
                    ELSE from_category <> to_category AND from_category <> '' AND to_category <> ''
                    END AS is_told
        FROM change
        LEFT JOIN channel_notices AS setting ON setting.channel_id = change.channel_id
            AND setting.team_id = '' AND setting.site_id = ''
        LEFT JOIN notice_threads AS thread ON thread.channel_id = change.channel_id
            AND thread.issue_id = change.issue_id AND thread.team_id = '' AND thread.site_id = ''),
    wanted AS (SELECT * FROM judged WHERE is_told OR has_line),
    kept AS (
        UPDATE notice_outbox AS kept
        SET to_status = wanted.to_status, set_by = wanted.set_by, noted_at = $9::text::timestamptz
        FROM wanted
        WHERE wanted.mode = 'digest' AND kept.channel_id = wanted.channel_id AND kept.issue_id = wanted.issue_id
            AND kept.kind = 'status' AND kept.state = 'kept'
        RETURNING wanted.place),
    merged AS (
        DELETE FROM notice_outbox AS waiting USING wanted
        WHERE wanted.is_paused AND wanted.is_told AND waiting.channel_id = wanted.channel_id AND waiting.issue_id = wanted.issue_id
            AND waiting.kind = 'status' AND waiting.state = 'waiting'
        RETURNING wanted.place, waiting.id, waiting.from_status),
    noted AS (
        INSERT INTO notice_outbox (channel_id, issue_id, issue_key, kind, from_status, to_status, set_by, noted_at,
            state)
        SELECT channel_id, issue_id, issue_key,
            CASE WHEN NOT is_told THEN 'head' WHEN mode = 'off' THEN 'introduction' ELSE 'status' END,
            coalesce((SELECT first.from_status FROM merged AS first WHERE first.place = wanted.place
                      ORDER BY first.id LIMIT 1), from_status),
            to_status, set_by, $9::text::timestamptz,
            CASE WHEN mode = 'digest' OR NOT is_told THEN 'kept' ELSE 'waiting' END
        FROM wanted WHERE place NOT IN (SELECT place FROM kept) ORDER BY place
        RETURNING channel_id, state, kind),
    queued AS (
        INSERT INTO channel_notices AS setting (channel_id, due_ms)
        SELECT DISTINCT channel_id, ",
    now_ms!(),
    " + $10::bigint FROM noted WHERE state = 'waiting' OR kind = 'head' ORDER BY channel_id
        ON CONFLICT (channel_id, team_id, site_id) DO UPDATE
        SET due_ms = CASE WHEN setting.paused_for IS NULL THEN least(setting.due_ms, excluded.due_ms)
                ELSE coalesce(setting.due_ms, excluded.due_ms) END,
            is_introduced = setting.is_introduced OR setting.mode = 'off')
    INSERT INTO audit_log (at, channel_id, user_id, action, subject, outcome)
    SELECT $9::text::timestamptz, channel_id, '', 'notice', issue_key, 'begun' FROM wanted
    WHERE is_told AND mode <> 'off' ORDER BY place"
);

/// Writes what the channels want to hear about these changes. All of them were learned at the same time.
pub(crate) async fn note(
    lease: &mut Lease,
    changes: &[StatusChange<'_>],
    at: Timestamp,
) -> Result<(), sqlx::Error> {
    if changes.is_empty() {
        return Ok(());
    }
    let column = |text: fn(&StatusChange<'_>) -> String| changes.iter().map(text).collect::<Vec<_>>();
    let query = sqlx::query(NOTE)
        .bind(column(|change| change.channel.to_owned()))
        .bind(column(|change| change.issue.key.to_string()))
        .bind(column(|change| change.issue.id.as_str().to_owned()))
        .bind(column(|change| change.from.to_owned()))
        .bind(column(|change| change.to.to_owned()))
        .bind(column(|change| change.from_category.to_owned()))
        .bind(column(|change| change.to_category.to_owned()))
        .bind(changes.iter().map(|change| change.set_by).collect::<Vec<_>>())
        .bind(time_text(at))
        .bind(GATHERING_MS)
        .bind(changes.iter().map(|change| change.is_silent).collect::<Vec<_>>());
    lease.execute(query).await.map(drop)
}
