//! The time, as a value that tests can set.

use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};

use jiff::Timestamp;

/// Where the time of day comes from. Durations are measured with `std::time::Instant` instead.
#[derive(Debug, Clone, Default)]
pub struct Clock {
    /// Milliseconds since the epoch at which the clock stands still, for tests.
    stopped_at: Option<Arc<AtomicI64>>,
}

impl Clock {
    /// The system's clock.
    pub fn system() -> Self {
        Self::default()
    }

    /// A clock that stands at `now` until [`Clock::set`].
    pub fn stopped(now: Timestamp) -> Self {
        Self { stopped_at: Some(Arc::new(AtomicI64::new(now.as_millisecond()))) }
    }

    /// Moves a stopped clock; the system's clock is not moved.
    pub fn set(&self, now: Timestamp) {
        if let Some(stopped_at) = &self.stopped_at {
            stopped_at.store(now.as_millisecond(), Ordering::Release);
        }
    }

    pub fn now(&self) -> Timestamp {
        match &self.stopped_at {
            Some(stopped_at) => Timestamp::from_millisecond(stopped_at.load(Ordering::Acquire))
                .unwrap_or(Timestamp::UNIX_EPOCH),
            #[expect(clippy::disallowed_methods, reason = "this is the one owner of the system clock")]
            None => Timestamp::now(),
        }
    }
}
