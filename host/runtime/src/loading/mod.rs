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

use std::{fs, io, os::unix::fs::MetadataExt as _, path::Path};

/// Whether compiled plugins can be kept in a folder, or some are in one that MARO may only read. What isn't there is
/// made for a moment: by its owner, the bot is kept out.
///
/// # Errors
/// Why it can't be used at all, as the end of a sentence.
pub fn try_cache(dir: &Path) -> io::Result<bool> {
    let made = dir.ancestors().take_while(|folder| !folder.as_os_str().is_empty() && !folder.exists()).last();
    let tried = cache::CodeCache::open(dir).map(|cache| !cache.is_given() || cache.has_entries());
    if let Some(made) = made {
        // What's left of it is harmless, and can be removed by anyone who may.
        let _ = fs::remove_dir_all(made);
    }
    tried
}

/// Whether this user's compiled plugins belong in a folder.
pub fn is_own_cache(dir: &Path) -> bool {
    fs::metadata(dir).is_ok_and(|metadata| metadata.uid() == rustix::process::geteuid().as_raw())
}
