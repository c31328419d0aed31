//! Pressed buttons that run a command: the same as typing it.

use std::panic::AssertUnwindSafe;

use futures_util::FutureExt as _;

use crate::{
    commands::{self, CommandOutcome, Commands, Typed, issues::undo},
    server::{
        authentication::signed::note_replay,
        messages::unfurled_buttons,
        slack::{
            answers::{self, Reader},
            presser::presser,
            response_url_answers,
        },
        state::BotState,
    },
};
use maro_domain::{
    caller::Caller,
    reply::{Maker, Visibility},
    request_token::RequestToken,
};
use maro_slack::{
    command_button::{self, PressedCommand},
    interaction::BlockAction,
    outgoing::message::Message,
};
use maro_tickets::provenance::Provenance;

/// Runs the command behind a button as the person who pressed it, in the channel of the message, and answers
/// through the press's `response_url`. Other buttons belong to the tickets.
pub(crate) async fn pressed(state: &BotState, action: BlockAction, provenance: Provenance) {
    if let Some(key) = command_button::assigned_issue(&action, &state.slack.sealer) {
        return unfurled_buttons::assign(state, action, key, provenance).await;
    }
    let Some(pressed) = PressedCommand::of(&action, &state.slack.sealer) else {
        return state.tickets.pressed(action, &provenance).await;
    };
    let name = pressed.command_name.clone().unwrap_or_else(|| state.slack.renderer.command_in_use.name());
    let Some(caller) = presser(&action, provenance, pressed.command.to_owned(), name.clone()) else { return };
    let (maker, command) = (pressed.maker.as_ref(), pressed.command);
    let is_confirmed = pressed.is_confirmed || state.commands.runs_at_once(maker, command, &name).await;
    // What a plugin's button said was shown to the person who confirmed it.
    let text = if pressed.is_confirmed { command } else { Commands::command_of_now(maker, command) };
    let typed = Typed {
        caller: caller.clone(),
        text,
        team: action.team.as_deref(),
        trigger_id: action.trigger_id.as_deref(),
    };
    // A panic must not leave the person without an answer.
    let outcome = AssertUnwindSafe(state.commands.run_pressed(typed, is_confirmed)).catch_unwind().await;
    let outcome = outcome.unwrap_or_else(|_| commands::broken_off());
    if caller.request.as_ref().is_some_and(RequestToken::is_replay) {
        return note_replay(state);
    }
    let place = Place::of(&pressed, &action, &outcome, &state.commands.named_by(command, &name));
    let goes_on = place == Place::Message && is_update(&outcome) && !caller.is_undoing();
    let has_changed_the_list = !goes_on && has_changed_the_list(&outcome);
    // If there was nothing to change any more, the message is out of date.
    let may_be_old = has_changed_the_list || has_changed_nothing(command, &outcome);
    let redrawing = pressed.redraws_with.filter(|_| may_be_old);
    let (channel, response_url) = (&caller.channel, action.response_url.as_ref());
    if place == Place::InsteadOfMessage {
        response_url_answers::delete_original(state, channel, response_url).await;
    }
    let message = if goes_on { answers::going_on } else { answers::message };
    if let Some(message) = message(state, outcome, Reader::of(&caller)) {
        let message = if place == Place::Message { replacing(message, &action) } else { message };
        response_url_answers::reply(state, channel, response_url, &message).await;
    }
    if has_changed_the_list {
        unfurled_buttons::redraw(state, &action, &caller).await;
    }
    if let Some(command) = redrawing
        && let Some(message) = redrawn(state, command, &caller, pressed.command).await
    {
        response_url_answers::reply(state, channel, response_url, &replacing(message, &action)).await;
    }
}

/// Where an answer goes, as seen from the message with the button.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// Below it.
    Below,
    /// In its place.
    Message,
    /// To others who don't see the message, which has been answered and goes.
    InsteadOfMessage,
}

impl Place {
    /// `answers`: the command that does.
    fn of(
        pressed: &PressedCommand<'_>,
        action: &BlockAction,
        outcome: &CommandOutcome,
        answers: &str,
    ) -> Self {
        let is_update = is_update(outcome) && is_own_answer(pressed, answers);
        let is_refused = matches!(outcome, CommandOutcome::Refused(_));
        let is_answered = pressed.is_question && !is_refused;
        // What was on the screen before is worth more than the news that there is nothing new.
        if (pressed.replaces_message || is_answered) && is_for_caller(outcome)
            || is_update && !action.is_ephemeral
        {
            Self::Message
        } else if is_update || is_answered {
            Self::InsteadOfMessage
        } else {
            Self::Below
        }
    }
}

/// Whether it's an answer that only the person who pressed sees.
fn is_for_caller(outcome: &CommandOutcome) -> bool {
    match outcome {
        CommandOutcome::Replied(reply) | CommandOutcome::Showed(reply, _) => {
            reply.visibility == Visibility::Caller
        }
        CommandOutcome::Refused(_) | CommandOutcome::InModal => false,
    }
}

/// Whether it's to take the place of the message with the button.
fn is_update(outcome: &CommandOutcome) -> bool {
    matches!(outcome, CommandOutcome::Replied(reply) if reply.visibility == Visibility::Update)
}

/// Whether others have been shown something, as what a command changes is.
fn has_changed_the_list(outcome: &CommandOutcome) -> bool {
    matches!(outcome, CommandOutcome::Replied(reply) if reply.visibility != Visibility::Caller)
}

/// Whether a command that changes the list says to one person that it hasn't.
fn has_changed_nothing(command: &str, outcome: &CommandOutcome) -> bool {
    let changes_lists = ["track ", "untrack "].iter().any(|name| command.starts_with(name));
    changes_lists
        && matches!(outcome, CommandOutcome::Replied(reply) if reply.visibility == Visibility::Caller)
}

/// The message with the button as `command` shows it now, with a way back from what was pressed. `None` if it can't be
/// shown any more.
async fn redrawn(state: &BotState, command: &str, caller: &Caller, pressed: &str) -> Option<Message> {
    let typed = Typed { caller: caller.clone(), text: command, team: None, trigger_id: None };
    let outcome = AssertUnwindSafe(state.commands.run(typed)).catch_unwind().await.ok()?;
    let CommandOutcome::Showed(mut reply, command) = outcome else { return None };
    let undo = undo::row(&reply, pressed);
    reply.blocks.extend(undo);
    answers::message(state, CommandOutcome::Showed(reply, command), Reader::of(caller))
}

/// The message in the place of that with the button.
fn replacing(message: Message, action: &BlockAction) -> Message {
    if action.is_ephemeral { message.replacing_original() } else { message.replacing_posted() }
}

/// Whether the command that answers is the plugin's that has written the message with the button, and so may put its
/// answer in that place.
fn is_own_answer(pressed: &PressedCommand<'_>, answers: &str) -> bool {
    matches!(&pressed.maker, Some(Maker::Plugin(maker)) if **maker == *answers)
}
