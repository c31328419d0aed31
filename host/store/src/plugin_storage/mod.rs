//! What plugins store: texts under keys, separate for each plugin and channel.
//!
//! Owns the tables `plugin_storage` and `plugin_storage_usage`. The capability decides how long keys and
//! values may be, and whether a plugin may store anything.

use std::borrow::Cow;

use async_trait::async_trait;
use jiff::Timestamp;

use crate::{audit::Noted, database::error::DatabaseError};
use maro_domain::ids::{ChannelId, TeamId, UserId};

pub use change::{Change, Changed, Condition};
pub use fitting::Quota;

mod change;
mod fitting;
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
