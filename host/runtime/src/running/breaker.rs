//! The circuit breaker of one version of a plugin: after repeated faults it isn't run for a while.

use std::{
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
    time::Duration,
};

use jiff::{SignedDuration, Timestamp};

use maro_process::clock::Clock;

/// How many faults in a row open the breaker. In a row, so that one person whose arguments break a plugin
/// can't take it from everybody else.
const FAULTS_TO_OPEN: u32 = 5;

/// How long an open breaker blocks calls, the first time and at most. The time doubles after each failed
/// trial.
const FIRST_COOL_DOWN: Duration = Duration::from_secs(30);
const LONGEST_COOL_DOWN: Duration = Duration::from_secs(10 * 60);

/// What others see of a breaker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BreakerStatus {
    /// Calls are let through.
    Closed,
    /// No call is let through until then.
    Open { until: Timestamp },
    /// The cool-down is over: one call tests whether it works again.
    HalfOpen,
}

impl BreakerStatus {
    /// Whether calls are blocked, except perhaps one.
    pub fn is_open(self) -> bool {
        self != Self::Closed
    }
}

/// What the end of a call changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Turn {
    Opened { until: Timestamp },
    Closed,
}

#[derive(Debug)]
pub(crate) struct Breaker {
    /// All that a call has to look at while nothing is wrong.
    is_closed: AtomicBool,
    faults_in_a_row: AtomicU32,
    state: Mutex<State>,
}

#[derive(Debug, Clone, Copy)]
enum State {
    Closed,
    Open {
        until: Timestamp,
        cool_down: Duration,
    },
    /// One call is let through; its outcome decides for the others.
    Trial {
        since: Timestamp,
        cool_down: Duration,
    },
}

/// The permission to make one call. If dropped without an outcome, the call doesn't count.
#[derive(Debug)]
pub(super) struct Admission<'a> {
    breaker: &'a Breaker,
    is_trial: bool,
}

impl Breaker {
    pub(crate) fn new() -> Self {
        Self {
            is_closed: AtomicBool::new(true),
            faults_in_a_row: AtomicU32::new(0),
            state: Mutex::new(State::Closed),
        }
    }

    /// Lets a call through, or says when the next one may try.
    pub(super) fn admit(&self, clock: &Clock) -> Result<Admission<'_>, Timestamp> {
        if self.is_closed.load(Ordering::Acquire) {
            return Ok(Admission { breaker: self, is_trial: false });
        }
        let mut state = self.state();
        match *state {
            State::Closed => Ok(Admission { breaker: self, is_trial: false }),
            State::Open { until, cool_down } if until <= clock.now() => {
                *state = State::Trial { since: until, cool_down };
                Ok(Admission { breaker: self, is_trial: true })
            }
            State::Open { until, .. } => Err(until),
            State::Trial { since, .. } => Err(since),
        }
    }

    /// Forgets all faults.
    pub(super) fn reset(&self) {
        self.faults_in_a_row.store(0, Ordering::Relaxed);
        *self.state() = State::Closed;
        self.is_closed.store(true, Ordering::Release);
    }

    pub(super) fn status(&self, clock: &Clock) -> BreakerStatus {
        match *self.state() {
            State::Closed => BreakerStatus::Closed,
            State::Open { until, .. } if until > clock.now() => BreakerStatus::Open { until },
            State::Open { .. } | State::Trial { .. } => BreakerStatus::HalfOpen,
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn open(&self, state: &mut State, now: Timestamp, cool_down: Duration) -> Turn {
        let until = now.checked_add(SignedDuration::try_from(cool_down).unwrap_or_default()).unwrap_or(now);
        *state = State::Open { until, cool_down };
        self.is_closed.store(false, Ordering::Release);
        Turn::Opened { until }
    }
}

impl Admission<'_> {
    /// The plugin did its work, whatever its answer was.
    pub(super) fn succeeded(mut self) -> Option<Turn> {
        let breaker = self.breaker;
        if breaker.faults_in_a_row.load(Ordering::Relaxed) != 0 {
            breaker.faults_in_a_row.store(0, Ordering::Relaxed);
        }
        if !self.is_trial {
            return None;
        }
        self.is_trial = false;
        *breaker.state() = State::Closed;
        breaker.is_closed.store(true, Ordering::Release);
        Some(Turn::Closed)
    }

    /// The plugin is at fault.
    pub(super) fn failed(mut self, clock: &Clock) -> Option<Turn> {
        let breaker = self.breaker;
        let faults = breaker.faults_in_a_row.fetch_add(1, Ordering::Relaxed) + 1;
        if !self.is_trial && faults < FAULTS_TO_OPEN {
            return None;
        }
        let mut state = breaker.state();
        let cool_down = match *state {
            State::Closed => FIRST_COOL_DOWN,
            State::Trial { cool_down, .. } if self.is_trial => (cool_down * 2).min(LONGEST_COOL_DOWN),
            // It began before the breaker opened, and tells nothing new.
            _ => return None,
        };
        self.is_trial = false;
        Some(breaker.open(&mut state, clock.now(), cool_down))
    }
}

