//! Whether Jira is asked at all: a request passes only if its kind isn't held back.
//!
//! Each kind of request has a share of its own, so what hangs holds up nothing else. Who doesn't pass is told at
//! once, and then nothing was sent.

use std::{
    pin::pin,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use tokio::{
    sync::{Semaphore, SemaphorePermit},
    time::{Instant, sleep_until, timeout_at},
};

use crate::{
    connection::request::RequestKind,
    error::{JiraError, JiraOutage},
};
use maro_process::{
    breaker::{Admission, Breaker, BreakerSettings, BreakerStatus, Turn},
    http::retry::Backoff,
    metrics::calls::Breakers,
    outage_log,
    telemetry::error_chain,
};

/// How many requests of one kind are under way at once: a quarter of the commands that run at once, which a
/// hanging Jira can keep waiting.
const MOST_AT_ONCE: usize = 16;

/// How long anything waits at the gate.
#[derive(Debug, Clone, Copy)]
struct Limits {
    /// How long all requests of a kind may be under way without an answer before nobody waits for a turn any more.
    /// Shorter than commands wait for a place, so that nobody is told that MARO is busy.
    stalled: Duration,
    /// A time-out counts against Jira if Jira had this long.
    fair_time: Duration,
    /// How long a kind is held back on Jira's word at most, before one more request finds out.
    longest_pause: Duration,
    breaker: BreakerSettings,
}

const LIMITS: Limits = Limits {
    stalled: Duration::from_secs(2),
    fair_time: Duration::from_secs(1),
    longest_pause: Duration::from_secs(60),
    breaker: BreakerSettings {
        failures_to_open: 5,
        cool_down: Backoff { first: Duration::from_secs(1), longest: Duration::from_secs(60), certain: 0.5 },
        // Requests in the background may last much longer, and people shall not wait for their end.
        trial_limit: Duration::from_secs(5),
    },
};

#[derive(Debug)]
pub(crate) struct Gate {
    /// One for each kind, in the order of [`RequestKind::ALL`].
    lanes: [Lane; RequestKind::ALL.len()],
    breakers: Breakers,
    /// Whether Jira didn't answer the request that ended last, of whichever kind.
    is_silent: AtomicBool,
}

/// The requests of one kind.
#[derive(Debug)]
struct Lane {
    kind: RequestKind,
    limits: Limits,
    turns: Semaphore,
    breaker: Breaker<Instant>,
    outage: outage_log::Outage,
    /// Whether there was no connection, the last time that Jira didn't answer.
    is_unreachable: AtomicBool,
    /// When Jira last answered, or a request began without waiting.
    moved_at: Mutex<Instant>,
    /// For how long Jira wants to be left alone.
    limit: Mutex<Option<Limit>>,
}

/// What Jira said of how long it wants no more requests of a kind.
#[derive(Debug, Clone, Copy)]
struct Limit {
    /// Until when the kind is held back.
    held_until: Instant,
    /// What Jira named, which people are told.
    named_until: Instant,
}

/// A request that may be sent.
#[derive(Debug)]
pub(crate) struct Pass<'a> {
    lane: &'a Lane,
    breakers: &'a Breakers,
    is_silent: &'a AtomicBool,
    admission: Admission<'a, Instant>,
    began: Instant,
    deadline: Instant,
    _turn: SemaphorePermit<'a>,
}

impl Gate {
    pub(crate) fn new(breakers: Breakers) -> Self {
        Self::with_limits(LIMITS, breakers)
    }

    fn with_limits(limits: Limits, breakers: Breakers) -> Self {
        for kind in RequestKind::ALL {
            breakers.set(kind.as_str(), false);
        }
        let lanes = RequestKind::ALL.map(|kind| Lane::new(kind, limits));
        Self { lanes, breakers, is_silent: AtomicBool::new(false) }
    }

    /// Whether Jira doesn't answer, as far as is known.
    pub(crate) fn is_silent(&self) -> bool {
        self.is_silent.load(Ordering::Relaxed)
    }

    /// Waits until a request may be sent, but not for long.
    ///
    /// # Errors
    /// Why it isn't sent: as the latest ones of its kind failed.
    pub(crate) async fn enter(&self, kind: RequestKind, deadline: Instant) -> Result<Pass<'_>, JiraError> {
        let lane = &self.lanes[kind as usize];
        lane.wait_out_limit(deadline).await?;
        if let BreakerStatus::Open { .. } = lane.breaker.status(Instant::now()) {
            return Err(lane.not_asked());
        }
        let turn = lane.turn(deadline).await?;
        let began = Instant::now();
        let admission = lane.breaker.admit(began).map_err(|_| lane.not_asked())?;
        Ok(Pass {
            lane,
            breakers: &self.breakers,
            is_silent: &self.is_silent,
            admission,
            began,
            deadline,
            _turn: turn,
        })
    }
}

