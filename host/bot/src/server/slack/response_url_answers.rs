//! Answers that Slack's request no longer waits for.

use std::time::Duration;

use tokio::time::timeout;

use crate::server::state::BotState;
use maro_domain::ids::ChannelId;
use maro_process::telemetry::error_chain;
use maro_slack::{outgoing::message::Message, outgoing::response_url::ResponseUrl};

/// Sends an answer through the `response_url` of what it answers.
pub(crate) async fn reply(
    state: &BotState,
    channel: &ChannelId,
    response_url: Option<&ResponseUrl>,
    message: &Message,
) {
    let channel = channel.as_str();
    let Some(url) = response_url else {
        tracing::error!(channel, "a late answer has no response_url to go to");
        return state.metrics.late_reply("no_url");
    };
    match state.slack.response_url_client.post(url, message).await {
        Ok(()) => state.metrics.late_reply("delivered"),
        Err(error) => {
            tracing::error!(channel, error = error_chain(&error), "a late answer couldn't be delivered");
            state.metrics.late_reply("failed");
        }
    }
}

/// How long an answer waits until the question is gone.
const DELETION_PATIENCE: Duration = Duration::from_secs(2);

/// Takes away a question that is about to be answered. If it can't be, it stays.
pub(crate) async fn delete_original(
    state: &BotState,
    channel: &ChannelId,
    response_url: Option<&ResponseUrl>,
) {
    let Some(url) = response_url else { return };
    let deletion = state.slack.response_url_client.delete_original(url);
    let error = match timeout(DELETION_PATIENCE, deletion).await {
        Ok(Ok(())) => return,
        Ok(Err(error)) => error_chain(&error),
        Err(elapsed) => elapsed.to_string(),
    };
    tracing::info!(channel = channel.as_str(), error, "an answered question stays");
}
