//! The notices in PostgreSQL. Several replicas share the work.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};

use crate::{
    audit::{
        author_and_request::Stamp,
        postgres::replay_guard::{note_one, outcome, stamped},
    },
    database::{
        error::{self, DatabaseError},
        postgres::{PostgresDatabase, attempt::Effect, clock::now_ms, deadline::in_time},
        time::{millis, signed_millis, time_text},
    },
    notices::{
        ClaimedChannel, DigestSetting, DueDigest, Fate, Mode, Notices, Outcome, OwnChange, Paused, Sending,
        Told, stored, timing::CLAIM_MS,
    },
};
use maro_domain::{
    author::Author,
    ids::ChannelId,
    issue::{IssueId, IssueKey},
};

mod claims;
mod digest;
pub(crate) mod enqueue;
mod upkeep;

const MODE: &str = "
    SELECT coalesce((SELECT mode FROM channel_notices WHERE channel_id = $1 AND team_id = '' AND site_id = ''), '')";

const PAUSED: &str = "
    SELECT coalesce((
        SELECT json_build_object('reason', paused_for, 'waiting', (
            SELECT count(*) FROM notice_outbox WHERE channel_id = $1 AND state IN ('waiting', 'sending')))
        FROM channel_notices
        WHERE channel_id = $1 AND team_id = '' AND site_id = '' AND paused_for IS NOT NULL), 'null')::text";

const TOLD: &str = "
    SELECT coalesce(json_agg(json_build_array(issue_key, kind, from_status, to_status, set_by) ORDER BY id), '[]')::text
    FROM notice_outbox WHERE channel_id = $1 AND message_ts = $2";

