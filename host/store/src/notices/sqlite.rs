//! The notices in a SQLite file, which one process uses.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::{
    audit::{Entry, author_and_request::Stamp},
    database::{
        error::{self, DatabaseError},
        sqlite::{
            SqliteDatabase,
            clock::now_ms,
            read::{Question, for_each_ask},
            statements::{StatementQueue, Statements},
        },
        time::{millis, signed_millis, time_text},
    },
    notices::{
        ClaimedChannel, DigestSetting, DueDigest, Fate, MAX_OFFERED, Mode, Notices, Outcome, OwnChange,
        Paused, Sending, Told, stored, timing::CLAIM_MS,
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

/// `ask.value` is the channel.
const MODE: &str = for_each_ask!(
    "SELECT coalesce((SELECT mode FROM channel_notices
                      WHERE channel_id = ask.value AND team_id = '' AND site_id = ''), '')"
);

/// `ask.value` is the channel.
const PAUSED: &str = for_each_ask!(
    "SELECT coalesce((SELECT json_object('reason', paused_for, 'waiting', (
             SELECT count(*) FROM notice_outbox WHERE channel_id = ask.value AND state IN ('waiting', 'sending')))
         FROM channel_notices WHERE channel_id = ask.value AND team_id = '' AND site_id = ''
             AND paused_for IS NOT NULL), 'null')"
);

/// `ask.value` is the channel and the timestamp.
const TOLD: &str = for_each_ask!(
    "SELECT json_group_array(json_array(issue_key, kind, from_status, to_status, set_by))
     FROM (SELECT * FROM notice_outbox
           WHERE channel_id = ask.value ->> 0 AND message_ts = ask.value ->> 1 ORDER BY id)"
);

const SET_MODE: &str = concat!(
    "INSERT INTO channel_notices AS setting (channel_id, mode, is_introduced) VALUES (?1 ->> 0, ?1 ->> 1, 1)
    ON CONFLICT (channel_id, team_id, site_id) DO UPDATE SET mode = excluded.mode, is_introduced = 1,
        due_ms = coalesce(setting.due_ms, ",
    now_ms!(),
    ")
    WHERE setting.mode <> excluded.mode OR NOT setting.is_introduced
    RETURNING channel_id"
);

/// While a channel heard nothing, or read digests, nobody kept its head lines up to date.
const RENEW_HEADS: &str = "
    INSERT INTO notice_outbox (channel_id, issue_id, issue_key, kind, from_status, to_status, noted_at, state)
    SELECT row.channel_id, row.issue_id, row.issue_key, 'head', '', '',
        strftime('%Y-%m-%dT%H:%M:%f', 'now') || '000Z', 'kept'
    FROM notice_threads AS thread JOIN channel_tracked_issues AS row
        ON row.channel_id = thread.channel_id AND row.issue_id = thread.issue_id
    WHERE thread.channel_id = ?1 ->> 0 AND thread.is_head_line AND thread.head_ts <> '' AND NOT thread.is_muted
        AND coalesce(row.jira_updated_ms > thread.reply_ms, 1) AND ?1 ->> 1 NOT IN ('off', 'digest')
        AND EXISTS (SELECT 1 FROM channel_notices AS setting
                    WHERE setting.channel_id = ?1 ->> 0 AND setting.mode IN ('off', 'digest'))";

/// What was kept for a digest isn't told any more.
const DROP_KEPT: &str = "
    UPDATE notice_outbox SET state = 'withheld', reason = 'turned off'
    WHERE channel_id = ?1 ->> 0 AND state = 'kept' AND kind <> 'head'";

/// What was known of fields while nobody heard of them is no news.
const FORGET_UNHEARD: &str = "
    DELETE FROM issue_fields
    WHERE ?1 ->> 1 = 'all'
        AND issue_id IN (SELECT issue_id FROM channel_tracked_issues WHERE channel_id = ?1 ->> 0)
        AND NOT EXISTS (
            SELECT 1 FROM channel_tracked_issues AS listed JOIN channel_notices AS other
                ON other.channel_id = listed.channel_id AND other.mode = 'all'
            WHERE listed.issue_id = issue_fields.issue_id)";

/// An issue without a row is heard.
const MUTE: &str = "
    INSERT INTO notice_threads AS thread (channel_id, issue_id, is_muted)
    SELECT channel_id, issue_id, ?1 ->> 2 FROM channel_tracked_issues AS row
    WHERE channel_id = ?1 ->> 0 AND issue_key = ?1 ->> 1 AND issue_id IS NOT NULL
        AND (?1 ->> 2 = 1 OR EXISTS (SELECT 1 FROM notice_threads AS known
                                     WHERE known.channel_id = row.channel_id AND known.issue_id = row.issue_id))
    ON CONFLICT (channel_id, issue_id, team_id, site_id) DO UPDATE SET is_muted = excluded.is_muted
    WHERE thread.is_muted <> excluded.is_muted
    RETURNING channel_id";

/// `ask.value` is the channel.
const ANSWERS_KEYS: &str = for_each_ask!(
    "SELECT CAST(coalesce((SELECT answers_keys FROM channel_notices
                           WHERE channel_id = ask.value AND team_id = '' AND site_id = ''), 0) AS TEXT)"
);

