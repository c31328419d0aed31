//! People of other workspaces, in channels that organizations share: told that the bot isn't theirs, and counted.

use std::sync::Arc;

use crate::server::{slack::telling_one_person, state::BotState};
use maro_access::workspace::Stranger;
use maro_domain::ids::TeamId;
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
    telling_one_person::message(state, asker, texts::rights::access::OTHER_WORKSPACE)
}

/// What Slack waits for after a stranger's interaction. The person is told after the acknowledgement.
pub(crate) fn refuse(state: &Arc<BotState>, interaction: Interaction) -> Vec<u8> {
    if let Interaction::OptionsWanted(_) = interaction {
        return answer::options_json(&[]);
    }
    let task_state = Arc::clone(state);
    state.tasks.spawn(async move {
        if let Some(asker) = interaction.asker() {
            telling_one_person::tell(&task_state, asker, texts::rights::access::OTHER_WORKSPACE).await;
        }
    });
    Vec::new()
}

/// Tells a stranger who says something to MARO, once, however often Slack sends it. Of no other event is an answer
/// waited for.
pub(crate) fn refuse_said(state: &Arc<BotState>, said: Addressed) {
    if !state.seen_requests.is_new(signature::event_id(&said.event_id), state.clock.now()) {
        return;
    }
    let task_state = Arc::clone(state);
    state.tasks.spawn(async move {
        let asker = Asker { user: &said.user, channel: Some(&said.channel), response_url: None };
        telling_one_person::tell(&task_state, asker, texts::rights::access::OTHER_WORKSPACE).await;
    });
}
