//! The history of channels in PostgreSQL. Several replicas may get the same event at the same time.

use std::sync::Arc;

use async_trait::async_trait;
use jiff::Timestamp;

use crate::{
    channels::{ChannelBook, ChannelChange, ChannelHistory, EVENTS_KEPT, Occurrence, handling, read},
    database::{
        error::DatabaseError,
        postgres::{PostgresDatabase, attempt::Effect, lease::Lease},
        time::time_text,
    },
};
use maro_domain::ids::ChannelId;

/// Two events about a channel are noted one after the other.
const TURN: &str = "SELECT pg_advisory_xact_lock(hashtextextended('channel ' || $1, 0))";

/// Only the handling that gets a row back goes on.
const EVENT: &str = "
    INSERT INTO handled_events (event_id, handled_at, handling, channel_id, happened_us)
    VALUES ($1, $2::timestamptz, $3, $4, $5)
    ON CONFLICT DO NOTHING
    RETURNING true";

/// What happened to the channel later.
const LATER: &str = "SELECT event_id FROM handled_events WHERE channel_id = $1 AND happened_us > $2 LIMIT 1";

/// A few at a time: nobody waits for more.
const FORGET: &str = "
    DELETE FROM handled_events WHERE event_id IN (
        SELECT event_id FROM handled_events WHERE handled_at < $1::timestamptz ORDER BY handled_at LIMIT 100)";

/// Makes the plugins' changes wait until the end of the transaction, each plugin's as its own changes do.
const TURNS: &str = "
    SELECT pg_advisory_xact_lock(hashtextextended('plugin_storage ' || plugin, 0))
    FROM (SELECT DISTINCT plugin FROM plugin_storage WHERE channel_id IN ($1, $2) ORDER BY plugin) AS plugins";

/// $1 is the old id and $2 the new one.
const MOVE: &[&str] = &[
    "UPDATE channel_tracked_issues AS kept
     SET tracked_at = moved.tracked_at, tracked_by = moved.tracked_by, source = moved.source
     FROM channel_tracked_issues AS moved
     WHERE kept.channel_id = $2 AND moved.channel_id = $1
        AND (moved.issue_key = kept.issue_key OR moved.issue_id = kept.issue_id)
        AND moved.tracked_at < kept.tracked_at",
    "DELETE FROM channel_tracked_issues AS moved
     WHERE moved.channel_id = $1 AND EXISTS (
        SELECT FROM channel_tracked_issues AS kept
        WHERE kept.channel_id = $2
            AND (kept.issue_key = moved.issue_key OR kept.issue_id = moved.issue_id))",
    "UPDATE channel_tracked_issues SET channel_id = $2 WHERE channel_id = $1",
    "UPDATE ticket_intents
     SET channel_id = $2, data = replace(data, '\"channel\":\"' || $1 || '\"', '\"channel\":\"' || $2 || '\"')
     WHERE channel_id = $1",
    TURNS,
    "DELETE FROM plugin_storage AS kept
     WHERE kept.channel_id = $2 AND EXISTS (
        SELECT FROM plugin_storage AS moved
        WHERE moved.channel_id = $1 AND moved.plugin = kept.plugin AND moved.key = kept.key)",
    "UPDATE plugin_storage SET channel_id = $2 WHERE channel_id = $1",
    "DELETE FROM plugin_storage_usage WHERE channel_id IN ($1, $2)",
    "INSERT INTO plugin_storage_usage (plugin, channel_id, keys, bytes)
     SELECT plugin, channel_id, count(*), sum(octet_length(key) + octet_length(value)) FROM plugin_storage
     WHERE channel_id = $2 AND channel_id <> $1
     GROUP BY plugin, channel_id",
    "DELETE FROM channel_notices AS kept
     WHERE kept.channel_id = $2
        AND EXISTS (SELECT FROM channel_notices AS moved WHERE moved.channel_id = $1)",
    "UPDATE channel_notices SET channel_id = $2 WHERE channel_id = $1",
    "UPDATE notice_outbox SET channel_id = $2 WHERE channel_id = $1",
    // What waited under the new id lost its time with the settings.
    "UPDATE channel_notices SET due_ms = (extract(epoch FROM statement_timestamp()) * 1000)::bigint
     WHERE channel_id = $2 AND $1::text IS NOT NULL
        AND EXISTS (SELECT FROM notice_outbox WHERE channel_id = $2 AND state = 'waiting')",
    "DELETE FROM done_issues AS kept
     WHERE kept.channel_id = $2 AND EXISTS (
        SELECT FROM done_issues AS moved WHERE moved.channel_id = $1 AND moved.issue_id = kept.issue_id)",
    "UPDATE done_issues SET channel_id = $2 WHERE channel_id = $1",
    "DELETE FROM notice_threads AS kept
     WHERE kept.channel_id = $2 AND EXISTS (
        SELECT FROM notice_threads AS moved
        WHERE moved.channel_id = $1 AND moved.issue_id = kept.issue_id)",
    "UPDATE notice_threads SET channel_id = $2 WHERE channel_id = $1",
    "UPDATE former_channels SET channel_id = $2 WHERE channel_id = $1",
    "DELETE FROM former_channels WHERE old_channel_id = $2 AND $1 <> $2",
    "INSERT INTO former_channels (old_channel_id, channel_id, moved_at) VALUES ($1, $2, now())
     ON CONFLICT (team_id, old_channel_id)
     DO UPDATE SET channel_id = excluded.channel_id, moved_at = excluded.moved_at",
    "DELETE FROM paused_channels WHERE channel_id = $2
        AND EXISTS (SELECT FROM paused_channels WHERE channel_id = $1)",
    "UPDATE paused_channels SET channel_id = $2 WHERE channel_id = $1",
];

