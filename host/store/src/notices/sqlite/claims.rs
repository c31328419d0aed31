//! The queue of channels with something to tell.

use crate::database::sqlite::{clock::now_ms, read::for_each_ask};

/// Whether people can write to the channel. Until they can, what is to be told waits.
macro_rules! is_heard {
    () => {
        "NOT EXISTS (SELECT 1 FROM paused_channels AS paused WHERE paused.channel_id = channel_notices.channel_id)"
    };
}

/// Whether a time has come. One that is further ahead than any pause or claim lasts was written before the system's
/// clock was set back.
macro_rules! has_come {
    ("due_ms") => {
        has_come!("due_ms", "0")
    };
    ("due_ms", $ago:literal) => {
        concat!(
            "(due_ms <= CAST(unixepoch('now', 'subsec') * 1000 AS INTEGER) - ",
            $ago,
            " OR due_ms > CAST(unixepoch('now', 'subsec') * 1000 AS INTEGER) + 660000)"
        )
    };
    ("held_until_ms") => {
        "(held_until_ms <= CAST(unixepoch('now', 'subsec') * 1000 AS INTEGER)
            OR held_until_ms > CAST(unixepoch('now', 'subsec') * 1000 AS INTEGER) + 80000)"
    };
}

/// Whether something of a channel waits. What changes a head line is kept, as [`crate::notices::Kind::Head`] says.
macro_rules! has_notices {
    () => {
        "(EXISTS (SELECT 1 FROM notice_outbox AS notice
                  WHERE notice.channel_id = channel_notices.channel_id AND notice.state IN ('waiting', 'sending'))
            OR EXISTS (SELECT 1 FROM notice_outbox AS notice
                       WHERE notice.channel_id = channel_notices.channel_id
                           AND notice.state = 'kept' AND notice.kind = 'head'))"
    };
}

/// In milliseconds; empty if nothing is waiting. `ask.value` isn't used.
pub(super) const NEXT_DUE: &str = for_each_ask!(
    "SELECT coalesce(CAST(min(max(iif(",
    has_come!("due_ms"),
    ", 0, due_ms), iif(",
    has_come!("held_until_ms"),
    ", 0, held_until_ms))) - CAST(unixepoch('now', 'subsec') * 1000 AS INTEGER) AS TEXT), '')
     FROM channel_notices WHERE due_ms IS NOT NULL AND ",
    is_heard!()
);

/// The arguments are the holder, the limit, the length of the claim, and since when a time must have come.
const HOLD: &str = concat!(
    "UPDATE channel_notices SET holder = ?1 ->> 0, held_until_ms = ",
    now_ms!(),
    " + ?1 ->> 2 WHERE rowid IN (
        SELECT rowid FROM channel_notices WHERE due_ms IS NOT NULL AND ",
    has_come!("due_ms", "(?1 ->> 3)"),
    " AND ",
    has_come!("held_until_ms"),
    " AND ",
    is_heard!(),
    " ORDER BY due_ms LIMIT ?1 ->> 1)"
);

const CLAIMED: &str = concat!(
    "SELECT json_array(held.channel_id, held.mode, held.is_introduced, held.pauses, held.bulk_ts, ",
    now_ms!(),
    " - held.bulk_ms, held.digest_zone, (
        SELECT json_group_array(json_object('id', id, 'issue_id', issue_id, 'issue_key', issue_key, 'kind', kind,
            'from_status', from_status, 'to_status', to_status, 'set_by', set_by, 'noted_at', noted_at,
            'state', state, 'begun', begun, 'message_ts', message_ts, 'tracked_by', tracked_by,
            'listed_status', listed_status,
            'head_ts', head_ts, 'is_head_line', is_head_line, 'reply_ts', reply_ts, 'reply_from', reply_from,
            'reply_age', reply_age, 'has_choice', has_choice, 'is_muted', is_muted))
        FROM (
            SELECT notice.id, notice.issue_id, notice.issue_key, notice.kind, notice.from_status,
                notice.to_status, notice.set_by, notice.noted_at, notice.state, notice.message_ts,
                iif(notice.state = 'sending', notice.reason, NULL) AS begun,
                (SELECT tracked_by FROM channel_tracked_issues AS row
                 WHERE row.channel_id = notice.channel_id AND row.issue_id = notice.issue_id LIMIT 1) AS tracked_by,
                (SELECT last_jira_status FROM channel_tracked_issues AS row
                 WHERE row.channel_id = notice.channel_id AND row.issue_id = notice.issue_id LIMIT 1) AS listed_status,
                thread.head_ts, thread.is_head_line, thread.reply_ts, thread.reply_from, ",
    now_ms!(),
    " - thread.reply_ms AS reply_age, thread.has_choice, thread.is_muted
            FROM (
                SELECT * FROM notice_outbox
                WHERE channel_id = held.channel_id AND state IN ('waiting', 'sending')
                UNION ALL
                SELECT * FROM notice_outbox WHERE channel_id = held.channel_id AND state = 'kept' AND kind = 'head')
                AS notice LEFT JOIN notice_threads AS thread
                ON thread.channel_id = notice.channel_id AND thread.issue_id = notice.issue_id
                AND thread.team_id = notice.team_id AND thread.site_id = notice.site_id
            ORDER BY notice.id LIMIT 500)))
    FROM channel_notices AS held WHERE held.holder = ?1 ->> 0"
);

