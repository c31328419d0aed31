//! The routes of whoever runs the sandbox: act as somebody, see what Slack would show.
//!
//! They are on loopback, where any web page may send requests to. So each must name this host (against DNS
//! rebinding) and carry the session's token in a header of its own, which a foreign page can neither know
//! nor send without asking first.

use std::sync::Arc;

use axum::{
    body::Bytes,
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq;

use crate::slack::{
    Shared,
    acts::{self, ActsToDo},
    people::ActError,
};

/// Carries the session's token.
pub const TOKEN_HEADER: &str = "x-maro-sandbox-token";

/// Why the operator's request was not carried out, in a sentence.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Refusal {
    pub error: String,
}

/// `POST /sandbox/acts` with [`ActsToDo`]: does it, and answers with what is [`acts::Shown`] then.
pub(super) async fn act(State(shared): State<Arc<Shared>>, headers: HeaderMap, body: Bytes) -> Response {
    if let Err((status, error)) = admit(&shared, &headers) {
        return refuse(status, error);
    }
    let Ok(asked) = serde_json::from_slice::<ActsToDo>(&body) else {
        return refuse(StatusCode::BAD_REQUEST, "The body must be JSON with channel, user and acts.");
    };
    match acts::run(&shared, &asked).await {
        Ok(shown) => answer(StatusCode::OK, &shown),
        Err(error) => {
            let status = match &error {
                ActError::UnknownChannel { .. }
                | ActError::UnknownUser { .. }
                | ActError::NoMessage { .. } => StatusCode::NOT_FOUND,
                ActError::NoBot => StatusCode::SERVICE_UNAVAILABLE,
                ActError::Unanswered(_) | ActError::BadSuggestion { .. } => StatusCode::BAD_GATEWAY,
                _ => StatusCode::BAD_REQUEST,
            };
            refuse(status, &error.to_string())
        }
    }
}

pub(super) async fn show_workspace(State(shared): State<Arc<Shared>>, headers: HeaderMap) -> Response {
    match admit(&shared, &headers) {
        Ok(()) => answer(StatusCode::OK, &shared.workspace.names()),
        Err((status, error)) => refuse(status, error),
    }
}

/// Lets the operator of this session in; otherwise says with what to refuse.
fn admit(shared: &Shared, headers: &HeaderMap) -> Result<(), (StatusCode, &'static str)> {
    let host = headers.get(header::HOST).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let is_this_host =
        host == shared.address.to_string() || host == format!("localhost:{}", shared.address.port());
    if !is_this_host {
        return Err((StatusCode::MISDIRECTED_REQUEST, "This is not the host you are looking for."));
    }
    let token = headers.get(TOKEN_HEADER).map_or(&[][..], |value| value.as_bytes());
    if bool::from(token.ct_eq(shared.operator_token.expose().as_bytes())) {
        Ok(())
    } else {
        Err((StatusCode::FORBIDDEN, "The token is not this session's."))
    }
}

fn answer(status: StatusCode, body: &impl Serialize) -> Response {
    match serde_json::to_vec(body) {
        Ok(json) => (status, [(header::CONTENT_TYPE, "application/json")], json).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

fn refuse(status: StatusCode, error: &str) -> Response {
    answer(status, &Refusal { error: error.to_owned() })
}
