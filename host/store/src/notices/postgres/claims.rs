//! The queue of channels with something to tell. The workers of all replicas share it.

use crate::{
    database::postgres::{clock::now_ms, deadline::in_time, lease::Lease},
    notices::{Mode, Sending, timing::CLAIM_MS},
};
use maro_domain::{ids::ChannelId, issue::IssueId};

/// Whether people can write to the channel. Until they can, what is to be told waits.
macro_rules! is_heard {
    () => {
        "NOT EXISTS (SELECT FROM paused_channels AS paused WHERE paused.channel_id = channel_notices.channel_id)"
    };
}

/// Whether a time has come. One that is further ahead than any pause or claim lasts was written before the server's
/// clock was set back.
macro_rules! has_come {
    ("due_ms") => {
        has_come!("due_ms", "0")
    };
    ("due_ms", $ago:literal) => {
        concat!("(due_ms <= ", now_ms!(), " - ", $ago, " OR due_ms > ", now_ms!(), " + 660000)")
    };
    ("held_until_ms") => {
        concat!("(held_until_ms <= ", now_ms!(), " OR held_until_ms > ", now_ms!(), " + 80000)")
    };
}

/// Whether something of a channel waits. What changes a head line is kept, as [`crate::notices::Kind::Head`] says.
macro_rules! has_notices {
    () => {
        "(EXISTS (SELECT FROM notice_outbox AS notice
                  WHERE notice.channel_id = setting.channel_id AND notice.state IN ('waiting', 'sending'))
            OR EXISTS (SELECT FROM notice_outbox AS notice
                       WHERE notice.channel_id = setting.channel_id AND notice.state = 'kept' AND notice.kind = 'head'))"
    };
}

/// In milliseconds; empty if nothing is waiting.
pub(super) const NEXT_DUE: &str = concat!(
    "SELECT coalesce((min(greatest(CASE WHEN ",
    has_come!("due_ms"),
    " THEN 0 ELSE due_ms END, CASE WHEN ",
    has_come!("held_until_ms"),
    " THEN 0 ELSE held_until_ms END)) - ",
    now_ms!(),
    ")::text, '') FROM channel_notices WHERE due_ms IS NOT NULL AND ",
    is_heard!()
);

/// Channels that are claimed by nobody, or by the same call before its answer was lost.
pub(super) const CLAIM: &str = concat!(
    "WITH due AS MATERIALIZED (
        SELECT channel_id, team_id, site_id FROM channel_notices
        WHERE due_ms IS NOT NULL AND ",
    has_come!("due_ms", "$4::bigint"),
    " AND (",
    has_come!("held_until_ms"),
    " OR holder = $1) AND ",
    is_heard!(),
    " AND ",
    in_time!("$5"),
    "   ORDER BY due_ms LIMIT $2 FOR UPDATE SKIP LOCKED),
    held AS (
        UPDATE channel_notices AS setting SET holder = $1, held_until_ms = ",
    now_ms!(),
    " + $3 FROM due
        WHERE setting.channel_id = due.channel_id AND setting.team_id = due.team_id
            AND setting.site_id = due.site_id
        RETURNING setting.*)
    SELECT json_build_array(held.channel_id, held.mode, held.is_introduced::int, held.pauses, held.bulk_ts, ",
    now_ms!(),
    " - held.bulk_ms, held.digest_zone, (
        SELECT coalesce(json_agg(row_to_json(waiting) ORDER BY waiting.id), '[]') FROM (
            SELECT notice.id, notice.issue_id, notice.issue_key, notice.kind, notice.from_status,
                notice.to_status, notice.set_by, notice.noted_at, notice.state, notice.message_ts,
                CASE notice.state WHEN 'sending' THEN notice.reason END AS begun,
                (SELECT tracked_by FROM channel_tracked_issues AS row
                 WHERE row.channel_id = notice.channel_id AND row.issue_id = notice.issue_id LIMIT 1) AS tracked_by,
                (SELECT last_jira_status FROM channel_tracked_issues AS row
                 WHERE row.channel_id = notice.channel_id AND row.issue_id = notice.issue_id LIMIT 1) AS listed_status,
                thread.head_ts, thread.is_head_line::int AS is_head_line, thread.reply_ts, thread.reply_from, ",
    now_ms!(),
    " - thread.reply_ms AS reply_age, thread.has_choice::int AS has_choice,
                thread.is_muted::int AS is_muted
            FROM (
                SELECT * FROM notice_outbox
                WHERE channel_id = held.channel_id AND state IN ('waiting', 'sending')
                UNION ALL
                SELECT * FROM notice_outbox WHERE channel_id = held.channel_id AND state = 'kept' AND kind = 'head')
                AS notice LEFT JOIN notice_threads AS thread
                ON thread.channel_id = notice.channel_id AND thread.issue_id = notice.issue_id
                AND thread.team_id = notice.team_id AND thread.site_id = notice.site_id
            ORDER BY notice.id LIMIT 500) AS waiting))::text
    FROM held"
);

