//! Sends something to the bot through one of its sockets. If that one fails, uses another.

use std::sync::atomic::Ordering;

use bytes::Bytes;
use serde_json::{Value, json};
use tokio::{sync::oneshot, time::Instant};

use crate::slack::{
    sockets::{Order, Pending, Sockets},
    state::{BOT_TIMEOUT, WorkspaceState},
    to_bot::{
        parcel::{BotAnswer, NoAnswer, Parcel},
        payloads::uuid,
    },
};

/// How many times an event is sent again.
const EVENT_RETRIES: u32 = 3;

/// Why an envelope is sent again, and the deadline for its acknowledgement.
#[derive(Debug, Clone, Copy)]
struct Attempt {
    number: u32,
    reason: &'static str,
    deadline: Instant,
}

/// Sends the parcel and waits up to 3 s for its acknowledgement. If the connection breaks off before that,
/// the parcel is sent through another one. An event is sent up to three more times, for 3 s each.
pub(in crate::slack) async fn deliver(
    shared: &WorkspaceState,
    parcel: &Parcel,
) -> Result<BotAnswer, NoAnswer> {
    let is_event = matches!(parcel, Parcel::Event(_));
    let mut envelope_id = uuid();
    let mut attempt = Attempt { number: 0, reason: "", deadline: Instant::now() + BOT_TIMEOUT };
    loop {
        let outcome = send(shared, parcel, &envelope_id, attempt).await;
        attempt.number += 1;
        match outcome {
            Ok(answer) => return Ok(answer),
            Err(NoAnswer::Unreachable) if Instant::now() < attempt.deadline => {
                attempt.reason = "socket_closed"
            }
            Err(_) if is_event && attempt.number <= EVENT_RETRIES => {
                attempt.reason = "timeout";
                attempt.deadline = Instant::now() + BOT_TIMEOUT;
            }
            Err(why) => return Err(why),
        }
        // When an event is sent again, only its event_id stays the same.
        if is_event {
            envelope_id = uuid();
        }
    }
}

/// Makes one attempt. [`NoAnswer::Unreachable`] if the connection broke off, or there was none in time.
async fn send(
    shared: &WorkspaceState,
    parcel: &Parcel,
    envelope_id: &str,
    attempt: Attempt,
) -> Result<BotAnswer, NoAnswer> {
    let left = || attempt.deadline.saturating_duration_since(Instant::now());
    let acknowledged = shared
        .changes
        .wait_until(left(), || shared.sockets.dispatch(parcel, envelope_id, attempt))
        .await
        .ok_or(NoAnswer::Unreachable)?;
    match tokio::time::timeout(left(), acknowledged).await {
        Ok(Ok(payload)) => Ok(answer(payload)),
        Ok(Err(_)) => Err(NoAnswer::Unreachable),
        Err(_) => {
            shared.sockets.state().pending.remove(envelope_id);
            Err(NoAnswer::Timeout)
        }
    }
}

fn answer(payload: Option<Value>) -> BotAnswer {
    let body = payload.map(|payload| Bytes::from(payload.to_string())).unwrap_or_default();
    BotAnswer { is_json: true, body }
}

impl Sockets {
    /// Sends an envelope through the connection whose turn it is. Connections with a warning come last.
    /// `None` if there is no connection.
    fn dispatch(
        &self,
        parcel: &Parcel,
        envelope_id: &str,
        attempt: Attempt,
    ) -> Option<oneshot::Receiver<Option<Value>>> {
        let (kind, takes_payload, payload) = parcel.envelope();
        let mut envelope = json!({
            "envelope_id": envelope_id,
            "type": kind,
            "accepts_response_payload": takes_payload,
            "payload": payload,
        });
        if kind == "events_api" || attempt.number > 0 {
            envelope["retry_attempt"] = json!(attempt.number);
            envelope["retry_reason"] = json!(attempt.reason);
        }
        let mut state = self.state();
        let turn = self.delivered.fetch_add(1, Ordering::Relaxed);
        let mut usable: Vec<_> =
            state.connections.iter().filter(|connection| !connection.orders.is_closed()).collect();
        usable.sort_by_key(|connection| connection.is_warned);
        let unwarned = usable.iter().filter(|connection| !connection.is_warned).count();
        let connection = match (usable.is_empty(), unwarned) {
            (true, _) => return None,
            (false, 0) => usable[turn % usable.len()],
            (false, unwarned) => usable[turn % unwarned],
        };
        let order = if self.drops_next.swap(false, Ordering::AcqRel) {
            Order::SendAndDrop(envelope)
        } else {
            Order::Send(envelope)
        };
        connection.orders.try_send(order).ok()?;
        let connection = connection.id;
        let (acknowledged, receiver) = oneshot::channel();
        state.pending.insert(envelope_id.to_owned(), Pending { connection, takes_payload, acknowledged });
        Some(receiver)
    }
}
