//! The time of day. Grant: `clock`.

pub use crate::bindings::maro::plugin::types::{HostError, HostErrorKind};
use crate::{bindings::maro::plugin::clock, host::host};

/// Seconds since 1970-01-01T00:00:00Z.
///
/// # Errors
/// [`HostErrorKind::Denied`] where the operator's scope doesn't allow it.
pub fn now() -> Result<u64, HostError> {
    host!(clock::now())
}
