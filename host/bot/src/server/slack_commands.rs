//! `POST /slack/commands`: a slash command in, its answer out or on its way.

use std::{sync::Arc, time::Duration};

use crate::{
    commands::{self, Typed},
    server::{
        late,
        request::{Rejection, check_slack_signature, read_body},
        state::BotState,
    },
};
use axum::{
    extract::{Request, State},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use maro_domain::{caller::Caller, reply::Reply};
use maro_process::handover::{self, Waited};
use maro_slack::{
    command::{self, CommandRequest, SlashCommand},
    message::Message,
};
use maro_tickets::texts;

/// How long Slack's request is kept waiting. Slack gives up after three seconds, and the answer needs
/// some of that for its way.
const INLINE_PATIENCE: Duration = Duration::from_millis(2_500);

/// Takes the request whole, as taking its headers alone would copy them.
pub(super) async fn receive(State(state): State<Arc<BotState>>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    let body = match read_body(&head.headers, body).await {
        Ok(body) => body,
        Err(rejection) => return rejection.into_response(&state),
    };
    if command::is_ssl_check(&body) {
        return StatusCode::OK.into_response();
    }
    if let Err(rejection) = check_slack_signature(&state, &head.headers, &body) {
        return rejection.into_response(&state);
    }
    match command::parse(&body, &state.response_urls) {
        Ok(CommandRequest::Command(command)) => {
            json_response(answer_to(state, *command, INLINE_PATIENCE).await)
        }
        Ok(CommandRequest::SslCheck) => StatusCode::OK.into_response(),
        Err(error) => {
            tracing::warn!(%error, "a signed request is no slash command");
            let sentence = "The request is no slash command.\n";
            Rejection { status: StatusCode::BAD_REQUEST, sentence, reason: "malformed" }.into_response(&state)
        }
    }
}

/// A JSON document, or a bare acknowledgement if there is none.
pub(super) fn json_response(body: Vec<u8>) -> Response {
    if body.is_empty() {
        return StatusCode::OK.into_response();
    }
    ([(header::CONTENT_TYPE, "application/json; charset=utf-8")], body).into_response()
}

/// The answer as JSON if the command is done within `patience`; else nothing, and it goes to the command's
/// `response_url`. Always one answer, and never two.
pub(super) async fn answer_to(state: Arc<BotState>, command: SlashCommand, patience: Duration) -> Vec<u8> {
    let command = Arc::new(command);
    let work = {
        let (state, command) = (Arc::clone(&state), Arc::clone(&command));
        async move { run(&state, &command).await }
    };
    let late = {
        let (state, command) = (Arc::clone(&state), Arc::clone(&command));
        async move |message: Option<Message>| {
            if let Some(message) = message {
                late::reply(&state, &command.channel, command.response_url.as_ref(), &message).await;
            }
        }
    };
    match handover::within(&state.tasks, patience, work, late).await {
        Waited::Done(Some(message)) => message.to_answer(),
        // What there is to see is in a modal, or comes later.
        Waited::Done(None) | Waited::Later => Vec::new(),
        Waited::Lost => {
            let incident = commands::new_incident().to_string();
            tracing::error!(incident, "a command ended without an answer");
            let reply = Reply::sentence(texts::faults::internal(&incident));
            state.renderer.render(&reply, &command.channel, &command.user).to_answer()
        }
    }
}

async fn run(state: &BotState, command: &SlashCommand) -> Option<Message> {
    state.wait_until_loaded().await;
    let typed = Typed {
        caller: Caller {
            channel: command.channel.clone(),
            user: command.user.clone(),
            user_name: command.user_name.clone(),
        },
        text: &command.text,
        team: command.team_id.as_deref(),
        trigger_id: command.trigger_id.as_deref(),
        is_pressed: false,
    };
    let reply = state.commands.run(typed).await.into_reply()?;
    Some(state.renderer.render(&reply, &command.channel, &command.user))
}
