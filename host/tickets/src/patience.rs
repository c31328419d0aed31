//! How long Jira may take.

use std::time::Duration;

use tokio::time::Instant;

/// For a look-up that somebody in a modal waits for.
pub(crate) const LOOK_UP_PATIENCE: Duration = Duration::from_secs(8);

/// For creating something: if MARO gave up early, the outcome would be unknown.
pub(crate) const CREATE_PATIENCE: Duration = Duration::from_secs(15);

/// The time at which `patience` ends.
pub(crate) fn deadline(patience: Duration) -> Instant {
    Instant::now() + patience
}
