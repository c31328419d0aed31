//! Sees what changes of an issue beside its status, for channels that hear all: who is at it, its priority, its sprint, and
//! new comments.
//!
//! A webhook, or the look at what has changed lately, only says which issue to read. What Jira then shows is compared
//! with what was known. A webhook's words count only where Jira shows the same, and for who did it.

use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::{sync::Notify, time::Instant};
use tokio_util::sync::CancellationToken;

use crate::{
    field_authors::{author, before},
    leadership::Leading,
    leftover_fields::{ISSUES_PER_REQUEST, Leftovers},
    list_sync::is_refusal,
    new_comments::new_comments,
    own_account::OwnAccount,
};
use maro_domain::issue::{Issue, IssueKey};
use maro_jira::{
    accounts::account::Account,
    client::JiraClient,
    error::JiraError,
    webhooks::field_edits::{EditedField, FieldEdits},
    webhooks::watched_fields::{Named, WatchedFields},
};
use maro_process::{clock::Clock, telemetry::error_chain};
use maro_store::{
    database::error::DatabaseError,
    issue_fields::{FieldAuthors, FieldIds, IssueFields, SeenFields},
};

/// How often it's looked for issues of which nothing is known, and how many times as long as that took the pause is at
/// least: where many lists hear all, it costs the database no more.
const POLL: Duration = Duration::from_millis(500);
const UNSEEN_SHARE: u32 = 20;

/// What comes together is read once.
const GATHERING: Duration = Duration::from_millis(300);

/// The pause while Jira or the database doesn't answer.
const OUTAGE_PAUSE: Duration = Duration::from_secs(5);

/// How long Jira may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// How often it's looked for issues that somebody should have looked at and didn't, and how often a replica that doesn't
/// lead looks for what is left to be read at all.
const OVERDUE_POLL: Duration = Duration::from_secs(10);
const LEFT_POLL: Duration = Duration::from_secs(30);

/// How many issues may wait. More are overdue later.
const MAX_WAITING: usize = 2_000;

/// How often an issue that Jira doesn't serve is asked for in a row. Later it's overdue.
const MAX_FAILURES: u32 = 5;

