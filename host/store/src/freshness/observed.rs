//! The freshness of issues, with somebody who watches the calls.

use async_trait::async_trait;
use jiff::Timestamp;

use crate::{
    database::error::DatabaseError,
    freshness::{Ages, Freshness, Waiting},
    observer::Observed,
};
use maro_domain::issue::{Issue, IssueKey};

#[async_trait]
impl Freshness for Observed<dyn Freshness> {
    async fn claim(&self, ages: Ages, limit: u32, holder: i64) -> Result<Vec<IssueKey>, DatabaseError> {
        self.watch("fresh_claim", self.table.claim(ages, limit, holder)).await
    }

    async fn renew(&self, holder: i64) -> Result<(), DatabaseError> {
        self.watch("fresh_renew", self.table.renew(holder)).await
    }

    async fn release(&self, holder: i64) -> Result<(), DatabaseError> {
        self.watch("fresh_release", self.table.release(holder)).await
    }

    async fn put_off(&self, keys: &[IssueKey], until: Timestamp) -> Result<(), DatabaseError> {
        self.watch("fresh_put_off", self.table.put_off(keys, until)).await
    }

    async fn forget(&self, issue: &Issue) -> Result<(), DatabaseError> {
        self.watch("fresh_forget", self.table.forget(issue)).await
    }

    async fn is_outdated(&self, issues: &[Issue]) -> Result<Vec<bool>, DatabaseError> {
        self.watch("fresh_outdated", self.table.is_outdated(issues)).await
    }

    async fn waiting(&self) -> Result<Option<Waiting>, DatabaseError> {
        self.watch("fresh_waiting", self.table.waiting()).await
    }
}
