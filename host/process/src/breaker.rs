//! A circuit breaker: what failed repeatedly isn't tried for a while, and then by one call at a time.
//!
//! It has no clock of its own. A moment is whatever the caller measures time with.

use std::{
    ops::Add,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
    time::Duration,
};

use crate::http::retry::Backoff;

/// How a breaker decides.
#[derive(Debug, Clone, Copy)]
pub struct BreakerSettings {
    /// How many failures in a row open it. In a row, so that one person's failures can't take it from everybody else.
    pub failures_to_open: u32,
    /// How long it blocks calls once it opens, and after each failed trial.
    pub cool_down: Backoff,
    /// After this time, another call may try although the trial hasn't ended.
    pub trial_limit: Duration,
}

/// What others see of a breaker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BreakerStatus<Moment> {
    /// Calls are let through.
    Closed,
    /// No call is let through until then.
    Open { until: Moment },
    /// The cool-down is over: one call tests whether it works again.
    HalfOpen,
}

impl<Moment> BreakerStatus<Moment> {
    /// Whether calls are blocked, except perhaps one.
    pub fn is_open(&self) -> bool {
        !matches!(self, Self::Closed)
    }
}

/// What the end of a call changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Turn<Moment> {
    /// `is_news`: it was closed before.
    Opened {
        until: Moment,
        is_news: bool,
    },
    Closed,
}

#[derive(Debug)]
pub struct Breaker<Moment> {
    settings: BreakerSettings,
    /// All that a call has to look at while nothing is wrong.
    is_closed: AtomicBool,
    failures_in_a_row: AtomicU32,
    state: Mutex<State<Moment>>,
}

#[derive(Debug, Clone, Copy)]
enum State<Moment> {
    Closed,
    Open {
        until: Moment,
        trials: u32,
    },
    /// One call is let through; its outcome decides for the others.
    Trial {
        since: Moment,
        /// How many there were with this one, since the breaker opened.
        trials: u32,
    },
}

/// The permission to make one call. If dropped without an outcome, the call doesn't count.
#[derive(Debug)]
pub struct Admission<'a, Moment: Copy> {
    breaker: &'a Breaker<Moment>,
    /// The number of the trial that the call is.
    trial: Option<u32>,
}

impl<Moment: Copy + Ord + Add<Duration, Output = Moment>> Breaker<Moment> {
    pub fn new(settings: BreakerSettings) -> Self {
        Self {
            settings,
            is_closed: AtomicBool::new(true),
            failures_in_a_row: AtomicU32::new(0),
            state: Mutex::new(State::Closed),
        }
    }

    /// Lets a call through, or says when the next one may try.
    pub fn admit(&self, now: Moment) -> Result<Admission<'_, Moment>, Moment> {
        if self.is_closed.load(Ordering::Acquire) {
            return Ok(Admission { breaker: self, trial: None });
        }
        let mut state = self.state();
        let trials = match *state {
            State::Closed => return Ok(Admission { breaker: self, trial: None }),
            State::Open { until, .. } if now < until => return Err(until),
            State::Trial { since, .. } if now < since + self.settings.trial_limit => return Err(since),
            State::Open { trials, .. } | State::Trial { trials, .. } => trials.saturating_add(1),
        };
        *state = State::Trial { since: now, trials };
        Ok(Admission { breaker: self, trial: Some(trials) })
    }

    /// Forgets all failures.
    pub fn reset(&self) {
        self.failures_in_a_row.store(0, Ordering::Relaxed);
        *self.state() = State::Closed;
        self.is_closed.store(true, Ordering::Release);
    }

    pub fn status(&self, now: Moment) -> BreakerStatus<Moment> {
        if self.is_closed.load(Ordering::Acquire) {
            return BreakerStatus::Closed;
        }
        match *self.state() {
            State::Closed => BreakerStatus::Closed,
            State::Open { until, .. } if now < until => BreakerStatus::Open { until },
            State::Open { .. } | State::Trial { .. } => BreakerStatus::HalfOpen,
        }
    }
}

