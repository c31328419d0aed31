//! `POST /slack/commands`: a slash command in, its answer out or on its way.

use std::{sync::Arc, time::Duration};

use axum::{
    extract::State,
    http::{StatusCode, header, request::Parts},
    response::{IntoResponse as _, Response},
};
use tracing::Instrument as _;

use crate::{
    commands::{self, Typed},
    server::{
        authentication::strangers,
        authentication::{
            signed::{Signed, SignedBody, check_slack_signature, note_replay},
            unsigned_body::Rejection,
        },
        slack::{
            answer_deadlines,
            answers::{self, Reader},
            channel_events, response_url_answers,
        },
        state::BotState,
    },
};
use maro_domain::{
    caller::{Caller, Way},
    command_name::CommandName,
    ids::TeamId,
    request_token::RequestToken,
};
use maro_process::{
    in_time_or_late::{self, Waited},
    spans,
};
use maro_slack::{
    command::{self, CommandError, CommandRequest, SlashCommand},
    events::sender::Asker,
    outgoing::message::Message,
    signature::RequestId,
};

impl SignedBody for CommandRequest {
    const ADDRESS: &'static str = "/slack/commands";
    const MALFORMED: &'static str = "The request isn't a slash command.\n";

    type Error = CommandError;

    /// Slack's check of our certificate comes without a signature, asks for nothing and tells nothing.
    fn check_signature(state: &BotState, head: &Parts, body: &[u8]) -> Result<Option<RequestId>, Rejection> {
        if command::is_ssl_check(body) {
            return Ok(None);
        }
        check_slack_signature(state, &head.headers, body).map(Some)
    }

    fn is_signed(&self) -> bool {
        !matches!(self, Self::SslCheck)
    }

    fn parse(state: &BotState, body: &[u8]) -> Result<Self, CommandError> {
        // Whatever came without a signature must be nothing else.
        if command::is_ssl_check(body) {
            return Ok(Self::SslCheck);
        }
        command::parse(body, &state.slack.response_urls)
    }
}

pub(crate) async fn receive(
    State(state): State<Arc<BotState>>,
    Signed(carried, request): Signed<CommandRequest>,
) -> Response {
    match carried {
        CommandRequest::Command(command) => {
            json_response(answer_to(state, *command, request, answer_deadlines::COMMAND).await)
        }
        CommandRequest::SslCheck => StatusCode::OK.into_response(),
    }
}

/// A JSON document, or a bare acknowledgement if there is none.
pub(crate) fn json_response(body: Vec<u8>) -> Response {
    if body.is_empty() {
        return StatusCode::OK.into_response();
    }
    ([(header::CONTENT_TYPE, "application/json; charset=utf-8")], body).into_response()
}

/// The answer as JSON if the command is done within `patience`; else nothing, and it goes to the command's
/// `response_url`. Always one answer, and never two.
pub(crate) async fn answer_to(
    state: Arc<BotState>,
    command: SlashCommand,
    request: Option<RequestToken>,
    patience: Duration,
) -> Vec<u8> {
    let command = Arc::new(command);
    let team = command.team_id.as_deref().unwrap_or_default();
    let span = spans::request("command", team, command.channel.as_str(), command.user.as_str());
    let work = {
        let (state, command) = (Arc::clone(&state), Arc::clone(&command));
        async move { run(&state, &command, request).await }.instrument(span.clone())
    };
    let late = {
        let (state, command) = (Arc::clone(&state), Arc::clone(&command));
        async move |message: Option<Option<Message>>| {
            if let Some(message) = message.unwrap_or_else(|| broken_off(&state, &command)) {
                let channel = &command.channel;
                response_url_answers::reply(&state, channel, command.response_url.as_ref(), &message)
                    .instrument(span)
                    .await;
            }
        }
    };
    match in_time_or_late::within(&state.tasks, patience, work, late).await {
        Waited::Done(message) => answer(message),
        Waited::Late => Vec::new(),
        Waited::Panicked => answer(broken_off(&state, &command)),
    }
}

/// Nothing if what there is to see is in a modal.
fn answer(message: Option<Message>) -> Vec<u8> {
    message.map(|message| message.to_answer()).unwrap_or_default()
}

/// What is said of a command that panicked.
fn broken_off(state: &BotState, command: &SlashCommand) -> Option<Message> {
    let name = called(command);
    let reader = Reader { channel: &command.channel, user: &command.user, name: &name };
    answers::message(state, commands::broken_off(), reader)
}

/// What this person calls `/maro`.
fn called(command: &SlashCommand) -> CommandName {
    CommandName::parse(&command.command).unwrap_or_default()
}

/// What there is to say, if anything. A copy of a command that has changed something is told nothing.
async fn run(state: &BotState, command: &SlashCommand, request: Option<RequestToken>) -> Option<Message> {
    let Ok(foreign_team) = strangers::admit(state, &command.sender()).await else {
        let asker = Asker { user: &command.user, channel: Some(&command.channel), response_url: None };
        return Some(strangers::message(state, asker));
    };
    channel_events::note_use(state, &command.channel);
    let name = called(command);
    state.slack.renderer.command_in_use.learn(&name);
    let typed = Typed {
        caller: Caller {
            channel: command.channel.clone(),
            user: command.user.clone(),
            user_name: command.user_name.clone(),
            team: command.team_id.as_deref().and_then(|team| TeamId::parse(team).ok()),
            foreign_team,
            way: Way::Typed,
            command_name: name.clone(),
            request: request.clone(),
        },
        text: &command.text,
        team: command.team_id.as_deref(),
        trigger_id: command.trigger_id.as_deref(),
    };
    let outcome = state.commands.run(typed).await;
    if request.as_ref().is_some_and(RequestToken::is_replay) {
        note_replay(state);
        return None;
    }
    answers::message(state, outcome, Reader { channel: &command.channel, user: &command.user, name: &name })
}
