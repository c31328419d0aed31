//! What one plugin may use. Every limit is on by default; `[limits]` in `NAME.toml` changes it.

use std::time::Duration;

use serde::Deserialize;

use maro_store::plugin_storage::Quota;
use maro_texts as texts;

/// The interval between two looks at a guest's CPU time. A guest that computes for long yields at the same
/// interval.
pub const EPOCH_TICK: Duration = Duration::from_millis(5);

/// How long a command waits when a plugin, or all of MARO, has reached its limit of invocations.
pub const TURN_TIMEOUT: Duration = Duration::from_secs(5);

/// How many invocations run at once, over all plugins. The instance pool has the same number of places.
pub const MAX_INVOCATIONS: usize = 64;

/// Bytes that a guest may hand to the host in one call or one reply, before anything looks at them.
pub const MAX_LIFTED_BYTES: usize = 512 * 1024;

/// The largest memory that `memory-mib` may ask for, in MiB: the size of a place in the instance pool.
pub const MAX_MEMORY_MIB: u32 = 256;

/// The most elements in a guest's table of functions. Large interpreters need about ten thousand.
pub const MAX_TABLE_ELEMENTS: usize = 50_000;

/// Core instances, memories and tables of one plugin. An interpreter comes as a dozen linked modules.
pub const MAX_CORE_INSTANCES: u32 = 64;
pub const MAX_MEMORIES: u32 = 4;
pub const MAX_TABLES: u32 = 32;

/// What all invocations together may have of the instance pool, beside a place each.
pub const POOL_MEMORIES: u32 = MAX_INVOCATIONS as u32 * 2;
pub const POOL_TABLES: u32 = MAX_INVOCATIONS as u32 * 8;

/// How much memory an element of a table takes.
pub const TABLE_ELEMENT_BYTES: usize = 8;

/// The longest log line of a guest, in bytes.
pub const MAX_LOG_LINE_BYTES: usize = 1024;

/// The limits of one plugin, with `[limits]`'s keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Limits {
    /// Linear memory of one invocation, in MiB.
    pub memory_mib: u32,
    /// Time in guest code of one invocation, in milliseconds.
    pub cpu_ms: u32,
    /// Time of one invocation from start to end, in milliseconds.
    pub wall_ms: u32,
    /// Calls of capabilities in one invocation.
    pub host_calls: u32,
    /// Text of one reply, in KiB.
    pub reply_kib: u32,
    /// Lines logged by one invocation.
    pub log_lines: u32,
    /// Invocations of this plugin at once.
    pub concurrency: u32,
    /// Keys that it keeps in one channel, and the same number for all channels together.
    pub storage_keys: u32,
    /// Bytes of these keys and their values, in KiB.
    pub storage_kib: u32,
    /// Bytes of all keys and values that it keeps anywhere, in KiB.
    pub storage_total_kib: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            memory_mib: 64,
            cpu_ms: 500,
            wall_ms: 15_000,
            host_calls: 100,
            reply_kib: 64,
            log_lines: 32,
            concurrency: 32,
            storage_keys: 1_000,
            storage_kib: 1_024,
            storage_total_kib: 16 * 1_024,
        }
    }
}

impl Limits {
    /// The first limit that is zero or above what the host can give, as a sentence.
    pub fn problem(&self) -> Option<String> {
        let bounds = [
            ("memory-mib", self.memory_mib, MAX_MEMORY_MIB),
            ("cpu-ms", self.cpu_ms, 60_000),
            ("wall-ms", self.wall_ms, 120_000),
            ("host-calls", self.host_calls, 10_000),
            ("reply-kib", self.reply_kib, 256),
            ("log-lines", self.log_lines, 1_000),
            ("concurrency", self.concurrency, MAX_INVOCATIONS as u32),
            ("storage-keys", self.storage_keys, 100_000),
            ("storage-kib", self.storage_kib, 65_536),
            ("storage-total-kib", self.storage_total_kib, 1_048_576),
        ];
        bounds
            .into_iter()
            .find(|(_, value, max)| *value == 0 || value > max)
            .map(|(key, value, max)| texts::plugins::manifests::limit_out_of_bounds(key, max, value))
    }

    /// Each limit with its key in `[limits]`.
    pub fn named(&self) -> [(&'static str, u32); 10] {
        [
            ("memory-mib", self.memory_mib),
            ("cpu-ms", self.cpu_ms),
            ("wall-ms", self.wall_ms),
            ("host-calls", self.host_calls),
            ("reply-kib", self.reply_kib),
            ("log-lines", self.log_lines),
            ("concurrency", self.concurrency),
            ("storage-keys", self.storage_keys),
            ("storage-kib", self.storage_kib),
            ("storage-total-kib", self.storage_total_kib),
        ]
    }

    pub fn storage(&self) -> Quota {
        let bytes = |kib: u32| u64::from(kib) * 1024;
        Quota {
            keys: self.storage_keys,
            bytes: bytes(self.storage_kib),
            plugin_bytes: bytes(self.storage_total_kib),
        }
    }

    pub fn wall(&self) -> Duration {
        Duration::from_millis(u64::from(self.wall_ms))
    }

    pub fn memory_bytes(&self) -> usize {
        self.memory_mib as usize * 1024 * 1024
    }

    pub fn cpu(&self) -> Duration {
        Duration::from_millis(u64::from(self.cpu_ms))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reference_states_the_defaults_and_the_bounds() {
        let reference = include_str!("../../../../plugins/REFERENCE.md");
        let Limits {
            memory_mib,
            cpu_ms,
            wall_ms,
            host_calls,
            reply_kib,
            log_lines,
            concurrency,
            storage_keys,
            storage_kib,
            storage_total_kib,
        } = Limits::default();
        for (key, default) in [
            ("memory-mib", memory_mib),
            ("cpu-ms", cpu_ms),
            ("wall-ms", wall_ms),
            ("host-calls", host_calls),
            ("reply-kib", reply_kib),
            ("log-lines", log_lines),
            ("concurrency", concurrency),
            ("storage-keys", storage_keys),
            ("storage-kib", storage_kib),
            ("storage-total-kib", storage_total_kib),
        ] {
            let row = reference.lines().find(|line| line.starts_with(&format!("| `{key}` |"))).unwrap();
            let cells: Vec<_> = row.trim_matches('|').split('|').map(str::trim).collect();
            assert_eq!(cells[2], default.to_string(), "{row}");
            let most: u32 = cells[3].parse().unwrap();
            let bound = |value| {
                let toml = format!("{key} = {value}");
                toml::from_str::<Limits>(&toml).unwrap().problem()
            };
            assert_eq!(bound(most), None, "{row}");
            assert!(bound(most + 1).is_some(), "{row}");
        }
    }
}
