//! Keeps stored summaries and statuses up to date: old ones are read from Jira again. What Jira no longer shows to
//! the account loses its summary.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use jiff::{SignedDuration, Timestamp};
use tokio_util::sync::CancellationToken;

use maro_domain::{
    ids::ChannelId,
    issue::{Issue, IssueId, IssueKey, StatusSetter},
};
use maro_jira::{client::JiraClient, error::JiraError};
use maro_process::{clock::Clock, live::Live, metrics::Metrics, telemetry::error_chain};
use maro_store::{
    database::error::DatabaseError,
    tracker::{Answered, ChannelIssueTracker},
};

/// How many rows one round refreshes. The rest is left to the next round, which then follows at once.
const ROWS_PER_ROUND: u32 = 1_000;

/// How many keys are asked for at once.
const KEYS_PER_REQUEST: usize = 100;

/// How many such requests are open at a time.
const REQUESTS: usize = 4;

/// How many rows are written at once.
const ROWS_PER_WRITE: usize = 500;

/// The pause after a round that didn't read everything.
const SHORT_PAUSE: Duration = Duration::from_millis(20);

/// How long one request may take: nobody waits for it.
const PATIENCE: Duration = Duration::from_secs(30);

/// The longest time between two rounds.
const MAX_ROUND_INTERVAL: Duration = Duration::from_secs(60);

/// Refreshes stored statuses in the background.
pub struct StatusSync {
    pub tracker: Arc<dyn ChannelIssueTracker>,
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
    Tracker(#[from] DatabaseError),
}

impl SyncError {
    /// Whether it is logged elsewhere: once, and not for each round.
    fn is_outage(&self) -> bool {
        match self {
            Self::Jira(error) => error.is_outage(),
            Self::Tracker(_) => true,
        }
    }
}

impl StatusSync {
    /// Runs rounds until `shutdown`.
    ///
    /// Several replicas share the work without talking to one another: a row that one has refreshed isn't old
    /// for the others, and their rounds start at random times.
    pub async fn run(self, shutdown: CancellationToken) {
        let mut pause = spread(self.round_interval());
        // Said once, and not for each round that fails in the same way.
        let mut said: Option<String> = None;
        while shutdown.run_until_cancelled(tokio::time::sleep(pause)).await.is_some() {
            let Some(result) = shutdown.run_until_cancelled(self.round()).await else { return };
            match &result {
                Ok(_) => said = None,
                Err(error) if error.is_outage() => {}
                Err(error) => {
                    let error = error_chain(error).to_string();
                    if said.as_ref() != Some(&error) {
                        tracing::warn!(error, "couldn't refresh statuses");
                        said = Some(error);
                    }
                }
            }
            pause = pause_after(&result, self.round_interval());
        }
    }

    fn round_interval(&self) -> Duration {
        (*self.max_age.get() / 4).clamp(Duration::from_millis(250), MAX_ROUND_INTERVAL)
    }

    /// Returns whether more may be waiting.
    async fn round(&self) -> Result<bool, SyncError> {
        let max_age = SignedDuration::try_from(*self.max_age.get()).unwrap_or(SignedDuration::MAX);
        let before = self.clock.now().checked_sub(max_age).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
        let stale = self.tracker.get_stale_issues(before, ROWS_PER_ROUND).await?;
        let rows = u32::try_from(stale.len()).unwrap_or(u32::MAX);
        let mut channels_by_key: BTreeMap<IssueKey, Vec<ChannelId>> = BTreeMap::new();
        for (channel, key) in stale {
            channels_by_key.entry(key).or_default().push(channel);
        }
        let issues: Vec<_> = channels_by_key.into_iter().collect();
        let refreshed = issues.chunks(KEYS_PER_REQUEST).map(|issues| self.refresh(issues));
        // One after the other fails, and the rest is left to the next round.
        stream::iter(refreshed.collect::<Vec<_>>()).buffer_unordered(REQUESTS).try_collect::<()>().await?;
        self.note_lag().await?;
        Ok(rows == ROWS_PER_ROUND)
    }