/// $1 is the channel and $2 the reason.
const PAUSE: &[&str] = &[
    "INSERT INTO paused_channels (channel_id, reason, paused_at) VALUES ($1, $2, now())
     ON CONFLICT (team_id, channel_id) DO UPDATE SET reason = excluded.reason, paused_at = excluded.paused_at",
];

/// $2 isn't used.
/// If the channel was paused, what its list shows may be old, though other lists were kept up to date. What Slack
/// refused to show there is tried at once.
const RESUME: &[&str] = &[
    "UPDATE issue_freshness SET due_at = '-infinity'
     WHERE EXISTS (SELECT FROM paused_channels WHERE channel_id = $1 AND $2::text IS NOT NULL)
        AND issue_key IN (SELECT issue_key FROM channel_tracked_issues WHERE channel_id = $1)",
    "DELETE FROM paused_channels WHERE channel_id = $1 AND $2::text IS NOT NULL",
    "UPDATE channel_notices SET due_ms = (extract(epoch FROM statement_timestamp()) * 1000)::bigint
     WHERE channel_id = $1 AND paused_for IS NOT NULL AND due_ms IS NOT NULL AND $2::text IS NOT NULL",
];

const IS_WAITED_FOR: &str = "
    SELECT (EXISTS (SELECT FROM paused_channels WHERE channel_id = $1)
        OR EXISTS (SELECT FROM channel_notices
                   WHERE channel_id = $1 AND paused_for IS NOT NULL AND due_ms IS NOT NULL))::text";

/// An event whose time isn't noted says that other people can be in a channel: what came before isn't undone by it.
const RECALL: &str = "
    SELECT json_build_array(
        (SELECT coalesce(json_agg(json_build_array(old_channel_id, channel_id)), '[]') FROM former_channels),
        (SELECT coalesce(json_agg(json_build_array(channel_id, reason)), '[]') FROM paused_channels),
        (SELECT coalesce(json_agg(json_build_array(event_id, channel_id)), '[]') FROM (
            SELECT event_id, channel_id FROM handled_events WHERE channel_id IS NOT NULL AND happened_us IS NULL
            ORDER BY handled_at DESC LIMIT 200) AS shared))::text";

pub(crate) struct PostgresChannelBook {
    database: Arc<PostgresDatabase>,
}

impl PostgresChannelBook {
    pub(crate) fn new(database: Arc<PostgresDatabase>) -> Self {
        Self { database }
    }
}

#[async_trait]
impl ChannelBook for PostgresChannelBook {
    async fn note(
        &self,
        what: Occurrence<'_>,
        change: ChannelChange<'_>,
        now: Timestamp,
    ) -> Result<bool, DatabaseError> {
        let (statements, channel, other) = match change {
            ChannelChange::Moved { old, new } if old == new => return Ok(false),
            ChannelChange::Moved { old, new } => (MOVE, old, new.as_str()),
            ChannelChange::Paused { channel, pause } => (PAUSE, channel, pause.as_str()),
            ChannelChange::Resumed { channel } => (RESUME, channel, ""),
            ChannelChange::Shared { channel } => (&[][..], channel, ""),
        };
        let (at, forgotten, handling) = &(time_text(now), time_text(now - EVENTS_KEPT), handling());
        let (happened_us, about) = what.of(change, channel);
        // An attempt whose answer was lost has noted the event, so a second one does nothing.
        let noted = self.database.attempt(Effect::Repeatable, |mut lease: Lease, _| async move {
            lease.begin().await?;
            lease.fetch_all(sqlx::query(TURN).bind(channel.as_str())).await?;
            let event = sqlx::query(EVENT).bind(what.event).bind(at).bind(handling);
            let event = event.bind(about).bind(happened_us);
            let is_new = !lease.fetch_all(event).await?.is_empty();
            let later = sqlx::query(LATER).bind(channel.as_str()).bind(happened_us);
            if is_new && lease.fetch_all(later).await?.is_empty() {
                for statement in statements {
                    lease.execute(sqlx::query(*statement).bind(channel.as_str()).bind(other)).await?;
                }
            }
            if is_new {
                lease.execute(sqlx::query(FORGET).bind(forgotten)).await?;
            }
            lease.commit().await?;
            Ok(is_new)
        });
        noted.await
    }

    async fn is_waited_for(&self, channel: &ChannelId) -> Result<bool, DatabaseError> {
        let is_it = self.database.read(|| sqlx::query(IS_WAITED_FOR).bind(channel.as_str())).await?;
        Ok(is_it == "true")
    }

    async fn recall(&self) -> Result<ChannelHistory, DatabaseError> {
        read(&self.database.read(|| sqlx::query(RECALL)).await?)
    }
}
