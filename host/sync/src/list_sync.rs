//! Keeps stored summaries and statuses up to date: each issue is read from Jira again when its turn comes, once for all
//! lists that it is on. What Jira no longer shows to the account loses its summary.
//!
//! What changes is known sooner from [`crate::polling`]. As long as that misses nothing, the turns only find what was
//! deleted or hidden, so they come slowly, at one pace for all replicas together. What isn't known to be unchanged is
//! a backlog, and drained as fast as Jira answers.

use std::{collections::HashSet, sync::Arc, time::Duration};

use futures_util::{StreamExt as _, stream};
use jiff::{SignedDuration, Timestamp};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::sync_lag::{self, KnownTime};
use maro_domain::issue::IssueKey;
use maro_jira::{client::JiraClient, error::JiraError, reading::answers::Age};
use maro_process::{clock::Clock, metrics::Metrics, replaceable::Live, telemetry::error_chain};
use maro_store::{
    claim_renewal::while_renewing,
    database::error::DatabaseError,
    freshness::{Ages, Freshness},
    jira_polls::{Coverage, JiraPolls},
    tracker::{
        ChannelIssueTracker,
        jira_answers::{IssueAnswer, JiraAnswers},
    },
};

/// How many issues one round reads. The rest is left to the next round, which then follows at once.
const ISSUES_PER_ROUND: u32 = 2_000;

/// How many keys are asked for at once.
const KEYS_PER_REQUEST: usize = 100;

/// How many such requests are open at a time: fewer than half of those that Jira gets at once, so that people have
/// room.
const REQUESTS: usize = 6;

/// The time between two requests for issues that are known not to have changed.
const PACE: Duration = Duration::from_secs(3);

/// The pause after a round that didn't read everything.
const SHORT_PAUSE: Duration = Duration::from_millis(20);

/// How long one request may take: nobody waits for it.
const PATIENCE: Duration = Duration::from_secs(30);

/// The longest time between two rounds.
const MAX_ROUND_INTERVAL: Duration = Duration::from_secs(60);

/// How long an issue rests that Jira can't serve while it answers. Otherwise it would be the next again, and with
/// enough of them no other had a turn.
const REST: SignedDuration = SignedDuration::from_secs(60);

/// Of how many such issues it's remembered that they were logged.
const MAX_LOGGED: usize = 1_000;

/// How often it's looked how far behind the lists are.
const LAG_INTERVAL: Duration = Duration::from_secs(15);

/// Refreshes stored statuses in the background.
pub struct ListSync {
    pub tracker: Arc<dyn ChannelIssueTracker>,
    pub freshness: Arc<dyn Freshness>,
    pub polls: Arc<dyn JiraPolls>,
    pub jira: Arc<JiraClient>,
    pub clock: Clock,
    pub metrics: Arc<Metrics>,
    /// How old a stored status may get.
    pub max_age: Live<Duration>,
}

#[derive(Debug, thiserror::Error)]
enum SyncError {
    #[error(transparent)]
    Jira(#[from] JiraError),
    #[error(transparent)]
    Database(#[from] DatabaseError),
}

impl SyncError {
    /// Whether it is logged elsewhere: once, and not for each round.
    fn is_outage(&self) -> bool {
        match self {
            Self::Jira(error) => error.is_outage(),
            Self::Database(_) => true,
        }
    }
}

/// What was said already, and isn't said for each round that fails in the same way.
#[derive(Default)]
struct Said {
    error: Option<String>,
    /// Issues that Jira couldn't serve.
    issues: HashSet<IssueKey>,
}

/// What came of reading issues.
#[derive(Default)]
struct Refreshed {
    served: Vec<IssueKey>,
    /// Those that Jira couldn't serve, with the error of the last.
    refused: Vec<IssueKey>,
    error: Option<JiraError>,
    /// Whether that may be due to Jira itself, as far as these show.
    may_be_jira: bool,
}

/// What a round has left to the next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Left {
    Nothing,
    /// A backlog.
    Much,
    /// What isn't urgent.
    ForLater,
}

impl ListSync {
    /// Runs rounds until `shutdown`. Several replicas share the work: what one has claimed, the others leave alone.
    pub async fn run(self, shutdown: CancellationToken) {
        let mut pause = spread(self.round_interval());
        let mut lag_is_due = Instant::now();
        let mut said = Said::default();
        while shutdown.run_until_cancelled(tokio::time::sleep(pause)).await.is_some() {
            // Another one each round: what one round has left without an answer isn't renewed by the next.
            let holder = rand::random();
            let round = while_renewing(self.round(holder, &mut said), || self.freshness.renew(holder));
            let Some(result) = shutdown.run_until_cancelled(round).await else {
                self.release(holder).await;
                break;
            };
            said.say(result.as_ref().err());
            if result.is_err() {
                self.release(holder).await;
            }
            if lag_is_due <= Instant::now() {
                lag_is_due = Instant::now() + LAG_INTERVAL;
                // The database's outage is logged where all its calls pass.
                let _ = self.measure_lag().await;
            }
            pause = pause_after(&result, self.round_interval(), self.pace());
        }
    }

