//! When another process takes over what one has begun.

use jiff::SignedDuration;

/// How long an intent may be idle before another process takes it over. Longer than any single step of its
/// owner.
pub(super) const LEASE: SignedDuration = SignedDuration::from_secs(25);
