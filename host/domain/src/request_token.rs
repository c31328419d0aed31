//! Requests that came in, each of which takes effect once.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

/// Which request something is done for, and which handling of it this is. The same request may reach several
/// replicas, or the same one twice: the first handling that changes something is the only one that does. Bound by
/// the host; a guest can neither see nor change it. All clones are the same handling.
#[derive(Clone)]
pub struct RequestToken(Arc<Handling>);

struct Handling {
    request: [u8; 16],
    number: i64,
    is_recorded: AtomicBool,
    is_replay: AtomicBool,
}

impl RequestToken {
    /// `request` identifies the request, and tells nothing about it. It starts with the time that the request has in
    /// itself, if it has one: then those that come one after the other are stored side by side. `handling` is a
    /// random number.
    pub fn new(request: [u8; 16], handling: i64) -> Self {
        let (is_recorded, is_replay) = (AtomicBool::new(false), AtomicBool::new(false));
        Self(Arc::new(Handling { request, number: handling, is_recorded, is_replay }))
    }

    /// What identifies the request.
    pub fn request(&self) -> [u8; 16] {
        self.0.request
    }

    /// What tells this handling of it from all others.
    pub fn handling(&self) -> i64 {
        self.0.number
    }

    /// Whether it's written down that this handling has changed something.
    pub fn is_recorded(&self) -> bool {
        self.0.is_recorded.load(Ordering::Relaxed)
    }

    pub fn note_recorded(&self) {
        self.0.is_recorded.store(true, Ordering::Relaxed);
    }

    /// Whether another handling has changed something before. Then this one does nothing, and says nothing.
    pub fn is_replay(&self) -> bool {
        self.0.is_replay.load(Ordering::Relaxed)
    }

    pub fn note_replay(&self) {
        self.0.is_replay.store(true, Ordering::Relaxed);
    }
}

impl fmt::Debug for RequestToken {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("RequestToken").field(&self.0.number).finish()
    }
}

impl PartialEq for RequestToken {
    fn eq(&self, other: &Self) -> bool {
        (self.0.request, self.0.number) == (other.0.request, other.0.number)
    }
}

impl Eq for RequestToken {}
