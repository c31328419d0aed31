//! Looks for tickets that a new one would duplicate. If that fails, the new one can still be created.

mod similarity;

use std::{collections::HashSet, sync::Arc, time::Duration};

use jiff::SignedDuration;
use tokio::{
    sync::Semaphore,
    time::{Instant, timeout_at},
};

use crate::{
    duplicates::similarity::{THRESHOLD, Words, search_words},
    intents::patience::deadline,
    intents::records::CreateRecord,
};
use maro_access::policy_in_channel::Sight;
use maro_domain::{
    issue::{Issue, IssueKey},
    ticket::SimilarTicket,
};
use maro_jira::{client::JiraClient, error::JiraError};
use maro_process::{clock::Clock, telemetry::error_chain};
use maro_store::intents::Intents;
use maro_texts as texts;

/// How long the search may take. Slack waits less; then the modal says that MARO is at work.
const PATIENCE: Duration = Duration::from_secs(12);

/// How many tickets Jira is asked for. Most only share a word by chance.
const MAX_CANDIDATES: u32 = 50;

/// How many tickets are compared at most, those that MARO has just created included.
const MAX_COMPARED: usize = 250;

/// How many comparisons may be at work. They compute, so each takes a thread.
const MAX_AT_ONCE: usize = 2;

/// How many of the most similar are looked at: some may not be shown.
const MAX_RANKED: usize = 20;

/// How many are shown.
const MAX_SHOWN: usize = 5;

/// How long Jira's search may not know a ticket that MARO created.
const SEARCH_LAG: SignedDuration = SignedDuration::from_mins(10);

/// The result of the search.
#[derive(Debug)]
pub(crate) enum Similar {
    None,
    /// The most similar first.
    Found(Vec<SimilarTicket>),
    /// Unknown: Jira doesn't let MARO search, or what answers isn't Jira, and the next time is the same.
    Unchecked,
    /// Unknown: Jira took too long or is away. The next time it may answer.
    Unanswered,
}

/// Looks in Jira and among the tickets that MARO has just created.
pub(crate) struct DuplicateSearch {
    pub(crate) jira: Arc<JiraClient>,
    pub(crate) intents: Arc<dyn Intents>,
    pub(crate) clock: Clock,
    /// Turns to compare, see [`turns`].
    pub(crate) turns: Arc<Semaphore>,
}

/// Turns to compare tickets.
pub(crate) fn turns() -> Arc<Semaphore> {
    Arc::new(Semaphore::new(MAX_AT_ONCE))
}

impl DuplicateSearch {
    /// Those that may be shown in the channel.
    pub(crate) async fn find(&self, record: &CreateRecord, sight: &Sight) -> Similar {
        let words = search_words(&record.summary);
        if words.is_empty() {
            return Similar::None;
        }
        let project = &record.project_key;
        let deadline = deadline(PATIENCE);
        let (found, lately) = tokio::join!(
            self.jira.search_similar(project, &words, MAX_CANDIDATES, deadline),
            self.created_lately(project),
        );
        let (mut candidates, otherwise) = match found {
            Ok(found) => (found, Similar::None),
            Err(error) => {
                if !error.is_outage() {
                    tracing::warn!(error = error_chain(&error), "couldn't search for similar issues");
                }
                let otherwise = match error {
                    JiraError::TimedOut | JiraError::Unreachable { .. } | JiraError::RateLimited { .. } => {
                        Similar::Unanswered
                    }
                    JiraError::Unauthorized
                    | JiraError::Forbidden { .. }
                    | JiraError::MissingScope { .. }
                    | JiraError::InvalidResponse { .. } => Similar::Unchecked,
                };
                (Vec::new(), otherwise)
            }
        };
        candidates.extend(lately);
        candidates.truncate(MAX_COMPARED);
        let Some(similar) = self.compare(record.summary.clone(), candidates, deadline).await else {
            return Similar::Unanswered;
        };
        match timeout_at(deadline, self.visible(similar, sight, deadline)).await {
            Ok(similar) if !similar.is_empty() => Similar::Found(similar),
            Ok(_) => otherwise,
            Err(_) => Similar::Unanswered,
        }
    }

    /// The most similar of those that may be shown.
    async fn visible(
        &self,
        mut similar: Vec<SimilarTicket>,
        sight: &Sight,
        deadline: Instant,
    ) -> Vec<SimilarTicket> {
        if sight.picks_issues() {
            self.read_levels(&mut similar, deadline).await;
        }
        retain_visible(&mut similar, sight.clone()).await;
        similar.truncate(MAX_SHOWN);
        similar
    }

