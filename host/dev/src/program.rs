//! How this program is called.

use std::path::PathBuf;

/// What to type for this program: what `cargo run` started has a path within the checkout.
pub(crate) fn program() -> &'static str {
    let started_as = std::env::args_os().next().map(PathBuf::from).unwrap_or_default();
    if started_as.starts_with("target") { "cargo run --" } else { "maro" }
}
