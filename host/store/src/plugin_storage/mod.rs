//! What plugins store: texts under keys, separate for each plugin and channel.
//!
//! Owns the tables `plugin_storage` and `plugin_storage_usage`. The capability decides how long keys and
//! values may be, and whether a plugin may store anything.

use std::borrow::Cow;

use async_trait::async_trait;
use jiff::Timestamp;

use crate::{audit::Noted, database::error::DatabaseError};
use maro_domain::ids::{ChannelId, TeamId, UserId};

pub(crate) mod observed;
pub(crate) mod postgres;
pub(crate) mod sqlite;

/// Some values of a plugin, as they are at a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Space<'a> {
    /// The subcommand's name.
    pub plugin: &'a str,
    pub owner: Owner<'a>,
    /// What has expired by then isn't there.
    pub now: Timestamp,
}

/// Whose values they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Owner<'a> {
    /// The plugin's, in all channels.
    Plugin,
    Channel(&'a ChannelId),
    /// A person's, in all channels. The workspace if it isn't the bot's own.
    Person(&'a UserId, Option<&'a TeamId>),
}

impl<'a> Space<'a> {
    /// The owner as stored in the column of channels. No channel id is empty, and none begins as people's and
    /// workspaces' do.
    fn channel_id(self) -> Cow<'a, str> {
        match self.owner {
            Owner::Plugin => Cow::Borrowed(""),
            Owner::Channel(channel) => Cow::Borrowed(channel.as_str()),
            Owner::Person(user, None) => Cow::Borrowed(user.as_str()),
            Owner::Person(user, Some(team)) => Cow::Owned(format!("{}/{}", team.as_str(), user.as_str())),
        }
    }

    fn now(self) -> i64 {
        self.now.as_second()
    }
}

/// The limits. A change that makes nothing larger is allowed even above them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quota {
    /// The number of keys in one space.
    pub keys: u32,
    /// The bytes of keys and values in one space.
    pub bytes: u64,
    /// The bytes of one plugin's keys and values in all its spaces.
    pub plugin_bytes: u64,
}

/// What a key's value must be for a change to be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Condition<'a> {
    Any,
    /// This value, or none.
    Is(Option<&'a str>),
}

impl<'a> Condition<'a> {
    /// The value that the key must have, if it must have one.
    pub fn expected(self) -> Option<&'a str> {
        match self {
            Self::Is(expected) => expected,
            Self::Any => None,
        }
    }
}

/// A change of one key's value.
#[derive(Debug, Clone, Copy)]
pub struct Change<'a> {
    pub key: &'a str,
    pub condition: Condition<'a>,
    /// The new value. `None` removes the key.
    pub new: Option<&'a str>,
    /// When the new value is gone, in seconds since 1970. `None`: never by itself.
    pub expires_at: Option<i64>,
}

/// The outcome of a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Changed {
    /// The change was made.
    Yes { had_value: bool },
    /// The key's value doesn't meet the condition. Nothing was changed.
    ConditionFails,
    /// There is no room left. Nothing was changed.
    Full,
    /// The number that the value is now.
    Sum(i64),
    /// The value isn't a number, or the sum is none that fits. Nothing was changed.
    NoNumber,
}

impl Changed {
    /// Whether anything is different now.
    fn has_changed(self, change: Change<'_>) -> bool {
        matches!(self, Self::Yes { had_value } if had_value || change.new.is_some())
            || matches!(self, Self::Sum(_))
    }
}

/// The values. SQLite and PostgreSQL behave the same: one suite tests both.
///
/// Every method is atomic, even if others change the same key or fill the same space at the same time.
#[async_trait]
pub trait PluginStorage: Send + Sync {
    async fn get(&self, space: Space<'_>, key: &str) -> Result<Option<String>, DatabaseError>;

    /// Changes a value if the condition is met and the quota allows it. What was changed is in the audit log with
    /// the same transaction.
    ///
    /// # Errors
    /// Also [`DatabaseError::Replayed`].
    async fn change(
        &self,
        space: Space<'_>,
        change: Change<'_>,
        quota: Quota,
        noted: Noted<'_>,
    ) -> Result<Changed, DatabaseError>;

    /// Adds to the number that is the value of a key, or to 0 if it has none. When that expires stays as it is.
    ///
    /// # Errors
    /// As [`PluginStorage::change`].
    async fn add(
        &self,
        space: Space<'_>,
        key: &str,
        amount: i64,
        quota: Quota,
        noted: Noted<'_>,
    ) -> Result<Changed, DatabaseError>;

    /// The keys that start with `prefix`, in the order of their bytes, at most `limit`.
    async fn list_keys(
        &self,
        space: Space<'_>,
        prefix: &str,
        limit: u32,
    ) -> Result<Vec<String>, DatabaseError>;
}

/// What the database contains before a change.
struct Before {
    /// The value's size in bytes, if there is one, also if it has expired.
    value_bytes: Option<u64>,
    /// Whether there is one that hasn't expired.
    is_live: bool,
    /// Whether the value is the expected one. `false` if none is expected.
    is_expected: bool,
    keys: u64,
    bytes: u64,
    plugin_bytes: u64,
}

/// How a change affects the usage figures of its space. `None` if there is nothing to remove.
struct Difference {
    keys: i64,
    bytes: i64,
}

/// Decides on a change, the same way for both databases.
///
/// # Errors
/// Why the change isn't made.
fn decide(change: Change<'_>, before: &Before, quota: Quota) -> Result<Difference, Changed> {
    let (had_value, has_row) = (before.is_live, before.value_bytes.is_some());
    let holds = match change.condition {
        Condition::Any => true,
        Condition::Is(None) => !had_value,
        Condition::Is(Some(_)) => before.is_expected,
    };
    if !holds {
        return Err(Changed::ConditionFails);
    }
    if change.new.is_none() && !had_value {
        return Err(Changed::Yes { had_value });
    }
    let size = |value: u64| i64::try_from(change.key.len() as u64 + value).unwrap_or(i64::MAX);
    let old = before.value_bytes.map_or(0, size);
    let new = change.new.map_or(0, |value| size(value.len() as u64));
    let keys = i64::from(change.new.is_some()) - i64::from(has_row);
    let bytes = new - old;
    let over = |used: u64, more: i64, limit: u64| more > 0 && used.saturating_add_signed(more) > limit;
    if over(before.keys, keys, u64::from(quota.keys))
        || over(before.bytes, bytes, quota.bytes)
        || over(before.plugin_bytes, bytes, quota.plugin_bytes)
    {
        return Err(Changed::Full);
    }
    Ok(Difference { keys, bytes })
}

/// The sum as text, of the value before and an amount. `None` if it's no number, or none that fits.
fn sum(before: Option<&str>, amount: i64) -> Option<i64> {
    before.map_or(Some(0), |text| text.parse::<i64>().ok())?.checked_add(amount)
}

/// The upper bound (exclusive) of all keys with a prefix. `None` without a prefix.
fn end_of(prefix: &str) -> Option<Vec<u8>> {
    let mut end = prefix.as_bytes().to_vec();
    // UTF-8 never contains the byte 255.
    *end.last_mut()? += 1;
    Some(end)
}
