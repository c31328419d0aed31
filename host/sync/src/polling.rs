//! Asks Jira now and then, by default every half minute, what has changed on its site, for changes that no webhook
//! reports: the lists are up to date, and channels hear about changes, long before each row's turn comes. Replicas
//! take turns.

use std::{sync::Arc, time::Duration};

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::{
    batch_answers::Read,
    field_changes::FieldChanges,
    read_batching::{ISSUES_PER_REQUEST, SharedReading},
};
use maro_domain::issue::{Issue, IssueKey};
use maro_jira::{client::JiraClient, error::JiraError};
use maro_process::{replaceable::Live, telemetry::error_chain};
use maro_store::{
    database::error::DatabaseError,
    freshness::Freshness,
    jira_polls::{JiraPolls, Turn},
    tracker::{
        ChannelIssueTracker,
        jira_answers::{IssueAnswer, JiraAnswers},
    },
};

/// How many turns there are while a stored status gets as old as it may, and the shortest time between two.
const TURNS: u32 = 10;
const MIN_INTERVAL: Duration = Duration::from_secs(1);

/// How long Jira's index may lag behind its writes, and its clock behind MARO's.
const OVERLAP: Duration = Duration::from_secs(120);

/// After a longer time than this, as after the first start, each row's own turn has to come.
const MAX_LOOK_BACK: Duration = Duration::from_secs(60 * 60);

/// How many issues one turn looks at, and how many pages it reads. The rest is left to the rows' own turns.
const MAX_ISSUES: usize = 5_000;
const MAX_PAGES: usize = 50;

/// How long one page may take: nobody waits for it.
const PATIENCE: Duration = Duration::from_secs(20);

/// Follows what changes on Jira's site.
pub struct ChangePolling {
    pub tracker: Arc<dyn ChannelIssueTracker>,
    pub freshness: Arc<dyn Freshness>,
    pub jira: Arc<JiraClient>,
    pub reading: Arc<SharedReading>,
    pub polls: Arc<dyn JiraPolls>,
    /// How old a stored status may get.
    pub max_age: Live<Duration>,
    /// Looks at the other fields of what has changed.
    pub fields: Arc<FieldChanges>,
}

#[derive(Debug, thiserror::Error)]
enum PollError {
    #[error(transparent)]
    Jira(#[from] JiraError),
    #[error(transparent)]
    Database(#[from] DatabaseError),
}

impl ChangePolling {
    /// Takes turns until `shutdown`.
    pub async fn run(self, shutdown: CancellationToken) {
        loop {
            let interval = (*self.max_age.get() / TURNS).max(MIN_INTERVAL);
            // Not all replicas at the same moment.
            let mut pause = interval.mul_f64(1.0 + rand::random::<f64>() / 2.0);
            let turn = async {
                if let Some(turn) = self.polls.take_turn(interval).await? {
                    let is_gapless = self.ask(turn).await?;
                    self.polls.end_turn(turn, is_gapless).await?;
                }
                Ok::<_, PollError>(())
            };
            match shutdown.run_until_cancelled(turn).await {
                None => return,
                Some(Ok(())) => {}
                Some(Err(error)) => {
                    tracing::debug!(error = error_chain(&error), "couldn't ask Jira what has changed");
                    if let PollError::Jira(JiraError::RateLimited { retry_after }) = error {
                        pause += retry_after;
                    }
                }
            }
            if shutdown.run_until_cancelled(tokio::time::sleep(pause)).await.is_none() {
                return;
            }
        }
    }

    /// Returns whether all is known that has changed since the turn before.
    async fn ask(&self, turn: Turn) -> Result<bool, PollError> {
        let Some(since) = turn.known_ago.filter(|ago| *ago <= MAX_LOOK_BACK) else { return Ok(false) };
        let minutes = (since + OVERLAP).as_secs().div_ceil(60);
        let (mut from, mut looked_at) = (None, 0);
        for _ in 0..MAX_PAGES {
            let page = self.jira.changed_since(minutes, from.as_ref(), Instant::now() + PATIENCE).await?;
            looked_at += page.issues.len();
            self.follow(page.issues).await?;
            match page.next {
                Some(next) if looked_at < MAX_ISSUES => from = Some(next),
                Some(_) => break,
                None => return Ok(true),
            }
        }
        tracing::info!("too much changed in Jira for one round; the status sync reads the rest");
        Ok(false)
    }

    /// Reads what is on a list and not as old as it's stored, from the issues themselves: what the search returns may
    /// be older. So what this or another replica has read isn't read again.
    async fn follow(&self, found: Vec<Issue>) -> Result<(), PollError> {
        let outdated = self.freshness.is_outdated(&found).await?;
        let changed: Vec<Issue> = found
            .into_iter()
            .zip(outdated)
            .filter_map(|(issue, is_outdated)| is_outdated.then_some(issue))
            .collect();
        for changed in changed.chunks(ISSUES_PER_REQUEST) {
            self.read(changed).await?;
        }
        Ok(())
    }

    async fn read(&self, changed: &[Issue]) -> Result<(), PollError> {
        let keys: Vec<IssueKey> = changed.iter().map(|issue| issue.key.clone()).collect();
        keys.iter().for_each(|key| self.fields.hint(key.clone(), None));
        let Read { asked_at, answers: answered, .. } = self.reading.read(&keys).await;
        let (mut answers, mut failed) = (Vec::new(), Vec::new());
        for (found, answer) in changed.iter().zip(answered) {
            match answer {
                // What was moved or deleted meanwhile is left to the issues' own turns.
                Ok(answer) => {
                    let answer = answer.filter(|answer| answer.id == found.id);
                    answers.extend(answer.map(|answer| IssueAnswer::to(found.key.clone(), Some(answer))));
                }
                Err(error) => failed.push((found, error)),
            }
        }
        let is_of_jira = |(_, error): &(&Issue, JiraError)| !error.is_of_one_issue();
        if failed.len() == keys.len()
            && let Some(place) = failed.iter().position(is_of_jira)
        {
            return Err(failed.swap_remove(place).1.into());
        }
        self.tracker.record(JiraAnswers::new(answers, asked_at)).await?;
        // What Jira can't serve of one issue isn't lost, and holds up no other: its turn comes at once.
        for (found, _) in failed {
            self.freshness.forget(found).await?;
        }
        Ok(())
    }
}
