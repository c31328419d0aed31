//! The history of channels in a SQLite file.

use std::sync::Arc;

use async_trait::async_trait;
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::{
    channels::{ChannelBook, ChannelChange, ChannelHistory, EVENTS_KEPT, Occurrence, handling, read},
    database::{
        error::DatabaseError,
        sqlite::{
            SqliteDatabase,
            read::{Question, for_each_ask},
            statements::{StatementQueue, Statements},
        },
        time::time_text,
    },
};
use maro_domain::ids::ChannelId;

// In all statements: ?1 ->> 0 is the event, 1 the time, 2 until when events are forgotten, 3 the channel (of a move,
// the old id), 4 the new id or the reason, 5 this handling of the event, 6 when it happened, and 7 the channel that
// is noted with it.

/// Only this handling of the event goes on.
const EVENT: &str = "
    INSERT INTO handled_events (event_id, handled_at, handling, channel_id, happened_us)
    VALUES (?1 ->> 0, ?1 ->> 1, ?1 ->> 5, ?1 ->> 7, ?1 ->> 6) ON CONFLICT DO NOTHING";

/// A statement that does nothing if the event was handled before.
macro_rules! once {
    ($statement:literal) => {
        concat!(
            $statement,
            " AND EXISTS (SELECT 1 FROM handled_events WHERE event_id = ?1 ->> 0 AND handling = ?1 ->> 5)"
        )
    };
}

/// As [`once`], if nothing else happened to the channel later.
macro_rules! latest {
    ($statement:literal) => {
        concat!(
            once!($statement),
            " AND NOT EXISTS (SELECT 1 FROM handled_events WHERE channel_id = ?1 ->> 3 AND happened_us > ?1 ->> 6)"
        )
    };
}

/// A few at a time: others wait for it.
const FORGET: &str = "
    DELETE FROM handled_events WHERE event_id IN (
        SELECT event_id FROM handled_events WHERE handled_at < ?1 ->> 2 ORDER BY handled_at LIMIT 100)";

const DONE: &str = once!("SELECT 'done' WHERE true");

const MOVE: &[&str] = &[
    EVENT,
    once!(
        "UPDATE channel_tracked_issues AS kept
         SET tracked_at = moved.tracked_at, tracked_by = moved.tracked_by, source = moved.source
         FROM channel_tracked_issues AS moved
         WHERE kept.channel_id = ?1 ->> 4 AND moved.channel_id = ?1 ->> 3
            AND (moved.issue_key = kept.issue_key OR moved.issue_id = kept.issue_id)
            AND moved.tracked_at < kept.tracked_at"
    ),
    once!(
        "DELETE FROM channel_tracked_issues AS moved
         WHERE moved.channel_id = ?1 ->> 3 AND EXISTS (
            SELECT 1 FROM channel_tracked_issues AS kept
            WHERE kept.channel_id = ?1 ->> 4
                AND (kept.issue_key = moved.issue_key OR kept.issue_id = moved.issue_id))"
    ),
    once!("UPDATE channel_tracked_issues SET channel_id = ?1 ->> 4 WHERE channel_id = ?1 ->> 3"),
    once!(
        "UPDATE ticket_intents
         SET channel_id = ?1 ->> 4,
            data = replace(data, '\"channel\":\"' || (?1 ->> 3) || '\"', '\"channel\":\"' || (?1 ->> 4) || '\"')
         WHERE channel_id = ?1 ->> 3"
    ),
    once!(
        "DELETE FROM plugin_storage AS kept
         WHERE kept.channel_id = ?1 ->> 4 AND EXISTS (
            SELECT 1 FROM plugin_storage AS moved
            WHERE moved.channel_id = ?1 ->> 3 AND moved.plugin = kept.plugin AND moved.key = kept.key)"
    ),
    once!("UPDATE plugin_storage SET channel_id = ?1 ->> 4 WHERE channel_id = ?1 ->> 3"),
    once!("DELETE FROM plugin_storage_usage WHERE channel_id IN (?1 ->> 3, ?1 ->> 4)"),
    "INSERT INTO plugin_storage_usage (plugin, channel_id, keys, bytes)
     SELECT plugin, channel_id, count(*), sum(length(key) + length(value)) FROM plugin_storage
     WHERE channel_id = ?1 ->> 4
        AND EXISTS (SELECT 1 FROM handled_events WHERE event_id = ?1 ->> 0 AND handling = ?1 ->> 5)
     GROUP BY plugin, channel_id",
    once!(
        "DELETE FROM channel_notices AS kept
         WHERE kept.channel_id = ?1 ->> 4
            AND EXISTS (SELECT 1 FROM channel_notices AS moved WHERE moved.channel_id = ?1 ->> 3)"
    ),
    once!("UPDATE channel_notices SET channel_id = ?1 ->> 4 WHERE channel_id = ?1 ->> 3"),
    once!("UPDATE notice_outbox SET channel_id = ?1 ->> 4 WHERE channel_id = ?1 ->> 3"),
    // What waited under the new id lost its time with the settings.
    once!(
        "UPDATE channel_notices SET due_ms = CAST(unixepoch('now', 'subsec') * 1000 AS INTEGER)
         WHERE channel_id = ?1 ->> 4 AND EXISTS (
            SELECT 1 FROM notice_outbox AS notice
            WHERE notice.channel_id = ?1 ->> 4 AND notice.state IN ('waiting', 'sending')
                AND notice.state = 'waiting')"
    ),
    once!("UPDATE OR REPLACE done_issues SET channel_id = ?1 ->> 4 WHERE channel_id = ?1 ->> 3"),
    once!(
        "DELETE FROM notice_threads AS kept
         WHERE kept.channel_id = ?1 ->> 4 AND EXISTS (
            SELECT 1 FROM notice_threads AS moved
            WHERE moved.channel_id = ?1 ->> 3 AND moved.issue_id = kept.issue_id)"
    ),
    once!("UPDATE notice_threads SET channel_id = ?1 ->> 4 WHERE channel_id = ?1 ->> 3"),
    once!("UPDATE former_channels SET channel_id = ?1 ->> 4 WHERE channel_id = ?1 ->> 3"),
    once!("DELETE FROM former_channels WHERE old_channel_id = ?1 ->> 4"),
    "INSERT INTO former_channels (old_channel_id, channel_id, moved_at)
     SELECT ?1 ->> 3, ?1 ->> 4, ?1 ->> 1
     WHERE EXISTS (SELECT 1 FROM handled_events WHERE event_id = ?1 ->> 0 AND handling = ?1 ->> 5)
     ON CONFLICT (team_id, old_channel_id)
     DO UPDATE SET channel_id = excluded.channel_id, moved_at = excluded.moved_at",
    once!("UPDATE OR REPLACE paused_channels SET channel_id = ?1 ->> 4 WHERE channel_id = ?1 ->> 3"),
    FORGET,
    DONE,
];

