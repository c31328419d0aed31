//! Reading and authenticating a request, before anything is done with it.

use std::time::Duration;

use axum::{
    body::Body,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use tokio::time::timeout;

use crate::server::state::BotState;

/// The largest body, in bytes. Slack's commands have a few KiB, Jira's webhooks some hundred.
const MAX_BODY_BYTES: usize = 1024 * 1024;

/// How long a body may take to arrive. Slack itself gives up after three seconds.
const BODY_TIMEOUT: Duration = Duration::from_secs(5);

/// How much of a body that is too large is taken and thrown away, in bytes, and for how long.
const MAX_DISCARDED_BYTES: usize = 16 * MAX_BODY_BYTES;
const DISCARD_TIMEOUT: Duration = Duration::from_secs(2);

/// A request refused: what the sender is told, and the reason for the metrics.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rejection {
    pub(super) status: StatusCode,
    pub(super) sentence: &'static str,
    pub(super) reason: &'static str,
}

impl Rejection {
    /// Counts the refusal and turns it into a response.
    pub(super) fn into_response(self, state: &BotState) -> Response {
        state.metrics.request_rejected(self.reason);
        (self.status, self.sentence).into_response()
    }
}

/// The whole body, within the limits of size and time.
pub(super) async fn read_body(headers: &HeaderMap, mut body: Body) -> Result<Bytes, Rejection> {
    const TOO_LARGE: Rejection = Rejection {
        status: StatusCode::PAYLOAD_TOO_LARGE,
        sentence: "The request is too large.\n",
        reason: "too_large",
    };
    let announced =
        headers.get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
    if announced.is_some_and(|length| length > MAX_BODY_BYTES as u64) {
        discard(body);
        return Err(TOO_LARGE);
    }
    match timeout(BODY_TIMEOUT, Limited::new(&mut body, MAX_BODY_BYTES).collect()).await {
        Ok(Ok(body)) => Ok(body.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => {
            discard(body);
            Err(TOO_LARGE)
        }
        Ok(Err(_)) => Err(Rejection {
            status: StatusCode::BAD_REQUEST,
            sentence: "The request broke off.\n",
            reason: "broken_off",
        }),
        Err(_) => Err(Rejection {
            status: StatusCode::REQUEST_TIMEOUT,
            sentence: "The request took too long to arrive.\n",
            reason: "too_slow",
        }),
    }
}

/// Takes a refused body off the connection while the answer is on its way: a connection closed with bytes unread
/// is reset, and most senders then never see the answer.
fn discard(body: Body) {
    let mut rest = Limited::new(body, MAX_DISCARDED_BYTES);
    tokio::spawn(timeout(DISCARD_TIMEOUT, async move { while let Some(Ok(_)) = rest.frame().await {} }));
}
