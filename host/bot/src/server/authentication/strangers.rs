//! People of other workspaces, in channels that organisations share: told that the bot isn't theirs, and counted.

use std::sync::Arc;

use crate::server::state::BotState;
use maro_access::workspace::Stranger;
use maro_domain::{
    ids::{ChannelId, TeamId},
    reply::Reply,
};
use maro_process::telemetry::error_chain;
use maro_slack::{
    events::addressed::Addressed,
    events::sender::{Asker, Sender},
    interaction::{Interaction, answer},
    outgoing::message::Message,
    signature,
};
use maro_texts as texts;

/// The person's workspace, if it isn't the bot's own.
///
/// # Errors
/// It's a [`Stranger`], who has been counted.
pub(crate) async fn admit(state: &BotState, sender: &Sender) -> Result<Option<TeamId>, Stranger> {
    let admitted = state.workspace.standing(sender).await.admitted();
    if admitted.is_err() {
        note_refused(state, sender.person_team(), sender.enterprise.as_deref());
    }
    admitted
}

/// Counts a stranger.
pub(crate) fn note_refused(state: &BotState, team: Option<&str>, enterprise: Option<&str>) {
    state.metrics.request_rejected("stranger");
    tracing::info!(
        team,
        enterprise,
        "refused a request from another workspace; SLACK_ALLOWED_TEAMS can allow it"
    );
}

/// What a stranger reads.
pub(crate) fn message(state: &BotState, asker: Asker<'_>) -> Message {
    sentence(state, asker, texts::rights::access::OTHER_WORKSPACE)
}

fn sentence(state: &BotState, asker: Asker<'_>, text: &str) -> Message {
    let reply = Reply::sentence(text);
    // Without a channel it goes to the person.
    let nowhere = ChannelId::of_person(asker.user);
    state.slack.renderer.render(&reply, asker.channel.unwrap_or(&nowhere), asker.user)
}

/// What Slack waits for after a stranger's interaction. The person is told after the acknowledgement.
pub(crate) fn refuse(state: &Arc<BotState>, interaction: Interaction) -> Vec<u8> {
    if let Interaction::OptionsWanted(_) = interaction {
        return answer::options_json(&[]);
    }
    let task_state = Arc::clone(state);
    state.tasks.spawn(async move {
        if let Some(asker) = interaction.asker() {
            tell(&task_state, asker, texts::rights::access::OTHER_WORKSPACE).await;
        }
    });
    Vec::new()
}

/// Tells a stranger who says something to MARO, once, however often Slack sends it. Of no other event is an answer waited
/// for.
pub(crate) fn refuse_said(state: &Arc<BotState>, said: Addressed) {
    if !state.seen_requests.is_new(signature::event_id(&said.event_id), state.clock.now()) {
        return;
    }
    let task_state = Arc::clone(state);
    state.tasks.spawn(async move {
        let asker = Asker { user: &said.user, channel: Some(&said.channel), response_url: None };
        tell(&task_state, asker, texts::rights::access::OTHER_WORKSPACE).await;
    });
}

/// Says something to a person alone, whose request was acknowledged.
pub(crate) async fn tell(state: &BotState, asker: Asker<'_>, text: &str) {
    let message = sentence(state, asker, text);
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
        tracing::info!(error, "couldn't tell somebody why their request was refused");
    }
}