/// A channel without a row answers none.
const SET_ANSWERS_KEYS: &str = "
    INSERT INTO channel_notices AS setting (channel_id, answers_keys)
    SELECT ?1 ->> 0, ?1 ->> 1 WHERE ?1 ->> 1 = 1
        OR EXISTS (SELECT 1 FROM channel_notices WHERE channel_id = ?1 ->> 0 AND team_id = '' AND site_id = '')
    ON CONFLICT (channel_id, team_id, site_id) DO UPDATE SET answers_keys = excluded.answers_keys
    WHERE setting.answers_keys <> excluded.answers_keys
    RETURNING channel_id";

const BEGIN_THREAD: &str = "
    INSERT INTO notice_threads AS thread (channel_id, issue_id, head_ts) VALUES (?1 ->> 0, ?1 ->> 1, ?1 ->> 2)
    ON CONFLICT (channel_id, issue_id, team_id, site_id) DO UPDATE SET head_ts = excluded.head_ts
    WHERE thread.head_ts IS NULL";

/// How long an own change may take, if nobody says that it's over.
const BEGIN_OWN_CHANGE: &str = concat!(
    "INSERT INTO own_changes (issue_key, until_ms) VALUES (?1 ->> 0, ",
    now_ms!(),
    " + 60000) ON CONFLICT (issue_key, team_id, site_id) DO UPDATE SET until_ms = excluded.until_ms"
);

const END_OWN_CHANGE: &str = "DELETE FROM own_changes WHERE issue_key = ?1 ->> 0";

/// What is known of its fields is read again, without telling anybody.
const FORGET_FIELDS: &str = "
    DELETE FROM issue_fields WHERE issue_id IN (
        SELECT issue_id FROM channel_tracked_issues WHERE issue_key = ?1 ->> 1)";

/// `ask.value` is the notices and the timestamp.
const FATE: &str = for_each_ask!(
    "SELECT CASE WHEN max(state IN ('waiting', 'sending')) THEN 'open'
         WHEN max(message_ts = ask.value ->> 1) THEN 'here'
         WHEN max(message_ts IS NOT NULL) THEN 'elsewhere' ELSE 'nowhere' END
     FROM notice_outbox WHERE id IN (SELECT value FROM json_each(ask.value, '$[0]'))"
);

/// `ask.value` is the channel, the issue and the timestamp.
const HEAD_FATE: &str = for_each_ask!(
    "SELECT coalesce((SELECT CASE head_ts WHEN '' THEN 'open' WHEN ask.value ->> 2 THEN 'here' ELSE 'elsewhere' END
                      FROM notice_threads WHERE channel_id = ask.value ->> 0 AND issue_id = ask.value ->> 1
                         AND team_id = '' AND site_id = '' AND head_ts IS NOT NULL), 'open')"
);

const SHOW_LINK: &str = concat!(
    "INSERT INTO shown_links AS link (channel_id, issue_key, shown_ms) VALUES (?1 ->> 0, ?1 ->> 1, ",
    now_ms!(),
    ") ON CONFLICT (channel_id, issue_key, team_id, site_id) DO UPDATE SET shown_ms = excluded.shown_ms
    WHERE link.shown_ms <= excluded.shown_ms - ?1 ->> 2 OR link.shown_ms > excluded.shown_ms
    RETURNING channel_id"
);

const FORGET_LINK: &str = "DELETE FROM shown_links
    WHERE channel_id = ?1 ->> 0 AND issue_key = ?1 ->> 1 AND team_id = '' AND site_id = ''";

