//! Handles each request once, even if it comes over several connections, or again because a connection broke
//! before the acknowledgement got through.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Mutex, PoisonError},
    time::Duration,
};

use futures_util::{
    FutureExt,
    future::{BoxFuture, Shared},
};
use tokio::{sync::oneshot, time::timeout};
use tokio_util::task::TaskTracker;

use crate::{
    outgoing::response_url::ResponseUrlPolicy,
    signature::RequestId,
    socket::{
        envelope::Envelope,
        request::{Handler, SocketRequest},
    },
};

/// How long an acknowledgement waits for its payload. Slack gives up after three seconds.
const PATIENCE: Duration = Duration::from_millis(2_800);

/// How many requests are remembered. Slack repeats one within minutes, if at all.
const MAX_REMEMBERED: usize = 2_048;

/// A payload that is ready or will be.
type Payload = Shared<BoxFuture<'static, Vec<u8>>>;

pub(super) struct Answers {
    handler: Handler,
    policy: ResponseUrlPolicy,
    remembered: Mutex<Remembered>,
    /// The handler's futures.
    handling: TaskTracker,
}

#[derive(Default)]
struct Remembered {
    payloads: HashMap<String, Payload>,
    /// Oldest first.
    order: VecDeque<String>,
}

impl Answers {
    pub(super) fn new(handler: Handler, policy: ResponseUrlPolicy) -> Self {
        Self { handler, policy, remembered: Mutex::default(), handling: TaskTracker::new() }
    }

    /// The frame that acknowledges an envelope, as soon as its payload is ready or the time is up. If the
    /// same envelope comes again, it gets the same payload.
    pub(super) fn acknowledge(&self, envelope: &Envelope<'_>) -> impl Future<Output = String> + Send + use<> {
        let (receipt, payload) = (envelope.receipt(), self.payload(envelope));
        async move {
            let payload = timeout(PATIENCE, payload).await.unwrap_or_default();
            receipt.with_payload(&payload)
        }
    }

    fn payload(&self, envelope: &Envelope<'_>) -> Payload {
        let mut remembered = self.remembered.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(payload) = remembered.payloads.get(&envelope.id) {
            return payload.clone();
        }
        let Some(request) = envelope.request(&self.policy) else {
            return async { Vec::new() }.boxed().shared();
        };
        // Slack repeats an event in another envelope.
        let event_id = match &request {
            SocketRequest::Event(event) => Some(format!("event {}", event.id)),
            _ => None,
        };
        let seen = event_id.as_ref().and_then(|id| remembered.payloads.get(id)).cloned();
        let payload = seen.unwrap_or_else(|| self.handle(request, envelope.request_id()));
        remembered.insert(envelope.id.clone(), payload.clone());
        if let Some(event_id) = event_id {
            remembered.insert(event_id, payload.clone());
        }
        payload
    }

    fn handle(&self, request: SocketRequest, id: RequestId) -> Payload {
        let (sender, receiver) = oneshot::channel();
        let handled = (self.handler)(request, id);
        self.handling.spawn(async move {
            // Nobody waits any more if the connection is gone.
            let _ = sender.send(handled.await);
        });
        // A handler that panicked sends nothing, but its request is still acknowledged.
        receiver.map(Result::unwrap_or_default).boxed().shared()
    }

    /// Waits until the handler has finished everything.
    pub(super) async fn finish(&self) {
        self.handling.close();
        self.handling.wait().await;
    }
}

impl Remembered {
    fn insert(&mut self, id: String, payload: Payload) {
        if self.payloads.insert(id.clone(), payload).is_none() {
            self.order.push_back(id);
        }
        if self.order.len() > MAX_REMEMBERED
            && let Some(oldest) = self.order.pop_front()
        {
            self.payloads.remove(&oldest);
        }
    }
}
