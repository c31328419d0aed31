//! What Jira shows of the issues that a channel is about to be told of. It's asked after the change was noted, two
//! seconds before it's told at most: so the line that begins a thread and the change below it, or several channels,
//! take one request.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use futures_util::future::join_all;
use jiff::Timestamp;
use tokio::time::{Instant, timeout};

use crate::filter::Answers;
use maro_domain::issue::{Issue, IssueKey};
use maro_jira::error::JiraError;
use maro_process::telemetry::error_chain;
use maro_store::notices::ClaimedChannel;
use maro_sync::read_batching::{ISSUES_PER_REQUEST, SharedReading};

/// How old an answer may be.
pub(crate) const MAX_AGE: Duration = Duration::from_secs(2);

/// How long Jira may take. With what else is asked before a message is begun, it has to fit into a claim.
const PATIENCE: Duration = Duration::from_secs(8);

/// The pause of a channel if nobody knows what may be told there.
const LATER: Duration = Duration::from_secs(5);

/// Asks Jira what may be told.
pub(crate) struct Asker {
    reading: Arc<SharedReading>,
    recent: Mutex<HashMap<IssueKey, Recent>>,
}

/// What Jira has just said of an issue.
struct Recent {
    issue: Option<Issue>,
    asked_at: Timestamp,
    asked: Instant,
    came: Instant,
    /// The notice that was noted last of those that were known when it was asked.
    through: i64,
}

/// An issue that something is told of.
struct Wanted<'a> {
    key: &'a IssueKey,
    /// When the last of its changes was noted. `None` if that can't be read.
    noted_at: Option<Timestamp>,
    /// Its status on the list, which knows better where it's another one by now.
    listed: Option<&'a str>,
    /// The last of its notices. Their numbers tell the order, which the clocks of replicas don't.
    newest: i64,
}

impl Asker {
    pub(crate) fn new(reading: Arc<SharedReading>) -> Self {
        Self { reading, recent: Mutex::default() }
    }

    /// What Jira shows now of a channel's issues, oldest first. `through`: the last notice that is known. What Jira
    /// takes long over holds up no other channel, and this one only for a moment.
    pub(crate) async fn answers(&self, channel: &ClaimedChannel, through: i64) -> Answers {
        let wanted = wanted(channel);
        let now = Instant::now();
        let issues = HashMap::with_capacity(wanted.len());
        let mut read_at = None::<Instant>;
        let mut answers = Answers { issues, read_at: now, pause: LATER };
        let mut missing = Vec::new();
        {
            let mut recent = self.recent();
            recent.retain(|_, answer| now.saturating_duration_since(answer.asked) < MAX_AGE);
            for Wanted { key, noted_at, listed, newest } in wanted {
                let is_later = |answer: &Recent| {
                    let status = answer.issue.as_ref().map(|issue| issue.status.as_str());
                    newest <= answer.through
                        && noted_at.is_some_and(|noted_at| noted_at < answer.asked_at)
                        && (status.is_none() || listed.is_none() || status == listed)
                };
                match recent.get(key) {
                    Some(answer) if is_later(answer) => {
                        read_at = Some(read_at.map_or(answer.came, |known| known.min(answer.came)));
                        answers.issues.insert(key.clone(), answer.issue.clone());
                    }
                    _ => missing.push(key.clone()),
                }
            }
        }
        let requests = missing.chunks(ISSUES_PER_REQUEST).map(|keys| self.ask(keys, through));
        let mut failed = Vec::new();
        for (came, read) in join_all(requests).await {
            read_at = Some(read_at.map_or(came, |known| known.min(came)));
            for (key, answer) in read {
                match answer {
                    Ok(issue) => drop(answers.issues.insert(key, issue)),
                    Err(error) => failed.push(error),
                }
            }
        }
        answers.read_at = read_at.unwrap_or(now);
        note_failures(&failed, &mut answers);
        answers
    }

    /// Returns when it came, too.
    async fn ask(
        &self,
        keys: &[IssueKey],
        through: i64,
    ) -> (Instant, Vec<(IssueKey, Result<Option<Issue>, JiraError>)>) {
        let read = timeout(PATIENCE, self.reading.read(keys)).await;
        let came = Instant::now();
        let Ok(read) = read else {
            return (came, keys.iter().map(|key| (key.clone(), Err(JiraError::TimedOut))).collect());
        };
        let mut recent = self.recent();
        for (key, answer) in keys.iter().zip(&read.answers) {
            if let Ok(issue) = answer {
                let (issue, asked_at, asked) = (issue.clone(), read.asked_at, read.asked);
                recent.insert(key.clone(), Recent { issue, asked_at, asked, came, through });
            }
        }
        (came, keys.iter().cloned().zip(read.answers).collect())
    }

    fn recent(&self) -> MutexGuard<'_, HashMap<IssueKey, Recent>> {
        self.recent.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn wanted(channel: &ClaimedChannel) -> Vec<Wanted<'_>> {
    let mut wanted: Vec<Wanted<'_>> = Vec::new();
    let mut places: HashMap<&IssueKey, usize> = HashMap::new();
    for notice in &channel.notices {
        let known = *places.entry(&notice.key).or_insert_with(|| {
            let (noted_at, listed) = (notice.at, notice.listed_status.as_deref());
            wanted.push(Wanted { key: &notice.key, noted_at, listed, newest: notice.id });
            wanted.len() - 1
        });
        let Wanted { noted_at, newest, .. } = &mut wanted[known];
        *noted_at = noted_at.zip(notice.at).map(|(known, at)| known.max(at));
        *newest = notice.id.max(*newest);
    }
    wanted
}

fn note_failures(failed: &[JiraError], answers: &mut Answers) {
    let Some(error) = failed.first() else { return };
    let (issues, error) = (failed.len(), error_chain(error));
    tracing::info!(
        issues,
        error,
        "Jira didn't say what may be shown of some issues; their notices are postponed"
    );
    for error in failed {
        if let JiraError::RateLimited { retry_after } = error {
            answers.pause = answers.pause.max(*retry_after);
        }
    }
}
