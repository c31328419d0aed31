//! The claims, with somebody who watches the calls.

use async_trait::async_trait;
use jiff::Timestamp;

use crate::{claimed_notices::NoticeClaims, database::error::DatabaseError, observer::Observed};

#[async_trait]
impl NoticeClaims for Observed<dyn NoticeClaims> {
    async fn claim(
        &self,
        subject: &str,
        content: &str,
        now: Timestamp,
        told_before: Timestamp,
    ) -> Result<bool, DatabaseError> {
        self.watch("refusal_claim", self.table.claim(subject, content, now, told_before)).await
    }

    async fn release(&self, subject: &str, claimed_at: Timestamp) -> Result<(), DatabaseError> {
        self.watch("refusal_release", self.table.release(subject, claimed_at)).await
    }
}