pub(crate) struct SqliteNotices {
    database: Arc<SqliteDatabase>,
    writer: StatementQueue,
}

impl SqliteNotices {
    pub(crate) fn new(database: Arc<SqliteDatabase>) -> Self {
        Self { writer: StatementQueue::on(&database), database }
    }

    async fn run(
        &self,
        sql: &'static [&'static str],
        arguments: Vec<Value>,
    ) -> Result<Vec<String>, DatabaseError> {
        self.writer.ask(Statements::new(sql, arguments)).await
    }
}

#[async_trait]
impl Notices for SqliteNotices {
    async fn mode(&self, channel: &ChannelId) -> Result<Mode, DatabaseError> {
        let mode = self.database.read(Question::of(MODE, channel.as_str())).await?;
        Ok(Mode::from_name(&mode).unwrap_or_default())
    }

    async fn paused(&self, channel: &ChannelId) -> Result<Option<Paused>, DatabaseError> {
        error::parse(&self.database.read(Question::of(PAUSED, channel.as_str())).await?)
    }

    async fn set_mode(&self, author: &Author, mode: Mode, now: Timestamp) -> Result<bool, DatabaseError> {
        let stamp = Stamp::new(author, now);
        let entry = Entry { action: "notify", subject: mode.as_str(), outcome: "done" };
        let arguments = vec![json!(stamp.channel), json!(mode.as_str())];
        let statements = Statements::new(&[DROP_KEPT, FORGET_UNHEARD, RENEW_HEADS, SET_MODE], arguments)
            .noting(&stamp, &[entry]);
        Ok(!self.writer.ask(statements).await?.is_empty())
    }

    async fn digest(&self, channel: &ChannelId) -> Result<Option<DigestSetting>, DatabaseError> {
        stored::parse_digest(&self.database.read(Question::of(digest::SETTING, channel.as_str())).await?)
    }

    async fn set_digest(
        &self,
        author: &Author,
        setting: &DigestSetting,
        now: Timestamp,
    ) -> Result<bool, DatabaseError> {
        let stamp = Stamp::new(author, now);
        let subject = format!("digest {}", setting.schedule);
        let entry = Entry { action: "notify", subject: &subject, outcome: "done" };
        let DigestSetting { schedule, zone, due_at } = setting;
        let arguments = vec![json!(stamp.channel), json!(schedule), json!(zone), json!(time_text(*due_at))];
        let statements =
            Statements::new(&[digest::POSTPONE, digest::SET], arguments).noting(&stamp, &[entry]);
        Ok(!self.writer.ask(statements).await?.is_empty())
    }

    async fn due_digests(&self, ahead: SignedDuration) -> Result<Vec<DueDigest>, DatabaseError> {
        let question = Question::of(digest::DUE, json!(signed_millis(ahead)));
        stored::parse_due(&self.database.read(question).await?)
    }

    async fn begin_digest(
        &self,
        due: &DueDigest,
        next: Timestamp,
        done_before: Timestamp,
        now: Timestamp,
    ) -> Result<bool, DatabaseError> {
        let arguments = vec![
            json!(due.channel.as_str()),
            json!(due.due_at),
            json!(time_text(next)),
            json!(time_text(done_before)),
            json!(time_text(now)),
            json!(MAX_OFFERED),
        ];
        Ok(!self.run(&digest::BEGIN, arguments).await?.is_empty())
    }

    async fn mute(
        &self,
        author: &Author,
        key: &IssueKey,
        is_muted: bool,
        now: Timestamp,
    ) -> Result<bool, DatabaseError> {
        let stamp = Stamp::new(author, now);
        let action = if is_muted { "notify off" } else { "notify on" };
        let entry = Entry { action, subject: key.as_str(), outcome: "done" };
        let arguments = vec![json!(stamp.channel), json!(key.as_str()), json!(u8::from(is_muted))];
        let statements = Statements::new(&[MUTE], arguments).noting(&stamp, &[entry]);
        Ok(!self.writer.ask(statements).await?.is_empty())
    }

    async fn answers_keys(&self, channel: &ChannelId) -> Result<bool, DatabaseError> {
        Ok(self.database.read(Question::of(ANSWERS_KEYS, channel.as_str())).await? == "1")
    }

