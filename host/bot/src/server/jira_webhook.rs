//! `POST /jira/webhook`: Jira reports a change. Without a secret the address does not exist.

use std::sync::Arc;

use axum::{
    extract::State,
    http::{HeaderMap, StatusCode},
    response::{IntoResponse as _, Response},
};

use crate::server::{
    request::Rejection,
    signed::{Signed, SignedBody},
    state::BotState,
};
use maro_jira::{
    error::JiraError,
    webhook::{self, Webhook},
};
use maro_process::telemetry::error_chain;
use maro_tickets::sync;

impl SignedBody for Webhook {
    const MALFORMED: &'static str = "The request is no webhook.\n";

    type Error = JiraError;

    fn is_taken(state: &BotState) -> bool {
        state.jira_webhook.secret.is_some()
    }

    fn check_signature(state: &BotState, headers: &HeaderMap, body: &[u8]) -> Result<(), Rejection> {
        let signature = headers.get(webhook::SIGNATURE_HEADER).and_then(|value| value.to_str().ok());
        let signed = state.jira_webhook.secret.as_ref().zip(signature);
        match signed.is_some_and(|(secret, signature)| webhook::is_signed(secret, signature, body)) {
            true => Ok(()),
            false => Err(Rejection {
                status: StatusCode::UNAUTHORIZED,
                sentence: "The request is not signed with the webhook's secret.\n",
                reason: "signature",
            }),
        }
    }

    fn parse(_state: &BotState, body: &[u8]) -> Result<Self, JiraError> {
        webhook::parse_event(body)
    }
}

pub(super) async fn receive(
    State(state): State<Arc<BotState>>,
    Signed(webhook): Signed<Webhook>,
) -> Response {
    let latest = &state.jira_webhook.latest_events;
    match sync::apply_webhook(&*state.tracker, latest, webhook, &state.clock).await {
        Ok(()) => StatusCode::NO_CONTENT.into_response(),
        Err(error) => {
            tracing::debug!(error = error_chain(&error), "a webhook was not applied; Jira sends it again");
            StatusCode::SERVICE_UNAVAILABLE.into_response()
        }
    }
}