/// The claim begins again with each message. What people have turned off since it began, `$4` to `$6`, isn't sent.
const HOLD: &str = concat!(
    "UPDATE channel_notices SET held_until_ms = ",
    now_ms!(),
    " + $3 WHERE channel_id = $1 AND team_id = '' AND site_id = '' AND holder = $2 AND held_until_ms > ",
    now_ms!(),
    " AND ($4::text IS NULL OR mode = $4::text)
        AND NOT EXISTS (
            SELECT FROM (
                SELECT issue_id FROM notice_outbox WHERE id = ANY($5::bigint[]) UNION ALL SELECT $6::text) AS told
            WHERE told.issue_id IS NOT NULL AND (
                EXISTS (SELECT FROM notice_threads AS thread
                        WHERE thread.channel_id = $1 AND thread.issue_id = told.issue_id AND thread.is_muted)
                OR NOT EXISTS (SELECT FROM channel_tracked_issues AS row
                               WHERE row.channel_id = $1 AND row.issue_id = told.issue_id)))
    RETURNING channel_id"
);

/// `$2` is the message that is changed. When it was begun is noted where the reason is afterwards.
const SEND: &str = concat!(
    "UPDATE notice_outbox SET state = 'sending', message_ts = $2, reason = ",
    now_ms!(),
    "::text
    WHERE id = ANY($1) AND state IN ('waiting', 'sending')"
);

const SEND_HEAD: &str = "
    INSERT INTO notice_threads (channel_id, issue_id, head_ts, is_head_line) VALUES ($1, $2, '', true)
    ON CONFLICT (channel_id, issue_id, team_id, site_id) DO UPDATE SET head_ts = '', is_head_line = true";

/// What is written to the outbox by now is seen by the statements after this one.
const LOCK: &str = "
    SELECT channel_id FROM channel_notices
    WHERE channel_id = $1 AND team_id = '' AND site_id = '' AND holder = $2 FOR UPDATE";

const SETTLE_NOTICES: &str = "
    UPDATE notice_outbox SET state = ended.o ->> 'state',
        reason = CASE ended.o ->> 'state' WHEN 'sending' THEN reason ELSE ended.o ->> 'reason' END,
        message_ts = ended.o ->> 'message_ts'
    FROM (SELECT $1::text::json AS o) AS ended
    WHERE id IN (SELECT json_array_elements_text($1::text::json -> 'ids')::bigint)";

const SETTLE_THREAD: &str = concat!(
    "INSERT INTO notice_threads AS thread (channel_id, issue_id, head_ts, is_head_line, reply_ts, reply_from,
        reply_ms, has_choice)
    SELECT o ->> 'channel', o ->> 'issue', o ->> 'head_ts', o ->> 'is_head_line' = '1', o ->> 'reply_ts',
        o ->> 'reply_from', CASE WHEN o ->> 'reply_ts' IS NOT NULL THEN ",
    now_ms!(),
    " END, o ->> 'has_choice' = '1'
    FROM (SELECT $1::text::json AS o) AS ended WHERE o ->> 'issue' IS NOT NULL
    ON CONFLICT (channel_id, issue_id, team_id, site_id) DO UPDATE
    SET head_ts = CASE $1::text::json ->> 'sets_head' WHEN '1' THEN excluded.head_ts ELSE thread.head_ts END,
        is_head_line = CASE $1::text::json ->> 'sets_head' WHEN '1' THEN excluded.is_head_line
            ELSE thread.is_head_line END,
        reply_ts = CASE $1::text::json ->> 'sets_reply' WHEN '1' THEN excluded.reply_ts ELSE thread.reply_ts END,
        reply_from = CASE $1::text::json ->> 'sets_reply' WHEN '1' THEN excluded.reply_from
            ELSE thread.reply_from END,
        reply_ms = CASE $1::text::json ->> 'is_new_reply' WHEN '1' THEN excluded.reply_ms
            ELSE thread.reply_ms END,
        has_choice = CASE $1::text::json ->> 'sets_reply' WHEN '1' THEN excluded.has_choice
            ELSE thread.has_choice END"
);

