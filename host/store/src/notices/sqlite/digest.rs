//! Digests: when each is due, and what it tells.

use crate::{
    database::sqlite::{clock::now_ms, read::for_each_ask},
    notices::sqlite::enqueue::{drop_earlier, is_one_change, is_waiting, same, take_up},
};

/// `ask.value` is the channel.
pub(super) const SETTING: &str = for_each_ask!(
    "SELECT coalesce((SELECT json_array(digest_schedule, digest_zone, digest_due_at) FROM channel_notices
                      WHERE channel_id = ask.value AND team_id = '' AND site_id = ''), '')"
);

/// What waits when a channel begins to read digests is in the first of them.
pub(super) const POSTPONE: &str = "
    UPDATE notice_outbox SET state = 'kept'
    WHERE channel_id = ?1 ->> 0 AND state = 'waiting' AND kind = 'status' AND EXISTS (
        SELECT 1 FROM channel_notices
        WHERE channel_id = ?1 ->> 0 AND team_id = '' AND site_id = '' AND mode <> 'digest')";

pub(super) const SET: &str = "
    INSERT INTO channel_notices AS setting (channel_id, mode, is_introduced, digest_schedule, digest_zone,
        digest_due_at)
    VALUES (?1 ->> 0, 'digest', 1, ?1 ->> 1, ?1 ->> 2, ?1 ->> 3)
    ON CONFLICT (channel_id, team_id, site_id) DO UPDATE SET mode = excluded.mode, is_introduced = 1,
        digest_schedule = excluded.digest_schedule, digest_zone = excluded.digest_zone,
        digest_due_at = excluded.digest_due_at
    WHERE setting.mode <> excluded.mode OR setting.digest_schedule IS NOT excluded.digest_schedule
        OR setting.digest_zone IS NOT excluded.digest_zone
    RETURNING channel_id";

/// By the system's clock, `ask.value` milliseconds later.
pub(super) const DUE: &str = for_each_ask!(
    "SELECT json_group_array(json_array(channel_id, digest_schedule, digest_zone, digest_due_at, (",
    now_ms!(),
    " + ask.value) * 1000))
     FROM (SELECT * FROM channel_notices
           WHERE mode = 'digest' AND digest_schedule IS NOT NULL AND digest_due_at <=
               strftime('%Y-%m-%dT%H:%M:%f', 'now', printf('%+.3f seconds', ask.value / 1000.0)) || '000Z'
           ORDER BY digest_due_at LIMIT 100)"
);

/// Whether the digest is still the one that was due, before its time is moved on. The arguments are the channel, the
/// time that is due, the next, how long what is offered has to be done, now, and how many are offered.
macro_rules! is_due {
    () => {
        "EXISTS (SELECT 1 FROM channel_notices WHERE channel_id = ?1 ->> 0 AND team_id = '' AND site_id = ''
                 AND mode = 'digest' AND digest_due_at = ?1 ->> 1)"
    };
}

const TELL: &str = concat!(
    "UPDATE notice_outbox SET state = 'waiting' WHERE channel_id = ?1 ->> 0 AND state = 'kept' AND kind <> 'head' AND ",
    is_due!()
);

/// Where Slack has taken no digest, what waits of an issue is one change for all that, from where it was first.
const TAKE_UP: &str = take_up!("(SELECT * FROM channel_notices WHERE channel_id = ?1 ->> 0) AS setting");
const DROP_EARLIER: &str =
    drop_earlier!("(SELECT * FROM channel_notices WHERE channel_id = ?1 ->> 0) AS setting");

/// An issue that was done when it was tracked has been so since then at least.
macro_rules! finished {
    () => {
        concat!(
            "FROM channel_tracked_issues AS listed LEFT JOIN done_issues AS known
                ON known.channel_id = listed.channel_id AND known.issue_id = listed.issue_id
                AND known.team_id = listed.team_id AND known.site_id = listed.site_id
            WHERE listed.channel_id = ?1 ->> 0 AND listed.last_jira_category = 'done' AND listed.issue_id IS NOT NULL
                AND coalesce(known.since, listed.tracked_at) < ?1 ->> 3 AND coalesce(known.is_offered, 0) = 0 AND ",
            is_due!(),
            " ORDER BY listed.tracked_at, listed.id LIMIT ?1 ->> 5"
        )
    };
}

const OFFER: &str = concat!(
    "INSERT INTO notice_outbox (channel_id, issue_id, issue_key, kind, from_status, to_status, noted_at)
    SELECT listed.channel_id, listed.issue_id, listed.issue_key, 'finished', '',
        coalesce(listed.last_jira_status, ''), ?1 ->> 4 ",
    finished!()
);

const NOTE_OFFER: &str = concat!(
    "INSERT INTO done_issues AS known (channel_id, issue_id, since, is_offered)
    SELECT * FROM (SELECT listed.channel_id, listed.issue_id, ?1 ->> 3, 1 ",
    finished!(),
    ") WHERE true
    ON CONFLICT (channel_id, issue_id, team_id, site_id) DO UPDATE SET is_offered = 1"
);

const QUEUE: &str = concat!(
    "UPDATE channel_notices SET due_ms = iif(paused_for IS NULL, min(coalesce(due_ms, ",
    now_ms!(),
    "), ",
    now_ms!(),
    "), coalesce(due_ms, ",
    now_ms!(),
    "))
    WHERE channel_id = ?1 ->> 0 AND team_id = '' AND site_id = '' AND ",
    is_due!(),
    " AND EXISTS (SELECT 1 FROM notice_outbox AS notice WHERE notice.channel_id = ?1 ->> 0 AND ",
    is_waiting!("notice"),
    ")"
);

const MOVE_ON: &str = "
    UPDATE channel_notices SET digest_due_at = ?1 ->> 2
    WHERE channel_id = ?1 ->> 0 AND team_id = '' AND site_id = '' AND mode = 'digest' AND digest_due_at = ?1 ->> 1
    RETURNING channel_id";

pub(super) const BEGIN: [&str; 7] = [TELL, TAKE_UP, DROP_EARLIER, OFFER, NOTE_OFFER, QUEUE, MOVE_ON];