    fn round_interval(&self) -> Duration {
        (*self.max_age.get() / 4).clamp(Duration::from_millis(250), MAX_ROUND_INTERVAL)
    }

    fn pace(&self) -> Duration {
        PACE.min(self.round_interval())
    }

    async fn release(&self, holder: i64) {
        if let Err(error) = self.freshness.release(holder).await {
            tracing::debug!(error = error_chain(&error), "claimed issues come back when the claim is over");
        }
    }

    async fn round(&self, holder: i64, said: &mut Said) -> Result<Left, SyncError> {
        let max_age = SignedDuration::try_from(*self.max_age.get()).unwrap_or(SignedDuration::MAX);
        let too_old = self.clock.now().checked_sub(max_age).unwrap_or(Timestamp::UNIX_EPOCH);
        let known = self.known_time().await?;
        let unknown = known.map_or(too_old, |known| known.since.min(too_old));
        let claim =
            |before, limit| self.freshness.claim(Ages { before, now: self.clock.now() }, limit, holder);
        let backlog = claim(unknown, ISSUES_PER_ROUND).await?;
        if !backlog.is_empty() {
            self.refresh_all(&backlog, said).await?;
            return Ok(if backlog.len() < ISSUES_PER_ROUND as usize { Left::Nothing } else { Left::Much });
        }
        if known.is_none() || !self.polls.may_sweep(self.pace()).await? {
            return Ok(Left::Nothing);
        }
        let limit = u32::try_from(KEYS_PER_REQUEST).unwrap_or(u32::MAX);
        let old = claim(too_old, limit).await?;
        self.refresh_all(&old, said).await?;
        Ok(if old.len() < KEYS_PER_REQUEST { Left::Nothing } else { Left::ForLater })
    }

    /// Of which time all changes are known, if that isn't too long ago.
    async fn known_time(&self) -> Result<Option<KnownTime>, DatabaseError> {
        let now = self.clock.now();
        let coverage = self.polls.coverage().await?.filter(|known| known.until_ago <= *self.max_age.get());
        Ok(coverage.and_then(|Coverage { since_ago, until_ago }| {
            let since = now.checked_sub(SignedDuration::try_from(since_ago).ok()?).ok()?;
            Some(KnownTime { since, until_ago })
        }))
    }

    async fn measure_lag(&self) -> Result<(), DatabaseError> {
        let (waiting, known) = (self.freshness.waiting().await?, self.known_time().await?);
        sync_lag::show(&self.metrics, waiting, known, self.clock.now());
        Ok(())
    }

    async fn refresh_all(&self, keys: &[IssueKey], said: &mut Said) -> Result<(), SyncError> {
        let chunks: Vec<_> = keys.chunks(KEYS_PER_REQUEST).map(|keys| self.refresh(keys)).collect();
        let refreshed: Vec<Result<Refreshed, SyncError>> =
            stream::iter(chunks).buffer_unordered(REQUESTS).collect().await;
        // That Jira isn't there for some issues doesn't end the round. Those come back when the claim is over.
        let ends_round = |error: &SyncError| {
            matches!(error, SyncError::Database(_) | SyncError::Jira(JiraError::RateLimited { .. }))
        };
        let (mut all, mut failed, mut has_answered) = (Refreshed::default(), None, keys.is_empty());
        for part in refreshed {
            match part {
                Ok(part) => {
                    has_answered = true;
                    all.served.extend(part.served);
                    all.refused.extend(part.refused);
                    all.error = part.error.or(all.error);
                    all.may_be_jira |= part.may_be_jira;
                }
                Err(error) if failed.as_ref().is_some_and(ends_round) => drop(error),
                Err(error) => failed = Some(error),
            }
        }
        all.may_be_jira &= all.served.is_empty();
        if !all.refused.is_empty() {
            self.put_off(&all.refused).await?;
        }
        if let Some(error) = failed.filter(|error| !has_answered || ends_round(error)) {
            return Err(error);
        }
        match all.error.take_if(|_| all.may_be_jira) {
            Some(error) => Err(error.into()),
            None => {
                said.say_issues(&all);
                Ok(())
            }
        }
    }