#[derive(Debug, thiserror::Error)]
enum LookError {
    #[error(transparent)]
    Jira(#[from] JiraError),
    #[error(transparent)]
    Database(#[from] DatabaseError),
}

/// Issues to look at, and what it takes to.
pub struct FieldChanges {
    fields: Arc<dyn IssueFields>,
    jira: Arc<JiraClient>,
    /// Who leads reads what no webhook of its own named, for all replicas.
    leading: Arc<Leading>,
    clock: Clock,
    own_account: OwnAccount,
    waiting: Mutex<HashMap<IssueKey, Hints>>,
    noted: Notify,
}

/// What is known of a change that wasn't looked at yet.
#[derive(Debug, Default)]
struct Hints {
    edits: Vec<FieldEdits>,
    /// How often Jira didn't serve it.
    failures: u32,
}

/// What came of reading issues.
struct Read {
    /// Those of which all is told that there is.
    done: HashSet<IssueKey>,
    /// Those of which Jira said nothing that could be read, while it did answer.
    refused: HashSet<IssueKey>,
    /// Why others weren't read.
    result: Result<(), LookError>,
}

impl FieldChanges {
    pub fn new(
        fields: Arc<dyn IssueFields>,
        jira: Arc<JiraClient>,
        leading: Arc<Leading>,
        clock: Clock,
    ) -> Self {
        Self {
            fields,
            jira,
            leading,
            clock,
            own_account: OwnAccount::default(),
            waiting: Mutex::default(),
            noted: Notify::new(),
        }
    }

    /// An issue may have changed. `edits`: what a webhook says of it.
    pub fn hint(&self, key: IssueKey, edits: Option<FieldEdits>) {
        let mut waiting = self.waiting();
        if waiting.len() < MAX_WAITING || waiting.contains_key(&key) {
            waiting.entry(key).or_default().edits.extend(edits);
            drop(waiting);
            self.noted.notify_one();
        }
    }

    /// Looks until `shutdown`.
    pub async fn run(self: Arc<Self>, shutdown: CancellationToken) {
        let mut leftovers = Leftovers::new(Arc::clone(&self.fields));
        let mut overdue = Instant::now() + OVERDUE_POLL;
        let mut left = Instant::now() + LEFT_POLL;
        let mut unseen = Instant::now();
        loop {
            let looked = async {
                let looked = self.look().await;
                let is_left = left <= Instant::now();
                if !self.leading.leads() && !is_left {
                    return looked;
                }
                left = Instant::now() + LEFT_POLL;
                // One issue that Jira doesn't serve holds up no other.
                if overdue <= Instant::now() {
                    overdue = Instant::now() + OVERDUE_POLL;
                    self.look_at_overdue(&mut leftovers).await?;
                }
                if Instant::now() < unseen {
                    return looked;
                }
                let (took, looked_at_unseen) = self.look_at_unseen(&mut leftovers).await;
                unseen = Instant::now() + took * UNSEEN_SHARE;
                looked.and(looked_at_unseen)
            };
            let pause = match shutdown.run_until_cancelled(looked).await {
                None => return,
                Some(Ok(())) => POLL,
                Some(Err(error)) => {
                    tracing::debug!(error = error_chain(&error), "fields are looked at later");
                    OUTAGE_PAUSE
                }
            };
            let noted = async {
                if tokio::time::timeout(pause, self.noted.notified()).await.is_ok() {
                    tokio::time::sleep(GATHERING).await;
                }
            };
            if shutdown.run_until_cancelled(noted).await.is_none() {
                return;
            }
        }
    }

    async fn look(&self) -> Result<(), LookError> {
        let hints: HashMap<IssueKey, Hints> = {
            let mut waiting = self.waiting();
            let keys: Vec<IssueKey> = waiting.keys().take(ISSUES_PER_REQUEST).cloned().collect();
            keys.into_iter().filter_map(|key| waiting.remove_entry(&key)).collect()
        };
        if hints.is_empty() { Ok(()) } else { self.follow(hints).await }
    }

    /// Issues of which nothing is known yet. Returns how long the database took to find them, too.
    async fn look_at_unseen(&self, leftovers: &mut Leftovers) -> (Duration, Result<(), LookError>) {
        let began = Instant::now();
        let unseen = leftovers.unseen().await;
        let took = began.elapsed();
        let looked = async {
            let Read { done, refused, result } = self.read(&unseen?, &HashMap::new()).await;
            // What Jira showed is known now, and the rest would be next again.
            let asked: Vec<IssueKey> = done.into_iter().chain(refused).collect();
            if !asked.is_empty() {
                self.fields.put_off(&asked).await?;
            }
            result
        };
        (took, looked.await)
    }

    /// What Jira or the database doesn't serve now is looked at another time.
    async fn follow(&self, mut hints: HashMap<IssueKey, Hints>) -> Result<(), LookError> {
        let keys: Vec<IssueKey> = hints.keys().cloned().collect();
        let looked = match self.fields.watched(&keys).await {
            Ok(watched) => {
                hints.retain(|key, _| watched.contains(key));
                let Read { done, result, .. } = self.read(&watched, &hints).await;
                hints.retain(|key, _| !done.contains(key));
                result
            }
            Err(error) => Err(error.into()),
        };
        if looked.is_err() {
            let mut waiting = self.waiting();
            for (key, Hints { mut edits, failures }) in hints {
                if failures < MAX_FAILURES {
                    let entry = waiting.entry(key).or_default();
                    edits.append(&mut entry.edits);
                    *entry = Hints { edits, failures: failures + 1 };
                }
            }
        }
        looked
    }

    /// What changed and wasn't looked at: a replica stopped before it did, or too much came at once.
    async fn look_at_overdue(&self, leftovers: &mut Leftovers) -> Result<(), DatabaseError> {
        let overdue = leftovers.overdue().await?;
        if let Err(error) = self.read(&overdue, &HashMap::new()).await.result {
            tracing::debug!(error = error_chain(&error), "overdue fields are looked at later");
        }
        Ok(())
    }

    /// Reads issues, and has told what is new.
    async fn read(&self, keys: &[IssueKey], hints: &HashMap<IssueKey, Hints>) -> Read {
        let (mut done, mut refused) = (HashSet::new(), HashSet::new());
        if keys.is_empty() {
            return Read { done, refused, result: Ok(()) };
        }
        let result = async {
            let mut failed = None;
            let found = match self.jira.watched_fields(keys, Instant::now() + PATIENCE).await {
                Ok(found) => found,
                // Maybe it's because of one of them.
                Err(error) if !matches!(error, JiraError::RateLimited { .. }) => {
                    if keys.len() == 1 && is_refusal(&error) {
                        refused.extend(keys.iter().cloned());
                    }
                    failed = Some(LookError::Jira(error));
                    if keys.len() > 1 { self.read_singly(keys, &mut refused).await } else { Vec::new() }
                }
                Err(error) => return Err(error.into()),
            };
            if failed.is_none() {
                // What Jira doesn't show has nothing to tell.
                done.extend(keys.iter().filter(|key| found.iter().all(|(other, _)| other != *key)).cloned());
            }
            let own = if found.is_empty() { None } else { self.own_account.get(&self.jira).await };
            for (key, found) in found {
                let edits = hints.get(&key).map_or(&[][..], |hints| hints.edits.as_slice());
                match self.compare(&key, found, edits, own.as_ref()).await {
                    Ok(()) => {
                        done.insert(key);
                    }
                    Err(LookError::Jira(error)) if !error.is_outage() || is_refusal(&error) => {
                        refused.insert(key);
                        failed = Some(error.into());
                    }
                    Err(error) => return Err(error),
                }
            }
            failed.map_or(Ok(()), Err)
        };
        let result = result.await;
        Read { done, refused, result }
    }

    /// One issue after the other, until it's Jira itself that fails.
    async fn read_singly(
        &self,
        keys: &[IssueKey],
        refused: &mut HashSet<IssueKey>,
    ) -> Vec<(IssueKey, WatchedFields)> {
        let (mut found, mut failures) = (Vec::new(), 0);
        let deadline = Instant::now() + PATIENCE;
        for key in keys {
            match self.jira.watched_fields(std::slice::from_ref(key), deadline).await {
                Ok(one) => {
                    if one.is_empty() {
                        refused.insert(key.clone());
                    }
                    found.extend(one);
                }
                Err(error) => {
                    failures += 1;
                    if is_refusal(&error) {
                        refused.insert(key.clone());
                    }
                }
            }
            if failures >= MAX_FAILURES && found.is_empty() {
                break;
            }
        }
        found
    }

    /// Compares an issue with what was known of it.
    async fn compare(
        &self,
        key: &IssueKey,
        found: WatchedFields,
        edits: &[FieldEdits],
        own: Option<&Account>,
    ) -> Result<(), LookError> {
        let comments = self.jira.newest_comments(key, Instant::now() + PATIENCE).await?;
        let newest = comments.iter().map(|comment| comment.id).max().unwrap_or(0);
        let WatchedFields { issue, assignee, priority, sprint, past_sprints } = found;
        let known = self.fields.seen(&issue).await?;
        // Nobody took it out of a sprint that ended.
        let ended =
            known.as_ref().filter(|known| sprint.name.is_empty() && past_sprints.contains(&known.sprint));
        let sprint = ended.map_or(sprint, |known| Named { id: None, name: known.sprint.clone() });
        let ids = FieldIds { assignee: assignee.id, priority: priority.id, sprint: sprint.id };
        let seen = SeenFields {
            assignee: assignee.name,
            priority: priority.name,
            sprint: sprint.name,
            last_comment: newest,
            ids,
        };
        if known.is_none()
            && let Some(before) = before(&seen, edits, own)
        {
            // Nothing was known, but the webhook says what there was. That isn't what Jira shows now.
            let then = Issue { updated_at: None, ..issue.clone() };
            self.note(&then, &before, &FieldAuthors::default()).await?;
        }
        let after = known.map_or(newest, |known| known.last_comment);
        let (new_comments, commented_by) = new_comments(&comments, after, own);
        let by = |field, now: &str| author(edits, field, now, own);
        let authors = FieldAuthors {
            assignee: by(EditedField::Assignee, &seen.assignee),
            priority: by(EditedField::Priority, &seen.priority),
            sprint: by(EditedField::Sprint, &seen.sprint),
            comments: commented_by,
            new_comments,
        };
        Ok(self.note(&issue, &seen, &authors).await?)
    }

    async fn note(
        &self,
        issue: &Issue,
        seen: &SeenFields,
        authors: &FieldAuthors,
    ) -> Result<(), DatabaseError> {
        self.fields.note(issue, seen, authors, self.clock.now()).await
    }

    fn waiting(&self) -> MutexGuard<'_, HashMap<IssueKey, Hints>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
