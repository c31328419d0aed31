//! `POST /jira`: changes issues on the simulated site, and makes the site fail.

use std::{sync::Arc, time::Duration};

use axum::{body::Bytes, extract::State, http::StatusCode, response::Response};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::playground::{answers, state::PlaygroundState};
use maro_domain::issue::IssueKey;
use maro_simulation::jira::{faults::JiraFault, server::SimulatedJira};

/// Jira's own limit, in characters.
const MAX_SUMMARY: usize = 255;

/// How long a slow site takes to answer: longer than Slack waits, but not longer than MARO does.
const SLOW: Duration = Duration::from_secs(4);

/// One change.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
enum JiraAct {
    Create { project: String, summary: String },
    Rename { key: String, summary: String },
    Transition { key: String, status: String },
    Move { key: String, project: String },
    Delete { key: String },
    Fail { how: JiraFailure },
}

/// The failures that the page offers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum JiraFailure {
    None,
    Unauthorized,
    Forbidden,
    RateLimited,
    Unavailable,
    Slow,
    Nonsense,
    Unreachable,
}

impl JiraFailure {
    fn fault(self) -> Option<JiraFault> {
        Some(match self {
            Self::None => return None,
            Self::Unauthorized => JiraFault::Status(401, None),
            Self::Forbidden => JiraFault::Status(403, None),
            Self::RateLimited => JiraFault::Status(429, Some("30".to_owned())),
            Self::Unavailable => JiraFault::Status(503, None),
            Self::Slow => JiraFault::Slow(SLOW),
            Self::Nonsense => JiraFault::WrongShape,
            Self::Unreachable => JiraFault::Reset,
        })
    }

    /// The site's current failure. Also `None` for a fault that the page doesn't offer.
    pub(super) fn of(jira: &SimulatedJira) -> Self {
        const OFFERED: [JiraFailure; 7] = [
            JiraFailure::Unauthorized,
            JiraFailure::Forbidden,
            JiraFailure::RateLimited,
            JiraFailure::Unavailable,
            JiraFailure::Slow,
            JiraFailure::Nonsense,
            JiraFailure::Unreachable,
        ];
        let fault = jira.fault();
        OFFERED.into_iter().find(|failure| failure.fault() == fault).unwrap_or(Self::None)
    }
}

pub(super) async fn act(State(shared): State<Arc<PlaygroundState>>, body: Bytes) -> Response {
    let Ok(act) = serde_json::from_slice::<JiraAct>(&body) else {
        return answers::refusal(StatusCode::BAD_REQUEST, "The body must be one change as JSON.");
    };
    match perform(&shared.playground.jira, act) {
        Ok(key) => answers::json(StatusCode::OK, &json!({ "key": key })),
        Err(sentence) => answers::refusal(StatusCode::UNPROCESSABLE_ENTITY, sentence),
    }
}

/// Makes the change. If it changed an issue, returns its key.
fn perform(jira: &SimulatedJira, act: JiraAct) -> Result<Option<String>, &'static str> {
    const NO_ISSUE: &str = "The simulated Jira has no such issue.";
    const NO_PROJECT: &str = "The simulated Jira has no such project.";
    let parse = |key: &str| IssueKey::parse(key).map_err(|_| NO_ISSUE);
    let changed = |is_changed: bool, key: IssueKey| if is_changed { Ok(key) } else { Err(NO_ISSUE) };
    let key = match act {
        JiraAct::Create { project, summary } => {
            jira.create_issue(&project, checked(&summary)?).ok_or(NO_PROJECT)?
        }
        JiraAct::Rename { key, summary } => {
            let key = parse(&key)?;
            changed(jira.rename_issue(&key, checked(&summary)?), key)?
        }
        JiraAct::Transition { key, status } => {
            let key = parse(&key)?;
            changed(jira.transition_issue(&key, &status), key)?
        }
        JiraAct::Move { key, project } => {
            jira.move_to_project(&parse(&key)?, &project.to_uppercase()).ok_or(NO_PROJECT)?
        }
        JiraAct::Delete { key } => {
            let key = parse(&key)?;
            changed(jira.delete_issue(&key), key)?
        }
        JiraAct::Fail { how } => {
            match how.fault() {
                Some(fault) => jira.set_fault(fault),
                None => jira.clear_fault(),
            }
            return Ok(None);
        }
    };
    Ok(Some(key.into_string()))
}

fn checked(summary: &str) -> Result<&str, &'static str> {
    let summary = summary.trim();
    match summary.chars().count() {
        0 => Err("An issue needs a summary."),
        1..=MAX_SUMMARY => Ok(summary),
        _ => Err("Summaries can be up to 255 characters."),
    }
}
