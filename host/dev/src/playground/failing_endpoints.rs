//! Requests to Jira that fail or wait alone, while all others work.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::playground::failure::JiraFailure;
use maro_simulation::jira::{faults::JiraFault, server::SimulatedJira};

/// The longest delay.
const MAX_DELAY: Duration = Duration::from_secs(120);

/// A kind of request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Endpoint {
    Read,
    Search,
    Create,
    CreateMany,
    Comment,
    Transitions,
    Assignee,
    Links,
    Projects,
}

impl Endpoint {
    const ALL: [Self; 9] = [
        Self::Read,
        Self::Search,
        Self::Create,
        Self::CreateMany,
        Self::Comment,
        Self::Transitions,
        Self::Assignee,
        Self::Links,
        Self::Projects,
    ];

    /// How the path of such a request ends.
    fn path_end(self) -> &'static str {
        match self {
            Self::Read => "/issue/bulkfetch",
            Self::Search => "/search/jql",
            Self::Create => "/issue",
            Self::CreateMany => "/issue/bulk",
            Self::Comment => "/comment",
            Self::Transitions => "/transitions",
            Self::Assignee => "/assignee",
            Self::Links => "/remotelink",
            Self::Projects => "/project/search",
        }
    }
}

/// Has these requests fail from now on, or work again.
pub(super) fn set(jira: &SimulatedJira, endpoint: Endpoint, how: JiraFailure, delay_ms: Option<u64>) {
    let fault = match (how, delay_ms) {
        (JiraFailure::Slow, Some(delay)) => {
            Some(JiraFault::Slow(Duration::from_millis(delay).min(MAX_DELAY)))
        }
        (how, _) => how.fault(),
    };
    jira.set_fault_of(endpoint.path_end(), fault);
}

/// The requests that fail, as the page shows them.
pub(super) fn failing(jira: &SimulatedJira) -> Value {
    let faults = jira.faults_of();
    let failing = Endpoint::ALL.into_iter().filter_map(|endpoint| {
        let (_, fault) = faults.iter().find(|(part, _)| part == endpoint.path_end())?;
        Some(match fault {
            JiraFault::Slow(delay) => {
                json!({ "endpoint": endpoint, "how": JiraFailure::Slow, "delay_ms": delay.as_millis() })
            }
            fault => json!({ "endpoint": endpoint, "how": JiraFailure::named(fault) }),
        })
    });
    failing.collect()
}