impl<Moment> Breaker<Moment> {
    fn state(&self) -> MutexGuard<'_, State<Moment>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<Moment: Copy + Ord + Add<Duration, Output = Moment>> Admission<'_, Moment> {
    /// Whether this call finds out if it works again.
    pub fn is_trial(&self) -> bool {
        self.trial.is_some()
    }

    /// It works, whatever its answer was.
    pub fn succeeded(mut self) -> Option<Turn<Moment>> {
        let breaker = self.breaker;
        if breaker.failures_in_a_row.load(Ordering::Relaxed) != 0 {
            breaker.failures_in_a_row.store(0, Ordering::Relaxed);
        }
        // A call that began before the breaker opened tells nothing new.
        self.trial.take()?;
        let mut state = breaker.state();
        if matches!(*state, State::Closed) {
            return None;
        }
        *state = State::Closed;
        breaker.is_closed.store(true, Ordering::Release);
        Some(Turn::Closed)
    }

    /// It doesn't work.
    pub fn failed(mut self, now: Moment) -> Option<Turn<Moment>> {
        let (breaker, trial) = (self.breaker, self.trial.take());
        let failures = breaker.failures_in_a_row.fetch_add(1, Ordering::Relaxed).saturating_add(1);
        let settings = &breaker.settings;
        if trial.is_none() && failures < settings.failures_to_open {
            return None;
        }
        let mut state = breaker.state();
        let trials = match *state {
            State::Closed if trial.is_none() => 0,
            State::Trial { trials, .. } if trial == Some(trials) => trials,
            // It began before the breaker opened, or another trial has followed. It tells nothing new.
            _ => return None,
        };
        let until = now + settings.cool_down.pause(trials + 1);
        *state = State::Open { until, trials };
        breaker.is_closed.store(false, Ordering::Release);
        Some(Turn::Opened { until, is_news: trials == 0 })
    }
}

impl<Moment: Copy> Drop for Admission<'_, Moment> {
    fn drop(&mut self) {
        let Some(trial) = self.trial else { return };
        let mut state = self.breaker.state();
        if let State::Trial { since, trials } = *state
            && trials == trial
        {
            // Nothing was learnt, so the next call is the trial.
            *state = State::Open { until: since, trials: trials - 1 };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TO_OPEN: u32 = 5;

    /// Moments are durations, counted from the start.
    fn breaker() -> Breaker<Duration> {
        let cool_down = Backoff { first: at(30), longest: at(600), certain: 1.0 };
        Breaker::new(BreakerSettings { failures_to_open: TO_OPEN, cool_down, trial_limit: at(10) })
    }

    fn at(second: u64) -> Duration {
        Duration::from_secs(second)
    }

    fn opened() -> Breaker<Duration> {
        let breaker = breaker();
        for _ in 1..TO_OPEN {
            assert_eq!(breaker.admit(at(0)).unwrap().failed(at(0)), None);
        }
        let turn = breaker.admit(at(0)).unwrap().failed(at(0));
        assert_eq!(turn, Some(Turn::Opened { until: at(30), is_news: true }));
        breaker
    }

    #[test]
    fn failures_in_a_row_open_it_and_a_success_between_them_does_not() {
        let breaker = breaker();
        for _ in 0..10 {
            for _ in 1..TO_OPEN {
                assert_eq!(breaker.admit(at(0)).unwrap().failed(at(0)), None);
            }
            assert_eq!(breaker.admit(at(0)).unwrap().succeeded(), None);
        }
        assert_eq!(breaker.status(at(0)), BreakerStatus::Closed);
        let breaker = opened();
        assert_eq!(breaker.status(at(0)), BreakerStatus::Open { until: at(30) });
        assert_eq!(breaker.admit(at(0)).unwrap_err(), at(30));
    }

    #[test]
    fn after_the_cool_down_one_call_decides() {
        let breaker = opened();
        assert_eq!(breaker.status(at(30)), BreakerStatus::HalfOpen);
        let trial = breaker.admit(at(30)).unwrap();
        assert!(breaker.admit(at(30)).is_err(), "a second call beside the trial");
        assert_eq!(trial.failed(at(30)), Some(Turn::Opened { until: at(90), is_news: false }));
        assert_eq!(breaker.admit(at(89)).unwrap_err(), at(90));
        assert_eq!(breaker.admit(at(90)).unwrap().succeeded(), Some(Turn::Closed));
        assert!(breaker.admit(at(90)).is_ok() && breaker.admit(at(90)).is_ok());
    }

    #[test]
    fn a_trial_that_ends_without_a_word_leaves_the_next_call_to_try() {
        let breaker = opened();
        drop(breaker.admit(at(30)).unwrap());
        let next = breaker.admit(at(30)).unwrap();
        assert_eq!(
            next.failed(at(30)),
            Some(Turn::Opened { until: at(90), is_news: false }),
            "not more often"
        );
    }

    #[test]
    fn a_trial_without_end_keeps_nobody_out_for_long() {
        let breaker = opened();
        let [first, second] = [at(30), at(40)].map(|moment| breaker.admit(moment).unwrap());
        assert!(breaker.admit(at(49)).is_err());
        assert_eq!(first.failed(at(41)), None, "another one decides");
        assert!(breaker.admit(at(49)).is_err());
        assert_eq!(second.succeeded(), Some(Turn::Closed));
        // An answer is good news, however late it comes.
        let breaker = opened();
        let [first, second] = [at(30), at(40)].map(|moment| breaker.admit(moment).unwrap());
        assert_eq!(first.succeeded(), Some(Turn::Closed));
        assert_eq!(second.failed(at(45)), None);
        assert_eq!(breaker.status(at(45)), BreakerStatus::Closed);
    }

    #[test]
    fn without_its_failures_it_is_closed() {
        let breaker = opened();
        breaker.reset();
        assert_eq!(breaker.status(at(0)), BreakerStatus::Closed);
        assert_eq!(breaker.admit(at(0)).unwrap().failed(at(0)), None, "the first of a new row");
    }

    #[test]
    fn the_cool_down_grows_to_its_bound() {
        let breaker = opened();
        let mut now = 30;
        for cool_down in [60, 120, 240, 480, 600, 600] {
            let turn = breaker.admit(at(now)).unwrap().failed(at(now));
            assert_eq!(turn, Some(Turn::Opened { until: at(now + cool_down), is_news: false }));
            now += cool_down;
        }
    }

    #[test]
    fn what_began_before_it_opened_changes_nothing() {
        let breaker = breaker();
        let early: Vec<_> = (0..10).map(|_| breaker.admit(at(0)).unwrap()).collect();
        let turns: Vec<_> = early.into_iter().filter_map(|call| call.failed(at(0))).collect();
        assert_eq!(turns, [Turn::Opened { until: at(30), is_news: true }]);
    }
}
