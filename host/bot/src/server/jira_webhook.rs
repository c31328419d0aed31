//! `POST /jira/webhook`: Jira hints at a change. Without a secret the address does not exist.

use std::sync::Arc;

use axum::{
    extract::State,
    http::{HeaderMap, StatusCode},
    response::{IntoResponse as _, Response},
};

use crate::server::{
    refusals::Refused,
    request::Rejection,
    signed::{Signed, SignedBody},
    state::BotState,
};
use maro_jira::{
    error::JiraError,
    webhook::{self, WebhookEvent},
};
use maro_process::telemetry::error_chain;
use maro_slack::signature::RequestId;

impl SignedBody for WebhookEvent {
    const MALFORMED: &'static str = "The request is no webhook.\n";

    type Error = JiraError;

    fn is_taken(state: &BotState) -> bool {
        state.jira_webhook.secret.get().is_some()
    }

    /// A webhook is a hint, and harmless twice. Jira itself repeats what it takes for lost.
    fn check_signature(
        state: &BotState,
        headers: &HeaderMap,
        body: &[u8],
    ) -> Result<Option<RequestId>, Rejection> {
        let signature = headers.get(webhook::SIGNATURE_HEADER).and_then(|value| value.to_str().ok());
        let secret = state.jira_webhook.secret.get();
        let signed = (*secret).as_ref().zip(signature);
        match signed.is_some_and(|(secret, signature)| webhook::is_signed(secret, signature, body)) {
            true => Ok(None),
            false => {
                state.refusals.note(Refused::NotJiras);
                Err(Rejection {
                    status: StatusCode::UNAUTHORIZED,
                    sentence: "The request is not signed with the webhook's secret.\n",
                    reason: "signature",
                })
            }
        }
    }

    fn parse(_state: &BotState, body: &[u8]) -> Result<Self, JiraError> {
        webhook::parse_event(body)
    }
}

/// Doesn't wait for Jira: a webhook that isn't acknowledged in time is sent again, and then no more.
pub(super) async fn receive(
    State(state): State<Arc<BotState>>,
    Signed(event, _): Signed<WebhookEvent>,
) -> Response {
    let WebhookEvent::Changed { id, key, status } = event else {
        return StatusCode::NO_CONTENT.into_response();
    };
    match state.jira_webhook.changed_issues.note(id, key, status).await {
        Ok(()) => StatusCode::NO_CONTENT.into_response(),
        Err(error) => {
            tracing::debug!(error = error_chain(&error), "a webhook was not noted; Jira sends it again");
            StatusCode::SERVICE_UNAVAILABLE.into_response()
        }
    }
}
