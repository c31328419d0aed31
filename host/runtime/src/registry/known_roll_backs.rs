//! Which plugins are rolled back, as far as this replica knows.

use std::collections::BTreeMap;

use tokio::sync::Notify;

use maro_store::plugin_switches::RollBack;

/// The rollbacks that this replica knows of, by plugin.
#[derive(Default)]
pub(super) struct RollBacks {
    pub(super) in_force: BTreeMap<String, RollBack>,
    /// Those that ended here, and may still be in the database.
    pub(super) lifted: BTreeMap<String, RollBack>,
}

impl RollBacks {
    /// Ends the rollback of a plugin whose file has this content now, if it was made for another.
    pub(super) fn lift(&mut self, plugin: &str, content: &str, lifting: &Notify) {
        if self.in_force.get(plugin).is_some_and(|row| row.file_content != content)
            && let Some(row) = self.in_force.remove(plugin)
        {
            self.lifted.insert(plugin.to_owned(), row);
            lifting.notify_one();
        }
    }
}
