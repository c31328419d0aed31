//! What becomes of channels: their lists, drafts and the plugins' values follow them, and nothing is ever dropped.

use std::{sync::Arc, time::Duration};

use crate::server::state::BotState;
use maro_process::telemetry::error_chain;
use maro_slack::channel_event::{ChannelEvent, ChannelNews};
use maro_store::{
    channels::{ChannelChange, Pause},
    database::error::DatabaseError,
};

/// The pauses before the database is asked again, where Slack doesn't send an event again.
const PAUSES: [u64; 4] = [1, 5, 20, 60];

/// Writes down what an event says, once, however often it comes.
///
/// # Errors
/// The database fails, so the event has to come again.
pub(super) async fn follow(state: &BotState, event: &ChannelEvent) -> Result<(), DatabaseError> {
    let (change, channels) = match &event.what {
        ChannelNews::Moved { old, new } => (Some(ChannelChange::Moved { old, new }), vec![old, new]),
        ChannelNews::Archived(channel) => {
            (Some(ChannelChange::Paused { channel, pause: Pause::Archived }), vec![channel])
        }
        ChannelNews::Deleted(channel) => {
            (Some(ChannelChange::Paused { channel, pause: Pause::Deleted }), vec![channel])
        }
        ChannelNews::Unarchived(channel) => (Some(ChannelChange::Resumed { channel }), vec![channel]),
        // Channels are known by their ids alone.
        ChannelNews::Renamed(channel) => (None, vec![channel]),
    };
    channels.into_iter().for_each(|channel| state.access.forget_channel(channel));
    let Some(change) = change else { return Ok(()) };
    if state.stores.channels.note(&event.id, change, state.clock.now()).await? {
        tracing::info!(event = event.id, change = ?change, "followed what happened to a channel");
    }
    state.access.channel_names.read(&*state.stores.channels).await
}

/// As [`follow`], for an event that doesn't come again.
pub(super) async fn follow_surely(state: Arc<BotState>, event: ChannelEvent) {
    let mut pauses = PAUSES.iter();
    while let Err(error) = follow(&state, &event).await {
        let Some(pause) = pauses.next() else {
            let error = error_chain(&error);
            return tracing::error!(event = event.id, error, "couldn't follow what happened to a channel");
        };
        tokio::time::sleep(Duration::from_secs(*pause)).await;
    }
}
