//! The queue of webhooks, with somebody who watches the calls.

use std::time::Duration;

use async_trait::async_trait;

use crate::{
    database::error::DatabaseError,
    observer::Observed,
    webhooks::{Changed, Webhook, WebhookQueue},
};

#[async_trait]
impl WebhookQueue for Observed<dyn WebhookQueue> {
    async fn put(&self, webhooks: &[Webhook]) -> Result<Vec<bool>, DatabaseError> {
        self.watch("webhook_put", self.table.put(webhooks)).await
    }

    async fn claim(
        &self,
        holder: i64,
        limit: u32,
        pace: Duration,
        overdue: Duration,
    ) -> Result<Vec<Changed>, DatabaseError> {
        self.watch("webhook_claim", self.table.claim(holder, limit, pace, overdue)).await
    }

    async fn renew(&self, holder: i64) -> Result<(), DatabaseError> {
        self.watch("webhook_renew", self.table.renew(holder)).await
    }

    async fn end(&self, holder: i64, read: &[Changed], pause: Duration) -> Result<(), DatabaseError> {
        self.watch("webhook_end", self.table.end(holder, read, pause)).await
    }

    async fn put_off(&self, holder: i64, unread: &[Changed], pause: Duration) -> Result<(), DatabaseError> {
        self.watch("webhook_put_off", self.table.put_off(holder, unread, pause)).await
    }

    async fn prune(&self) -> Result<(), DatabaseError> {
        self.watch("webhook_prune", self.table.prune()).await
    }
}
