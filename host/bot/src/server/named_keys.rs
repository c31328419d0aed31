//! Keys of issues in people's messages: answered in a thread, where the channel asked for that.

use std::{sync::Arc, time::Duration};

use crate::server::state::BotState;
use maro_domain::{
    caller::{Caller, Way},
    issue::IssueKey,
    reply::{Block, Reply, Visibility},
};
use maro_process::telemetry::error_chain;
use maro_slack::{command_button, events::named_keys::NamedKeys, outgoing::message::Message};

/// How many issues of one message are shown.
const MAX_SHOWN: usize = 2;

/// How long an issue that was shown in a channel isn't shown there again, whether by a link or by its key.
const ONCE_IN: Duration = Duration::from_secs(30 * 60);

/// Shows the issues that a message names, if its channel wants that. What isn't an issue, or may not be shown there, isn't
/// mentioned.
pub(super) async fn answer(state: Arc<BotState>, named: NamedKeys) {
    let NamedKeys { user, team, channel, ts, thread_ts, keys } = named;
    // If the database doesn't say so, it's quiet.
    if !state.stores.notices.answers_keys(&channel).await.unwrap_or(false) {
        return;
    }
    let caller = Caller {
        channel,
        user,
        user_name: None,
        team,
        foreign_team: None,
        way: Way::Typed,
        command_name: state.slack.renderer.command_in_use.name(),
        request: None,
    };
    let channel = &caller.channel;
    let mut shown = Vec::new();
    for (key, reply) in state.commands.unfurl_all(&caller, keys).await {
        if shown.len() == MAX_SHOWN {
            break;
        }
        match state.stores.notices.show_link(channel, &key, ONCE_IN).await {
            Ok(true) => shown.push((key, reply)),
            Ok(false) => {}
            // Shown twice would be worse than not at all.
            Err(error) => tracing::debug!(error = error_chain(&error), "an issue isn't shown"),
        }
    }
    if shown.is_empty() {
        return;
    }
    let message = message(&state, &caller, shown);
    let thread = thread_ts.as_deref().unwrap_or(&ts);
    if let Err(error) = state.slack.web_api.post_message(channel, Some(thread), &message).await {
        tracing::info!(channel = channel.as_str(), error = error_chain(&error), "named issues weren't shown");
    }
}

/// One message for all of them, which can be drawn anew.
pub(super) fn message(state: &BotState, caller: &Caller, shown: Vec<(IssueKey, Reply)>) -> Message {
    let (keys, replies): (Vec<IssueKey>, Vec<Reply>) = shown.into_iter().unzip();
    let blocks: Vec<Block> = replies.into_iter().flat_map(|reply| reply.blocks).collect();
    let reply = Reply { visibility: Visibility::Channel, blocks };
    let message = state.slack.renderer.render(&reply, &caller.channel, &caller.user);
    message.redrawn_by(&command_button::naming(&keys), &state.slack.sealer)
}