    async fn put_off(&self, keys: &[IssueKey]) -> Result<(), DatabaseError> {
        let max_age = SignedDuration::try_from(*self.max_age.get()).unwrap_or(SignedDuration::MAX);
        let earlier = max_age.saturating_sub(REST).max(SignedDuration::ZERO);
        let until = self.clock.now().checked_sub(earlier).unwrap_or(Timestamp::UNIX_EPOCH);
        self.freshness.put_off(keys, until).await
    }

    /// Reads issues, and writes what Jira says.
    ///
    /// # Errors
    /// Jira says nothing of any of them, or the database fails.
    async fn refresh(&self, keys: &[IssueKey]) -> Result<Refreshed, SyncError> {
        let asked_at = self.clock.now();
        let answered = self.jira.get_each_issue(keys, Age::Indexed, Instant::now() + PATIENCE).await;
        let (mut answers, mut refreshed, mut failed) =
            (Vec::with_capacity(keys.len()), Refreshed::default(), None);
        for (key, answer) in keys.iter().zip(answered) {
            match answer {
                Ok(issue) => {
                    refreshed.served.push(key.clone());
                    answers.push(IssueAnswer::to(key.clone(), issue));
                }
                Err(error) if is_refusal(&error) => {
                    refreshed.refused.push(key.clone());
                    refreshed.may_be_jira |= !error.is_of_one_issue();
                    refreshed.error = Some(error);
                }
                Err(error) => failed = Some(error),
            }
        }
        if answers.is_empty() {
            return match failed {
                Some(error) => Err(error.into()),
                None => Ok(refreshed),
            };
        }
        let count = answers.len();
        self.tracker.record(JiraAnswers::new(answers, asked_at)).await?;
        self.metrics.issues_synced(count);
        Ok(refreshed)
    }
}

/// Whether Jira can't serve what was asked for, or couldn't lately, while it does answer. `false` for all that says
/// nothing of an issue: no connection, no access, too many requests.
pub(crate) fn is_refusal(error: &JiraError) -> bool {
    matches!(error, JiraError::InvalidResponse { .. }) || (error.is_outage() && !error.is_unreachable())
}

impl Said {
    /// Logs an error, unless it was the last that was said.
    fn say(&mut self, error: Option<&SyncError>) {
        let Some(error) = error else {
            self.error = None;
            return;
        };
        let text = error_chain(error).to_string();
        if !error.is_outage() && self.error.as_ref() != Some(&text) {
            tracing::warn!(error = text, "couldn't refresh statuses");
            self.error = Some(text);
        }
    }

    /// Logs issues that Jira can't serve: each once, until Jira serves it.
    fn say_issues(&mut self, refreshed: &Refreshed) {
        for key in &refreshed.served {
            self.issues.remove(key);
        }
        let is_new = |key: &&IssueKey| !self.issues.contains(*key);
        let new: Vec<IssueKey> = refreshed.refused.iter().filter(is_new).cloned().collect();
        if let (Some(key), Some(error)) = (new.first(), &refreshed.error)
            && self.issues.len() < MAX_LOGGED
        {
            let (issues, key, error) = (new.len(), key.as_str(), error_chain(error));
            tracing::warn!(issues, key, error, "Jira can't serve some issues, so their statuses may be old");
            self.issues.extend(new.into_iter().take(MAX_LOGGED));
        }
    }
}

/// The pause after a round, never shorter than Jira asked for.
fn pause_after(result: &Result<Left, SyncError>, interval: Duration, pace: Duration) -> Duration {
    let asked = match result {
        Ok(Left::Much) => return SHORT_PAUSE,
        Ok(Left::ForLater) => return pace,
        Err(SyncError::Jira(JiraError::RateLimited { retry_after })) => *retry_after,
        _ => Duration::ZERO,
    };
    asked + spread(interval)
}

/// A random pause, from half of `pause` to one and a half.
fn spread(pause: Duration) -> Duration {
    pause.mul_f64(0.5 + rand::random::<f64>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_of_jiras_is_waited_out_and_all_other_rounds_keep_their_interval() {
        let interval = Duration::from_secs(60);
        let (half, longest) = (interval / 2, interval * 3 / 2);
        let retry_after = Duration::from_secs(300);
        for _ in 0..100 {
            for result in
                [Ok(Left::Nothing), Err(JiraError::TimedOut.into()), Err(JiraError::Unauthorized.into())]
            {
                let pause = pause_after(&result, interval, PACE);
                assert!((half..=longest).contains(&pause), "{pause:?}");
            }
            assert_eq!(pause_after(&Ok(Left::Much), interval, PACE), SHORT_PAUSE);
            assert_eq!(pause_after(&Ok(Left::ForLater), interval, PACE), PACE);
            let limited = Err(JiraError::RateLimited { retry_after }.into());
            let pause = pause_after(&limited, interval, PACE);
            assert!((retry_after + half..=retry_after + longest).contains(&pause), "{pause:?}");
        }
    }
}
