//! What becomes of channels: their former ids, and which of them nobody can write to.
//!
//! Owns the tables `former_channels`, `paused_channels` and `handled_events`. When a channel gets another id, it moves
//! what the other tables keep for it.

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;

use crate::database::error::{DatabaseError, parse};
use maro_domain::ids::ChannelId;

pub(crate) mod observed;
pub(crate) mod postgres;
pub(crate) mod sqlite;

/// How long an event is remembered. Slack sends one again for an hour or so.
const EVENTS_KEPT: SignedDuration = SignedDuration::from_hours(48);

/// Why MARO leaves a channel alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pause {
    Archived,
    Deleted,
    /// The bot was removed from it. People still use MARO's commands there, if they like.
    Left,
}

impl Pause {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Archived => "archived",
            Self::Deleted => "deleted",
            Self::Left => "left",
        }
    }

    fn from_text(text: &str) -> Option<Self> {
        [Self::Archived, Self::Deleted, Self::Left].into_iter().find(|pause| pause.as_str() == text)
    }
}

/// Slack's word that something happened.
#[derive(Debug, Clone, Copy)]
pub struct Occurrence<'a> {
    /// The id of the event.
    pub event: &'a str,
    /// When it happened by Slack's clock, in microseconds since 1970. What happened to the channel before what is known
    /// changes nothing. `None`: it isn't known, and counts as the latest.
    pub happened_us: Option<i64>,
}

impl Occurrence<'_> {
    /// What is noted of it: when it happened, and to which channel, which is what `change` is about.
    fn of<'c>(&self, change: ChannelChange<'_>, channel: &'c ChannelId) -> (Option<i64>, Option<&'c str>) {
        match change {
            ChannelChange::Moved { .. } => (None, None),
            ChannelChange::Shared { .. } => (None, Some(channel.as_str())),
            _ => (self.happened_us, self.happened_us.map(|_| channel.as_str())),
        }
    }
}

/// Something that happened to a channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChannelChange<'a> {
    /// It has another id now.
    Moved {
        old: &'a ChannelId,
        new: &'a ChannelId,
    },
    Paused {
        channel: &'a ChannelId,
        pause: Pause,
    },
    /// People can write to it again.
    Resumed {
        channel: &'a ChannelId,
    },
    /// Other people can be in it. Nothing is kept of that but that it happened.
    Shared {
        channel: &'a ChannelId,
    },
}

/// All that is known of channels.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ChannelHistory {
    /// Each former id with the id of today.
    pub former: Vec<(ChannelId, ChannelId)>,
    pub paused: Vec<(ChannelId, Pause)>,
    /// The latest 200 events that say that other people can be in a channel, with the channel.
    pub shared: Vec<(String, ChannelId)>,
}

/// The history of channels. SQLite and PostgreSQL behave the same: one suite tests both.
#[async_trait]
pub trait ChannelBook: Send + Sync {
    /// Notes what an event of Slack's says, once. `false` if it was noted before.
    ///
    /// A channel that moves takes its list, its intents and the plugins' values along. Where there is something under
    /// the new id already, each issue is on the list once, as it was tracked first, and of two values the one of the
    /// old id stays.
    async fn note(
        &self,
        what: Occurrence<'_>,
        change: ChannelChange<'_>,
        now: Timestamp,
    ) -> Result<bool, DatabaseError>;

    /// Whether something waits for people to write to the channel, or for the bot to be let in.
    async fn is_waited_for(&self, channel: &ChannelId) -> Result<bool, DatabaseError>;

    /// What is known. Invalid rows are skipped.
    async fn recall(&self) -> Result<ChannelHistory, DatabaseError>;
}

/// A name for one handling of an event, so that it knows its own row.
fn handling() -> String {
    format!("{:032x}", rand::random::<u128>())
}

/// Reads three arrays of pairs.
fn read(json: &str) -> Result<ChannelHistory, DatabaseError> {
    #[derive(Deserialize)]
    struct Stored(Vec<(String, String)>, Vec<(String, String)>, Vec<(String, String)>);
    let Stored(former, paused, shared) = parse(json)?;
    let id = |text: &str| ChannelId::parse(text).ok();
    Ok(ChannelHistory {
        former: former.iter().filter_map(|(old, new)| Some((id(old)?, id(new)?))).collect(),
        paused: paused
            .iter()
            .filter_map(|(channel, reason)| Some((id(channel)?, Pause::from_text(reason)?)))
            .collect(),
        shared: shared.into_iter().filter_map(|(event, channel)| Some((event, id(&channel)?))).collect(),
    })
}
