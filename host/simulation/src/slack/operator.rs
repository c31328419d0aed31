//! The routes for the simulation's operator: act as a person, and see what Slack would show.
//!
//! They are on loopback, where any web page can send requests. So each request must name this host (against
//! DNS rebinding) and have the session's token in its own header. Other pages don't know the token, and can't
//! send the header without asking first.

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
    people::{
        act_error::ActError,
        acts::{self, ActsToDo},
    },
    state::WorkspaceState,
};

/// The header with the session's token.
pub const TOKEN_HEADER: &str = "x-maro-simulation-token";

/// Why the operator's request was refused, in a sentence.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct OperatorError {
    pub error: String,
}

/// `POST /simulation/acts` with [`ActsToDo`]: does it, and answers with what is [`acts::Shown`] afterwards.
pub(super) async fn act(
    State(shared): State<Arc<WorkspaceState>>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
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

pub(super) async fn show_workspace(
    State(shared): State<Arc<WorkspaceState>>,
    headers: HeaderMap,
) -> Response {
    match admit(&shared, &headers) {
        Ok(()) => answer(StatusCode::OK, &shared.workspace.names()),
        Err((status, error)) => refuse(status, error),
    }
}

/// Checks that a request is from this session's operator. If not, returns how to refuse it.
fn admit(shared: &WorkspaceState, headers: &HeaderMap) -> Result<(), (StatusCode, &'static str)> {
    let host = headers.get(header::HOST).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let is_this_host =
        host == shared.address.to_string() || host == format!("localhost:{}", shared.address.port());
    if !is_this_host {
        return Err((StatusCode::MISDIRECTED_REQUEST, "This isn't the host you're looking for."));
    }
    let token = headers.get(TOKEN_HEADER).map_or(&[][..], |value| value.as_bytes());
    if bool::from(token.ct_eq(shared.operator_token.expose().as_bytes())) {
        Ok(())
    } else {
        Err((StatusCode::FORBIDDEN, "The token isn't this session's."))
    }
}

fn answer(status: StatusCode, body: &impl Serialize) -> Response {
    match serde_json::to_vec(body) {
        Ok(json) => (status, [(header::CONTENT_TYPE, "application/json")], json).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

fn refuse(status: StatusCode, error: &str) -> Response {
    answer(status, &OperatorError { error: error.to_owned() })
}
