//! The status of issues that MARO has just created or that a plugin has: Jira's answer to a creation has none, so it is
//! read soon after. Until then, and if that fails, the issue is on the list without one, and the status sync reads it.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::{sync::Notify, time::Instant};
use tokio_util::sync::CancellationToken;

use crate::one_issue;
use maro_domain::issue::IssueKey;
use maro_jira::client::JiraClient;
use maro_process::{clock::Clock, telemetry::error_chain};
use maro_store::tracker::ChannelIssueTracker;

/// How many issues may wait. More are left to the status sync.
const MAX_WAITING: usize = 1_000;

/// How many issues are read at once.
const ISSUES_PER_REQUEST: usize = 100;

/// How long issues are collected: those that are created together are read together.
const PAUSE: Duration = Duration::from_millis(400);

/// How long one request may take.
const PATIENCE: Duration = Duration::from_secs(4);

/// How often an issue is asked for: Jira may not show it at once.
const MAX_ATTEMPTS: u32 = 4;

/// Issues that wait for their first status.
pub struct NewIssues {
    tracker: Arc<dyn ChannelIssueTracker>,
    jira: Arc<JiraClient>,
    clock: Clock,
    /// Each with the number of times that it was asked for.
    waiting: Mutex<Vec<(IssueKey, u32)>>,
    noted: Notify,
}

impl NewIssues {
    pub fn new(tracker: Arc<dyn ChannelIssueTracker>, jira: Arc<JiraClient>, clock: Clock) -> Self {
        Self { tracker, jira, clock, waiting: Mutex::default(), noted: Notify::new() }
    }

    /// Has the status of an issue read that was just put on a list without one.
    pub fn note(&self, key: IssueKey) {
        self.put(vec![(key, 0)]);
    }

    /// Reads statuses until `shutdown`.
    pub async fn run(self: Arc<Self>, shutdown: CancellationToken) {
        let read = async {
            loop {
                self.noted.notified().await;
                tokio::time::sleep(PAUSE).await;
                self.read_waiting().await;
            }
        };
        shutdown.run_until_cancelled(read).await;
    }

    async fn read_waiting(&self) {
        let mut waiting = std::mem::take(&mut *self.waiting());
        while !waiting.is_empty() {
            let rest = waiting.split_off(waiting.len().min(ISSUES_PER_REQUEST));
            self.read(waiting).await;
            waiting = rest;
        }
    }

    async fn read(&self, issues: Vec<(IssueKey, u32)>) {
        let keys: Vec<IssueKey> = issues.iter().map(|(key, _)| key.clone()).collect();
        let asked_at = self.clock.now();
        let answers = match self.jira.get_issues(&keys, Instant::now() + PATIENCE).await {
            Ok(answers) => answers,
            Err(error) => {
                tracing::info!(error = error_chain(&error), "couldn't read the status of new issues yet");
                vec![None; keys.len()]
            }
        };
        let mut missing = Vec::new();
        for ((key, attempts), answer) in issues.into_iter().zip(answers) {
            // That Jira doesn't show a new issue yet doesn't mean that there is none.
            let Some(issue) = answer else {
                missing.push((key, attempts + 1));
                continue;
            };
            if let Err(error) = one_issue::write(&*self.tracker, &key, Some(&issue), asked_at).await {
                // The database's outage is logged where all its calls pass.
                tracing::info!(
                    key = key.as_str(),
                    error = error_chain(&error),
                    "a new issue has no status yet"
                );
            }
        }
        missing.retain(|(_, attempts)| *attempts < MAX_ATTEMPTS);
        self.put(missing);
    }

    fn put(&self, issues: Vec<(IssueKey, u32)>) {
        let mut waiting = self.waiting();
        let room = MAX_WAITING.saturating_sub(waiting.len());
        waiting.extend(issues.into_iter().take(room));
        if !waiting.is_empty() {
            self.noted.notify_one();
        }
    }

    fn waiting(&self) -> MutexGuard<'_, Vec<(IssueKey, u32)>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