    async fn set_answers_keys(
        &self,
        author: &Author,
        answers: bool,
        now: Timestamp,
    ) -> Result<bool, DatabaseError> {
        let stamp = Stamp::new(author, now);
        let subject = if answers { "on" } else { "off" };
        let entry = Entry { action: "notify keys", subject, outcome: "done" };
        let arguments = vec![json!(stamp.channel), json!(u8::from(answers))];
        let statements = Statements::new(&[SET_ANSWERS_KEYS], arguments).noting(&stamp, &[entry]);
        Ok(!self.writer.ask(statements).await?.is_empty())
    }

    async fn begin_thread(
        &self,
        channel: &ChannelId,
        issue: &IssueId,
        ts: &str,
    ) -> Result<(), DatabaseError> {
        let arguments = vec![json!(channel.as_str()), json!(issue.as_str()), json!(ts)];
        self.run(&[BEGIN_THREAD], arguments).await.map(drop)
    }

    async fn note_own_change(&self, change: &OwnChange, is_over: bool) -> Result<(), DatabaseError> {
        let sql: &[&str] = if is_over { &[FORGET_FIELDS, END_OWN_CHANGE] } else { &[BEGIN_OWN_CHANGE] };
        self.run(sql, vec![json!(change.row), json!(change.key)]).await.map(drop)
    }

    async fn claim_shown_issue(
        &self,
        channel: &ChannelId,
        key: &IssueKey,
        within: Duration,
    ) -> Result<bool, DatabaseError> {
        let arguments = vec![json!(channel.as_str()), json!(key.as_str()), json!(millis(within))];
        Ok(!self.run(&[SHOW_LINK], arguments).await?.is_empty())
    }

    async fn release_shown_issue(&self, channel: &ChannelId, key: &IssueKey) -> Result<(), DatabaseError> {
        self.run(&[FORGET_LINK], vec![json!(channel.as_str()), json!(key.as_str())]).await.map(drop)
    }

    async fn next_due(&self) -> Result<Option<Duration>, DatabaseError> {
        let ms = self.database.read(Question::of(claims::NEXT_DUE, Value::Null)).await?;
        Ok(ms.parse::<i64>().ok().map(|ms| Duration::from_millis(u64::try_from(ms).unwrap_or(0))))
    }

    async fn claim(
        &self,
        holder: i64,
        limit: u32,
        overdue: Duration,
    ) -> Result<Vec<ClaimedChannel>, DatabaseError> {
        let arguments = vec![json!(holder), json!(limit), json!(CLAIM_MS), json!(millis(overdue))];
        let rows = self.run(&claims::CLAIM, arguments).await?;
        let channels = rows.iter().map(|json| stored::parse_channel(json)).collect::<Result<Vec<_>, _>>()?;
        Ok(channels.into_iter().flatten().collect())
    }

    async fn told_in(&self, channel: &ChannelId, ts: &str) -> Result<Vec<Told>, DatabaseError> {
        let question = Question::of(TOLD, json!([channel.as_str(), ts]));
        stored::parse_told(&self.database.read(question).await?)
    }

    async fn begin(
        &self,
        channel: &ChannelId,
        holder: i64,
        sending: Sending<'_>,
    ) -> Result<bool, DatabaseError> {
        let head = sending.head_of.map(IssueId::as_str);
        let arguments = vec![
            json!(channel.as_str()),
            json!(holder),
            json!(CLAIM_MS),
            json!(sending.notices),
            json!(head),
            json!(sending.changes),
            json!(sending.mode.map(Mode::as_str)),
        ];
        Ok(!self.run(&claims::BEGIN, arguments).await?.is_empty())
    }

    async fn finish(
        &self,
        channel: &ChannelId,
        holder: i64,
        outcome: &Outcome<'_>,
        keeps: bool,
    ) -> Result<bool, DatabaseError> {
        let arguments = vec![stored::outcome(channel, holder, outcome, keeps)];
        Ok(!self.run(&claims::FINISH, arguments).await?.is_empty())
    }

    async fn fate(&self, channel: &ChannelId, sent: Sending<'_>, ts: &str) -> Result<Fate, DatabaseError> {
        let question = match sent.head_of {
            Some(issue) => Question::of(HEAD_FATE, json!([channel.as_str(), issue.as_str(), ts])),
            None => Question::of(FATE, json!([sent.notices, ts])),
        };
        Ok(Fate::from_text(&self.database.read(question).await?))
    }

    async fn forget_before(&self, before: Timestamp) -> Result<(), DatabaseError> {
        upkeep::forget(&self.database, &self.writer, &time_text(before)).await
    }
}