    /// Reads issues, each with the channels that track it, and writes what Jira says.
    async fn refresh(&self, issues: &[(IssueKey, Vec<ChannelId>)]) -> Result<(), SyncError> {
        let asked_at = self.clock.now();
        let keys: Vec<IssueKey> = issues.iter().map(|(key, _)| key.clone()).collect();
        let answers = self.jira.get_issues(&keys, tokio::time::Instant::now() + PATIENCE).await?;
        let answered = issues.iter().zip(&answers).flat_map(|((key, channels), answer)| {
            channels.iter().map(move |channel| (channel.clone(), key.clone(), answer.clone()))
        });
        let answered: Vec<Answered> = answered.collect();
        for answered in answered.chunks(ROWS_PER_WRITE) {
            self.tracker.record(answered, asked_at).await?;
            self.metrics.issues_synced(answered.len());
        }
        Ok(())
    }

    async fn note_lag(&self) -> Result<(), SyncError> {
        let oldest = self.tracker.oldest_sync().await?;
        let lag = oldest.map_or(0, |oldest| self.clock.now().duration_since(oldest).as_secs().max(0));
        self.metrics.sync_lag.set(lag);
        Ok(())
    }
}

/// Writes what Jira said at `asked_at` about an issue (`None` if it doesn't show it) to every list that it is on.
///
/// # Errors
/// The database fails; some lists may have been updated.
pub(crate) async fn write(
    tracker: &dyn ChannelIssueTracker,
    issue: &Issue,
    answer: Option<&Issue>,
    asked_at: Timestamp,
) -> Result<(), DatabaseError> {
    let places = tracker.get_channels_tracking(issue).await?;
    let answered: Vec<Answered> =
        places.into_iter().map(|(channel, key)| (channel, key, answer.cloned())).collect();
    for answered in answered.chunks(ROWS_PER_WRITE) {
        tracker.record(answered, asked_at).await?;
    }
    Ok(())
}

/// Reads an issue and writes what Jira says to every list that it is on. `set_by`: who gave it its status, if that is
/// known. Returns the issue if Jira answers by
/// `deadline`. Failures to read or write are logged.
pub async fn refresh(
    jira: &JiraClient,
    tracker: &dyn ChannelIssueTracker,
    clock: &Clock,
    key: &IssueKey,
    deadline: tokio::time::Instant,
    set_by: Option<StatusSetter>,
) -> Option<Issue> {
    let asked_at = clock.now();
    let answer = match jira.get_issues(std::slice::from_ref(key), deadline).await {
        Ok(issues) => {
            issues.into_iter().flatten().next().map(|issue| Issue { status_set_by: set_by, ..issue })
        }
        Err(error) => {
            tracing::info!(key = key.as_str(), error = error_chain(&error), "couldn't read a changed issue");
            return None;
        }
    };
    // Of an issue that Jira doesn't show, only the key is known.
    let named = answer.clone().unwrap_or_else(|| Issue::new(IssueId::new(""), key.clone(), "", ""));
    if let Err(error) = write(tracker, &named, answer.as_ref(), asked_at).await {
        tracing::info!(
            key = key.as_str(),
            error = error_chain(&error),
            "couldn't update the lists, so they show an old status"
        );
    }
    answer
}

/// The pause after a round, never shorter than Jira asked for.
fn pause_after(result: &Result<bool, SyncError>, interval: Duration) -> Duration {
    let asked = match result {
        Ok(true) => return SHORT_PAUSE,
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
            for result in [Ok(false), Err(JiraError::TimedOut.into()), Err(JiraError::Unauthorized.into())] {
                let pause = pause_after(&result, interval);
                assert!((half..=longest).contains(&pause), "{pause:?}");
            }
            assert_eq!(pause_after(&Ok(true), interval), SHORT_PAUSE);
            let limited = Err(JiraError::RateLimited { retry_after }.into());
            let pause = pause_after(&limited, interval);
            assert!((retry_after + half..=retry_after + longest).contains(&pause), "{pause:?}");
        }
    }
}
