//! `POST /jira/webhook`: Jira reports a change. Without a secret the address does not exist.

use std::sync::Arc;

use axum::{
    body::Body,
    extract::State,
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
};

use crate::server::{
    request::{Rejection, read_body},
    state::BotState,
};
use maro_jira::webhook;
use maro_process::telemetry::error_chain;
use maro_tickets::sync;

pub(super) async fn receive(State(state): State<Arc<BotState>>, headers: HeaderMap, body: Body) -> Response {
    let Some(secret) = &state.jira_webhook_secret else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let body = match read_body(&headers, body).await {
        Ok(body) => body,
        Err(rejection) => return rejection.into_response(&state),
    };
    let signature = headers.get(webhook::SIGNATURE_HEADER).and_then(|value| value.to_str().ok());
    if !signature.is_some_and(|signature| webhook::is_signed(secret, signature, &body)) {
        let sentence = "The request is not signed with the webhook's secret.\n";
        return Rejection { status: StatusCode::UNAUTHORIZED, sentence, reason: "signature" }
            .into_response(&state);
    }
    let webhook = match webhook::parse_event(&body) {
        Ok(webhook) => webhook,
        Err(error) => {
            tracing::warn!(%error, "a signed request is no webhook");
            let sentence = "The request is no webhook.\n";
            return Rejection { status: StatusCode::BAD_REQUEST, sentence, reason: "malformed" }
                .into_response(&state);
        }
    };
    match sync::apply_webhook(&*state.tracker, &state.latest_events, webhook, &state.clock).await {
        Ok(()) => StatusCode::NO_CONTENT.into_response(),
        Err(error) => {
            tracing::error!(error = error_chain(&error), "a webhook was not applied; Jira sends it again");
            StatusCode::SERVICE_UNAVAILABLE.into_response()
        }
    }
}
