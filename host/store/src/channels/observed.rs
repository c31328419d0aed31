//! The history of channels, with somebody who watches the calls.

use async_trait::async_trait;
use jiff::Timestamp;

use crate::{
    channels::{ChannelBook, ChannelChange, ChannelHistory},
    database::error::DatabaseError,
    observer::Observed,
};

#[async_trait]
impl ChannelBook for Observed<dyn ChannelBook> {
    async fn note(
        &self,
        event_id: &str,
        change: ChannelChange<'_>,
        now: Timestamp,
    ) -> Result<bool, DatabaseError> {
        self.watch("channel_note", self.table.note(event_id, change, now)).await
    }

    async fn recall(&self) -> Result<ChannelHistory, DatabaseError> {
        self.watch("channel_recall", self.table.recall()).await
    }
}
