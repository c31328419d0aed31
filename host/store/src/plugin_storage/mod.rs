//! What plugins keep: texts under keys, each plugin's and each channel's apart.
//!
//! Owns the tables `plugin_storage` and `plugin_storage_usage`. How long a key or value may be, and whether a
//! plugin may keep anything, is the business of the capability.

use std::{error::Error, sync::Arc};

use async_trait::async_trait;

use crate::database::DatabaseError;
use maro_domain::ids::ChannelId;

pub mod open;
pub mod postgres;
pub mod sqlite;

/// Why the values could not be read or changed.
///
/// After a failed change the database may, rarely, hold it all the same: it made it, and the answer was lost.
#[derive(Debug, Clone, thiserror::Error)]
pub enum StorageError {
    /// The database refuses, is gone, or is too busy to give a connection.
    #[error("the database is unavailable")]
    Unavailable(#[source] Arc<dyn Error + Send + Sync>),
    /// The database did not answer in time.
    #[error("the database did not answer in time")]
    TimedOut,
}

impl From<DatabaseError> for StorageError {
    fn from(error: DatabaseError) -> Self {
        match error {
            DatabaseError::Unavailable(source) | DatabaseError::Uncertain(source) => {
                Self::Unavailable(source)
            }
            DatabaseError::TimedOut => Self::TimedOut,
        }
    }
}

/// Whose values they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Space<'a> {
    /// The name of the subcommand.
    pub plugin: &'a str,
    /// `None` for the plugin's own in all channels.
    pub channel: Option<&'a ChannelId>,
}

impl<'a> Space<'a> {
    /// The channel as it is stored. No channel's id is empty.
    fn channel_id(self) -> &'a str {
        self.channel.map_or("", ChannelId::as_str)
    }
}

/// How much there may be. A change that makes nothing larger is made even over these.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quota {
    /// Keys in one space.
    pub keys: u32,
    /// Bytes of keys and values in one space.
    pub bytes: u64,
    /// Bytes of keys and values of one plugin, in all its spaces.
    pub plugin_bytes: u64,
}

/// What a key must have for a change to be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Condition<'a> {
    Any,
    /// This value, or none.
    Is(Option<&'a str>),
}

/// A change of one key's value.
#[derive(Debug, Clone, Copy)]
pub struct Change<'a> {
    pub key: &'a str,
    pub condition: Condition<'a>,
    /// The value to give it; none to take it away.
    pub new: Option<&'a str>,
}

/// What became of a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Changed {
    /// Made.
    Yes { had_value: bool },
    /// The key has another value than the condition says. Nothing was changed.
    ConditionFails,
    /// There is no room. Nothing was changed.
    Full,
}

/// The values. SQLite and PostgreSQL behave alike: one suite tests both.
///
/// Every method is atomic, whoever else changes the same key or fills the same space at that moment.
#[async_trait]
pub trait PluginStorage: Send + Sync {
    async fn get(&self, space: Space<'_>, key: &str) -> Result<Option<String>, StorageError>;

    /// Changes a value if the condition holds and the quota allows it.
    async fn change(
        &self,
        space: Space<'_>,
        change: Change<'_>,
        quota: Quota,
    ) -> Result<Changed, StorageError>;

    /// The keys that begin with `prefix`, in order of their bytes, at most `limit`.
    async fn list_keys(
        &self,
        space: Space<'_>,
        prefix: &str,
        limit: u32,
    ) -> Result<Vec<String>, StorageError>;
}

/// What a database says before a change.
struct Before {
    /// The bytes of the value, if there is one.
    value_bytes: Option<u64>,
    /// Whether it is the expected one; `false` without an expected one.
    is_expected: bool,
    keys: u64,
    bytes: u64,
    plugin_bytes: u64,
}

/// What a change does to the figures of its space. Nothing at all if there is nothing to take away.
struct Difference {
    keys: i64,
    bytes: i64,
}

/// Decides on a change, alike for both databases.
///
/// # Errors
/// Why it is not made.
fn decide(change: Change<'_>, before: &Before, quota: Quota) -> Result<Difference, Changed> {
    let had_value = before.value_bytes.is_some();
    let holds = match change.condition {
        Condition::Any => true,
        Condition::Is(None) => !had_value,
        Condition::Is(Some(_)) => before.is_expected,
    };
    if !holds {
        return Err(Changed::ConditionFails);
    }
    let size = |value: u64| i64::try_from(change.key.len() as u64 + value).unwrap_or(i64::MAX);
    let old = before.value_bytes.map_or(0, size);
    let new = change.new.map_or(0, |value| size(value.len() as u64));
    let keys = i64::from(change.new.is_some()) - i64::from(had_value);
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

/// The bytes before which all keys with a prefix end. None without a prefix.
fn end_of(prefix: &str) -> Option<Vec<u8>> {
    let mut end = prefix.as_bytes().to_vec();
    // No byte of UTF-8 is the largest one.
    *end.last_mut()? += 1;
    Some(end)
}
