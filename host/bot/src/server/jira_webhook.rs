//! `POST /jira/webhook`: Jira hints at a change. Without a secret the address does not exist.
//!
//! Old releases of Data Center and automation rules can't sign. They show that they know the secret by the address:
//! `POST /jira/webhook/{JIRA_WEBHOOK_SECRET}`. So that address is logged nowhere.

use std::{borrow::Cow, sync::Arc};

use axum::{
    extract::State,
    http::{HeaderMap, StatusCode, request::Parts},
    response::{IntoResponse as _, Response},
};

use crate::server::{
    authentication::{
        refusals::Refused,
        signed::{Signed, SignedBody},
        unsigned_body::{Rejection, UnsignedBytes},
    },
    state::BotState,
};
use maro_domain::issue::IssueKey;
use maro_jira::{
    error::JiraError,
    webhooks::field_edits::{self, FieldEdits},
    webhooks::{
        signature,
        webhook::{self, WebhookEvent},
    },
};
use maro_process::telemetry::error_chain;
use maro_slack::{signature::RequestId, urlencoded};
use maro_sync::webhook_hints::Hint;

/// The longest name of a webhook by which it is known again, in bytes.
const MAX_IDENTIFIER_LENGTH: usize = 200;

/// What is read of a webhook.
pub(super) struct Hook {
    event: WebhookEvent,
    /// What it says of other fields than the status.
    edits: Option<(IssueKey, FieldEdits)>,
}

impl SignedBody for Hook {
    const ADDRESS: &'static str = "/jira/webhook";
    const MALFORMED: &'static str = "The request isn't a webhook.\n";

    type Error = JiraError;

    fn is_taken(state: &BotState) -> bool {
        state.jira_webhook.secret.get().is_some()
    }

    /// A webhook is a hint, and harmless twice. Jira itself repeats what it takes for lost.
    fn check_signature(state: &BotState, head: &Parts, body: &[u8]) -> Result<Option<RequestId>, Rejection> {
        let signature = head.headers.get(signature::SIGNATURE_HEADER).and_then(|value| value.to_str().ok());
        let is_jiras = |secret| match secret_in(head.uri.path()) {
            Some(said) => signature::is_secret(secret, &said),
            None => signature.is_some_and(|signature| signature::is_signed(secret, signature, body)),
        };
        let secret = state.jira_webhook.secret.get();
        match (*secret).as_ref().is_some_and(is_jiras) {
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

    fn room(state: &BotState) -> &UnsignedBytes {
        &state.jira_webhook.unsigned_bytes
    }

    fn parse(_state: &BotState, body: &[u8]) -> Result<Self, JiraError> {
        Ok(Self { event: webhook::parse_event(body)?, edits: field_edits::parse(body) })
    }
}

/// What the address says beyond its own path.
fn secret_in(path: &str) -> Option<String> {
    let said = path.strip_prefix(Hook::ADDRESS)?.strip_prefix('/')?;
    // In an address `+` is no space.
    urlencoded::decode(said.replace('+', "%2B").as_bytes()).ok().map(Cow::into_owned)
}

/// What Jira calls this webhook, each time that it sends it.
fn identifier(headers: &HeaderMap) -> Option<String> {
    let name = headers.get(webhook::IDENTIFIER_HEADER)?.to_str().ok()?.trim();
    (1..=MAX_IDENTIFIER_LENGTH).contains(&name.len()).then(|| name.to_owned())
}

/// Doesn't wait for Jira: a webhook that isn't acknowledged in time is sent again, and then no more.
pub(super) async fn receive(
    State(state): State<Arc<BotState>>,
    headers: HeaderMap,
    Signed(Hook { event, edits }, _): Signed<Hook>,
) -> Response {
    if let Some((key, edits)) = edits {
        state.jira_webhook.field_changes.hint(key, Some(edits));
    }
    let WebhookEvent::Changed { id, key, status } = event else {
        return StatusCode::NO_CONTENT.into_response();
    };
    let hint = Hint { identifier: identifier(&headers), id, key, status };
    match state.jira_webhook.changed_issues.note(hint).await {
        Ok(()) => StatusCode::NO_CONTENT.into_response(),
        Err(error) => {
            tracing::debug!(error = error_chain(&error), "couldn't save a webhook; Jira will send it again");
            StatusCode::SERVICE_UNAVAILABLE.into_response()
        }
    }
}
