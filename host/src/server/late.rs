//! Answers that were not ready in time for Slack's request.

use crate::{
    server::state::BotState,
    slack::{command::SlashCommand, message::Message},
    telemetry::error_chain,
};

/// Sends a command's answer through its `response_url`.
pub(super) async fn reply(state: &BotState, command: &SlashCommand, message: &Message) {
    let channel = command.channel.as_str();
    let Some(url) = &command.response_url else {
        tracing::error!(channel, "a late answer has no response_url to go to");
        return state.metrics.late_reply("no_url");
    };
    match state.response_url_client.post(url, message).await {
        Ok(()) => state.metrics.late_reply("delivered"),
        Err(error) => {
            tracing::error!(channel, error = error_chain(&error), "a late answer was not delivered");
            state.metrics.late_reply("failed");
        }
    }
}
