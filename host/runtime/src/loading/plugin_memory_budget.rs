//! How much memory plugins and their compiler may have, and who says so.

use maro_process::container_memory::{self, LimitedBy};
use maro_texts::plugins::refused_files;

/// The memory for a compiler, at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ceiling {
    /// `MARO_PLUGIN_MEMORY_MIB`, which is for all plugins together.
    Setting { mib: u64 },
    /// The whole container.
    Container { mib: u64 },
    /// Nobody limits it but the machine.
    None,
}

impl Ceiling {
    pub(super) fn mib(self) -> Option<u64> {
        match self {
            Self::Setting { mib } | Self::Container { mib } => Some(mib),
            Self::None => None,
        }
    }

    pub(super) fn too_small_to_compile(self) -> String {
        match self {
            Self::Setting { mib } => refused_files::setting_too_small(mib),
            Self::Container { mib } => refused_files::container_too_small(mib),
            Self::None => String::new(),
        }
    }
}

/// The bytes for all plugins, from `MARO_PLUGIN_MEMORY_MIB` or from what there is, and the ceiling.
pub(super) fn memory_for_plugins(setting_mib: Option<u32>) -> (usize, Ceiling) {
    let available = container_memory::available();
    let half = usize::try_from(available.bytes / 2).unwrap_or(usize::MAX);
    match (setting_mib, available.limited_by) {
        (Some(mib), _) => {
            ((mib as usize).saturating_mul(1024 * 1024), Ceiling::Setting { mib: u64::from(mib) })
        }
        (None, LimitedBy::Container) => (half, Ceiling::Container { mib: available.bytes >> 20 }),
        (None, LimitedBy::Machine) => (half, Ceiling::None),
    }
}
