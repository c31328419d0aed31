//! Requests that their sender signed: read, checked and parsed before a handler sees them.

use std::{fmt, sync::Arc};

use axum::{
    extract::{FromRequest, Request},
    http::{HeaderMap, HeaderValue, StatusCode, request::Parts},
    response::{IntoResponse as _, Response},
};

use crate::server::{
    authentication::{
        refusals::Refused,
        unsigned_body::{Rejection, UnsignedBody, UnsignedBytes},
    },
    connections::open_connections::ConnectionPlace,
    state::BotState,
};
use maro_domain::request_token::RequestToken;
use maro_slack::signature::{RequestId, SignatureError};

/// What a signed request carries, and which request it is, if somebody could send it a second time. Nothing else
/// reaches the handler.
pub(crate) struct Signed<T>(pub(crate) T, pub(crate) Option<RequestToken>);

/// What can be carried. By default, Slack is its sender.
pub(crate) trait SignedBody: Sized {
    /// Where it comes in, for the log. The address that it was sent to may hold a secret.
    const ADDRESS: &'static str;

    /// What the sender of a body that isn't one is told.
    const MALFORMED: &'static str;

    type Error: fmt::Display;

    /// Whether the bot takes it. Otherwise its address doesn't exist.
    fn is_taken(_state: &BotState) -> bool {
        true
    }

    /// What identifies the request, if its sender never signs the same twice.
    fn check_signature(state: &BotState, head: &Parts, body: &[u8]) -> Result<Option<RequestId>, Rejection> {
        check_slack_signature(state, &head.headers, body).map(Some)
    }

    /// The room that it takes while nobody has vouched for it.
    fn room(state: &BotState) -> &UnsignedBytes {
        &state.unsigned_bytes
    }

    /// Whether it is answered as often as it comes: it has no effect, and its sender may mean the same again.
    fn may_come_again(&self) -> bool {
        false
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
        let (carried, id): (T, _) = match read(request, state).await {
            Ok(read) => read,
            Err(rejection) => return Err(rejection.into_response(&state.metrics)),
        };
        let Some(id) = id.filter(|_| !carried.may_come_again()) else { return Ok(Self(carried, None)) };
        if !state.seen_requests.is_new(id, state.clock.now()) {
            note_replay(state);
            return Err(StatusCode::OK.into_response());
        }
        Ok(Self(carried, Some(new_handling(id))))
    }
}

async fn read<T: SignedBody>(
    request: Request,
    state: &BotState,
) -> Result<(T, Option<RequestId>), Rejection> {
    let (head, body) = request.into_parts();
    let (UnsignedBody { bytes, .. }, id) = {
        let body = T::room(state).read(&head.headers, body).await?;
        let id = T::check_signature(state, &head, &body.bytes)?;
        (body, id)
    };
    let carried = T::parse(state, &bytes).map_err(|error| {
        tracing::warn!(%error, address = T::ADDRESS, "a signed request is malformed");
        Rejection { status: StatusCode::BAD_REQUEST, sentence: T::MALFORMED, reason: "malformed" }
    })?;
    if let Some(place) = head.extensions.get::<Arc<ConnectionPlace>>().filter(|_| carried.is_signed()) {
        place.sender_is_known();
    }
    Ok((carried, id))
}

/// One handling of a request.
pub(crate) fn new_handling(id: RequestId) -> RequestToken {
    RequestToken::new(id, rand::random::<i64>() & i64::MAX)
}

/// Counts a request that was sent again. It was answered, or is being answered, where it came first.
pub(crate) fn note_replay(state: &BotState) {
    state.metrics.request_rejected("replayed");
    tracing::info!("ignored a request that was already handled");
}

/// Whether Slack signed this body.
pub(crate) fn check_slack_signature(
    state: &BotState,
    headers: &HeaderMap,
    body: &[u8],
) -> Result<RequestId, Rejection> {
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
