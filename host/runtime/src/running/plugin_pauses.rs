//! After how many failures a plugin isn't run for a while, and for how long.

use std::time::Duration;

use maro_process::{breaker::BreakerSettings, http::retry::Backoff};

/// When a version of a plugin is paused, and for how long.
pub(super) const PAUSES: BreakerSettings = BreakerSettings {
    failures_to_open: 5,
    cool_down: Backoff {
        first: Duration::from_secs(30),
        longest: Duration::from_secs(10 * 60),
        certain: 1.0,
    },
    // Longer than any invocation.
    trial_limit: Duration::from_secs(10 * 60),
};