impl Lane {
    fn new(kind: RequestKind, limits: Limits) -> Self {
        Self {
            kind,
            limits,
            turns: Semaphore::new(MOST_AT_ONCE),
            breaker: Breaker::new(limits.breaker),
            outage: outage_log::Outage::default(),
            is_unreachable: AtomicBool::new(false),
            moved_at: Mutex::new(Instant::now()),
            limit: Mutex::new(None),
        }
    }

    async fn wait_out_limit(&self, deadline: Instant) -> Result<(), JiraError> {
        let limit = *locked(&self.limit);
        let Some(limit) = limit.filter(|limit| limit.held_until > Instant::now()) else { return Ok(()) };
        if limit.held_until - Instant::now() > self.limits.stalled || limit.held_until >= deadline {
            let wait = limit.named_until - Instant::now();
            let retry_after = Duration::from_secs(wait.as_secs() + u64::from(wait.subsec_nanos() > 0));
            return Err(JiraError::RateLimited { retry_after });
        }
        sleep_until(limit.held_until).await;
        Ok(())
    }

    /// Waits for one of the turns, as long as they come round.
    async fn turn(&self, deadline: Instant) -> Result<SemaphorePermit<'_>, JiraError> {
        if let Ok(turn) = self.turns.try_acquire() {
            *locked(&self.moved_at) = Instant::now();
            return Ok(turn);
        }
        let mut coming = pin!(self.turns.acquire());
        loop {
            let end = deadline.min(*locked(&self.moved_at) + self.limits.stalled);
            match timeout_at(end, &mut coming).await {
                Ok(turn) => return turn.map_err(|_| JiraError::TimedOut),
                Err(_) if Instant::now() >= deadline.min(*locked(&self.moved_at) + self.limits.stalled) => {
                    return Err(JiraError::TimedOut);
                }
                Err(_) => {}
            }
        }
    }

    fn not_asked(&self) -> JiraError {
        if self.is_unreachable.load(Ordering::Relaxed) {
            JiraError::outage(JiraOutage::NotAsked)
        } else {
            JiraError::TimedOut
        }
    }
}

impl Pass<'_> {
    /// Jira wants no more requests of this kind for a while.
    pub(crate) fn limited(&self, wait: Duration) {
        let now = Instant::now();
        let held_until = now + wait.min(self.lane.limits.longest_pause);
        let mut limit = locked(&self.lane.limit);
        if limit.is_none_or(|known| known.held_until < held_until) {
            let named_until = now.checked_add(wait).unwrap_or(held_until);
            *limit = Some(Limit { held_until, named_until });
        }
    }

    /// Jira has answered, or `error` says why not.
    pub(crate) fn ended(self, error: Option<&JiraError>) {
        let Self { lane, breakers, is_silent, admission, began, deadline, _turn: turn } = self;
        let kind = lane.kind.as_str();
        let is_unreachable = match error {
            Some(JiraError::Unreachable { source: JiraOutage::Connection { .. } }) => Some(true),
            Some(JiraError::TimedOut) => Some(false),
            _ => None,
        };
        let now = Instant::now();
        let was_fair = deadline - began >= lane.limits.fair_time;
        match error {
            Some(error) if error.is_outage() => {
                is_silent.store(is_silent.load(Ordering::Relaxed) || was_fair, Ordering::Relaxed);
                if was_fair && lane.outage.failed() {
                    tracing::warn!(call = kind, error = error_chain(error), "Jira doesn't answer");
                }
            }
            _ => {
                is_silent.store(false, Ordering::Relaxed);
                if let Some(over) = lane.outage.answered() {
                    let (failures, seconds) = (over.failures, over.lasted.as_secs());
                    tracing::info!(call = kind, failures, seconds, "Jira answers again");
                }
            }
        }
        let turned = match is_unreachable {
            Some(is_unreachable) if is_unreachable || was_fair => {
                lane.is_unreachable.store(is_unreachable, Ordering::Relaxed);
                admission.failed(now)
            }
            // It had no chance, which says nothing.
            Some(_) => None,
            // Jira isn't well, but it doesn't hang.
            None => {
                *locked(&lane.moved_at) = now;
                admission.succeeded()
            }
        };
        drop(turn);
        match turned {
            Some(Turn::Opened { is_news, .. }) => {
                breakers.set(kind, true);
                if is_news {
                    tracing::warn!(call = kind, "pausing requests to Jira until a test request succeeds");
                }
            }
            Some(Turn::Closed) => breakers.set(kind, false),
            None => {}
        }
    }
}