const PAUSE: &[&str] = &[
    EVENT,
    concat!(
        latest!(
            "INSERT INTO paused_channels (channel_id, reason, paused_at)
             SELECT ?1 ->> 3, ?1 ->> 4, ?1 ->> 1 WHERE true"
        ),
        " ON CONFLICT (team_id, channel_id)
          DO UPDATE SET reason = excluded.reason, paused_at = excluded.paused_at"
    ),
    FORGET,
    DONE,
];

/// If the channel was paused, what its list shows may be old, though other lists were kept up to date. What Slack
/// refused to show there is tried at once.
const RESUME: &[&str] = &[
    EVENT,
    latest!(
        "UPDATE issue_freshness SET due_at = ''
         WHERE EXISTS (SELECT 1 FROM paused_channels WHERE channel_id = ?1 ->> 3)
            AND issue_key IN (SELECT issue_key FROM channel_tracked_issues WHERE channel_id = ?1 ->> 3)"
    ),
    latest!("DELETE FROM paused_channels WHERE channel_id = ?1 ->> 3"),
    latest!(
        "UPDATE channel_notices SET due_ms = CAST(unixepoch('now', 'subsec') * 1000 AS INTEGER)
         WHERE channel_id = ?1 ->> 3 AND paused_for IS NOT NULL AND due_ms IS NOT NULL"
    ),
    FORGET,
    DONE,
];

/// `ask.value` is the channel.
const IS_WAITED_FOR: &str = for_each_ask!(
    "SELECT iif(EXISTS (SELECT 1 FROM paused_channels WHERE channel_id = ask.value)
             OR EXISTS (SELECT 1 FROM channel_notices
                        WHERE channel_id = ask.value AND paused_for IS NOT NULL AND due_ms IS NOT NULL),
         'true', 'false')"
);

const SHARE: &[&str] = &[EVENT, FORGET, DONE];

/// `ask.value` isn't used. An event whose time isn't noted says that other people can be in a channel: what
/// came before isn't undone by it.
const RECALL: &str = for_each_ask!(
    "SELECT json_array(
        json((SELECT json_group_array(json_array(old_channel_id, channel_id)) FROM former_channels)),
        json((SELECT json_group_array(json_array(channel_id, reason)) FROM paused_channels)),
        json((SELECT json_group_array(json_array(event_id, channel_id)) FROM (
            SELECT event_id, channel_id FROM handled_events WHERE channel_id IS NOT NULL AND happened_us IS NULL
            ORDER BY handled_at DESC LIMIT 200))))"
);

pub(crate) struct SqliteChannelBook {
    database: Arc<SqliteDatabase>,
    writer: StatementQueue,
}

impl SqliteChannelBook {
    pub(crate) fn new(database: Arc<SqliteDatabase>) -> Self {
        Self { writer: StatementQueue::on(&database), database }
    }
}

#[async_trait]
impl ChannelBook for SqliteChannelBook {
    async fn note(
        &self,
        what: Occurrence<'_>,
        change: ChannelChange<'_>,
        now: Timestamp,
    ) -> Result<bool, DatabaseError> {
        let (sql, channel, other) = match change {
            ChannelChange::Moved { old, new } if old == new => return Ok(false),
            ChannelChange::Moved { old, new } => (MOVE, old, new.as_str()),
            ChannelChange::Paused { channel, pause } => (PAUSE, channel, pause.as_str()),
            ChannelChange::Resumed { channel } => (RESUME, channel, ""),
            ChannelChange::Shared { channel } => (SHARE, channel, ""),
        };
        let (happened_us, about) = what.of(change, channel);
        let arguments = vec![
            json!(what.event),
            json!(time_text(now)),
            json!(time_text(now - EVENTS_KEPT)),
            json!(channel.as_str()),
            json!(other),
            json!(handling()),
            json!(happened_us),
            json!(about),
        ];
        Ok(!self.writer.ask(Statements::new(sql, arguments)).await?.is_empty())
    }

    async fn is_waited_for(&self, channel: &ChannelId) -> Result<bool, DatabaseError> {
        Ok(self.database.read(Question::of(IS_WAITED_FOR, channel.as_str())).await? == "true")
    }

    async fn recall(&self) -> Result<ChannelHistory, DatabaseError> {
        read(&self.database.read(Question::of(RECALL, Value::Null)).await?)
    }
}
