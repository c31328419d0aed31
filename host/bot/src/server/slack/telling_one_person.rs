//! Says something to one person alone.

use crate::server::state::BotState;
use maro_domain::{ids::ChannelId, reply::Reply};
use maro_process::telemetry::error_chain;
use maro_slack::{events::sender::Asker, outgoing::message::Message};

pub(crate) fn message(state: &BotState, asker: Asker<'_>, text: &str) -> Message {
    let reply = Reply::sentence(text);
    // Without a channel it goes to the person.
    let nowhere = ChannelId::of_person(asker.user);
    state.slack.renderer.render(&reply, asker.channel.unwrap_or(&nowhere), asker.user)
}

/// To somebody whose request was acknowledged: below it, or else as a direct message.
pub(crate) async fn tell(state: &BotState, asker: Asker<'_>, text: &str) {
    let message = message(state, asker, text);
    let told = match asker.response_url {
        Some(url) => state
            .slack
            .response_url_client
            .post(url, &message)
            .await
            .map_err(|error| error_chain(&error).to_string()),
        None => {
            let person = ChannelId::of_person(asker.user);
            let posted = state.slack.web_api.post_message(&person, None, &message).await;
            posted.map(drop).map_err(|error| error_chain(&error).to_string())
        }
    };
    if let Err(error) = told {
        tracing::info!(error, "couldn't tell a person");
    }
}
