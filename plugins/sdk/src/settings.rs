//! What the operator sets for this plugin, in the table `[settings]` of its `NAME.toml`. Grant: `settings`.
//!
//! ```no_run
//! # use maro_plugin::{RunError, settings};
//! # fn team() -> Result<String, RunError> {
//! let team = settings::get("team").ok_or_else(|| RunError::failed("Whoever runs MARO has to set `team`."))?;
//! # Ok(team)
//! # }
//! ```

use crate::{bindings::maro::plugin::settings, host::host};

/// The value of a setting, if the operator gave one. Numbers and truth values as TOML writes them.
pub fn get(name: &str) -> Option<String> {
    host!(settings::get(name))
}

/// All of them with their values, by name.
pub fn all() -> Vec<(String, String)> {
    host!(settings::all())
}