/// No code panics while it holds a lock.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use futures_util::future::join_all;

    use super::*;

    const KIND: RequestKind = RequestKind::GetIssues;

    /// As [`LIMITS`], for people in a hurry.
    const SHORT: Limits = Limits {
        stalled: Duration::from_millis(100),
        fair_time: Duration::ZERO,
        longest_pause: Duration::from_secs(60),
        breaker: BreakerSettings {
            failures_to_open: 5,
            cool_down: Backoff {
                first: Duration::from_millis(100),
                longest: Duration::from_secs(60),
                certain: 1.0,
            },
            trial_limit: Duration::from_millis(100),
        },
    };

    fn gate(limits: Limits) -> Gate {
        Gate::with_limits(limits, Breakers::default())
    }

    async fn enter(gate: &Gate) -> Result<Pass<'_>, JiraError> {
        gate.enter(KIND, Instant::now() + Duration::from_secs(60)).await
    }

    async fn fill(gate: &Gate) -> Vec<Pass<'_>> {
        join_all((0..MOST_AT_ONCE).map(|_| enter(gate))).await.into_iter().map(Result::unwrap).collect()
    }

    /// A gate that was opened and shut by time-outs.
    async fn shut() -> Gate {
        let gate = gate(SHORT);
        for pass in fill(&gate).await {
            pass.ended(Some(&JiraError::TimedOut));
        }
        assert!(matches!(enter(&gate).await, Err(JiraError::TimedOut)));
        gate
    }

    /// The first request that passes.
    async fn trial(gate: &Gate) -> Pass<'_> {
        loop {
            match enter(gate).await {
                Ok(pass) => return pass,
                Err(_) => tokio::time::sleep(Duration::from_millis(10)).await,
            }
        }
    }

    #[tokio::test]
    async fn what_hangs_takes_its_share_and_holds_up_no_other_kind() {
        let gate = gate(SHORT);
        let _hanging = fill(&gate).await;
        let rest = join_all((0..100).map(|_| enter(&gate))).await;
        assert!(rest.iter().all(|rest| matches!(rest, Err(JiraError::TimedOut))));
        let end = Instant::now() + Duration::from_secs(60);
        assert!(gate.enter(RequestKind::CreateIssue, end).await.is_ok());
    }

    #[tokio::test]
    async fn who_waits_gets_a_turn_as_long_as_jira_answers() {
        let gate = gate(Limits { stalled: Duration::from_secs(30), ..SHORT });
        let passes = fill(&gate).await;
        let waiting = join_all((0..MOST_AT_ONCE).map(|_| enter(&gate)));
        let answers = async { passes.into_iter().for_each(|pass| pass.ended(None)) };
        let (waited, ()) = tokio::join!(waiting, answers);
        assert!(waited.iter().all(Result::is_ok));
    }

    #[tokio::test]
    async fn after_time_outs_in_a_row_one_request_at_a_time_finds_out() {
        let gate = shut().await;
        let first = trial(&gate).await;
        first.ended(Some(&JiraError::TimedOut));
        assert!(enter(&gate).await.is_err());
        trial(&gate).await.ended(None);
        assert_eq!(fill(&gate).await.len(), MOST_AT_ONCE);
    }

    #[tokio::test]
    async fn a_trial_that_hangs_in_the_background_keeps_people_out_for_a_moment_only() {
        let gate = shut().await;
        let _background = trial(&gate).await;
        trial(&gate).await.ended(None);
        assert!(enter(&gate).await.is_ok());
    }

    #[tokio::test]
    async fn hurried_requests_and_refusals_shut_nobody_out() {
        let gate = gate(LIMITS);
        for _ in 0..20 {
            let hurried = gate.enter(KIND, Instant::now() + Duration::from_millis(500)).await.unwrap();
            hurried.ended(Some(&JiraError::TimedOut));
            enter(&gate).await.unwrap().ended(Some(&JiraError::Unauthorized));
            enter(&gate).await.unwrap().ended(Some(&JiraError::outage(JiraOutage::Status(500))));
        }
        assert!(enter(&gate).await.is_ok());
    }

    #[tokio::test]
    async fn a_limit_holds_back_the_kind_that_it_names_and_everyone_is_told_what_jira_said() {
        let gate = gate(SHORT);
        let wait = async |named: u64| {
            enter(&gate).await.unwrap().limited(Duration::from_secs(named));
            let Err(JiraError::RateLimited { retry_after }) = enter(&gate).await else { panic!("it passes") };
            let limit = locked(&gate.lanes[KIND as usize].limit).take().unwrap();
            (retry_after.as_secs(), (limit.held_until - Instant::now()).as_secs())
        };
        let (told, held) = wait(20).await;
        assert!((15..=20).contains(&told) && (15..=20).contains(&held));
        let (told, held) = wait(86_400).await;
        assert!((86_300..=86_400).contains(&told), "{told}");
        assert!((50..=60).contains(&held), "a day on one word would be long");
        // What is left is short enough to wait for, and others don't have to.
        let began = Instant::now();
        enter(&gate).await.unwrap().limited(SHORT.stalled);
        let end = Instant::now() + Duration::from_secs(60);
        assert!(gate.enter(RequestKind::GetAccount, end).await.is_ok());
        assert!(enter(&gate).await.is_ok());
        assert!(began.elapsed() >= SHORT.stalled);
    }
}
