//! `POST /slack/interactions`: modals, buttons, shortcuts and selects, in; what Slack waits for, out.

use std::{panic::AssertUnwindSafe, sync::Arc, time::Duration};

use axum::{extract::State, response::Response};
use futures_util::FutureExt as _;
use tracing::{Instrument as _, Span};

use crate::{
    commands,
    server::{
        authentication::signed::{Signed, SignedBody, note_replay},
        authentication::strangers,
        slack::{
            answer_deadlines,
            answers::{self, Reader},
            buttons,
            commands::json_response,
            response_url_answers, telling_one_person,
        },
        state::BotState,
    },
};
use maro_domain::{
    caller::{Caller, Way},
    ids::{ChannelId, TeamId},
    request_token::RequestToken,
};
use maro_process::spans;
use maro_slack::interaction::{
    self, Interaction, MessageShortcut, Received, answer, error::InteractionError,
};
use maro_tickets::{form::modal::open::TRACK_FROM_MESSAGE, provenance::Provenance};

impl SignedBody for Received {
    const ADDRESS: &'static str = "/slack/interactions";
    const MALFORMED: &'static str = "The request isn't an interaction.\n";

    type Error = InteractionError;

    fn parse(state: &BotState, body: &[u8]) -> Result<Self, InteractionError> {
        interaction::parse_form(body, &state.slack.response_urls)
    }

    /// Slack asks for the same choices again without anything that tells the two apart.
    fn may_come_again(&self) -> bool {
        matches!(self.interaction, Interaction::OptionsWanted(_))
    }
}

pub(crate) async fn receive(
    State(state): State<Arc<BotState>>,
    Signed(received, request): Signed<Received>,
) -> Response {
    json_response(answer_to(&state, received, request, answer_deadlines::INTERACTION).await)
}

/// What Slack waits for; nothing for what it only wants acknowledged. Work that nobody waits for goes on
/// after the acknowledgement.
pub(crate) async fn answer_to(
    state: &Arc<BotState>,
    received: Received,
    request: Option<RequestToken>,
    patience: Duration,
) -> Vec<u8> {
    let span = span_of(&received);
    answer_within(state, received, request, patience).instrument(span).await
}

/// The beginning of a trace.
fn span_of(received: &Received) -> Span {
    let Received { sender, interaction } = received;
    let kind = match interaction {
        Interaction::ViewSubmitted(_) => "form",
        Interaction::ViewClosed(_) => "closed form",
        Interaction::OptionsWanted(_) => "choices",
        Interaction::ButtonPressed(_) => "button",
        Interaction::OptionChosen(_) => "choice",
        Interaction::Shortcut(_) | Interaction::MessageShortcut(_) => "shortcut",
        Interaction::Unknown { .. } => "unknown interaction",
    };
    let asker = interaction.asker();
    let channel = asker.and_then(|asker| asker.channel).map_or("", ChannelId::as_str);
    let user = asker.map_or("", |asker| asker.user.as_str());
    spans::request(kind, sender.team.as_deref().unwrap_or_default(), channel, user)
}

async fn answer_within(
    state: &Arc<BotState>,
    received: Received,
    request: Option<RequestToken>,
    patience: Duration,
) -> Vec<u8> {
    let Received { sender, interaction } = received;
    let Ok(foreign_team) = strangers::admit(state, &sender).await else {
        return strangers::refuse(state, interaction);
    };
    let tickets = Arc::clone(&state.tickets);
    match interaction {
        Interaction::ViewSubmitted(submitted) => {
            let provenance = Provenance { request, foreign_team };
            tickets.submitted(*submitted, provenance, patience).await.to_json()
        }
        Interaction::OptionsWanted(wanted) => answer::options_json(&tickets.options(&wanted).await),
        Interaction::ButtonPressed(action) => {
            let task_state = Arc::clone(state);
            let provenance = Provenance { request, foreign_team };
            let work = async move { buttons::pressed(&task_state, *action, provenance).await };
            state.tasks.spawn(work.in_current_span());
            Vec::new()
        }
        interaction @ (Interaction::Shortcut(_) | Interaction::MessageShortcut(_)) => {
            let task_state = Arc::clone(state);
            let provenance = Provenance { request, foreign_team };
            let work = async move { opened(&task_state, interaction, &provenance).await };
            state.tasks.spawn(work.in_current_span());
            Vec::new()
        }
        Interaction::OptionChosen(action) => {
            let work = async move { tickets.chosen(*action).await };
            state.tasks.spawn(work.in_current_span());
            Vec::new()
        }
        Interaction::ViewClosed(closed) => {
            let work = async move { tickets.closed(*closed).await };
            state.tasks.spawn(work.in_current_span());
            Vec::new()
        }
        Interaction::Unknown { kind } => {
            tracing::debug!(kind, "an unknown interaction was left alone");
            Vec::new()
        }
    }
}

/// Opens the form behind a shortcut, if the person may create issues. If the form doesn't open, the person is told why.
async fn opened(state: &BotState, interaction: Interaction, provenance: &Provenance) {
    if let Interaction::MessageShortcut(shortcut) = &interaction
        && shortcut.callback_id == TRACK_FROM_MESSAGE
    {
        return tracked(state, shortcut, provenance).await;
    }
    let Some(asker) = interaction.asker() else { return };
    let nowhere = ChannelId::of_person(asker.user);
    let place = asker.channel.unwrap_or(&nowhere);
    if let Err(sentence) = state.tickets.may_create(place, asker.user, provenance).await {
        return telling_one_person::tell(state, asker, &sentence).await;
    }
    let opened = match &interaction {
        Interaction::Shortcut(shortcut) => state.tickets.open_create_from_anywhere(shortcut).await,
        Interaction::MessageShortcut(shortcut) => state.tickets.open_create_from_message(shortcut).await,
        _ => return,
    };
    if let Err(sentence) = opened {
        telling_one_person::tell(state, asker, sentence).await;
    }
}

/// Tracks the issues that a message names, as if their keys were typed in its channel.
async fn tracked(state: &BotState, shortcut: &MessageShortcut, provenance: &Provenance) {
    let name = state.slack.renderer.command_in_use.name();
    let caller = Caller {
        channel: shortcut.channel.clone(),
        user: shortcut.user.clone(),
        user_name: None,
        team: shortcut.team.as_deref().and_then(|team| TeamId::parse(team).ok()),
        foreign_team: provenance.foreign_team.clone(),
        way: Way::Typed,
        command_name: name.clone(),
        request: provenance.request.clone(),
    };
    // A panic must not leave the person without an answer.
    let work = AssertUnwindSafe(state.commands.track_named(caller, &shortcut.words.text)).catch_unwind();
    let outcome = work.await.unwrap_or_else(|_| commands::broken_off());
    if provenance.request.as_ref().is_some_and(RequestToken::is_replay) {
        return note_replay(state);
    }
    let reader = Reader { channel: &shortcut.channel, user: &shortcut.user, name: &name };
    if let Some(message) = answers::message(state, outcome, reader) {
        response_url_answers::reply(state, &shortcut.channel, shortcut.response_url.as_ref(), &message).await;
    }
}
