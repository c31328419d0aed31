//! Begins digests whose time has come. Several replicas do so: the row of each has the next time, and the one that
//! moves that on has begun it. What was missed while nothing ran is one digest.

use std::{sync::Arc, time::Duration};

use jiff::{SignedDuration, Timestamp};
use tokio_util::sync::CancellationToken;

use crate::digests::{
    content::DONE_FOR,
    schedule::{Schedule, zone_named},
};
use maro_process::{clock::Clock, telemetry::error_chain};
use maro_store::{
    database::error::DatabaseError,
    notices::{DueDigest, Notices},
};

/// How often it's looked for digests that are due.
const POLL: Duration = Duration::from_secs(1);

/// The pause while the database doesn't answer.
const DATABASE_PAUSE: Duration = Duration::from_secs(5);

pub struct DigestStarter {
    pub notices: Arc<dyn Notices>,
    pub clock: Clock,
}

impl DigestStarter {
    /// Works until `shutdown`.
    pub async fn run(self, shutdown: CancellationToken) {
        loop {
            let pause = match self.begin_due().await {
                Ok(()) => POLL,
                Err(error) => {
                    tracing::debug!(error = error_chain(&error), "digests are late");
                    DATABASE_PAUSE
                }
            };
            if shutdown.run_until_cancelled(tokio::time::sleep(pause)).await.is_none() {
                return;
            }
        }
    }

    async fn begin_due(&self) -> Result<(), DatabaseError> {
        for due in self.notices.due_digests(self.clock.ahead()).await? {
            // By the database's clock: a replica whose own is fast would begin the digests of all.
            let now = due.now;
            let next = next(&due, now);
            let done_before = now.checked_sub(DONE_FOR).unwrap_or(Timestamp::UNIX_EPOCH);
            if self.notices.begin_digest(&due, next, done_before, now).await? {
                tracing::info!(channel = due.channel.as_str(), "began a digest");
            }
        }
        Ok(())
    }
}

/// When the next one is due. A schedule that only a newer MARO knows is looked at again in a day.
fn next(due: &DueDigest, now: Timestamp) -> Timestamp {
    let (zone, _) = zone_named(due.zone.as_deref());
    match Schedule::parse(&due.schedule) {
        Some(schedule) => schedule.next_after(now, &zone),
        None => now.checked_add(SignedDuration::from_hours(24)).unwrap_or(Timestamp::MAX),
    }
}
