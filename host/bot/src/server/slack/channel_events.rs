//! What becomes of channels: their lists, drafts and the plugins' values follow them, and nothing is ever dropped.

use std::{sync::Arc, time::Duration};

use crate::server::state::BotState;
use maro_domain::ids::ChannelId;
use maro_process::telemetry::error_chain;
use maro_slack::events::channel_event::{ChannelEvent, ChannelNews};
use maro_store::{
    channels::{ChannelChange, Occurrence, Pause},
    database::error::DatabaseError,
};

/// The pauses before the database is asked again, where Slack doesn't send an event again.
const PAUSES: [u64; 4] = [1, 5, 20, 60];

/// Writes down what an event says, once, however often it comes.
///
/// # Errors
/// The database fails, so the event has to come again.
pub(crate) async fn follow(state: &BotState, event: &ChannelEvent) -> Result<(), DatabaseError> {
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
        // People join channels all day. What this replica remembers of pauses may be too old. That the bot has joined
        // is noted in any case: word that it left before may be late.
        ChannelNews::Joined { channel, is_bot } => {
            let is_noted = *is_bot || state.stores.channels.is_waited_for(channel).await?;
            (is_noted.then_some(ChannelChange::Resumed { channel }), vec![])
        }
        // Channels are known by their ids alone.
        ChannelNews::Renamed(channel) => (None, vec![channel]),
        ChannelNews::Shared(channel) => (Some(ChannelChange::Shared { channel }), vec![channel]),
    };
    channels.into_iter().for_each(|channel| state.access.forget_channel(channel));
    let Some(change) = change else { return Ok(()) };
    let what = Occurrence { event: &event.id, happened_us: event.happened_us };
    if state.stores.channels.note(what, change, state.clock.now()).await? {
        tracing::info!(event = event.id, change = ?change, "followed what happened to a channel");
    }
    state.access.read_channels(&*state.stores.channels).await
}

/// As [`follow`], for an event that doesn't come again.
pub(crate) async fn follow_surely(state: Arc<BotState>, event: ChannelEvent) {
    let mut pauses = PAUSES.iter();
    while let Err(error) = follow(&state, &event).await {
        let Some(pause) = pauses.next() else {
            let error = error_chain(&error);
            return tracing::error!(event = event.id, error, "couldn't follow what happened to a channel");
        };
        tokio::time::sleep(Duration::from_secs(*pause)).await;
    }
}

/// Somebody uses MARO in a channel, so it's there, and people write to it, whatever was said of it before: its list
/// is in use.
pub(crate) fn note_use(state: &BotState, channel: &ChannelId) {
    if state.access.known_channels.pause(channel).is_none() {
        return;
    }
    let (book, access) = (Arc::clone(&state.stores.channels), Arc::clone(&state.access));
    let (channel, now) = (channel.clone(), state.clock.now());
    state.tasks.spawn(async move {
        let use_id = format!("use {:032x}", rand::random::<u128>());
        // Slack's clock isn't this one.
        let what = Occurrence { event: &use_id, happened_us: None };
        let noted = book.note(what, ChannelChange::Resumed { channel: &channel }, now).await;
        if noted.is_ok() {
            // The other replicas read it soon, and so does this one if this fails.
            let _ = access.read_channels(&*book).await;
        }
    });
}
