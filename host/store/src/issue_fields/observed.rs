//! What is known of fields, with somebody who watches the calls.

use async_trait::async_trait;
use jiff::Timestamp;

use crate::{
    database::error::DatabaseError,
    issue_fields::{FieldAuthors, IssueFields, Look, Place, SeenFields},
    observer::Observed,
};
use maro_domain::issue::{Issue, IssueKey};

#[async_trait]
impl IssueFields for Observed<dyn IssueFields> {
    async fn unseen(&self, from: &Place, limit: u32) -> Result<Look, DatabaseError> {
        self.watch("fields_unseen", self.table.unseen(from, limit)).await
    }

    async fn put_off(&self, keys: &[IssueKey]) -> Result<(), DatabaseError> {
        self.watch("fields_put_off", self.table.put_off(keys)).await
    }

    async fn overdue(&self, from: &Place, limit: u32) -> Result<Look, DatabaseError> {
        self.watch("fields_overdue", self.table.overdue(from, limit)).await
    }

    async fn watched(&self, keys: &[IssueKey]) -> Result<Vec<IssueKey>, DatabaseError> {
        self.watch("fields_watched", self.table.watched(keys)).await
    }

    async fn seen(&self, issue: &Issue) -> Result<Option<SeenFields>, DatabaseError> {
        self.watch("fields_seen", self.table.seen(issue)).await
    }

    async fn note(
        &self,
        issue: &Issue,
        seen: &SeenFields,
        authors: &FieldAuthors,
        now: Timestamp,
    ) -> Result<(), DatabaseError> {
        self.watch("fields_note", self.table.note(issue, seen, authors, now)).await
    }
}
