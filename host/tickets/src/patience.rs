//! How long Jira may take.

use std::time::Duration;

use tokio::time::Instant;

/// For what somebody waits for in a modal.
pub(crate) const LOOK_UP_PATIENCE: Duration = Duration::from_secs(8);

/// For creating something: giving up early leaves it unknown.
pub(crate) const CREATE_PATIENCE: Duration = Duration::from_secs(15);

/// The moment at which `patience` ends.
pub(crate) fn deadline(patience: Duration) -> Instant {
    Instant::now() + patience
}
