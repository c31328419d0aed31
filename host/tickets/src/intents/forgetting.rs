//! Forgets what was finished long ago.

use jiff::{SignedDuration, Timestamp};

use crate::intents::exactly_once::Driver;
use maro_process::telemetry::error_chain;

/// The pause between two rounds.
const INTERVAL: SignedDuration = SignedDuration::from_hours(1);

/// How long finished intents are kept, so that a modal left open doesn't create a second ticket.
const KEPT: SignedDuration = SignedDuration::from_hours(24 * 7);

/// When the last round was.
#[derive(Default)]
pub(super) struct Forgetting {
    last: Option<Timestamp>,
}

impl Forgetting {
    /// Deletes old intents, unless that was done within the last hour.
    pub(super) async fn forget_if_due(&mut self, driver: &Driver) {
        let now = driver.clock.now();
        if self.last.is_some_and(|last| now.duration_since(last) <= INTERVAL) {
            return;
        }
        self.last = Some(now);
        let before = now.checked_sub(KEPT).unwrap_or(Timestamp::UNIX_EPOCH);
        if let Err(error) = driver.intents.forget_before(before).await {
            tracing::debug!(error = error_chain(&error), "couldn't remove old work");
        }
    }
}