const NOTE_HEADS: &str = "
    INSERT INTO notice_outbox (channel_id, issue_id, issue_key, kind, from_status, to_status, noted_at, state)
    SELECT $1::text::json ->> 'channel', head ->> 0, head ->> 1, 'head', '', '', statement_timestamp(), 'kept'
    FROM json_array_elements($1::text::json -> 'old_heads') AS head";

const SETTLE_CHANNEL: &str = concat!(
    "UPDATE channel_notices AS setting
    SET holder = CASE o ->> 'keeps' WHEN '1' THEN holder END,
        held_until_ms = CASE o ->> 'keeps' WHEN '1' THEN held_until_ms ELSE 0 END,
        due_ms = CASE WHEN ",
    has_notices!(),
    " THEN ",
    now_ms!(),
    " + (o ->> 'pause_ms')::bigint END,
        is_introduced = is_introduced OR o ->> 'introduces' = '1',
        paused_for = CASE WHEN o ->> 'paused_for' IS NOT NULL THEN o ->> 'paused_for'
            WHEN o ->> 'state' <> 'sent' THEN paused_for END,
        pauses = CASE WHEN o ->> 'paused_for' IS NOT NULL THEN pauses + 1
            WHEN o ->> 'state' <> 'sent' THEN pauses ELSE 0 END,
        bulk_ts = CASE WHEN o ->> 'forgets_bulk' = '1' THEN NULL ELSE coalesce(o ->> 'bulk_ts', bulk_ts) END,
        bulk_ms = CASE o ->> 'is_new_bulk' WHEN '1' THEN ",
    now_ms!(),
    " ELSE bulk_ms END
    FROM (SELECT $1::text::json AS o) AS ended
    WHERE channel_id = o ->> 'channel' AND team_id = '' AND site_id = ''"
);

pub(super) async fn begin(
    lease: &mut Lease,
    channel: &ChannelId,
    holder: i64,
    sending: Sending<'_>,
) -> Result<bool, sqlx::Error> {
    lease.begin().await?;
    let query = sqlx::query(HOLD).bind(channel.as_str()).bind(holder).bind(CLAIM_MS);
    let query = query.bind(sending.mode.map(Mode::as_str)).bind(sending.notices.to_vec());
    let query = query.bind(sending.head_of.map(IssueId::as_str));
    let is_held = !lease.fetch_all(query).await?.is_empty();
    if is_held {
        let send = sqlx::query(SEND).bind(sending.notices.to_vec()).bind(sending.changes);
        // A change that is gone was taken up by another since it was claimed. Nothing is noted then.
        if lease.execute(send).await? != sending.notices.len() as u64 {
            lease.rollback().await?;
            return Ok(false);
        }
        if let Some(issue) = sending.head_of.map(IssueId::as_str) {
            lease.execute(sqlx::query(SEND_HEAD).bind(channel.as_str()).bind(issue)).await?;
        }
    }
    lease.commit().await?;
    Ok(is_held)
}

pub(super) async fn finish(
    lease: &mut Lease,
    channel: &ChannelId,
    holder: i64,
    outcome: &str,
) -> Result<bool, sqlx::Error> {
    lease.begin().await?;
    let query = sqlx::query(LOCK).bind(channel.as_str()).bind(holder);
    let is_held = !lease.fetch_all(query).await?.is_empty();
    if is_held {
        for statement in [SETTLE_NOTICES, SETTLE_THREAD, NOTE_HEADS, SETTLE_CHANNEL] {
            lease.execute(sqlx::query(statement).bind(outcome)).await?;
        }
    }
    lease.commit().await?;
    Ok(is_held)
}
