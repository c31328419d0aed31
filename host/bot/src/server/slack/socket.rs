//! Socket Mode: what otherwise comes to `/slack/…` comes through a connection that the bot opens.

use std::{sync::Arc, time::Duration};

use crate::server::{
    authentication::signed::new_handling,
    messages::{strangers, to_maro},
    slack::{channel_events, commands, home, interactions},
    state::BotState,
};
use maro_slack::{
    config::SlackConfig,
    events::addressed,
    events::channel_event,
    events::home_event,
    events::named_keys,
    events::shared_links,
    socket::{SocketMode, request::SocketRequest},
};

/// How long a request may wait for its answer; what takes longer is answered later. It is short, as the
/// acknowledgements that still wait are lost with their connection.
const PATIENCE: Duration = Duration::from_millis(500);

/// Connects to Slack if the settings say so, and answers with the same code as over HTTP.
pub(crate) fn start(config: &SlackConfig, state: &Arc<BotState>) -> Option<SocketMode> {
    let calls = state.metrics.slack.clone();
    let handling = Arc::clone(state);
    let socket = SocketMode::measured(config, calls, move |request, id| {
        let state = Arc::clone(&handling);
        async move {
            match request {
                SocketRequest::Command(command) => {
                    commands::answer_to(state, *command, Some(new_handling(id)), PATIENCE).await
                }
                SocketRequest::Interaction(received) => {
                    interactions::answer_to(&state, received, Some(new_handling(id)), PATIENCE).await
                }
                SocketRequest::Event(event) => {
                    let said = addressed::parse(event.json.as_bytes());
                    let Ok(foreign_team) = strangers::admit(&state, &event.sender).await else {
                        said.into_iter().for_each(|said| strangers::refuse_said(&state, said));
                        return Vec::new();
                    };
                    if let Some(addressed) = said {
                        state.tasks.spawn(to_maro::answer(Arc::clone(&state), addressed, foreign_team));
                        return Vec::new();
                    }
                    if let Some(links) = shared_links::parse(event.json.as_bytes()) {
                        state
                            .tasks
                            .spawn(crate::server::messages::shared_links::show(Arc::clone(&state), links));
                        return Vec::new();
                    }
                    if let Some(named) = named_keys::parse(event.json.as_bytes()) {
                        state
                            .tasks
                            .spawn(crate::server::messages::named_keys::answer(Arc::clone(&state), named));
                        return Vec::new();
                    }
                    if let Some(home) = home_event::parse(event.json.as_bytes()) {
                        state.tasks.spawn(home::show(Arc::clone(&state), home));
                        return Vec::new();
                    }
                    match channel_event::parse(event.json.as_bytes()) {
                        // Once acknowledged, it doesn't come again.
                        Some(event) => {
                            state.tasks.spawn(channel_events::follow_surely(Arc::clone(&state), event));
                        }
                        None => tracing::debug!(kind = event.kind, "an event was left alone"),
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
