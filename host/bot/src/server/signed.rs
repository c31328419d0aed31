//! Requests that their sender signed: read, checked and parsed before a handler sees them.

use std::{fmt, sync::Arc};

use axum::{
    extract::{FromRequest, Request},
    http::{HeaderMap, HeaderValue, StatusCode},
    response::{IntoResponse as _, Response},
};

use crate::server::{
    connections::places::Place,
    refusals::Refused,
    request::{Rejection, UnsignedBody},
    state::BotState,
};
use maro_slack::signature::SignatureError;

/// What a signed request carries. Nothing else reaches the handler.
pub(super) struct Signed<T>(pub(super) T);

/// What can be carried. By default, Slack is its sender.
pub(super) trait SignedBody: Sized {
    /// What the sender of a body that isn't one is told.
    const MALFORMED: &'static str;

    type Error: fmt::Display;

    /// Whether the bot takes it. Otherwise its address doesn't exist.
    fn is_taken(_state: &BotState) -> bool {
        true
    }

    fn check_signature(state: &BotState, headers: &HeaderMap, body: &[u8]) -> Result<(), Rejection> {
        check_slack_signature(state, headers, body)
    }

    fn parse(state: &BotState, body: &[u8]) -> Result<Self, Self::Error>;

    /// Whether it's a proof of its sender. Otherwise anybody may have sent it.
    fn is_signed(&self) -> bool {
        true
    }
}

impl<T: SignedBody> FromRequest<Arc<BotState>> for Signed<T> {
    type Rejection = Response;

    /// Takes the request whole, because a copy of its headers would cost time.
    async fn from_request(request: Request, state: &Arc<BotState>) -> Result<Self, Response> {
        if !T::is_taken(state) {
            return Err(StatusCode::NOT_FOUND.into_response());
        }
        match read(request, state).await {
            Ok(carried) => Ok(Self(carried)),
            Err(rejection) => Err(rejection.into_response(&state.metrics)),
        }
    }
}

async fn read<T: SignedBody>(request: Request, state: &BotState) -> Result<T, Rejection> {
    let (head, body) = request.into_parts();
    let UnsignedBody { bytes, .. } = {
        let body = state.unsigned_bytes.read(&head.headers, body).await?;
        T::check_signature(state, &head.headers, &body.bytes)?;
        body
    };
    let carried = T::parse(state, &bytes).map_err(|error| {
        tracing::warn!(%error, address = head.uri.path(), "a signed request is malformed");
        Rejection { status: StatusCode::BAD_REQUEST, sentence: T::MALFORMED, reason: "malformed" }
    })?;
    if let Some(place) = head.extensions.get::<Arc<Place>>().filter(|_| carried.is_signed()) {
        place.sender_is_known();
    }
    Ok(carried)
}

/// Whether Slack signed this body.
pub(super) fn check_slack_signature(
    state: &BotState,
    headers: &HeaderMap,
    body: &[u8],
) -> Result<(), Rejection> {
    const UNSIGNED: Rejection = Rejection {
        status: StatusCode::UNAUTHORIZED,
        sentence: "The request is not signed by Slack.\n",
        reason: "signature",
    };
    let verifier = state.slack.signature.as_ref().ok_or(UNSIGNED)?;
    let header = |name: &str| headers.get(name).map(HeaderValue::as_bytes);
    verifier
        .verify(header("x-slack-request-timestamp"), header("x-slack-signature"), body, state.clock.now())
        .map_err(|error| {
            tracing::debug!(%error, "a request was refused");
            state.refusals.note(match error {
                SignatureError::Stale { seconds_off } => Refused::Stale { seconds_off },
                _ => Refused::NotSlacks,
            });
            UNSIGNED
        })
}
