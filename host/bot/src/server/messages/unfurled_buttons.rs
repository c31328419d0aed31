//! Buttons below what MARO shows of an issue that somebody wrote about, and redrawing that after a press.

use std::panic::AssertUnwindSafe;

use futures_util::FutureExt as _;

use crate::{
    commands,
    server::{
        authentication::signed::note_replay,
        messages::named_keys,
        slack::{
            answers::{self, Reader},
            presser::presser,
            response_url_answers,
        },
        state::BotState,
    },
};
use maro_domain::{caller::Caller, issue::IssueKey, reply::Reply, request_token::RequestToken};
use maro_process::telemetry::error_chain;
use maro_slack::{command_button, interaction::BlockAction};
use maro_tickets::provenance::Provenance;

/// Assigns an issue to the person who pressed, tells them alone what came of it, and shows everybody who is at it now.
pub(crate) async fn assign(state: &BotState, action: BlockAction, key: IssueKey, provenance: Provenance) {
    let name = state.slack.renderer.command_in_use.name();
    let Some(caller) = presser(&action, provenance, format!("assign {key}"), name) else { return };
    // A panic must not leave the person without an answer.
    let assigned = AssertUnwindSafe(state.commands.assign_to_caller(&caller, &key)).catch_unwind().await;
    if caller.request.as_ref().is_some_and(RequestToken::is_replay) {
        return note_replay(state);
    }
    let is_assigned = matches!(assigned, Ok(Ok(_)));
    let outcome = match assigned {
        Ok(Ok(sentence) | Err(sentence)) => commands::CommandOutcome::Refused(Reply::sentence(sentence)),
        Err(_) => commands::broken_off(),
    };
    if let Some(message) = answers::message(state, outcome, Reader::of(&caller)) {
        response_url_answers::reply(state, &caller.channel, action.response_url.as_ref(), &message).await;
    }
    if is_assigned {
        redraw(state, &action, &caller).await;
    }
}

/// Shows an issue as it is now: below the link that it's shown below, or in the answer to its key.
pub(crate) async fn redraw(state: &BotState, action: &BlockAction, caller: &Caller) {
    if let Some(keys) = command_button::named_issues(action, &state.slack.sealer) {
        let shown = state.commands.unfurl_all(caller, keys.clone()).await;
        // What can't be shown just now isn't taken away.
        if shown.len() == keys.len() {
            let message = named_keys::message(state, caller, shown).replacing_original();
            response_url_answers::reply(state, &caller.channel, action.response_url.as_ref(), &message).await;
        }
        return;
    }
    let (Some(url), Some(message_ts)) = (&action.unfurled_url, &action.message_ts) else { return };
    let Some(key) = state.commands.issue_behind(url) else { return };
    let Some(reply) = state.commands.unfurl(caller, key).await else { return };
    let message = state.slack.renderer.render(&reply, &caller.channel, &caller.user);
    let shown = [(url.clone(), message)];
    if let Err(error) = state.slack.web_api.unfurl(&caller.channel, message_ts, &shown).await {
        let error = error_chain(&error);
        tracing::info!(channel = caller.channel.as_str(), error, "what a link is shown as stays as it was");
    }
}
