//! When a file is tried again that failed for what may pass: an unreadable file, a compiler that was killed.

use std::time::Duration;

use tokio::time::Instant;

use crate::loading::error::LoadError;
use maro_process::http::retry::Backoff;

/// The pauses before what may have passed is tried again.
const PAUSES: Backoff =
    Backoff { first: Duration::from_secs(2), longest: Duration::from_secs(5 * 60), certain: 0.5 };

/// The attempts of one file that failed in a row for what may pass.
#[derive(Debug, Default)]
pub(super) struct Retrying {
    failures: u32,
    due: Option<Instant>,
}

impl Retrying {
    /// Notes a failure, whether or not it may pass.
    pub(super) fn fail(&mut self, reason: &LoadError, at: Instant) {
        self.failures = if reason.may_pass() { self.failures + 1 } else { 0 };
        self.due = reason.may_pass().then(|| at + PAUSES.pause(self.failures));
    }

    /// Whether it is time, which is said once.
    pub(super) fn take_due(&mut self, at: Instant) -> bool {
        self.due.take_if(|due| *due <= at).is_some()
    }
}
