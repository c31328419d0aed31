//! What MARO remembers about plugins across restarts, shared by all replicas: which are turned off, and which run an
//! earlier version.
//!
//! Owns the tables `plugin_switches` and `plugin_rollbacks`.

use async_trait::async_trait;
use jiff::Timestamp;

use crate::database::error::DatabaseError;
use maro_domain::{author::Author, ids::UserId};

pub(crate) mod observed;
pub(crate) mod postgres;
pub(crate) mod sqlite;

mod stored;

/// A plugin that is turned off.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Switch {
    pub plugin: String,
    pub disabled_by: UserId,
    pub disabled_at: Timestamp,
}

/// A plugin that was rolled back to an earlier version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RollBack {
    pub plugin: String,
    /// What its file must contain for this to have an effect, and what runs instead: digests that the host makes. They
    /// are the same if the rollback was undone.
    pub file_content: String,
    pub kept_content: String,
}

/// The switches and the rollbacks. SQLite and PostgreSQL behave the same: one suite tests both.
///
/// Every method is atomic. What authors change is in the audit log with the same transaction. The names are those of
/// subcommands, and the host has checked them.
#[async_trait]
pub trait PluginSwitches: Send + Sync {
    /// Turns a plugin off. `false` if it was off already. Then the record still names who did it first.
    async fn disable(&self, plugin: &str, by: &Author, now: Timestamp) -> Result<bool, DatabaseError>;

    /// Turns a plugin on, and keeps a record of who turned it off and on. `false` if it wasn't off.
    async fn enable(&self, plugin: &str, by: &Author, now: Timestamp) -> Result<bool, DatabaseError>;

    /// All plugins that are turned off, sorted by name. Invalid rows are skipped and logged.
    async fn disabled(&self) -> Result<Vec<Switch>, DatabaseError>;

    /// Rolls a plugin back. The latest rollback of a plugin takes the place of those before.
    async fn roll_back(&self, roll_back: &RollBack, by: &Author, now: Timestamp)
    -> Result<(), DatabaseError>;

    /// Undoes a rollback at every replica: the plugin's file runs, whatever it was rolled back to. `false` if it wasn't
    /// rolled back.
    async fn run_file(&self, plugin: &str, by: &Author, now: Timestamp) -> Result<bool, DatabaseError>;

    /// Removes a rollback whose file has changed, unless the plugin was rolled back again from another content.
    async fn lift_roll_back(&self, plugin: &str, file_content: &str) -> Result<(), DatabaseError>;

    /// All rollbacks, sorted by plugin.
    async fn rolled_back(&self) -> Result<Vec<RollBack>, DatabaseError>;
}
