//! Socket Mode: what otherwise comes to `/slack/…` comes through a connection that the bot opens.

use std::sync::Arc;

use crate::server::{
    authentication::signed::new_handling,
    slack::{answer_deadlines, channel_events, commands, events, interactions},
    state::BotState,
};
use maro_slack::{
    config::SlackConfig,
    socket::{SocketMode, request::SocketRequest},
};

/// Connects to Slack if the settings say so, and answers with the same code as over HTTP.
pub(crate) fn start(config: &SlackConfig, state: &Arc<BotState>) -> Option<SocketMode> {
    let calls = state.metrics.slack.clone();
    let handling = Arc::clone(state);
    let socket = SocketMode::measured(config, calls, move |request, id| {
        let state = Arc::clone(&handling);
        async move {
            match request {
                SocketRequest::Command(command) => {
                    commands::answer_to(state, *command, Some(new_handling(id)), answer_deadlines::SOCKET)
                        .await
                }
                SocketRequest::Interaction(received) => {
                    interactions::answer_to(
                        &state,
                        received,
                        Some(new_handling(id)),
                        answer_deadlines::SOCKET,
                    )
                    .await
                }
                SocketRequest::Event(event) => {
                    if let Some(event) = events::begin(&state, *event).await {
                        // Once acknowledged, it doesn't come again.
                        state.tasks.spawn(channel_events::follow_surely(Arc::clone(&state), event));
                    }
                    Vec::new()
                }
            }
        }
    })
    // Without a token for it there is no Socket Mode, which is the usual case.
    .ok()?;
    // It begins once.
    let _ = state.slack.sockets.set(socket.connections());
    Some(socket)
}
