//! From a file in the plugins folder to a plugin that can run.

pub(super) mod cache;
mod cache_folder;
pub(crate) mod ceiling;
pub(super) mod compiler;
pub mod compiler_process;
mod confinement;
pub mod error;
pub mod folder;
pub mod loader;
