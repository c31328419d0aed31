//! The audit log, with somebody who watches the calls.

use async_trait::async_trait;
use jiff::Timestamp;

use crate::{
    audit::{AuditLog, Entry, Pruned},
    database::error::DatabaseError,
    observer::Observed,
};
use maro_domain::{author::Author, request_token::RequestToken};

#[async_trait]
impl AuditLog for Observed<dyn AuditLog> {
    async fn begin(&self, author: &Author, entry: Entry<'_>, now: Timestamp) -> Result<(), DatabaseError> {
        self.watch("audit_begin", self.table.begin(author, entry, now)).await
    }

    async fn note(&self, author: &Author, entry: Entry<'_>, now: Timestamp) -> Result<(), DatabaseError> {
        self.watch("audit_note", self.table.note(author, entry, now)).await
    }

    async fn is_replay(&self, request: &RequestToken) -> Result<bool, DatabaseError> {
        self.watch("audit_find", self.table.is_replay(request)).await
    }

    async fn prune(
        &self,
        kept_since: Timestamp,
        due_before: Timestamp,
        now: Timestamp,
    ) -> Result<Pruned, DatabaseError> {
        self.watch("audit_prune", self.table.prune(kept_since, due_before, now)).await
    }
}
