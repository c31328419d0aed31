//! What MARO remembers of plugins from one start to the next, shared by all replicas: which are switched
//! off, and which refused files the operators have been told of.
//!
//! Owns the tables `plugin_switches` and `plugin_refusals`.

use async_trait::async_trait;
use jiff::Timestamp;

use crate::database::DatabaseError;
use maro_domain::ids::UserId;

pub mod open;
pub mod postgres;
pub mod sqlite;

mod stored;

/// A plugin that is switched off.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Switch {
    /// The name of the plugin.
    pub plugin: String,
    pub disabled_by: UserId,
    pub disabled_at: Timestamp,
}

/// The records. SQLite and PostgreSQL behave alike: one suite tests both.
///
/// Every method is atomic. Names are those of subcommands and files, which the host has checked.
#[async_trait]
pub trait PluginRecords: Send + Sync {
    /// Switches a plugin off. `false` if it was off already; then it stays with who did it first.
    async fn disable(&self, plugin: &str, by: &UserId, now: Timestamp) -> Result<bool, DatabaseError>;

    /// Switches a plugin on, and keeps who had switched it off and on. `false` if it was not off.
    async fn enable(&self, plugin: &str, by: &UserId, now: Timestamp) -> Result<bool, DatabaseError>;

    /// All that are switched off, by name. A row that makes no sense is left out and logged.
    async fn disabled(&self) -> Result<Vec<Switch>, DatabaseError>;

    /// Takes it upon the caller to tell the operators that a file with this content does not serve. Of all
    /// the replicas that ask, one gets `true`, and none again unless the content is another or the last
    /// one got it before `told_before`.
    async fn claim_refusal(
        &self,
        file: &str,
        content: &str,
        now: Timestamp,
        told_before: Timestamp,
    ) -> Result<bool, DatabaseError>;
}
