//! What an instance of a component takes of the pool.

/// Counted over all parts, each as often as it is instantiated.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Needs {
    pub(crate) core_instances: u32,
    pub(crate) memories: u32,
    pub(crate) tables: u32,
    /// What memories and tables have at first, in bytes.
    pub(crate) bytes: u64,
}

impl Needs {
    pub(super) fn add(&mut self, other: Self) {
        // A component with more instances than a number can hold was refused before.
        self.core_instances = self.core_instances.saturating_add(other.core_instances);
        self.memories = self.memories.saturating_add(other.memories);
        self.tables = self.tables.saturating_add(other.tables);
        self.bytes = self.bytes.saturating_add(other.bytes);
    }
}
