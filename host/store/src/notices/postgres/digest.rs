//! Digests: when each is due, and what it tells.

use crate::{
    audit::postgres::replay_guard::{note_one, outcome},
    database::postgres::{clock::now_ms, deadline::in_time, lease::Lease},
    notices::{DueDigest, MAX_OFFERED},
};

pub(super) const SETTING: &str = "
    SELECT coalesce((SELECT json_build_array(digest_schedule, digest_zone, digest_due_at)::text FROM channel_notices
                     WHERE channel_id = $1 AND team_id = '' AND site_id = ''), '')";

/// What waits when a channel begins to read digests is in the first of them.
pub(super) const SET: &str = concat!(
    "WITH setting AS (
        INSERT INTO channel_notices AS setting (channel_id, mode, is_introduced, digest_schedule, digest_zone,
            digest_due_at)
        SELECT $5, 'digest', true, $10, $11, $12::text::timestamptz WHERE ",
    in_time!("$13"),
    " ON CONFLICT (channel_id, team_id, site_id) DO UPDATE SET mode = excluded.mode, is_introduced = true,
            digest_schedule = excluded.digest_schedule, digest_zone = excluded.digest_zone,
            digest_due_at = excluded.digest_due_at
        WHERE setting.mode <> excluded.mode OR setting.digest_schedule IS DISTINCT FROM excluded.digest_schedule
            OR setting.digest_zone IS DISTINCT FROM excluded.digest_zone
        RETURNING 'digest ' || digest_schedule AS mode),
    postponed AS (
        UPDATE notice_outbox SET state = 'kept'
        WHERE channel_id = $5 AND state = 'waiting' AND kind = 'status' AND EXISTS (SELECT FROM setting)
            AND EXISTS (SELECT FROM channel_notices
                        WHERE channel_id = $5 AND team_id = '' AND site_id = '' AND mode <> 'digest')),
    noted AS (",
    note_one!("'notify'", "mode", "'done'", "setting"),
    ")",
    outcome!()
);

/// By the server's clock, `$1` milliseconds later: the clocks of replicas differ.
pub(super) const DUE: &str = "
    SELECT coalesce(json_agg(json_build_array(channel_id, digest_schedule, digest_zone, digest_due_at::text,
        (extract(epoch FROM due.now) * 1000000)::bigint)), '[]')::text
    FROM (SELECT channel_id, digest_schedule, digest_zone, digest_due_at, clock.now
          FROM channel_notices, (SELECT statement_timestamp() + $1::bigint * interval '1 ms' AS now) AS clock
          WHERE mode = 'digest' AND digest_due_at <= clock.now AND digest_schedule IS NOT NULL
          ORDER BY digest_due_at LIMIT 100) AS due";

const MOVE_ON: &str = "
    UPDATE channel_notices SET digest_due_at = $3::text::timestamptz
    WHERE channel_id = $1 AND team_id = '' AND site_id = '' AND mode = 'digest'
        AND digest_due_at = $2::text::timestamptz
    RETURNING channel_id";

/// Where Slack has taken no digest, what waits of an issue is one change for all that, from where it was first.
const TAKE_UP: &str = "
    WITH earlier AS (
        DELETE FROM notice_outbox AS waiting USING notice_outbox AS kept
        WHERE waiting.channel_id = $1 AND waiting.state = 'waiting' AND waiting.kind = 'status'
            AND kept.channel_id = $1 AND kept.state = 'kept' AND kept.kind = 'status'
            AND kept.issue_id = waiting.issue_id
        RETURNING kept.id, waiting.id AS place, waiting.from_status)
    UPDATE notice_outbox AS kept SET from_status = first.from_status
    FROM (SELECT DISTINCT ON (id) id, from_status FROM earlier ORDER BY id, place) AS first
    WHERE kept.id = first.id";

const TELL: &str =
    "UPDATE notice_outbox SET state = 'waiting' WHERE channel_id = $1 AND state = 'kept' AND kind <> 'head'";

/// An issue that was done when it was tracked has been so since then at least.
const OFFER: &str = "
    WITH finished AS (
        SELECT row.channel_id, row.issue_id, row.issue_key, row.last_jira_status
        FROM channel_tracked_issues AS row LEFT JOIN done_issues AS known
            ON known.channel_id = row.channel_id AND known.issue_id = row.issue_id
            AND known.team_id = row.team_id AND known.site_id = row.site_id
        WHERE row.channel_id = $1 AND row.last_jira_category = 'done' AND row.issue_id IS NOT NULL
            AND coalesce(known.since, row.tracked_at) < $2::text::timestamptz AND known.is_offered IS NOT TRUE
        ORDER BY row.tracked_at, row.id LIMIT $4),
    offered AS (
        INSERT INTO done_issues AS known (channel_id, issue_id, since, is_offered)
        SELECT channel_id, issue_id, $2::text::timestamptz, true FROM finished
        ON CONFLICT (channel_id, issue_id, team_id, site_id) DO UPDATE SET is_offered = true)
    INSERT INTO notice_outbox (channel_id, issue_id, issue_key, kind, from_status, to_status, noted_at)
    SELECT channel_id, issue_id, issue_key, 'finished', '', coalesce(last_jira_status, ''), $3::text::timestamptz
    FROM finished";

const QUEUE: &str = concat!(
    "UPDATE channel_notices SET due_ms = CASE WHEN paused_for IS NULL THEN least(due_ms, ",
    now_ms!(),
    ") ELSE coalesce(due_ms, ",
    now_ms!(),
    ") END
    WHERE channel_id = $1 AND team_id = '' AND site_id = ''
        AND EXISTS (SELECT FROM notice_outbox WHERE channel_id = $1 AND state = 'waiting')"
);

/// `times`: the next time, how long what is offered has to be done, and now.
pub(super) async fn begin(
    lease: &mut Lease,
    due: &DueDigest,
    [next, done_before, now]: &[String; 3],
) -> Result<bool, sqlx::Error> {
    let channel = due.channel.as_str();
    lease.begin().await?;
    let query = sqlx::query(MOVE_ON).bind(channel).bind(&due.due_at).bind(next);
    let is_begun = !lease.fetch_all(query).await?.is_empty();
    if is_begun {
        for statement in [TAKE_UP, TELL] {
            lease.execute(sqlx::query(statement).bind(channel)).await?;
        }
        let offer = sqlx::query(OFFER).bind(channel).bind(done_before).bind(now).bind(MAX_OFFERED);
        lease.execute(offer).await?;
        lease.execute(sqlx::query(QUEUE).bind(channel)).await?;
    }
    lease.commit().await?;
    Ok(is_begun)
}
