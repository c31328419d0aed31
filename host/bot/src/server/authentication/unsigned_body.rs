//! Reading and authenticating a request, before anything is done with it.

use std::{sync::Arc, time::Duration};

use axum::{
    body::Body,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use bytes::{Bytes, BytesMut};
use http_body_util::{BodyExt as _, Limited};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::timeout,
};

use maro_process::metrics::Metrics;

const MIB: usize = 1024 * 1024;

/// What Slack sends has a few KiB, and Slack itself gives up after three seconds.
const OF_SLACK: Limits = Limits { body_bytes: MIB, unsigned_bytes: 32 * MIB, time: Duration::from_secs(5) };

/// Jira's webhooks have some hundred KiB, and those of an issue with a long history up to 25 MB, which is Jira's own
/// limit. They have a room of their own, so that nothing of Slack's ever waits for them.
const OF_JIRA: Limits =
    Limits { body_bytes: 25 * MIB, unsigned_bytes: 32 * MIB, time: Duration::from_secs(20) };

/// How much is taken of what somebody sends before it is known who that is.
#[derive(Debug, Clone, Copy)]
struct Limits {
    /// The largest body, in bytes.
    body_bytes: usize,
    /// How many bytes of unsigned bodies there may be over all connections, beyond [`FREE_BYTES`] of each.
    unsigned_bytes: usize,
    /// How long a body may take to arrive.
    time: Duration,
}

/// How much of each body counts for nothing: more than a command has. So those are answered, no matter who fills the
/// rest.
const FREE_BYTES: usize = 16 * 1024;

/// How much of a body that is too large is taken and thrown away, in bytes, and for how long.
const MAX_DISCARDED_BYTES: usize = 16 * MIB;
const DISCARD_TIMEOUT: Duration = Duration::from_secs(2);

/// A request refused: what the sender is told, and the reason for the metrics.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rejection {
    pub(crate) status: StatusCode,
    pub(crate) sentence: &'static str,
    pub(crate) reason: &'static str,
}

impl Rejection {
    /// Counts the refusal and turns it into a response.
    pub(crate) fn into_response(self, metrics: &Metrics) -> Response {
        metrics.request_rejected(self.reason);
        (self.status, self.sentence).into_response()
    }
}

/// Room for what nobody has vouched for yet: bodies whose signature isn't checked.
#[derive(Debug, Clone)]
pub(crate) struct UnsignedBytes {
    limits: Limits,
    room: Arc<Semaphore>,
}

/// A whole body, and the room that it takes until its sender is known.
pub(crate) struct UnsignedBody {
    pub(crate) bytes: Bytes,
    _room: Option<OwnedSemaphorePermit>,
}

impl UnsignedBytes {
    /// Room for what comes from Slack.
    pub(crate) fn of_slack() -> Self {
        Self::within(OF_SLACK)
    }

    /// Room for what comes from Jira.
    pub(crate) fn of_jira() -> Self {
        Self::within(OF_JIRA)
    }

    fn within(limits: Limits) -> Self {
        Self { limits, room: Arc::new(Semaphore::new(limits.unsigned_bytes)) }
    }

    /// The whole body, within the limits of size and time. It waits for room as long as it may take to arrive.
    pub(crate) async fn read(&self, headers: &HeaderMap, mut body: Body) -> Result<UnsignedBody, Rejection> {
        const TOO_SLOW: Rejection = Rejection {
            status: StatusCode::REQUEST_TIMEOUT,
            sentence: "The request took too long to arrive.\n",
            reason: "too_slow",
        };
        const NO_ROOM: Rejection = Rejection {
            status: StatusCode::SERVICE_UNAVAILABLE,
            sentence: "MARO is busy with other requests. Send it again.\n",
            reason: "no_room",
        };
        let announced =
            headers.get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
        if announced.is_some_and(|length| length > self.limits.body_bytes as u64) {
            discard(body);
            return Err(TOO_LARGE);
        }
        let mut is_waiting_for_room = false;
        match timeout(self.limits.time, self.collect(&mut body, &mut is_waiting_for_room)).await {
            Ok(Err(rejection)) if rejection.reason == TOO_LARGE.reason => {
                discard(body);
                Err(rejection)
            }
            Ok(read) => read,
            Err(_) => Err(if is_waiting_for_room { NO_ROOM } else { TOO_SLOW }),
        }
    }

    async fn collect(
        &self,
        body: &mut Body,
        is_waiting_for_room: &mut bool,
    ) -> Result<UnsignedBody, Rejection> {
        const BROKEN_OFF: Rejection = Rejection {
            status: StatusCode::BAD_REQUEST,
            sentence: "The request broke off.\n",
            reason: "broken_off",
        };
        let mut bytes = BytesMut::new();
        let mut room: Option<OwnedSemaphorePermit> = None;
        while let Some(frame) = body.frame().await {
            let Ok(data) = frame.map_err(|_| BROKEN_OFF)?.into_data() else { continue };
            let length = bytes.len() + data.len();
            if length > self.limits.body_bytes {
                return Err(TOO_LARGE);
            }
            let held = room.as_ref().map_or(0, OwnedSemaphorePermit::num_permits);
            let needed = length.saturating_sub(FREE_BYTES + held);
            if needed > 0 {
                *is_waiting_for_room = true;
                // No body needs more permits than there are, and nobody closes the semaphore.
                let needed = u32::try_from(needed).map_err(|_| TOO_LARGE)?;
                let more = Arc::clone(&self.room).acquire_many_owned(needed).await.map_err(|_| BROKEN_OFF)?;
                *is_waiting_for_room = false;
                match &mut room {
                    Some(room) => room.merge(more),
                    None => room = Some(more),
                }
            }
            bytes.extend_from_slice(&data);
        }
        Ok(UnsignedBody { bytes: bytes.freeze(), _room: room })
    }
}

const TOO_LARGE: Rejection = Rejection {
    status: StatusCode::PAYLOAD_TOO_LARGE,
    sentence: "The request is too large.\n",
    reason: "too_large",
};

/// Takes a refused body off the connection while the answer is on its way: a connection closed with bytes unread
/// is reset, and most senders then never see the answer.
fn discard(body: Body) {
    let mut rest = Limited::new(body, MAX_DISCARDED_BYTES);
    tokio::spawn(timeout(DISCARD_TIMEOUT, async move { while let Some(Ok(_)) = rest.frame().await {} }));
}
