//! The time, as a value that tests can set.

use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};

use jiff::{SignedDuration, Timestamp};

/// Where the time of day comes from. Durations are measured with `std::time::Instant` instead.
#[derive(Debug, Clone, Default)]
pub struct Clock(Source);

#[derive(Debug, Clone, Default)]
enum Source {
    #[default]
    System,
    /// How many milliseconds the clock is ahead of the system's, for people who try what happens later.
    Ahead(Arc<AtomicI64>),
    /// Milliseconds since the epoch at which the clock stands still, for tests.
    Stopped(Arc<AtomicI64>),
}

impl Clock {
    /// The system's clock.
    pub fn system() -> Self {
        Self::default()
    }

    /// A clock that stands at `now` until [`Clock::set`].
    pub fn stopped(now: Timestamp) -> Self {
        Self(Source::Stopped(Arc::new(AtomicI64::new(now.as_millisecond()))))
    }

    /// The system's clock until [`Clock::turn_forward`].
    pub fn turnable() -> Self {
        Self(Source::Ahead(Arc::default()))
    }

    /// Turns a clock forward that was made for that; no other is turned.
    pub fn turn_forward(&self, by: SignedDuration) {
        if let Source::Ahead(ahead) = &self.0 {
            let by = i64::try_from(by.as_millis().max(0)).unwrap_or(0);
            // No clock is turned so far that this would wrap.
            ahead.fetch_add(by, Ordering::AcqRel);
        }
    }

    /// How far the clock is ahead of the system's.
    pub fn ahead(&self) -> SignedDuration {
        match &self.0 {
            Source::System => SignedDuration::ZERO,
            Source::Ahead(ahead) => SignedDuration::from_millis(ahead.load(Ordering::Acquire)),
            Source::Stopped(_) => self.now().duration_since(Self::system().now()),
        }
    }

    /// Moves a stopped clock; the system's clock is not moved.
    pub fn set(&self, now: Timestamp) {
        if let Source::Stopped(stopped_at) = &self.0 {
            stopped_at.store(now.as_millisecond(), Ordering::Release);
        }
    }

    pub fn now(&self) -> Timestamp {
        match &self.0 {
            Source::Stopped(stopped_at) => Timestamp::from_millisecond(stopped_at.load(Ordering::Acquire))
                .unwrap_or(Timestamp::UNIX_EPOCH),
            #[expect(clippy::disallowed_methods, reason = "this is the one owner of the system clock")]
            Source::System => Timestamp::now(),
            #[expect(clippy::disallowed_methods, reason = "this is the one owner of the system clock")]
            Source::Ahead(_) => Timestamp::now().checked_add(self.ahead()).unwrap_or(Timestamp::MAX),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_clock_made_for_it_is_turned_forward() {
        let (clock, system) = (Clock::turnable(), Clock::system());
        let other = clock.clone();
        let day = SignedDuration::from_hours(24);
        for clock in [&clock, &system] {
            clock.turn_forward(day);
            clock.turn_forward(-day);
        }
        let ahead = other.now().duration_since(system.now());
        assert!((ahead - day).abs() < SignedDuration::from_mins(1), "{ahead}");
        assert_eq!((other.ahead(), system.ahead()), (day, SignedDuration::ZERO));
    }
}
