//! The history of channels, with somebody who watches the calls.

use async_trait::async_trait;
use jiff::Timestamp;

use crate::{
    channels::{ChannelBook, ChannelChange, ChannelHistory, Occurrence},
    database::error::DatabaseError,
    observer::Observed,
};
use maro_domain::ids::ChannelId;

#[async_trait]
impl ChannelBook for Observed<dyn ChannelBook> {
    async fn note(
        &self,
        what: Occurrence<'_>,
        change: ChannelChange<'_>,
        now: Timestamp,
    ) -> Result<bool, DatabaseError> {
        self.watch("channel_note", self.table.note(what, change, now)).await
    }

    async fn is_waited_for(&self, channel: &ChannelId) -> Result<bool, DatabaseError> {
        self.watch("channel_waiting", self.table.is_waited_for(channel)).await
    }

    async fn recall(&self) -> Result<ChannelHistory, DatabaseError> {
        self.watch("channel_recall", self.table.recall()).await
    }
}
