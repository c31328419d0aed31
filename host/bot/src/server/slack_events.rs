//! `POST /slack/events`: proves to Slack that the address is ours. MARO subscribes to no events yet.

use std::sync::Arc;

use axum::{
    body::Body,
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Deserialize;

use crate::server::{
    request::{Rejection, check_slack_signature, read_body},
    state::BotState,
};

#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Event {
    UrlVerification {
        challenge: String,
    },
    #[serde(other)]
    Other,
}

pub(super) async fn receive(State(state): State<Arc<BotState>>, headers: HeaderMap, body: Body) -> Response {
    let body = match read_body(&headers, body).await {
        Ok(body) => body,
        Err(rejection) => return rejection.into_response(&state),
    };
    if let Err(rejection) = check_slack_signature(&state, &headers, &body) {
        return rejection.into_response(&state);
    }
    match serde_json::from_slice(&body) {
        Ok(Event::UrlVerification { challenge }) => {
            ([(header::CONTENT_TYPE, "text/plain; charset=utf-8")], challenge).into_response()
        }
        Ok(Event::Other) => StatusCode::OK.into_response(),
        Err(_) => {
            let sentence = "The request is no event.\n";
            Rejection { status: StatusCode::BAD_REQUEST, sentence, reason: "malformed" }.into_response(&state)
        }
    }
}
