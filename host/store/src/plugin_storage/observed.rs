//! The plugins' values, with somebody who watches the calls.

use async_trait::async_trait;

use crate::{
    audit::Noted,
    database::error::DatabaseError,
    observer::Observed,
    plugin_storage::{Change, Changed, PluginStorage, Quota, Space},
};

#[async_trait]
impl PluginStorage for Observed<dyn PluginStorage> {
    async fn get(&self, space: Space<'_>, key: &str) -> Result<Option<String>, DatabaseError> {
        self.watch("storage_get", self.table.get(space, key)).await
    }

    async fn change(
        &self,
        space: Space<'_>,
        change: Change<'_>,
        quota: Quota,
        noted: Noted<'_>,
    ) -> Result<Changed, DatabaseError> {
        self.watch("storage_change", self.table.change(space, change, quota, noted)).await
    }

    async fn add(
        &self,
        space: Space<'_>,
        key: &str,
        amount: i64,
        quota: Quota,
        noted: Noted<'_>,
    ) -> Result<Changed, DatabaseError> {
        self.watch("storage_add", self.table.add(space, key, amount, quota, noted)).await
    }

    async fn list_keys(
        &self,
        space: Space<'_>,
        prefix: &str,
        limit: u32,
    ) -> Result<Vec<String>, DatabaseError> {
        self.watch("storage_list", self.table.list_keys(space, prefix, limit)).await
    }
}