/// What was known of fields while nobody heard of them is no news. While a channel heard nothing, or read digests,
/// nobody kept its head lines up to date.
const SET_MODE: &str = concat!(
    "WITH setting AS (
        INSERT INTO channel_notices AS setting (channel_id, mode, is_introduced)
        SELECT $5, $10, true WHERE ",
    in_time!("$11"),
    " ON CONFLICT (channel_id, team_id, site_id) DO UPDATE SET mode = excluded.mode, is_introduced = true,
            due_ms = coalesce(setting.due_ms, ",
    now_ms!(),
    ")
        WHERE setting.mode <> excluded.mode OR NOT setting.is_introduced
        RETURNING mode),
    dropped AS (
        UPDATE notice_outbox SET state = 'withheld', reason = 'turned off'
        WHERE channel_id = $5 AND state = 'kept' AND kind <> 'head' AND EXISTS (SELECT FROM setting)),
    heads AS (
        INSERT INTO notice_outbox (channel_id, issue_id, issue_key, kind, from_status, to_status, noted_at, state)
        SELECT row.channel_id, row.issue_id, row.issue_key, 'head', '', '', statement_timestamp(), 'kept'
        FROM notice_threads AS thread JOIN channel_tracked_issues AS row
            ON row.channel_id = thread.channel_id AND row.issue_id = thread.issue_id
        WHERE thread.channel_id = $5 AND thread.is_head_line AND thread.head_ts <> '' AND NOT thread.is_muted
            AND coalesce(row.jira_updated_ms > thread.reply_ms, true) AND $10 NOT IN ('off', 'digest')
            AND EXISTS (SELECT FROM setting)
            AND EXISTS (SELECT FROM channel_notices AS before
                        WHERE before.channel_id = $5 AND before.mode IN ('off', 'digest'))),
    forgotten AS (
        DELETE FROM issue_fields AS known
        WHERE $10 = 'all' AND EXISTS (SELECT FROM setting)
            AND known.issue_id IN (SELECT issue_id FROM channel_tracked_issues WHERE channel_id = $5)
            AND NOT EXISTS (
                SELECT FROM channel_tracked_issues AS listed JOIN channel_notices AS other
                    ON other.channel_id = listed.channel_id AND other.mode = 'all'
                WHERE listed.issue_id = known.issue_id)), noted AS (",
    note_one!("'notify'", "mode", "'done'", "setting"),
    ")",
    outcome!()
);

/// An issue without a row is heard.
const MUTE: &str = concat!(
    "WITH muted AS (
        INSERT INTO notice_threads AS thread (channel_id, issue_id, is_muted)
        SELECT $5, issue_id, $11::text = 'notify off' FROM channel_tracked_issues AS row
        WHERE channel_id = $5 AND issue_key = $10 AND issue_id IS NOT NULL
            AND ($11::text = 'notify off' OR EXISTS (
                SELECT FROM notice_threads AS known
                WHERE known.channel_id = row.channel_id AND known.issue_id = row.issue_id)) AND ",
    in_time!("$12"),
    " ON CONFLICT (channel_id, issue_id, team_id, site_id) DO UPDATE SET is_muted = excluded.is_muted
        WHERE thread.is_muted <> excluded.is_muted
        RETURNING $10::text AS issue_key), noted AS (",
    note_one!("$11::text", "issue_key", "'done'", "muted"),
    ")",
    outcome!()
);

const ANSWERS_KEYS: &str = "
    SELECT coalesce((SELECT answers_keys FROM channel_notices
                     WHERE channel_id = $1 AND team_id = '' AND site_id = ''), false)::text";

/// A channel without a row answers none.
const SET_ANSWERS_KEYS: &str = concat!(
    "WITH setting AS (
        INSERT INTO channel_notices AS setting (channel_id, answers_keys)
        SELECT $5, $10::text = 'on' WHERE ($10::text = 'on' OR EXISTS (
            SELECT FROM channel_notices WHERE channel_id = $5 AND team_id = '' AND site_id = '')) AND ",
    in_time!("$11"),
    " ON CONFLICT (channel_id, team_id, site_id) DO UPDATE SET answers_keys = excluded.answers_keys
        WHERE setting.answers_keys <> excluded.answers_keys
        RETURNING $10::text AS answers), noted AS (",
    note_one!("'notify keys'", "answers", "'done'", "setting"),
    ")",
    outcome!()
);

const BEGIN_THREAD: &str = concat!(
    "INSERT INTO notice_threads AS thread (channel_id, issue_id, head_ts)
    SELECT $1, $2, $3 WHERE ",
    in_time!("$4"),
    " ON CONFLICT (channel_id, issue_id, team_id, site_id) DO UPDATE SET head_ts = excluded.head_ts
    WHERE thread.head_ts IS NULL"
);

/// How long an own change may take, if nobody says that it's over.
const BEGIN_OWN_CHANGE: &str = concat!(
    "INSERT INTO own_changes AS own (issue_key, until_ms) SELECT $1, ",
    now_ms!(),
    " + 60000 WHERE ",
    in_time!("$2"),
    " ON CONFLICT (issue_key, team_id, site_id) DO UPDATE SET until_ms = excluded.until_ms"
);

/// What is known of its fields is read again, without telling anybody.
const END_OWN_CHANGE: &str = concat!(
    "WITH forgotten AS (
        DELETE FROM issue_fields WHERE issue_id IN (
            SELECT issue_id FROM channel_tracked_issues WHERE issue_key = $2) AND ",
    in_time!("$3"),
    ") DELETE FROM own_changes WHERE issue_key = $1 AND ",
    in_time!("$3")
);

const FATE: &str = "
    SELECT CASE WHEN bool_or(state IN ('waiting', 'sending')) THEN 'open'
        WHEN bool_or(message_ts = $2) THEN 'here'
        WHEN bool_or(message_ts IS NOT NULL) THEN 'elsewhere' ELSE 'nowhere' END
    FROM notice_outbox WHERE id = ANY($1)";

const HEAD_FATE: &str = "
    SELECT coalesce((SELECT CASE head_ts WHEN '' THEN 'open' WHEN $3 THEN 'here' ELSE 'elsewhere' END
                     FROM notice_threads WHERE channel_id = $1 AND issue_id = $2 AND team_id = '' AND site_id = ''
                        AND head_ts IS NOT NULL), 'open')";

const SHOW_LINK: &str = concat!(
    "INSERT INTO shown_links AS link (channel_id, issue_key, shown_ms) SELECT $1, $2, ",
    now_ms!(),
    " WHERE ",
    in_time!("$4"),
    " ON CONFLICT (channel_id, issue_key, team_id, site_id) DO UPDATE SET shown_ms = excluded.shown_ms
    WHERE link.shown_ms <= excluded.shown_ms - $3::bigint OR link.shown_ms > excluded.shown_ms
    RETURNING channel_id"
);

const FORGET_LINK: &str = concat!(
    "DELETE FROM shown_links WHERE channel_id = $1 AND issue_key = $2 AND team_id = '' AND site_id = '' AND ",
    in_time!("$3")
);

pub(crate) struct PostgresNotices {
    database: Arc<PostgresDatabase>,
}

impl PostgresNotices {
    pub(crate) fn new(database: Arc<PostgresDatabase>) -> Self {
        Self { database }
    }
}

#[async_trait]
impl Notices for PostgresNotices {
    async fn mode(&self, channel: &ChannelId) -> Result<Mode, DatabaseError> {
        let mode = self.database.read(|| sqlx::query(MODE).bind(channel.as_str())).await?;
        Ok(Mode::from_name(&mode).unwrap_or_default())
    }

    async fn paused(&self, channel: &ChannelId) -> Result<Option<Paused>, DatabaseError> {
        error::parse(&self.database.read(|| sqlx::query(PAUSED).bind(channel.as_str())).await?)
    }

    async fn set_mode(&self, author: &Author, mode: Mode, now: Timestamp) -> Result<bool, DatabaseError> {
        let stamp = &Stamp::new(author, now);
        let statement = || stamped(SET_MODE, stamp).bind(mode.as_str());
        Ok(!self.database.change(stamp.claim(), Effect::Once, statement).await?.is_empty())
    }

    async fn digest(&self, channel: &ChannelId) -> Result<Option<DigestSetting>, DatabaseError> {
        let json = self.database.read(|| sqlx::query(digest::SETTING).bind(channel.as_str())).await?;
        stored::parse_digest(&json)
    }

    async fn set_digest(
        &self,
        author: &Author,
        setting: &DigestSetting,
        now: Timestamp,
    ) -> Result<bool, DatabaseError> {
        let stamp = &Stamp::new(author, now);
        let due_at = time_text(setting.due_at);
        let statement = || {
            let statement = stamped(digest::SET, stamp).bind(&setting.schedule).bind(setting.zone.as_deref());
            statement.bind(due_at.clone())
        };
        Ok(!self.database.change(stamp.claim(), Effect::Once, statement).await?.is_empty())
    }

    async fn due_digests(&self, ahead: SignedDuration) -> Result<Vec<DueDigest>, DatabaseError> {
        let query = || sqlx::query(digest::DUE).bind(signed_millis(ahead));
        stored::parse_due(&self.database.read(query).await?)
    }

    async fn begin_digest(
        &self,
        due: &DueDigest,
        next: Timestamp,
        done_before: Timestamp,
        now: Timestamp,
    ) -> Result<bool, DatabaseError> {
        let times = &[next, done_before, now].map(time_text);
        let begun = self.database.attempt(Effect::Repeatable, |mut lease, _| async move {
            digest::begin(&mut lease, due, times).await
        });
        begun.await
    }

    async fn mute(
        &self,
        author: &Author,
        key: &IssueKey,
        is_muted: bool,
        now: Timestamp,
    ) -> Result<bool, DatabaseError> {
        let stamp = &Stamp::new(author, now);
        let action = if is_muted { "notify off" } else { "notify on" };
        let statement = || stamped(MUTE, stamp).bind(key.as_str()).bind(action);
        Ok(!self.database.change(stamp.claim(), Effect::Once, statement).await?.is_empty())
    }

    async fn answers_keys(&self, channel: &ChannelId) -> Result<bool, DatabaseError> {
        let answers = self.database.read(|| sqlx::query(ANSWERS_KEYS).bind(channel.as_str())).await?;
        Ok(answers == "true")
    }

    async fn set_answers_keys(
        &self,
        author: &Author,
        answers: bool,
        now: Timestamp,
    ) -> Result<bool, DatabaseError> {
        let stamp = &Stamp::new(author, now);
        let answers = if answers { "on" } else { "off" };
        let statement = || stamped(SET_ANSWERS_KEYS, stamp).bind(answers);
        Ok(!self.database.change(stamp.claim(), Effect::Once, statement).await?.is_empty())
    }

    async fn begin_thread(
        &self,
        channel: &ChannelId,
        issue: &IssueId,
        ts: &str,
    ) -> Result<(), DatabaseError> {
        let statement = || sqlx::query(BEGIN_THREAD).bind(channel.as_str()).bind(issue.as_str()).bind(ts);
        self.database.execute(Effect::Repeatable, statement).await.map(drop)
    }

    async fn note_own_change(&self, change: &OwnChange, is_over: bool) -> Result<(), DatabaseError> {
        let statement = || match is_over {
            true => sqlx::query(END_OWN_CHANGE).bind(&change.row).bind(&change.key),
            false => sqlx::query(BEGIN_OWN_CHANGE).bind(&change.row),
        };
        self.database.execute(Effect::Repeatable, statement).await.map(drop)
    }

    async fn claim_shown_issue(
        &self,
        channel: &ChannelId,
        key: &IssueKey,
        within: Duration,
    ) -> Result<bool, DatabaseError> {
        let statement =
            || sqlx::query(SHOW_LINK).bind(channel.as_str()).bind(key.as_str()).bind(millis(within));
        Ok(!self.database.fetch_all(Effect::Once, statement).await?.is_empty())
    }

    async fn release_shown_issue(&self, channel: &ChannelId, key: &IssueKey) -> Result<(), DatabaseError> {
        let statement = || sqlx::query(FORGET_LINK).bind(channel.as_str()).bind(key.as_str());
        self.database.execute(Effect::Repeatable, statement).await.map(drop)
    }

    async fn next_due(&self) -> Result<Option<Duration>, DatabaseError> {
        let ms = self.database.read(|| sqlx::query(claims::NEXT_DUE)).await?;
        Ok(ms.parse::<i64>().ok().map(|ms| Duration::from_millis(u64::try_from(ms).unwrap_or(0))))
    }

    async fn claim(
        &self,
        holder: i64,
        limit: u32,
        overdue: Duration,
    ) -> Result<Vec<ClaimedChannel>, DatabaseError> {
        let statement = || {
            let query = sqlx::query(claims::CLAIM).bind(holder).bind(i64::from(limit)).bind(CLAIM_MS);
            query.bind(millis(overdue))
        };
        let claimed = self.database.fetch_all(Effect::Repeatable, statement).await?;
        let channels =
            claimed.iter().map(|json| stored::parse_channel(json)).collect::<Result<Vec<_>, _>>()?;
        Ok(channels.into_iter().flatten().collect())
    }

    async fn told_in(&self, channel: &ChannelId, ts: &str) -> Result<Vec<Told>, DatabaseError> {
        let json = self.database.read(|| sqlx::query(TOLD).bind(channel.as_str()).bind(ts)).await?;
        stored::parse_told(&json)
    }

    async fn begin(
        &self,
        channel: &ChannelId,
        holder: i64,
        sending: Sending<'_>,
    ) -> Result<bool, DatabaseError> {
        let begun = self.database.attempt(Effect::Repeatable, |mut lease, _| async move {
            claims::begin(&mut lease, channel, holder, sending).await
        });
        begun.await
    }

    async fn finish(
        &self,
        channel: &ChannelId,
        holder: i64,
        outcome: &Outcome<'_>,
        keeps: bool,
    ) -> Result<bool, DatabaseError> {
        let outcome = &stored::outcome(channel, holder, outcome, keeps).to_string();
        let finished = self.database.attempt(Effect::Repeatable, |mut lease, _| async move {
            claims::finish(&mut lease, channel, holder, outcome).await
        });
        finished.await
    }

    async fn fate(&self, channel: &ChannelId, sent: Sending<'_>, ts: &str) -> Result<Fate, DatabaseError> {
        let fate = match sent.head_of {
            Some(issue) => {
                let query = || sqlx::query(HEAD_FATE).bind(channel.as_str()).bind(issue.as_str()).bind(ts);
                self.database.read(query).await?
            }
            None => self.database.read(|| sqlx::query(FATE).bind(sent.notices.to_vec()).bind(ts)).await?,
        };
        Ok(Fate::from_text(&fate))
    }

    async fn forget_before(&self, before: Timestamp) -> Result<(), DatabaseError> {
        upkeep::forget(&self.database, &time_text(before)).await
    }
}
