//! The operator's settings for this plugin, from the table `[settings]` of its `NAME.toml`. Grant:
//! `settings`.
//!
//! ```no_run
//! # use maro_plugin::{RunError, settings};
//! # fn team() -> Result<String, RunError> {
//! let team = settings::get("team")?.ok_or_else(|| RunError::failed("Ask your MARO admin to set `team`."))?;
//! # Ok(team)
//! # }
//! ```

pub use crate::bindings::maro::plugin::types::{HostError, HostErrorKind};
use crate::{bindings::maro::plugin::settings, host::host};

/// The value of a setting, if the operator has set one. Numbers and booleans are written as in TOML.
///
/// # Errors
/// [`HostErrorKind::Denied`] where the operator's scope doesn't allow it.
pub fn get(name: &str) -> Result<Option<String>, HostError> {
    host!(settings::get(name))
}

/// All settings with their values, ordered by name.
///
/// # Errors
/// As [`get`].
pub fn all() -> Result<Vec<(String, String)>, HostError> {
    host!(settings::all())
}
