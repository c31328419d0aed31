//! From a file in the plugins folder to a plugin that can run.

pub(super) mod cache;
mod cache_folder;
mod cache_key;
pub(super) mod compiler;
pub mod compiler_process;
mod confinement;
pub mod error;
pub mod folder;
pub mod image_code;
pub mod loader;
pub mod name_fault;
pub(crate) mod plugin_memory_budget;
pub mod progress;
pub mod version_history;

use std::{io, path::Path};

/// Whether compiled plugins can be kept in a folder, or read from it. It's made if it isn't there.
///
/// # Errors
/// Why not, as the end of a sentence.
pub fn try_cache(dir: &Path) -> io::Result<()> {
    cache::CodeCache::open(dir).map(drop)
}
