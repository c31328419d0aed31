//! What becomes of channels: their lists, drafts and the plugins' values follow them, and nothing is ever dropped.

use std::{sync::Arc, time::Duration};

use crate::server::state::BotState;
use maro_domain::ids::ChannelId;
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
        ChannelNews::Left(channel) => {
            (Some(ChannelChange::Paused { channel, pause: Pause::Left }), vec![channel])
        }
        ChannelNews::Unarchived(channel) => (Some(ChannelChange::Resumed { channel }), vec![channel]),
        // People join channels all day.
        ChannelNews::Joined(channel) => {
            let is_paused = state.access.channel_names.pause(channel).is_some();
            (is_paused.then_some(ChannelChange::Resumed { channel }), vec![])
        }
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

/// Somebody uses MARO in a channel. One that the bot was removed from isn't left alone any more: its list is in use.
pub(super) fn note_use(state: &BotState, channel: &ChannelId) {
    if state.access.channel_names.pause(channel) != Some(Pause::Left) {
        return;
    }
    let (book, access) = (Arc::clone(&state.stores.channels), Arc::clone(&state.access));
    let (channel, now) = (channel.clone(), state.clock.now());
    state.tasks.spawn(async move {
        let use_id = format!("use {:032x}", rand::random::<u128>());
        let noted = book.note(&use_id, ChannelChange::Resumed { channel: &channel }, now).await;
        if noted.is_ok() {
            // The other replicas read it soon, and so does this one if this fails.
            let _ = access.channel_names.read(&*book).await;
        }
    });
}
