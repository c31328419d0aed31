//! How this program is called.

use std::path::{Path, PathBuf};

/// What to type to run this program. If `cargo run` started it, its path is within the checkout.
pub(crate) fn program() -> &'static str {
    let started_as = std::env::args_os().next().map(PathBuf::from).unwrap_or_default();
    if started_as.starts_with("target") { "cargo run --" } else { "maro" }
}

/// The words after it that start a session in this folder.
pub(crate) fn starting() -> &'static str {
    if Path::new("plugin.toml").is_file() { "plugin dev" } else { "dev" }
}
