//! Keys of issues in people's messages: answered in a thread, where the channel asked for that.

use std::sync::Arc;

use crate::server::{
    authentication::strangers,
    messages::shown_once::{MAX_SHOWN, author, forget, may_show},
    state::BotState,
};
use maro_domain::{
    caller::Caller,
    issue::IssueKey,
    reply::{Block, Reply, Visibility},
};
use maro_process::telemetry::error_chain;
use maro_slack::{command_button, events::named_keys::NamedKeys, outgoing::message::Message};

/// Shows the issues that a message names, if its channel wants that. What isn't an issue, or may not be shown there,
/// isn't mentioned.
pub(crate) async fn answer(state: Arc<BotState>, named: NamedKeys) {
    let NamedKeys { user, team, channel, ts, thread_ts, keys } = named;
    // If the database doesn't say so, it's quiet.
    if !state.stores.notices.answers_keys(&channel).await.unwrap_or(false) {
        return;
    }
    if state.access.is_stranger_in(&channel, &user).await {
        // Whose workspace it is, the event may not say.
        return strangers::note_refused(&state, None, None);
    }
    let caller = author(&state, channel, user, team);
    let channel = &caller.channel;
    let mut shown = Vec::new();
    for (key, reply) in state.commands.unfurl_all(&caller, keys).await {
        if shown.len() == MAX_SHOWN {
            break;
        }
        if may_show(&state, channel, &key).await {
            shown.push((key, reply));
        }
    }
    if shown.is_empty() {
        return;
    }
    let noted: Vec<IssueKey> = shown.iter().map(|(key, _)| key.clone()).collect();
    let message = message(&state, &caller, shown);
    let thread = thread_ts.as_deref().unwrap_or(&ts);
    if let Err(error) = state.slack.web_api.post_message(channel, Some(thread), &message).await {
        tracing::info!(channel = channel.as_str(), error = error_chain(&error), "named issues weren't shown");
        if !error.is_outage() {
            forget(&state, channel, &noted).await;
        }
    }
}

/// One message for all of them, which can be redrawn.
pub(crate) fn message(state: &BotState, caller: &Caller, shown: Vec<(IssueKey, Reply)>) -> Message {
    let (keys, replies): (Vec<IssueKey>, Vec<Reply>) = shown.into_iter().unzip();
    let blocks: Vec<Block> = replies.into_iter().flat_map(|reply| reply.blocks).collect();
    let reply = Reply { visibility: Visibility::Channel, blocks };
    let message = state.slack.renderer.render(&reply, &caller.channel, &caller.user);
    message.redrawn_by(&command_button::naming(&keys), &state.slack.sealer)
}