pub(super) const CLAIM: [&str; 2] = [HOLD, CLAIMED];

/// Whether all notices are there. One that is gone was taken up by another since it was claimed.
macro_rules! are_there {
    () => {
        "(SELECT count(*) FROM notice_outbox WHERE id IN (SELECT value FROM json_each(?1, '$[3]'))
            AND state IN ('waiting', 'sending')) = json_array_length(?1, '$[3]')"
    };
}

/// Whether the channel is still the holder's, and people have turned nothing of it off since it was claimed.
macro_rules! may_send {
    () => {
        concat!(
            "channel_id = ?1 ->> 0 AND holder = ?1 ->> 1 AND held_until_ms > ",
            now_ms!(),
            " AND (?1 ->> 6 IS NULL OR mode = ?1 ->> 6)
            AND NOT EXISTS (
                SELECT 1 FROM (
                    SELECT issue_id FROM notice_outbox WHERE id IN (SELECT value FROM json_each(?1, '$[3]'))
                    UNION ALL SELECT ?1 ->> 4) AS told
                WHERE told.issue_id IS NOT NULL AND (
                    EXISTS (SELECT 1 FROM notice_threads AS thread
                            WHERE thread.channel_id = ?1 ->> 0 AND thread.issue_id = told.issue_id
                                AND thread.is_muted)
                    OR NOT EXISTS (SELECT 1 FROM channel_tracked_issues AS row
                                   WHERE row.channel_id = ?1 ->> 0 AND row.issue_id = told.issue_id)))"
        )
    };
}

