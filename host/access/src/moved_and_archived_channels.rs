//! What channels were called before, and which of them nobody can write to: what Slack's events said, as all replicas
//! know it.

use std::sync::{Arc, PoisonError, RwLock};

use maro_domain::ids::ChannelId;
use maro_store::{
    channels::{ChannelBook, ChannelHistory, Pause},
    database::error::DatabaseError,
};

/// The ids of channels through time.
#[derive(Default)]
pub struct KnownChannels(RwLock<Arc<ChannelHistory>>);

impl KnownChannels {
    /// The id that a channel has today.
    pub fn current(&self, channel: &ChannelId) -> ChannelId {
        let history = self.history();
        let moved = history.former.iter().find(|(old, _)| old == channel);
        moved.map_or(channel, |(_, new)| new).clone()
    }

    /// The ids that a channel had before. What operators wrote about those holds for it.
    pub fn former(&self, channel: &ChannelId) -> Vec<ChannelId> {
        let history = self.history();
        history.former.iter().filter(|(_, new)| new == channel).map(|(old, _)| old.clone()).collect()
    }

    /// Why nobody can write to a channel, if so.
    pub fn pause(&self, channel: &ChannelId) -> Option<Pause> {
        self.history().paused.iter().find(|(paused, _)| paused == channel).map(|(_, pause)| *pause)
    }

    /// The channels that the bot was removed from, as far as is known.
    pub(crate) fn left(&self) -> Vec<ChannelId> {
        let history = self.history();
        let left = history.paused.iter().filter(|(_, pause)| *pause == Pause::Left);
        left.map(|(channel, _)| channel.clone()).collect()
    }

    /// Reads what is known. Returns the channels in which other people can be since it was read last.
    ///
    /// # Errors
    /// The database fails. What was known stays.
    pub(crate) async fn read(&self, book: &dyn ChannelBook) -> Result<Vec<ChannelId>, DatabaseError> {
        let history = book.recall().await?;
        let known = self.history();
        let is_news = |shared: &&(String, ChannelId)| !known.shared.contains(shared);
        let news = history.shared.iter().filter(is_news).map(|(_, channel)| channel.clone()).collect();
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(history);
        Ok(news)
    }

    fn history(&self) -> Arc<ChannelHistory> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }
}
