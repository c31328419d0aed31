//! Prunes the audit log, once a day.

use std::{sync::Arc, time::Duration};

use jiff::{SignedDuration, Timestamp};
use tokio_util::sync::CancellationToken;

use maro_process::{clock::Clock, telemetry::error_chain};
use maro_store::audit::{AuditLog, Pruned};

/// How often this replica looks whether it's time. Of all replicas, the first to look does the work.
const INTERVAL: Duration = Duration::from_secs(60 * 60);

/// The pause before the first look, so that a start isn't slower for it.
const FIRST_PAUSE: Duration = Duration::from_secs(60);

/// How long the log isn't pruned again. A little less than a day, so that it's about the same hour each day.
const SILENCE: SignedDuration = SignedDuration::from_hours(23);

pub(crate) struct AuditUpkeep {
    pub(crate) log: Arc<dyn AuditLog>,
    pub(crate) clock: Clock,
    /// `MARO_AUDIT_DAYS`.
    pub(crate) days: u16,
}

impl AuditUpkeep {
    /// Prunes the log until `shutdown`.
    pub(crate) async fn run(self, shutdown: CancellationToken) {
        let mut pause = FIRST_PAUSE;
        while shutdown.run_until_cancelled(tokio::time::sleep(pause)).await.is_some() {
            self.prune().await;
            pause = INTERVAL;
        }
    }

    async fn prune(&self) {
        let now = self.clock.now();
        let before = |age: SignedDuration| now.checked_sub(age).unwrap_or(Timestamp::UNIX_EPOCH);
        let kept_since = before(SignedDuration::from_hours(24 * i64::from(self.days)));
        match self.log.prune(kept_since, before(SILENCE), now).await {
            Ok(Pruned::NotDue) => {}
            Ok(Pruned::Removed(entries)) => {
                tracing::info!(entries, days = self.days, "old entries of the audit log were removed");
            }
            Err(error) => {
                tracing::debug!(error = error_chain(&error), "the audit log wasn't pruned");
            }
        }
    }
}