impl Drop for Admission<'_> {
    fn drop(&mut self) {
        if self.is_trial {
            let mut state = self.breaker.state();
            if let State::Trial { since, cool_down } = *state {
                // Nothing was learnt, so the next call is the trial.
                *state = State::Open { until: since, cool_down };
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Timestamp = Timestamp::UNIX_EPOCH;

    fn at(second: i64) -> Timestamp {
        START + SignedDuration::from_secs(second)
    }

    fn opened() -> (Breaker, Clock) {
        let (breaker, clock) = (Breaker::new(), Clock::stopped(START));
        for _ in 1..FAULTS_TO_OPEN {
            assert_eq!(breaker.admit(&clock).unwrap().failed(&clock), None);
        }
        let turn = breaker.admit(&clock).unwrap().failed(&clock);
        assert_eq!(turn, Some(Turn::Opened { until: at(30) }));
        (breaker, clock)
    }

    #[test]
    fn faults_in_a_row_open_it_and_a_success_between_them_does_not() {
        let (breaker, clock) = (Breaker::new(), Clock::stopped(START));
        for _ in 0..10 {
            for _ in 1..FAULTS_TO_OPEN {
                assert_eq!(breaker.admit(&clock).unwrap().failed(&clock), None);
            }
            assert_eq!(breaker.admit(&clock).unwrap().succeeded(), None);
        }
        assert_eq!(breaker.status(&clock), BreakerStatus::Closed);
        let (breaker, clock) = opened();
        assert_eq!(breaker.status(&clock), BreakerStatus::Open { until: at(30) });
        assert_eq!(breaker.admit(&clock).unwrap_err(), at(30));
    }

    #[test]
    fn after_the_cool_down_one_call_decides() {
        let (breaker, clock) = opened();
        clock.set(at(30));
        assert_eq!(breaker.status(&clock), BreakerStatus::HalfOpen);
        let trial = breaker.admit(&clock).unwrap();
        assert!(breaker.admit(&clock).is_err(), "a second call beside the trial");
        assert_eq!(trial.failed(&clock), Some(Turn::Opened { until: at(90) }));
        clock.set(at(89));
        assert_eq!(breaker.admit(&clock).unwrap_err(), at(90));
        clock.set(at(90));
        assert_eq!(breaker.admit(&clock).unwrap().succeeded(), Some(Turn::Closed));
        assert!(breaker.admit(&clock).is_ok() && breaker.admit(&clock).is_ok());
    }

    #[test]
    fn a_trial_that_ends_without_a_word_leaves_the_next_call_to_try() {
        let (breaker, clock) = opened();
        clock.set(at(30));
        drop(breaker.admit(&clock).unwrap());
        assert_eq!(breaker.admit(&clock).unwrap().succeeded(), Some(Turn::Closed));
    }

    #[test]
    fn without_its_faults_it_is_closed() {
        let (breaker, clock) = opened();
        breaker.reset();
        assert_eq!(breaker.status(&clock), BreakerStatus::Closed);
        assert_eq!(breaker.admit(&clock).unwrap().failed(&clock), None, "the first of a new row");
    }

    #[test]
    fn the_cool_down_grows_to_its_bound() {
        let (breaker, clock) = opened();
        let mut now = 30;
        for cool_down in [60, 120, 240, 480, 600, 600] {
            clock.set(at(now));
            let turn = breaker.admit(&clock).unwrap().failed(&clock);
            assert_eq!(turn, Some(Turn::Opened { until: at(now + cool_down) }));
            now += cool_down;
        }
    }

    #[test]
    fn what_began_before_it_opened_changes_nothing() {
        let (breaker, clock) = (Breaker::new(), Clock::stopped(START));
        let early: Vec<_> = (0..10).map(|_| breaker.admit(&clock).unwrap()).collect();
        let turns: Vec<_> = early.into_iter().filter_map(|call| call.failed(&clock)).collect();
        assert_eq!(turns, [Turn::Opened { until: at(30) }]);
    }
}
