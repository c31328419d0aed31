//! What Jira shows of the issues that channels are about to be told of. It's asked after the change was noted, two seconds
//! before it's told at most: so the line that begins a thread and the change below it, or several channels, take one
//! request.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use futures_util::future::join_all;
use jiff::Timestamp;
use tokio::time::{Instant, timeout};

use crate::{
    following::shared_reading::{ISSUES_PER_REQUEST, SharedReading},
    notices::filter::Answers,
};
use maro_domain::issue::{Issue, IssueKey};
use maro_jira::error::JiraError;
use maro_process::telemetry::error_chain;
use maro_store::notices::ClaimedChannel;

/// How old an answer may be.
const MAX_AGE: Duration = Duration::from_secs(2);

/// How long Jira may take. With what else is asked before a message is begun, it has to fit into a claim.
const PATIENCE: Duration = Duration::from_secs(8);

/// The pause of a channel if nobody knows what may be told there.
const LATER: Duration = Duration::from_secs(5);

/// Asks Jira what may be told.
pub(super) struct Asker {
    reading: Arc<SharedReading>,
    recent: Mutex<HashMap<IssueKey, Recent>>,
}

/// What Jira has just said of an issue.
struct Recent {
    issue: Option<Issue>,
    asked_at: Timestamp,
    asked: Instant,
    /// The notice that was noted last of those that were known when it was asked.
    through: i64,
}

/// An issue that something is told of.
struct Wanted {
    key: IssueKey,
    /// When the last of its changes was noted. `None` if that can't be read.
    noted_at: Option<Timestamp>,
    /// The last of its notices. Their numbers tell the order, which the clocks of replicas don't.
    newest: i64,
}

impl Asker {
    pub(super) fn new(reading: Arc<SharedReading>) -> Self {
        Self { reading, recent: Mutex::default() }
    }

    /// What Jira shows now of the issues, each channel's oldest first.
    pub(super) async fn answers<'a>(&self, claimed: impl Iterator<Item = &'a ClaimedChannel>) -> Answers {
        let wanted = wanted(&claimed.collect::<Vec<_>>());
        let through = wanted.iter().map(|wanted| wanted.newest).max().unwrap_or_default();
        let mut answers = Answers { issues: HashMap::with_capacity(wanted.len()), pause: LATER };
        let mut missing = Vec::new();
        {
            let now = Instant::now();
            let mut recent = self.recent();
            recent.retain(|_, answer| now.saturating_duration_since(answer.asked) < MAX_AGE);
            for Wanted { key, noted_at, newest } in wanted {
                let is_later = |answer: &Recent| {
                    newest <= answer.through && noted_at.is_some_and(|noted_at| noted_at < answer.asked_at)
                };
                match recent.get(&key) {
                    Some(answer) if is_later(answer) => {
                        answers.issues.insert(key, answer.issue.clone());
                    }
                    _ => missing.push(key),
                }
            }
        }
        let requests = missing.chunks(ISSUES_PER_REQUEST).map(|keys| self.ask(keys, through));
        let mut failed = Vec::new();
        for (key, answer) in join_all(requests).await.into_iter().flatten() {
            match answer {
                Ok(issue) => {
                    answers.issues.insert(key, issue);
                }
                Err(error) => failed.push(error),
            }
        }
        note_failures(&failed, &mut answers);
        answers
    }

    async fn ask(
        &self,
        keys: &[IssueKey],
        through: i64,
    ) -> Vec<(IssueKey, Result<Option<Issue>, JiraError>)> {
        let Ok(read) = timeout(PATIENCE, self.reading.read(keys)).await else {
            return keys.iter().map(|key| (key.clone(), Err(JiraError::TimedOut))).collect();
        };
        let mut recent = self.recent();
        for (key, answer) in keys.iter().zip(&read.answers) {
            if let Ok(issue) = answer {
                let (issue, asked_at, asked) = (issue.clone(), read.asked_at, read.asked);
                recent.insert(key.clone(), Recent { issue, asked_at, asked, through });
            }
        }
        keys.iter().cloned().zip(read.answers).collect()
    }

    fn recent(&self) -> MutexGuard<'_, HashMap<IssueKey, Recent>> {
        self.recent.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn wanted(claimed: &[&ClaimedChannel]) -> Vec<Wanted> {
    let longest = claimed.iter().map(|channel| channel.notices.len()).max().unwrap_or(0);
    let mut wanted: Vec<Wanted> = Vec::new();
    let mut places: HashMap<&IssueKey, usize> = HashMap::new();
    for place in 0..longest {
        for notice in claimed.iter().filter_map(|channel| channel.notices.get(place)) {
            let known = *places.entry(&notice.key).or_insert_with(|| {
                wanted.push(Wanted { key: notice.key.clone(), noted_at: notice.at, newest: notice.id });
                wanted.len() - 1
            });
            let Wanted { noted_at, newest, .. } = &mut wanted[known];
            *noted_at = noted_at.zip(notice.at).map(|(known, at)| known.max(at));
            *newest = notice.id.max(*newest);
        }
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
