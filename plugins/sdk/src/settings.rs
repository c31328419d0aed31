//! The operator's settings for this plugin, from the table `[settings]` of its `NAME.toml`. Grant:
//! `settings`.
//!
//! ```no_run
//! # use maro_plugin::{RunError, settings};
//! # fn team() -> Result<String, RunError> {
//! let team = settings::get("team").ok_or_else(|| RunError::failed("Ask your MARO admin to set `team`."))?;
//! # Ok(team)
//! # }
//! ```

use crate::{bindings::maro::plugin::settings, host::host};

/// The value of a setting, if the operator has set one. Numbers and booleans are written as in TOML.
pub fn get(name: &str) -> Option<String> {
    host!(settings::get(name))
}

/// All settings with their values, ordered by name.
pub fn all() -> Vec<(String, String)> {
    host!(settings::all())
}
