//! Issues that changed, as Jira's webhook hints: read from Jira as MARO's account, and then written to the lists. Not
//! a word of a webhook is stored, since it may tell what the account may not see, but for the name of who set a status
//! that Jira itself shows.
//!
//! Before a hint is acknowledged, the issue's rows are made old. So whatever becomes of the hint, the next status
//! sync reads them; what waits here only does so sooner.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use jiff::Timestamp;
use tokio::{sync::Notify, time::Instant};
use tokio_util::sync::CancellationToken;

use crate::sync;
use maro_domain::issue::{Issue, IssueId, IssueKey, StatusSetter};
use maro_jira::{client::JiraClient, error::JiraError, webhook::StatusChange};
use maro_process::{clock::Clock, telemetry::error_chain};
use maro_store::{database::error::DatabaseError, tracker::ChannelIssueTracker};

/// How many issues may wait. More are left to the status sync.
const MAX_WAITING: usize = 2_000;

/// How many issues are read at once.
const ISSUES_PER_REQUEST: usize = 100;

/// How long one request may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// The pause between two requests. An issue that changes many times meanwhile is read once.
const PAUSE: Duration = Duration::from_millis(500);

/// What the latest hints say of an issue.
struct Hint {
    key: IssueKey,
    /// Who set which status last.
    status: Option<StatusChange>,
}

/// Hints that are waiting, and what it takes to follow them.
pub struct ChangedIssues {
    tracker: Arc<dyn ChannelIssueTracker>,
    jira: Arc<JiraClient>,
    clock: Clock,
    /// By the id of the issue, or by its key if that is all that is known.
    waiting: Mutex<HashMap<String, (IssueId, Hint)>>,
    noted: Notify,
}

impl ChangedIssues {
    pub fn new(tracker: Arc<dyn ChannelIssueTracker>, jira: Arc<JiraClient>, clock: Clock) -> Self {
        Self { tracker, jira, clock, waiting: Mutex::default(), noted: Notify::new() }
    }

    /// Takes a hint. An issue on nobody's list changes nothing. Without an id it is known by its key alone.
    ///
    /// # Errors
    /// The database fails, so the hint may be lost: it has to be given again.
    pub async fn note(
        &self,
        id: Option<IssueId>,
        key: IssueKey,
        status: Option<StatusChange>,
    ) -> Result<(), DatabaseError> {
        let named = Issue::new(id.unwrap_or_else(|| IssueId::new("")), key, "", "");
        if self.tracker.get_channels_tracking(&named).await?.is_empty() {
            return Ok(());
        }
        self.tracker.forget_sync(&named).await?;
        let Issue { id, key, .. } = named;
        let name = if id.as_str().is_empty() { key.as_str() } else { id.as_str() }.to_owned();
        let mut waiting = self.waiting();
        if waiting.len() >= MAX_WAITING && !waiting.contains_key(&name) {
            tracing::debug!(key = key.as_str(), "many issues have changed; the status sync reads this one");
            return Ok(());
        }
        // A change of something else doesn't unsay who set the status.
        let earlier = waiting.remove(&name).and_then(|(_, hint)| hint.status);
        waiting.insert(name, (id, Hint { key, status: status.or(earlier) }));
        drop(waiting);
        self.noted.notify_one();
        Ok(())
    }

    /// Follows hints until `shutdown`.
    pub async fn run(self: Arc<Self>, shutdown: CancellationToken) {
        while shutdown.run_until_cancelled(self.noted.notified()).await.is_some() {
            loop {
                let changed = self.take();
                if changed.is_empty() {
                    break;
                }
                let followed = async {
                    self.follow(&changed).await;
                    tokio::time::sleep(PAUSE).await;
                };
                if shutdown.run_until_cancelled(followed).await.is_none() {
                    return;
                }
            }
        }
    }

    fn waiting(&self) -> MutexGuard<'_, HashMap<String, (IssueId, Hint)>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take(&self) -> Vec<(IssueId, Hint)> {
        let mut waiting = self.waiting();
        let names: Vec<String> = waiting.keys().take(ISSUES_PER_REQUEST).cloned().collect();
        names.into_iter().filter_map(|name| waiting.remove(&name)).collect()
    }

    async fn follow(&self, changed: &[(IssueId, Hint)]) {
        let keys: Vec<IssueKey> = changed.iter().map(|(_, hint)| hint.key.clone()).collect();
        let asked_at = self.clock.now();
        let answers = match self.jira.get_issues(&keys, Instant::now() + PATIENCE).await {
            Ok(answers) => answers,
            Err(error) => return self.put_off(changed, &error).await,
        };
        for ((id, Hint { key, status }), answer) in changed.iter().zip(answers) {
            let answer = answer.map(|answer| with_setter(answer, status.as_ref()));
            if let Err(error) = self.write(id, key, answer.as_ref(), asked_at).await {
                // The database's outage is logged where all its calls pass.
                tracing::info!(
                    key = key.as_str(),
                    error = error_chain(&error),
                    "couldn't write a changed issue; the status sync will"
                );
            }
        }
    }

    async fn write(
        &self,
        id: &IssueId,
        key: &IssueKey,
        answer: Option<&Issue>,
        asked_at: Timestamp,
    ) -> Result<(), DatabaseError> {
        if answer.is_some_and(|answer| answer.id != *id && !id.as_str().is_empty()) {
            // By now the key is another issue's. The rows are old, so each is read by its own key.
            tracing::debug!(key = key.as_str(), "a webhook named an issue by a key that is another's");
            return Ok(());
        }
        let named = Issue::new(id.clone(), key.clone(), "", "");
        sync::write(&*self.tracker, answer.unwrap_or(&named), answer, asked_at).await?;
        // A row without an id is still under the key that the webhook named.
        if answer.is_some_and(|answer| answer.key != *key) {
            sync::write(&*self.tracker, &named, answer, asked_at).await?;
        }
        Ok(())
    }

    /// Leaves the issues to the status sync. What is stored stays: that Jira doesn't answer says nothing of them.
    async fn put_off(&self, changed: &[(IssueId, Hint)], error: &JiraError) {
        tracing::info!(
            issues = changed.len(),
            error = error_chain(error),
            "couldn't read changed issues; the status sync will"
        );
        for (id, hint) in changed {
            let named = Issue::new(id.clone(), hint.key.clone(), "", "");
            // Another replica's sync may have read them before they changed. If this fails, the sync is late.
            if self.tracker.forget_sync(&named).await.is_err() {
                return;
            }
        }
    }
}

/// Who set the status is known if Jira shows the status that the webhook named.
fn with_setter(answer: Issue, hinted: Option<&StatusChange>) -> Issue {
    let hinted = hinted.filter(|hinted| hinted.status == answer.status);
    Issue { status_set_by: hinted.map(|hinted| StatusSetter::Person(hinted.by.clone())), ..answer }
}
