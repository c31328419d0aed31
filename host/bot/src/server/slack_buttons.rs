//! Pressed buttons that run a command: the same as typing it.

use std::panic::AssertUnwindSafe;

use futures_util::FutureExt as _;

use crate::{
    commands::{self, CommandOutcome, Typed},
    server::{late_answers, signed::note_replay, state::BotState},
};
use maro_domain::{
    caller::{Caller, Way},
    ids::TeamId,
    reply::Reply,
    request::RequestToken,
};
use maro_slack::{command_button::PressedCommand, interaction::BlockAction};
use maro_tickets::{provenance::Provenance, texts};

/// Runs the command behind a button as the person who pressed it, in the channel of the message, and answers
/// through the press's `response_url`. Other buttons belong to the tickets.
pub(super) async fn pressed(state: &BotState, action: BlockAction, provenance: Provenance) {
    let Some(pressed) = PressedCommand::of(&action, &state.slack.sealer) else {
        return state.tickets.pressed(action, &provenance).await;
    };
    let Some(channel) = &action.channel else {
        return tracing::warn!(user = action.user.as_str(), "a pressed command belongs to no channel");
    };
    let (maker, command) = (pressed.maker.as_ref(), pressed.command);
    let is_confirmed = pressed.is_confirmed || state.commands.runs_at_once(maker, command).await;
    let name = pressed.command_name.clone().unwrap_or_else(|| state.slack.renderer.command_in_use.name());
    let typed = Typed {
        caller: Caller {
            channel: channel.clone(),
            user: action.user.clone(),
            user_name: action.user_name.clone(),
            team: action.team.as_deref().and_then(|team| TeamId::parse(team).ok()),
            foreign_team: provenance.foreign_team,
            way: Way::Pressed { command: pressed.command.to_owned() },
            command_name: name.clone(),
            request: provenance.request.clone(),
        },
        text: pressed.command,
        team: action.team.as_deref(),
        trigger_id: action.trigger_id.as_deref(),
    };
    // A panic must not leave the person without an answer.
    let outcome = AssertUnwindSafe(state.commands.run_pressed(typed, is_confirmed)).catch_unwind().await;
    let outcome = outcome.unwrap_or_else(|_| {
        let incident = commands::new_incident().to_string();
        tracing::error!(incident, "a pressed command ended without an answer");
        CommandOutcome::Refused(Reply::sentence(texts::faults::internal(&incident)))
    });
    if provenance.request.as_ref().is_some_and(RequestToken::is_replay) {
        return note_replay(state);
    }
    let (reply, replaces_message) = match outcome {
        CommandOutcome::Replied(reply) => (reply, pressed.replaces_message),
        // What was on the screen before is worth more than the news that there is nothing new.
        CommandOutcome::Refused(reply) => (reply, false),
        CommandOutcome::InModal => return,
    };
    let mut message = state.slack.renderer.render_called(&reply, channel, &action.user, &name);
    if replaces_message {
        message = message.replacing_original();
    }
    late_answers::reply(state, channel, action.response_url.as_ref(), &message).await;
}
