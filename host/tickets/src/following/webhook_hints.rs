//! Issues that changed, as Jira's webhook hints: read from Jira as MARO's account, and then written to the lists. Not
//! a word of a webhook is stored, since it may tell what the account may not see, but for the name of who set a status
//! that Jira itself shows.
//!
//! A hint is acknowledged once it is in the queue in the database. Whichever replica has time takes it from there, and it
//! leaves the queue when the lists say what Jira says: a crash or an outage only makes that later.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use jiff::Timestamp;
use tokio::{
    sync::{Notify, Semaphore, oneshot},
    time::{Instant, sleep, timeout},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{
    following::{
        leading::Leading,
        shared_reading::{Read, SharedReading},
    },
    intents::claims::while_renewing,
};
use maro_domain::issue::{Issue, IssueId, IssueKey, StatusSetter};
use maro_jira::{
    client::JiraClient,
    error::JiraError,
    webhooks::webhook::{StatusChange, status_digest},
};
use maro_process::telemetry::error_chain;
use maro_store::{
    database::error::DatabaseError,
    freshness::Freshness,
    tracker::{
        ChannelIssueTracker,
        record::{IssueAnswer, Record},
    },
    webhooks::{Changed, SetStatus, Webhook, WebhookQueue},
};

/// How many issues are read at once, and how many such claims there are at a time.
const ISSUES_PER_REQUEST: u32 = 100;
const CLAIMS: usize = 8;

/// How long a request for issues by their ids may take.
const PATIENCE: Duration = Duration::from_secs(20);

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
pub struct ChangedIssues {
    tracker: Arc<dyn ChannelIssueTracker>,
    freshness: Arc<dyn Freshness>,
    queue: Arc<dyn WebhookQueue>,
    reading: Arc<SharedReading>,
    leading: Arc<Leading>,
    jira: Arc<JiraClient>,
    arriving: Mutex<Vec<Arrival>>,
    /// Held by whoever writes to the queue: those that arrive meanwhile are written together.
    writing: tokio::sync::Mutex<()>,
    noted: Notify,
}

impl ChangedIssues {
    pub fn new(
        tracker: Arc<dyn ChannelIssueTracker>,
        freshness: Arc<dyn Freshness>,
        queue: Arc<dyn WebhookQueue>,
        jira: Arc<JiraClient>,
        reading: Arc<SharedReading>,
        leading: Arc<Leading>,
    ) -> Self {
        let (arriving, writing, noted) = Default::default();
        Self { tracker, freshness, queue, reading, leading, jira, arriving, writing, noted }
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
        // In a task of its own: whoever waits for this one may give up, and others' hints are written with it.
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
                        this.follow(holder, &changed).await;
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

    async fn follow(&self, holder: i64, changed: &[Changed]) {
        let Followed { read, pause } = while_renewing(self.read(changed), || self.queue.renew(holder)).await;
        let ended = async {
            if !read.is_empty() {
                self.queue.end(holder, &read, pause.unwrap_or(PAUSE)).await?;
            }
            match pause {
                Some(pause) => self.queue.put_off(holder, pause).await,
                None => Ok(()),
            }
        };
        if let Err(error) = ended.await {
            // The claim ends by itself, and the issues are read once more.
            tracing::debug!(error = error_chain(&error), "changed issues stay in the queue");
        }
    }

    /// The answers, with those issues that Jira doesn't show under the key that the webhook named, or shows as another one:
    /// they're asked for by their id, and `keys` says by which key Jira shows them. That a key isn't the issue's any more
    /// isn't a reason to lose it.
    async fn by_id(
        &self,
        changed: &[Changed],
        keys: &mut [IssueKey],
        mut answers: Vec<Option<Issue>>,
        deadline: Instant,
    ) -> Result<Vec<Option<Issue>>, JiraError> {
        let unknown = changed.iter().zip(&answers).enumerate();
        let unknown = unknown.filter(|(_, (changed, answer))| answer.is_none() || is_other(changed, answer));
        let places: Vec<(usize, &IssueId)> =
            unknown.filter_map(|(place, (changed, _))| Some((place, changed.id.as_ref()?))).collect();
        let ids: Vec<&IssueId> = places.iter().map(|(_, id)| *id).collect();
        let found = self.jira.get_issues_by_id(&ids, deadline).await?;
        for ((place, _), issue) in places.into_iter().zip(found) {
            if let Some(issue) = issue {
                keys[place] = issue.key.clone();
                answers[place] = Some(issue);
            }
        }
        Ok(answers)
    }

    /// Reads issues, and writes what Jira says. What is stored stays if Jira doesn't answer: that says nothing of them. What
    /// it can't serve of one holds up no other.
    async fn read(&self, all: &[Changed]) -> Followed {
        let keys: Vec<IssueKey> = all.iter().map(|changed| changed.key.clone()).collect();
        let Read { asked_at, answers: answered, .. } = self.reading.read(&keys).await;
        let deadline = Instant::now() + PATIENCE;
        let (mut changed, mut answers, mut pause) = (Vec::new(), Vec::new(), None::<Duration>);
        let mut put_off = |error: &JiraError| {
            tracing::info!(error = error_chain(error), "couldn't read changed issues yet");
            pause = pause.max(Some(pause_after(error)));
        };
        for (one, answer) in all.iter().zip(answered) {
            match answer {
                Ok(answer) => {
                    changed.push(one.clone());
                    answers.push(answer);
                }
                Err(error) => put_off(&error),
            }
        }
        let others: Vec<Changed> = changed
            .iter()
            .zip(&answers)
            .filter(|(one, answer)| is_other(one, answer))
            .map(|(one, _)| one.clone())
            .collect();
        let mut keys: Vec<IssueKey> = changed.iter().map(|changed| changed.key.clone()).collect();
        match self.by_id(&changed, &mut keys, answers.clone(), deadline).await {
            Ok(found) => answers = found,
            Err(error) => {
                put_off(&error);
                let known =
                    |(one, answer): (&Changed, &Option<Issue>)| answer.is_some() && !is_other(one, answer);
                let known: Vec<bool> = changed.iter().zip(&answers).map(known).collect();
                let (mut of_changed, mut of_keys, mut of_answers) =
                    (known.iter(), known.iter(), known.iter());
                changed.retain(|_| of_changed.next() == Some(&true));
                keys.retain(|_| of_keys.next() == Some(&true));
                answers.retain(|_| of_answers.next() == Some(&true));
            }
        }
        let read = changed.iter().zip(keys).zip(answers).filter(|((one, _), issue)| !is_other(one, issue));
        let read = read.map(|((one, key), issue)| {
            let issue = issue.map(|issue| with_setter(issue, one.status.as_ref()));
            IssueAnswer { key, id: one.id.clone(), issue }
        });
        match self.write(read.collect(), others, asked_at).await {
            Ok(()) => Followed { read: changed, pause },
            Err(pause) => Followed { read: Vec::new(), pause: Some(pause) },
        }
    }

    /// Writes what Jira says of issues. `others`: by now the key is another issue's, so each row is read by its own key.
    ///
    /// # Errors
    /// After what time they have to be read again.
    async fn write(
        &self,
        read: Vec<IssueAnswer>,
        others: Vec<Changed>,
        asked_at: Timestamp,
    ) -> Result<(), Duration> {
        let written = async {
            for Changed { id, key, .. } in others {
                tracing::debug!(key = key.as_str(), "a webhook named an issue by a key that is another's");
                let id = id.clone().unwrap_or_else(|| IssueId::new(""));
                self.freshness.forget(&Issue::new(id, key.clone(), "", "")).await?;
            }
            self.tracker.record(Record::new(read, asked_at)).await
        };
        written.await.map_err(|error| {
            // The database's outage is logged where all its calls pass.
            tracing::info!(error = error_chain(&error), "couldn't write changed issues yet");
            OUTAGE_PAUSE
        })
    }
}

/// Whether Jira shows another issue than the one that changed.
fn is_other(changed: &Changed, answer: &Option<Issue>) -> bool {
    let other = |id: &IssueId| answer.as_ref().is_some_and(|issue| issue.id != *id);
    changed.id.as_ref().is_some_and(other)
}

/// What became of issues that were to be read.
struct Followed {
    read: Vec<Changed>,
    /// After what time the others have to be read again, if there are any.
    pause: Option<Duration>,
}

fn pause_after(error: &JiraError) -> Duration {
    match error {
        JiraError::RateLimited { retry_after } => (*retry_after).clamp(OUTAGE_PAUSE, LONGEST_PAUSE),
        _ => OUTAGE_PAUSE,
    }
}

/// Who set the status is known if Jira shows the status that the webhook named.
fn with_setter(answer: Issue, hinted: Option<&SetStatus>) -> Issue {
    let hinted = hinted.filter(|hinted| hinted.digest == status_digest(&answer.status));
    Issue { status_set_by: hinted.map(|hinted| StatusSetter::Person(hinted.by.clone())), ..answer }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_setter_is_named_beside_the_status_that_they_set_alone() {
        let key = IssueKey::parse("A-1").unwrap();
        let issue = |status: &str| Issue::new(IssueId::new("10"), key.clone(), "A summary", status);
        let hinted = SetStatus { digest: status_digest("Done"), by: "Grace".to_owned() };
        let setter = |status: &str, hinted| with_setter(issue(status), hinted).status_set_by;
        assert_eq!(setter("Done", Some(&hinted)), Some(StatusSetter::Person("Grace".to_owned())));
        assert_eq!(setter("Open", Some(&hinted)), None, "somebody else has set it since");
        assert_eq!(setter("Done", None), None);
    }
}
