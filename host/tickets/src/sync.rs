//! Keeps stored summaries and statuses up to date: old ones are read from Jira again, and what Jira's webhook
//! reports is written at once.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use jiff::SignedDuration;
use tokio_util::sync::CancellationToken;

use maro_domain::{
    ids::ChannelId,
    issue::{Issue, IssueId, IssueKey},
};
use maro_jira::{
    client::JiraClient,
    error::JiraError,
    webhook::{Webhook, WebhookEvent},
};
use maro_process::{clock::Clock, metrics::Metrics, telemetry::error_chain};
use maro_store::{database::error::DatabaseError, tracker::ChannelIssueTracker};

/// How many rows one round refreshes. The rest is left to the next round.
const ROWS_PER_ROUND: u32 = 1_000;

/// How many keys are asked for at once.
const KEYS_PER_REQUEST: usize = 100;

/// How long one request may take: nobody waits for it.
const PATIENCE: Duration = Duration::from_secs(30);

/// The longest time between two rounds.
const MAX_ROUND_INTERVAL: Duration = Duration::from_secs(60);

/// How many issues' latest events are remembered.
const MAX_LATEST_EVENTS: usize = 10_000;

/// Refreshes stored statuses in the background.
pub struct StatusSync {
    pub tracker: Arc<dyn ChannelIssueTracker>,
    pub jira: Arc<JiraClient>,
    pub clock: Clock,
    pub metrics: Arc<Metrics>,
    /// How old a stored status may get.
    pub max_age: Duration,
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
        while shutdown.run_until_cancelled(tokio::time::sleep(pause)).await.is_some() {
            let Some(result) = shutdown.run_until_cancelled(self.round()).await else { return };
            if let Err(error) = &result
                && !error.is_outage()
            {
                tracing::warn!(error = error_chain(error), "couldn't refresh statuses");
            }
            pause = pause_after(&result, self.round_interval());
        }
    }

    fn round_interval(&self) -> Duration {
        (self.max_age / 4).clamp(Duration::from_millis(250), MAX_ROUND_INTERVAL)
    }

    async fn round(&self) -> Result<(), SyncError> {
        let max_age = SignedDuration::try_from(self.max_age).unwrap_or(SignedDuration::MAX);
        let before = self.clock.now().checked_sub(max_age).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
        let stale = self.tracker.get_stale_issues(before, ROWS_PER_ROUND).await?;
        let mut channels_by_key: BTreeMap<IssueKey, Vec<ChannelId>> = BTreeMap::new();
        for (channel, key) in stale {
            channels_by_key.entry(key).or_default().push(channel);
        }
        let keys: Vec<IssueKey> = channels_by_key.keys().cloned().collect();
        for keys in keys.chunks(KEYS_PER_REQUEST) {
            let issues = self.jira.get_issues(keys, tokio::time::Instant::now() + PATIENCE).await?;
            let mut updates: BTreeMap<&ChannelId, Vec<(IssueKey, Option<Issue>)>> = BTreeMap::new();
            for (key, issue) in keys.iter().zip(issues) {
                for channel in channels_by_key.get(key).into_iter().flatten() {
                    updates.entry(channel).or_default().push((key.clone(), issue.clone()));
                }
            }
            for (channel, updates) in updates {
                self.tracker.update_sync_status(channel, &updates, self.clock.now()).await?;
                self.metrics.issues_synced(updates.len());
            }
        }
        Ok(())
    }
}

/// The latest event that this process has seen for each issue, by Jira's clock. Jira keeps no order, and may
/// repeat an event much later if it couldn't deliver it.
#[derive(Debug, Default)]
pub struct LatestEvents(Mutex<HashMap<IssueId, i64>>);