    /// Asks Jira whether it shows those to everybody of which it hasn't said so. If it doesn't answer, they stay
    /// unknown.
    async fn read_levels(&self, similar: &mut [SimilarTicket], deadline: Instant) {
        let unknown = || similar.iter().filter(|ticket| ticket.has_security_level.is_none());
        let keys: Vec<IssueKey> = unknown().map(|ticket| ticket.key.clone()).collect();
        if keys.is_empty() {
            return;
        }
        let issues = self.jira.get_issues(&keys, deadline).await.unwrap_or_default();
        for issue in issues.into_iter().flatten() {
            if let Some(ticket) = similar.iter_mut().find(|ticket| ticket.key == issue.key) {
                ticket.has_security_level = Some(issue.has_security_level);
            }
        }
    }

    /// Compares on a thread that answers nobody. `None` if there is no turn until `deadline`.
    async fn compare(
        &self,
        summary: String,
        candidates: Vec<SimilarTicket>,
        deadline: Instant,
    ) -> Option<Vec<SimilarTicket>> {
        let turn = timeout_at(deadline, Arc::clone(&self.turns).acquire_owned()).await.ok()?.ok()?;
        let compared = tokio::task::spawn_blocking(move || {
            let _turn = turn;
            ranked(&summary, candidates)
        });
        compared.await.ok()
    }

    /// The tickets that MARO has just created, which Jira's search may not know yet.
    async fn created_lately(&self, project: &str) -> Vec<SimilarTicket> {
        let since = self.clock.now().checked_sub(SEARCH_LAG).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
        let tickets = self.intents.recent_tickets(project, since).await.unwrap_or_else(|error| {
            tracing::debug!(error = error_chain(&error), "couldn't read recent tickets");
            Vec::new()
        });
        tickets
            .into_iter()
            .map(|Issue { id, key, summary, .. }| SimilarTicket {
                id,
                key,
                summary,
                status: texts::issues::created::JUST_CREATED.to_owned(),
                assignee: None,
                // Its project may give it one.
                has_security_level: None,
            })
            .collect()
    }
}

/// Keeps those that may be shown.
pub(crate) async fn retain_visible(tickets: &mut Vec<SimilarTicket>, sight: Sight) {
    let sight = sight.for_issues(tickets.iter().map(|ticket| &ticket.key)).await;
    tickets.retain(|ticket| sight.row(&ticket.key, ticket.has_security_level).is_ok());
}

/// Those above the threshold, each once, the most similar first.
fn ranked(summary: &str, candidates: Vec<SimilarTicket>) -> Vec<SimilarTicket> {
    let mut seen = HashSet::new();
    let wanted = Words::of(summary);
    let mut scored: Vec<_> = candidates
        .into_iter()
        .filter(|ticket| seen.insert(ticket.key.clone()))
        .map(|ticket| (wanted.similarity(&Words::of(&ticket.summary)), ticket))
        .filter(|(score, _)| *score >= THRESHOLD)
        .collect();
    scored.sort_by(|(one, _), (other, _)| other.total_cmp(one));
    scored.into_iter().take(MAX_RANKED).map(|(_, ticket)| ticket).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use maro_domain::issue::IssueId;

    fn ticket(number: u32, summary: &str) -> SimilarTicket {
        SimilarTicket {
            id: IssueId::new(number.to_string()),
            key: IssueKey::parse(&format!("SCRUM-{number}")).unwrap(),
            summary: summary.to_owned(),
            status: "Open".to_owned(),
            assignee: None,
            has_security_level: Some(false),
        }
    }

    #[test]
    fn the_most_similar_come_first_each_once() {
        let mut candidates: Vec<_> =
            (20..=49).map(|number| ticket(number, "Login page is broken on phones")).collect();
        candidates.push(ticket(10, "Login page is broken"));
        candidates.push(ticket(10, "Login page is broken"));
        candidates.push(ticket(11, "Something else"));
        let shown = ranked("Login page is broken", candidates);
        assert_eq!(shown.len(), MAX_RANKED);
        assert_eq!(shown[0].key.as_str(), "SCRUM-10");
        assert!(shown[1..].iter().all(|ticket| ticket.summary.contains("phones")));
    }
}
