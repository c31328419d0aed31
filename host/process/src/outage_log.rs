//! One outage, told once: when it begins, and when it is over.

use std::{
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

/// How long nothing must have failed before an outage is over. What half works would otherwise be told of without end.
const QUIET: Duration = Duration::from_secs(10);

/// Whether something that is called from many places answers.
#[derive(Debug, Default)]
pub struct Outage {
    /// All that a call has to look at while nothing is wrong.
    is_on: AtomicBool,
    state: Mutex<Option<State>>,
}

#[derive(Debug, Clone, Copy)]
struct State {
    began: Instant,
    last_failure: Instant,
    failures: u64,
}

/// An outage that is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Over {
    /// From the first failure to the last.
    pub lasted: Duration,
    pub failures: u64,
}

impl Outage {
    /// Notes a failure. `true` if an outage begins with it, which the caller then logs.
    pub fn failed(&self) -> bool {
        self.failed_at(Instant::now())
    }

    /// Notes an answer. The caller logs what is over with it.
    pub fn answered(&self) -> Option<Over> {
        if self.is_on.load(Ordering::Acquire) { self.answered_at(Instant::now()) } else { None }
    }

    fn failed_at(&self, now: Instant) -> bool {
        let mut state = self.state();
        let is_news = state.is_none();
        let State { began, failures, .. } =
            state.unwrap_or(State { began: now, last_failure: now, failures: 0 });
        *state = Some(State { began, last_failure: now, failures: failures + 1 });
        self.is_on.store(true, Ordering::Release);
        is_news
    }

    fn answered_at(&self, now: Instant) -> Option<Over> {
        let mut state = self.state();
        let is_over = |state: &mut State| now.saturating_duration_since(state.last_failure) >= QUIET;
        let State { began, last_failure, failures } = state.take_if(is_over)?;
        self.is_on.store(false, Ordering::Release);
        Some(Over { lasted: last_failure - began, failures })
    }

    /// No code panics while it holds the lock.
    fn state(&self) -> MutexGuard<'_, Option<State>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_outage_is_told_when_it_begins_and_when_it_is_over() {
        let (outage, start) = (Outage::default(), Instant::now());
        let at = |seconds| start + Duration::from_secs(seconds);
        assert_eq!(outage.answered(), None);
        let news: Vec<bool> = [0, 1, 30].map(|second| outage.failed_at(at(second))).to_vec();
        assert_eq!(news, [true, false, false]);
        let lasted = Duration::from_secs(30);
        assert_eq!(outage.answered_at(at(40)), Some(Over { lasted, failures: 3 }));
        assert_eq!(outage.answered_at(at(41)), None);
        assert!(outage.failed_at(at(42)));
    }

    #[test]
    fn what_half_works_is_one_outage() {
        let (outage, start) = (Outage::default(), Instant::now());
        let at = |seconds| start + Duration::from_secs(seconds);
        assert!(outage.failed_at(at(0)));
        for second in 1..60 {
            assert_eq!(outage.answered_at(at(second)), None);
            assert!(!outage.failed_at(at(second)));
        }
        assert_eq!(outage.answered_at(at(68)), None);
        assert_eq!(outage.answered_at(at(69)).map(|over| over.failures), Some(60));
    }
}