/// The arguments are the channel, the holder, the length of the claim, the notices, the issue of a head line, the
/// message that is changed, and what the channel wanted to hear. When it was begun is noted where the reason is
/// afterwards.
const SEND: &str = concat!(
    "UPDATE notice_outbox SET state = 'sending', message_ts = ?1 ->> 5, reason = CAST(",
    now_ms!(),
    " AS TEXT)
    WHERE id IN (SELECT value FROM json_each(?1, '$[3]')) AND state IN ('waiting', 'sending')
        AND EXISTS (SELECT 1 FROM channel_notices WHERE ",
    may_send!(),
    ") AND ",
    are_there!()
);

const SEND_HEAD: &str = concat!(
    "INSERT INTO notice_threads (channel_id, issue_id, head_ts, is_head_line)
    SELECT ?1 ->> 0, ?1 ->> 4, '', 1 WHERE ?1 ->> 4 IS NOT NULL
        AND EXISTS (SELECT 1 FROM channel_notices WHERE ",
    may_send!(),
    ") ON CONFLICT (channel_id, issue_id, team_id, site_id) DO UPDATE SET head_ts = '', is_head_line = 1"
);

/// The claim begins again with each message.
const HOLD_ON: &str = concat!(
    "UPDATE channel_notices SET held_until_ms = ",
    now_ms!(),
    " + ?1 ->> 2 WHERE ",
    may_send!(),
    " AND ",
    are_there!(),
    " RETURNING channel_id"
);

pub(super) const BEGIN: [&str; 3] = [SEND, SEND_HEAD, HOLD_ON];

/// Whether the channel is still the holder's.
macro_rules! is_held {
    () => {
        "EXISTS (SELECT 1 FROM channel_notices
                 WHERE channel_id = ?1 ->> '$[0].channel' AND holder = ?1 ->> '$[0].holder')"
    };
}

const SETTLE_NOTICES: &str = concat!(
    "UPDATE notice_outbox SET state = ?1 ->> '$[0].state',
        reason = iif(?1 ->> '$[0].state' = 'sending', reason, ?1 ->> '$[0].reason'),
        message_ts = ?1 ->> '$[0].message_ts'
    WHERE id IN (SELECT value FROM json_each(?1, '$[0].ids')) AND ",
    is_held!()
);

const SETTLE_THREAD: &str = concat!(
    "INSERT INTO notice_threads AS thread (channel_id, issue_id, head_ts, is_head_line, reply_ts, reply_from,
        reply_ms, has_choice)
    SELECT ?1 ->> '$[0].channel', ?1 ->> '$[0].issue', ?1 ->> '$[0].head_ts', ?1 ->> '$[0].is_head_line',
        ?1 ->> '$[0].reply_ts', ?1 ->> '$[0].reply_from', iif(?1 ->> '$[0].reply_ts' IS NULL, NULL, ",
    now_ms!(),
    "), ?1 ->> '$[0].has_choice' WHERE ?1 ->> '$[0].issue' IS NOT NULL AND ",
    is_held!(),
    " ON CONFLICT (channel_id, issue_id, team_id, site_id) DO UPDATE
    SET head_ts = iif(?1 ->> '$[0].sets_head' = 1, excluded.head_ts, thread.head_ts),
        is_head_line = iif(?1 ->> '$[0].sets_head' = 1, excluded.is_head_line, thread.is_head_line),
        reply_ts = iif(?1 ->> '$[0].sets_reply' = 1, excluded.reply_ts, thread.reply_ts),
        reply_from = iif(?1 ->> '$[0].sets_reply' = 1, excluded.reply_from, thread.reply_from),
        reply_ms = iif(?1 ->> '$[0].is_new_reply' = 1, excluded.reply_ms, thread.reply_ms),
        has_choice = iif(?1 ->> '$[0].sets_reply' = 1, excluded.has_choice, thread.has_choice)"
);

const NOTE_HEADS: &str = concat!(
    "INSERT INTO notice_outbox (channel_id, issue_id, issue_key, kind, from_status, to_status, noted_at, state)
    SELECT ?1 ->> '$[0].channel', head.value ->> 0, head.value ->> 1, 'head', '', '',
        strftime('%Y-%m-%dT%H:%M:%f', 'now') || '000Z', 'kept'
    FROM json_each(?1, '$[0].old_heads') AS head WHERE ",
    is_held!()
);

const SETTLE_CHANNEL: &str = concat!(
    "UPDATE channel_notices
    SET due_ms = CASE WHEN ",
    has_notices!(),
    " THEN ",
    now_ms!(),
    " + ?1 ->> '$[0].pause_ms' END,
        holder = iif(?1 ->> '$[0].keeps' = 1, holder, NULL),
        held_until_ms = iif(?1 ->> '$[0].keeps' = 1, held_until_ms, 0),
        is_introduced = is_introduced OR ?1 ->> '$[0].introduces' = 1,
        paused_for = CASE WHEN ?1 ->> '$[0].paused_for' IS NOT NULL THEN ?1 ->> '$[0].paused_for'
            WHEN ?1 ->> '$[0].state' <> 'sent' THEN paused_for END,
        pauses = CASE WHEN ?1 ->> '$[0].paused_for' IS NOT NULL THEN pauses + 1
            WHEN ?1 ->> '$[0].state' <> 'sent' THEN pauses ELSE 0 END,
        bulk_ts = iif(?1 ->> '$[0].forgets_bulk' = 1, NULL, coalesce(?1 ->> '$[0].bulk_ts', bulk_ts)),
        bulk_ms = iif(?1 ->> '$[0].is_new_bulk' = 1, ",
    now_ms!(),
    ", bulk_ms)
    WHERE channel_id = ?1 ->> '$[0].channel' AND holder = ?1 ->> '$[0].holder' RETURNING channel_id"
);

pub(super) const FINISH: [&str; 4] = [SETTLE_NOTICES, SETTLE_THREAD, NOTE_HEADS, SETTLE_CHANNEL];
