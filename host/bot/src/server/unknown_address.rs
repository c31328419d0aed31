//! Addresses that there are none of. What Slack or Jira sends to one is told to the operator, who has mistyped it
//! there.

use std::sync::Arc;

use axum::{
    extract::State,
    http::{HeaderMap, StatusCode},
};

use crate::server::{authentication::refusals::Refused, state::BotState};

/// What only Slack and Jira send.
const SIGNATURES: [&str; 2] = ["x-slack-signature", "x-hub-signature"];

pub(super) async fn refuse(State(state): State<Arc<BotState>>, headers: HeaderMap) -> StatusCode {
    if SIGNATURES.iter().any(|name| headers.contains_key(*name)) {
        state.refusals.note(Refused::NoSuchAddress);
    }
    StatusCode::NOT_FOUND
}
