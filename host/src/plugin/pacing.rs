//! Turns of busy guests: however many there are, together they leave one processor to everybody else.
//!
//! A guest that has computed for a tick of the epoch waits for its turn before the next one. Turns are handed
//! out by time and not given back, so a guest that goes to sleep in its turn keeps nobody from theirs. Guests
//! that are done within a tick, as nearly all are, never come here.

use std::{
    sync::{LazyLock, Mutex, PoisonError},
    thread,
    time::{Duration, Instant},
};

use crate::plugin::limits::EPOCH_TICK;

/// The processors are the process's, whatever runs in it.
static TURNS: LazyLock<Turns> = LazyLock::new(|| {
    let processors = thread::available_parallelism().map_or(1, usize::from);
    Turns::new(match processors {
        1 => 2 * EPOCH_TICK,
        processors => EPOCH_TICK / u32::try_from(processors - 1).unwrap_or(u32::MAX),
    })
});

/// Waits until a busy guest may compute for one more tick.
pub(super) async fn turn() {
    let now = Instant::now();
    let turn = TURNS.reserve(now);
    if turn > now {
        tokio::time::sleep_until(turn.into()).await;
    } else {
        // Lets sockets and timers have their turn before this guest goes on.
        tokio::task::yield_now().await;
    }
}

struct Turns {
    /// The time from one turn to the next.
    interval: Duration,
    next: Mutex<Option<Instant>>,
}

impl Turns {
    fn new(interval: Duration) -> Self {
        Self { interval, next: Mutex::new(None) }
    }

    /// Takes the next turn that is free, at `now` or later.
    fn reserve(&self, now: Instant) -> Instant {
        let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
        let turn = next.map_or(now, |next| next.max(now));
        *next = Some(turn + self.interval);
        turn
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn turns_follow_one_another_and_none_is_saved_up() {
        let turns = Turns::new(Duration::from_millis(5));
        let start = Instant::now();
        let after = |milliseconds| start + Duration::from_millis(milliseconds);
        assert_eq!(turns.reserve(start), start);
        assert_eq!(turns.reserve(start), after(5));
        assert_eq!(turns.reserve(after(1)), after(10));
        assert_eq!(turns.reserve(after(100)), after(100));
        assert_eq!(turns.reserve(after(100)), after(105));
    }
}