impl LatestEvents {
    /// Whether a later event of the issue was seen. If not, this one is now the latest.
    fn is_overtaken(&self, id: &IssueId, at: i64) -> bool {
        let mut latest = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // Forgetting everything does no more harm than a restart.
        if latest.len() >= MAX_LATEST_EVENTS {
            latest.clear();
        }
        let seen = latest.entry(id.clone()).or_insert(at);
        *seen = at.max(*seen);
        at < *seen
    }
}

/// Writes what a webhook reports to every list that the issue is on, unless a later one came first.
///
/// # Errors
/// The database fails; Jira sends the webhook again.
pub async fn apply_webhook(
    tracker: &dyn ChannelIssueTracker,
    latest: &LatestEvents,
    webhook: Webhook,
    clock: &Clock,
) -> Result<(), DatabaseError> {
    let (issue, answer) = match webhook.event {
        WebhookEvent::Updated(issue) => (issue.clone(), Some(issue)),
        WebhookEvent::Deleted { id, key } => (Issue::new(id, key, "", ""), None),
        WebhookEvent::Ignored => return Ok(()),
    };
    if webhook.at.is_some_and(|at| latest.is_overtaken(&issue.id, at)) {
        tracing::debug!(key = issue.key.as_str(), "ignored a webhook that arrived after a later one");
        return Ok(());
    }
    write(tracker, &issue, answer.as_ref(), clock).await
}

/// Writes what Jira has just said about an issue (`None` if it is gone) to every list that it is on.
///
/// # Errors
/// The database fails; some lists may have been updated.
pub async fn write(
    tracker: &dyn ChannelIssueTracker,
    issue: &Issue,
    answer: Option<&Issue>,
    clock: &Clock,
) -> Result<(), DatabaseError> {
    for (channel, key) in tracker.get_channels_tracking(issue).await? {
        tracker.update_sync_status(&channel, &[(key, answer.cloned())], clock.now()).await?;
    }
    Ok(())
}

/// Reads an issue and writes what Jira says to every list that it is on. Returns the issue if Jira answers by
/// `deadline`. Failures to read or write are logged.
pub async fn refresh(
    jira: &JiraClient,
    tracker: &dyn ChannelIssueTracker,
    clock: &Clock,
    key: &IssueKey,
    deadline: tokio::time::Instant,
) -> Option<Issue> {
    let issues = jira.get_issues(std::slice::from_ref(key), deadline).await;
    let issue = issues.map(|issues| issues.into_iter().flatten().next()).unwrap_or_else(|error| {
        tracing::info!(key = key.as_str(), error = error_chain(&error), "couldn't read a changed issue");
        None
    })?;
    if let Err(error) = write(tracker, &issue, Some(&issue), clock).await {
        tracing::info!(
            key = key.as_str(),
            error = error_chain(&error),
            "couldn't update the lists, so they show an old status"
        );
    }
    Some(issue)
}

/// The pause after a round, never shorter than Jira asked for.
fn pause_after(result: &Result<(), SyncError>, interval: Duration) -> Duration {
    let asked = match result {
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
            for result in [Ok(()), Err(JiraError::TimedOut.into()), Err(JiraError::Unauthorized.into())] {
                let pause = pause_after(&result, interval);
                assert!((half..=longest).contains(&pause), "{pause:?}");
            }
            let limited = Err(JiraError::RateLimited { retry_after }.into());
            let pause = pause_after(&limited, interval);
            assert!((retry_after + half..=retry_after + longest).contains(&pause), "{pause:?}");
        }
    }

    #[test]
    fn each_issue_has_a_latest_event_of_its_own() {
        let latest = LatestEvents::default();
        let (one, other) = (IssueId::new("1"), IssueId::new("2"));
        assert!(!latest.is_overtaken(&one, 2_000));
        assert!(!latest.is_overtaken(&other, 1_000));
        assert!(latest.is_overtaken(&one, 1_999));
        assert!(!latest.is_overtaken(&other, 1_000));
        assert!(!latest.is_overtaken(&other, 3_000));
        assert!(!latest.is_overtaken(&one, 2_000));
    }
}
