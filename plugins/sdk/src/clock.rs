//! The time of day. Grant: `clock`.

use crate::{bindings::maro::plugin::clock, host::host};

/// Seconds since 1970-01-01T00:00:00Z.
pub fn now() -> u64 {
    host!(clock::now())
}
