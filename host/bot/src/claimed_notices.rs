//! What one replica tells for all, and nobody again for a while.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use maro_process::{clock::Clock, telemetry::error_chain};
use maro_store::claimed_notices::NoticeClaims;

/// Who has told what lately, as all replicas know it.
#[derive(Clone)]
pub(crate) struct ClaimedNotices {
    pub(crate) table: Arc<dyn NoticeClaims>,
    pub(crate) clock: Clock,
}

/// That it's for us to tell.
pub(crate) struct NoticeClaim {
    subject: String,
    at: Timestamp,
}

impl ClaimedNotices {
    /// `None` if some replica has told of it within `silence`. If the database can't say, better twice than not at all.
    pub(crate) async fn claim(
        &self,
        subject: &str,
        content: &str,
        silence: SignedDuration,
    ) -> Option<NoticeClaim> {
        let now = self.clock.now();
        let told_before = now.checked_sub(silence).unwrap_or(Timestamp::UNIX_EPOCH);
        let is_ours = self.table.claim(subject, content, now, told_before).await.unwrap_or_else(|error| {
            tracing::debug!(subject, error = error_chain(&error), "a notice may be sent twice");
            true
        });
        is_ours.then(|| NoticeClaim { subject: subject.to_owned(), at: now })
    }

    /// Nobody could be told: the next to try may.
    pub(crate) async fn release(&self, claim: NoticeClaim) {
        let NoticeClaim { subject, at } = claim;
        if let Err(error) = self.table.release(&subject, at).await {
            tracing::debug!(subject, error = error_chain(&error), "a notice may be sent late");
        }
    }
}
