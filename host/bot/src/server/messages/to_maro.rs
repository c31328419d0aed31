//! Messages to MARO: in a conversation with it they are commands without a slash, and everywhere a request for help.

use std::{panic::AssertUnwindSafe, sync::Arc};

use futures_util::FutureExt as _;

use crate::{
    commands::{self, Typed},
    server::{
        authentication::signed::{new_handling, note_replay},
        slack::answers::{self, Reader},
        state::BotState,
    },
};
use maro_domain::{
    caller::{Caller, Way},
    ids::TeamId,
};
use maro_process::telemetry::error_chain;
use maro_slack::{events::addressed::Addressed, signature};
use maro_store::channels::{ChannelChange, Occurrence};

/// Answers where the message stands: in a channel, in its thread. Once, however often Slack sends it. While the database
/// can't say whether it was answered, it's answered as a command is, which then says so; what it changes, it changes once.
pub(crate) async fn answer(state: Arc<BotState>, said: Addressed, foreign_team: Option<TeamId>) {
    // Who is spoken to there can be heard there.
    let resumed = ChannelChange::Resumed { channel: &said.channel };
    let what = Occurrence { event: &said.event_id, happened_us: None };
    match state.stores.channels.note(what, resumed, state.clock.now()).await {
        Ok(true) => {}
        Ok(false) => return,
        Err(error) => {
            let error = error_chain(&error);
            tracing::info!(event = said.event_id, error, "a message to MARO may be answered twice");
        }
    }
    if !said.is_direct && has_been_answered(&state, &said).await {
        return;
    }
    let name = state.slack.renderer.command_in_use.name();
    let request = new_handling(signature::event_id(&said.event_id));
    let caller = Caller {
        channel: said.channel.clone(),
        user: said.user.clone(),
        user_name: None,
        team: said.team.clone(),
        foreign_team,
        way: Way::Typed,
        command_name: name.clone(),
        request: Some(request.clone()),
    };
    let outcome = if said.is_direct {
        let typed = Typed {
            caller,
            text: &said.text,
            team: said.team.as_ref().map(TeamId::as_str),
            trigger_id: None,
        };
        let work = AssertUnwindSafe(state.commands.run_said(typed)).catch_unwind();
        work.await.unwrap_or_else(|_| commands::broken_off())
    } else {
        state.commands.help_said(false)
    };
    if request.is_replay() {
        return note_replay(&state);
    }
    let reader = Reader { channel: &said.channel, user: &said.user, name: &name };
    let Some(message) = answers::message(&state, outcome, reader) else { return };
    let thread = said.thread_ts.as_deref().or((!said.is_direct).then_some(said.ts.as_str()));
    if let Err(error) = state.slack.web_api.post_message(&said.channel, thread, &message).await {
        tracing::warn!(
            channel = said.channel.as_str(),
            error = error_chain(&error),
            "a message to MARO wasn't answered"
        );
    }
}

/// Whether a mention was answered before somebody edited it. That it is answered now is noted.
async fn has_been_answered(state: &BotState, said: &Addressed) -> bool {
    let message = format!("mention {} {}", said.channel.as_str(), said.ts);
    let what = Occurrence { event: &message, happened_us: None };
    let resumed = ChannelChange::Resumed { channel: &said.channel };
    let is_new = state.stores.channels.note(what, resumed, state.clock.now()).await;
    said.is_edited && matches!(is_new, Ok(false))
}
