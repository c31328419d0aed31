//! The switches, with somebody who watches the calls.

use async_trait::async_trait;
use jiff::Timestamp;

use crate::{
    database::error::DatabaseError,
    observer::Observed,
    plugin_switches::{PluginSwitches, RollBack, Switch},
};
use maro_domain::author::Author;

#[async_trait]
impl PluginSwitches for Observed<dyn PluginSwitches> {
    async fn disable(&self, plugin: &str, by: &Author, now: Timestamp) -> Result<bool, DatabaseError> {
        self.watch("switch_disable", self.table.disable(plugin, by, now)).await
    }

    async fn enable(&self, plugin: &str, by: &Author, now: Timestamp) -> Result<bool, DatabaseError> {
        self.watch("switch_enable", self.table.enable(plugin, by, now)).await
    }

    async fn disabled(&self) -> Result<Vec<Switch>, DatabaseError> {
        self.watch("switches_read", self.table.disabled()).await
    }

    async fn roll_back(
        &self,
        roll_back: &RollBack,
        by: &Author,
        now: Timestamp,
    ) -> Result<(), DatabaseError> {
        self.watch("plugin_roll_back", self.table.roll_back(roll_back, by, now)).await
    }

    async fn run_file(&self, plugin: &str, by: &Author, now: Timestamp) -> Result<bool, DatabaseError> {
        self.watch("plugin_roll_back_undo", self.table.run_file(plugin, by, now)).await
    }

    async fn lift_roll_back(&self, plugin: &str, file_content: &str) -> Result<(), DatabaseError> {
        self.watch("plugin_roll_back_lift", self.table.lift_roll_back(plugin, file_content)).await
    }

    async fn rolled_back(&self) -> Result<Vec<RollBack>, DatabaseError> {
        self.watch("roll_backs_read", self.table.rolled_back()).await
    }
}
