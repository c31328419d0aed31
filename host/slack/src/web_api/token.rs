//! How a token fares: whether Slack takes it, and how long it lasts.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use tokio::{
    sync::{Notify, watch},
    time::Instant,
};

/// What is known of a client's token.
#[derive(Debug)]
pub(super) struct TokenState {
    is_taken: watch::Sender<bool>,
    ends_at: Mutex<Option<Instant>>,
    replaced: Notify,
}

impl Default for TokenState {
    fn default() -> Self {
        Self { is_taken: watch::Sender::new(true), ends_at: Mutex::default(), replaced: Notify::new() }
    }
}

impl TokenState {
    /// Notes whether Slack took it.
    pub(super) fn was_taken(&self, is_taken: bool) {
        self.is_taken.send_if_modified(|known| std::mem::replace(known, is_taken) != is_taken);
    }

    pub(super) fn acceptance(&self) -> watch::Receiver<bool> {
        self.is_taken.subscribe()
    }

    /// Notes how long it lasts, if it ends.
    pub(super) fn set_lasts(&self, lasts: Option<Duration>) {
        *self.ends_at.lock().unwrap_or_else(PoisonError::into_inner) =
            lasts.and_then(|lasts| Instant::now().checked_add(lasts));
    }

    pub(super) fn lasts(&self) -> Option<Duration> {
        let ends_at = *self.ends_at.lock().unwrap_or_else(PoisonError::into_inner);
        ends_at.map(|ends_at| ends_at.saturating_duration_since(Instant::now()))
    }

    /// Nothing is known of the new one yet.
    pub(super) fn was_replaced(&self) {
        self.set_lasts(None);
        self.replaced.notify_one();
    }

    pub(super) async fn replaced(&self) {
        self.replaced.notified().await;
    }
}
