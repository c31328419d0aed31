//! `POST /slack/commands`: a slash command in, its answer out or on its way.

use std::{sync::Arc, time::Duration};

use axum::{
    extract::{Request, State},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use tokio::{sync::oneshot, time::timeout};

use crate::{
    commands::{self, Typed},
    domain::reply::Reply,
    plugin::instance::Caller,
    server::{
        late,
        request::{Rejection, check_slack_signature, read_body},
        state::BotState,
    },
    slack::{
        command::{self, CommandRequest, SlashCommand},
        message::Message,
    },
    texts,
};

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

/// The answer as JSON if the command is done within `patience`; else nothing, and it is answered later.
///
/// The command runs in a task of its own, so that it neither stops nor loses its answer if Slack hangs
/// up. The channel between the two decides who answers: a sent answer is this one, one that can no longer
/// be sent goes to `response_url`. So there is always one answer and never two.
pub(super) async fn answer_to(state: Arc<BotState>, command: SlashCommand, patience: Duration) -> Vec<u8> {
    let (sender, mut receiver) = oneshot::channel();
    let (channel, user) = (command.channel.clone(), command.user.clone());
    let task_state = Arc::clone(&state);
    state.tasks.spawn(async move {
        let message = run(&task_state, &command).await;
        if let Err(Some(message)) = sender.send(message) {
            late::reply(&task_state, &command, &message).await;
        }
    });
    let message = match timeout(patience, &mut receiver).await {
        Ok(message) => message,
        Err(_) => {
            // From here on sending fails; what was sent before this moment is still ours to give.
            receiver.close();
            match receiver.try_recv() {
                Ok(message) => Ok(message),
                Err(_) => return Vec::new(),
            }
        }
    };
    match message {
        Ok(Some(message)) => message.to_answer(),
        // What there is to see is in a modal.
        Ok(None) => Vec::new(),
        // The task is gone without an answer: it panicked.
        Err(_) => {
            let incident = commands::new_incident();
            tracing::error!(incident, "a command ended without an answer");
            let reply = Reply::sentence(texts::internal_fault(&incident));
            state.renderer.render(&reply, &channel, &user).to_answer()
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
    };
    let reply = state.commands.run(typed).await?;
    Some(state.renderer.render(&reply, &command.channel, &command.user))
}
