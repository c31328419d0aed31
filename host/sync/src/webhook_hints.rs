//! Issues that changed, as Jira's webhook hints: read from Jira as MARO's account, and then written to the lists. Not
//! a word of a webhook is stored, since it may tell what the account may not see, but for the name of who set a status
//! that Jira itself shows.
//!
//! A hint is acknowledged once it is in the queue in the database. Whichever replica has time takes it from there,
//! and it leaves the queue when the lists say what Jira says: a crash or an outage only makes that later.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use futures_util::{StreamExt as _, stream::FuturesUnordered};
use jiff::Timestamp;
use tokio::{
    sync::{Notify, Semaphore, oneshot},
    time::{Instant, sleep, timeout},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{batch_answers::Read, leadership::Leading, read_batching::SharedReading};
use maro_domain::issue::{Issue, IssueId, IssueKey, StatusSetter};
use maro_jira::{
    client::JiraClient,
    error::JiraError,
    webhooks::webhook::{StatusChange, status_digest},
};
use maro_process::telemetry::error_chain;
use maro_store::{
    claim_renewal::while_renewing,
    database::error::DatabaseError,
    freshness::Freshness,
    tracker::{
        ChannelIssueTracker,
        jira_answers::{IssueAnswer, JiraAnswers},
    },
    webhooks::{Changed, SetStatus, Webhook, WebhookQueue},
};

/// How many issues are read at once, and how many such claims there are at a time.
const ISSUES_PER_REQUEST: u32 = 100;
const CLAIMS: usize = 8;

/// How long a request for an issue by its id may take, and how many of them are open at a time.
const PATIENCE: Duration = Duration::from_secs(7);
const REQUESTS_BY_ID: usize = 4;

/// The pause between two claims while few issues wait. An issue that changes many times meanwhile is read once.
const PAUSE: Duration = Duration::from_millis(300);

/// The same over all replicas.
const PACE: Duration = Duration::from_millis(250);

/// How often the queue is looked at for what comes to other replicas, and how often for what the leader has left in it.
const POLL: Duration = Duration::from_millis(250);
const LEFT_POLL: Duration = Duration::from_secs(1);

/// The pause while the database doesn't answer, and until Jira is asked once more if it doesn't.
const OUTAGE_PAUSE: Duration = Duration::from_secs(5);

/// How long Jira may have itself left alone.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// How often webhooks that don't come again are forgotten.
const UPKEEP: Duration = Duration::from_secs(5 * 60);

/// What a webhook says.
#[derive(Debug)]
pub struct Hint {
    /// What its sender calls it.
    pub identifier: Option<String>,
    /// Without an id the issue is known by its key alone, and the other way round.
    pub id: Option<IssueId>,
    pub key: Option<IssueKey>,
    pub status: Option<StatusChange>,
}

/// Why a hint wasn't taken. It has to be given again.
#[derive(Debug, Clone, thiserror::Error)]
pub enum HintError {
    #[error("too many changed issues are waiting to be read")]
    NoRoom,
    #[error(transparent)]
    Database(#[from] DatabaseError),
}

/// A hint on its way into the queue, and where it's told whether it got there.
struct Arrival {
    webhook: Webhook,
    answer: oneshot::Sender<Result<(), HintError>>,
}

/// What it takes to follow hints.
pub struct WebhookHints {
    tracker: Arc<dyn ChannelIssueTracker>,
    freshness: Arc<dyn Freshness>,
    queue: Arc<dyn WebhookQueue>,
    reading: Arc<SharedReading>,
    leading: Arc<Leading>,
    jira: Arc<JiraClient>,
    by_id: Semaphore,
    arriving: Mutex<Vec<Arrival>>,
    /// Held while the queue is written to: hints that arrive meanwhile are written together.
    writing: tokio::sync::Mutex<()>,
    noted: Notify,
}

impl WebhookHints {
    pub fn new(
        tracker: Arc<dyn ChannelIssueTracker>,
        freshness: Arc<dyn Freshness>,
        queue: Arc<dyn WebhookQueue>,
        jira: Arc<JiraClient>,
        reading: Arc<SharedReading>,
        leading: Arc<Leading>,
    ) -> Self {
        let (arriving, writing, noted) = Default::default();
        let by_id = Semaphore::new(REQUESTS_BY_ID);
        Self { tracker, freshness, queue, reading, leading, jira, by_id, arriving, writing, noted }
    }

    /// Takes a hint. An issue on nobody's list changes nothing, and neither does a hint that was taken before.
    ///
    /// # Errors
    /// The hint wasn't taken, or may not have been.
    pub async fn note(self: &Arc<Self>, hint: Hint) -> Result<(), HintError> {
        let Hint { identifier, id, key, status } = hint;
        let status =
            status.map(|StatusChange { status, by }| SetStatus { digest: status_digest(&status), by });
        let (answer, answered) = oneshot::channel();
        self.arriving().push(Arrival { webhook: Webhook { identifier, id, key, status }, answer });
        // In a task of its own: the caller that waits for this one may give up, and others' hints are written with it.
        let this = Arc::clone(self);
        tokio::spawn(async move { this.write_arrivals().await });
        answered.await.unwrap_or(Err(HintError::NoRoom))
    }

    fn arriving(&self) -> MutexGuard<'_, Vec<Arrival>> {
        self.arriving.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn write_arrivals(&self) {
        let _writing = self.writing.lock().await;
        let arrivals = std::mem::take(&mut *self.arriving());
        if arrivals.is_empty() {
            return;
        }
        let (webhooks, answers): (Vec<Webhook>, Vec<_>) =
            arrivals.into_iter().map(|arrival| (arrival.webhook, arrival.answer)).unzip();
        let put = self.queue.put(&webhooks).await;
        if self.leading.leads() {
            self.noted.notify_one();
        }
        for (position, answer) in answers.into_iter().enumerate() {
            let taken = match &put {
                Ok(taken) if taken.get(position) == Some(&true) => Ok(()),
                Ok(_) => Err(HintError::NoRoom),
                Err(error) => Err(error.clone().into()),
            };
            // Its sender may have given up by now.
            let _ = answer.send(taken);
        }
    }

    /// Follows hints until `shutdown`, those of replicas that died among them.
    pub async fn run(self: Arc<Self>, shutdown: CancellationToken) {
        let (claims, tasks) = (Arc::new(Semaphore::new(CLAIMS)), TaskTracker::new());
        shutdown.run_until_cancelled(self.drain(&claims, &tasks)).await;
        tasks.close();
        tasks.wait().await;
    }

    async fn drain(self: &Arc<Self>, claims: &Arc<Semaphore>, tasks: &TaskTracker) {
        let mut upkeep = Instant::now() + UPKEEP;
        loop {
            // Nobody closes it.
            let Ok(turn) = Arc::clone(claims).acquire_owned().await else { return };
            let (holder, grace) = (rand::random(), self.leading.grace());
            match self.queue.claim(holder, ISSUES_PER_REQUEST, PACE, grace).await {
                Ok(changed) if changed.is_empty() => {
                    let poll = if grace.is_zero() { POLL } else { LEFT_POLL };
                    let _ = timeout(poll, self.noted.notified()).await;
                }
                Ok(changed) => {
                    let is_all = changed.len() < ISSUES_PER_REQUEST as usize;
                    let this = Arc::clone(self);
                    tasks.spawn(async move {
                        while_renewing(this.follow(holder, &changed), || this.queue.renew(holder)).await;
                        drop(turn);
                    });
                    if is_all {
                        sleep(PAUSE).await;
                    }
                }
                // The database's outage is logged where all its calls pass.
                Err(_) => sleep(OUTAGE_PAUSE).await,
            }
            if upkeep <= Instant::now() {
                upkeep = Instant::now() + UPKEEP;
                let _ = self.queue.prune().await;
            }
        }
    }

    /// Reads issues, and writes what Jira says as it comes: what Jira can't serve of one, or hangs on, holds up no
    /// other.
    async fn follow(&self, holder: i64, changed: &[Changed]) {
        let reading: FuturesUnordered<_> = changed.iter().map(|one| self.read(one)).collect();
        let mut reading = reading.ready_chunks(changed.len());
        while let Some(read) = reading.next().await {
            if let Err(error) = self.note_read(holder, read).await {
                // The claim ends by itself, and the issues are read once more.
                tracing::debug!(error = error_chain(&error), "changed issues stay in the queue");
            }
        }
    }

    /// What is stored stays if Jira doesn't answer: that says nothing of the issues.
    async fn note_read(
        &self,
        holder: i64,
        all: Vec<(Changed, Result<Found, JiraError>)>,
    ) -> Result<(), DatabaseError> {
        let (mut changed, mut read, mut others) = (Vec::new(), Vec::new(), Vec::new());
        let (mut unread, mut pause) = (Vec::new(), OUTAGE_PAUSE);
        let mut asked_at: Option<Timestamp> = None;
        for (one, found) in all {
            match found {
                Ok(found) => {
                    asked_at = Some(asked_at.map_or(found.asked_at, |known| known.min(found.asked_at)));
                    others.extend(found.is_other_by_key.then(|| one.clone()));
                    read.extend(found.answer(&one));
                    changed.push(one);
                }
                Err(error) => {
                    if unread.is_empty() {
                        tracing::info!(error = error_chain(&error), "couldn't read changed issues yet");
                    }
                    pause = pause.max(pause_after(&error));
                    unread.push(one);
                }
            }
        }
        if let Some(asked_at) = asked_at {
            match self.write(read, others, asked_at).await {
                Ok(()) => self.queue.end(holder, &changed, PAUSE).await?,
                Err(_) => unread.append(&mut changed),
            }
        }
        if unread.is_empty() { Ok(()) } else { self.queue.put_off(holder, &unread, pause).await }
    }

    /// What Jira shows of an issue. If that's nothing or another one under the key that the webhook named, it's asked
    /// for by its id: that a key isn't the issue's any more isn't a reason to lose it.
    async fn read(&self, changed: &Changed) -> (Changed, Result<Found, JiraError>) {
        let Read { asked_at, answers, .. } = self.reading.read(std::slice::from_ref(&changed.key)).await;
        let by_key = answers.into_iter().next().unwrap_or(Err(JiraError::TimedOut));
        let found = async {
            let mut found =
                Found { key: changed.key.clone(), issue: by_key?, is_other_by_key: false, asked_at };
            found.is_other_by_key = is_other(changed, &found.issue);
            let Some(id) = changed.id.as_ref().filter(|_| found.issue.is_none() || found.is_other_by_key)
            else {
                return Ok(found);
            };
            // Nobody closes it.
            let _request = self.by_id.acquire().await;
            if let Some(issue) = self.jira.get_issue_by_id(id, Instant::now() + PATIENCE).await? {
                found.key = issue.key.clone();
                found.issue = Some(issue);
            }
            Ok(found)
        };
        (changed.clone(), found.await)
    }

    /// Writes what Jira says of issues. `others`: by now the key is another issue's, so each row is read by its own
    /// key.
    ///
    /// # Errors
    /// They have to be read again.
    async fn write(
        &self,
        read: Vec<IssueAnswer>,
        others: Vec<Changed>,
        asked_at: Timestamp,
    ) -> Result<(), DatabaseError> {
        let written = async {
            for Changed { id, key, .. } in others {
                tracing::debug!(key = key.as_str(), "a webhook named an issue by a key that is another's");
                let id = id.clone().unwrap_or_else(|| IssueId::new(""));
                self.freshness.forget(&Issue::new(id, key.clone(), "", "")).await?;
            }
            self.tracker.record(JiraAnswers::new(read, asked_at)).await
        };
        // The database's outage is logged where all its calls pass.
        written.await.inspect_err(|error| {
            tracing::info!(error = error_chain(error), "couldn't write changed issues yet");
        })
    }
}

/// Whether Jira shows another issue than the one that changed.
fn is_other(changed: &Changed, answer: &Option<Issue>) -> bool {
    let other = |id: &IssueId| answer.as_ref().is_some_and(|issue| issue.id != *id);
    changed.id.as_ref().is_some_and(other)
}

/// What Jira shows of an issue that changed.
struct Found {
    /// By this key.
    key: IssueKey,
    issue: Option<Issue>,
    /// Whether the key that the webhook named is another issue's by now.
    is_other_by_key: bool,
    asked_at: Timestamp,
}

impl Found {
    /// As it's written. Of another issue nothing is.
    fn answer(self, changed: &Changed) -> Option<IssueAnswer> {
        if is_other(changed, &self.issue) {
            return None;
        }
        let issue = self.issue.map(|issue| with_setter(issue, &changed.statuses));
        Some(IssueAnswer { key: self.key, id: changed.id.clone(), issue })
    }
}

fn pause_after(error: &JiraError) -> Duration {
    match error {
        JiraError::RateLimited { retry_after } => (*retry_after).clamp(OUTAGE_PAUSE, LONGEST_PAUSE),
        _ => OUTAGE_PAUSE,
    }
}

/// Who set the status is known if Jira shows a status that a webhook named. Webhooks come in any order.
fn with_setter(answer: Issue, hinted: &[SetStatus]) -> Issue {
    let digest = status_digest(&answer.status);
    let hinted = hinted.iter().find(|hinted| hinted.digest == digest);
    Issue { status_set_by: hinted.map(|hinted| StatusSetter::Person(hinted.by.clone())), ..answer }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_setter_is_named_beside_the_status_that_they_set_alone() {
        let key = IssueKey::parse("A-1").unwrap();
        let issue = |status: &str| Issue::new(IssueId::new("10"), key.clone(), "A summary", status);
        let hint = |status: &str, by: &str| SetStatus { digest: status_digest(status), by: by.to_owned() };
        let setter = |status: &str, hinted: &[SetStatus]| with_setter(issue(status), hinted).status_set_by;
        let by = |name: &str| Some(StatusSetter::Person(name.to_owned()));
        let hinted = [hint("In Progress", "Ada"), hint("Done", "Grace"), hint("Done", "Hedy")];
        assert_eq!(setter("Done", &hinted), by("Grace"), "what came last isn't what was set last");
        assert_eq!(setter("In Progress", &hinted), by("Ada"));
        assert_eq!(setter("Open", &hinted), None, "somebody else has set it since");
        assert_eq!(setter("Done", &[]), None);
    }
}
