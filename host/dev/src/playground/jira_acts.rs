//! `POST /jira`: changes issues on the simulated site, and makes the site fail.

use std::sync::Arc;

use axum::{body::Bytes, extract::State, http::StatusCode, response::Response};
use serde::Deserialize;
use serde_json::json;

use crate::playground::{
    answers,
    failing_endpoints::{self, Endpoint},
    failure::JiraFailure,
    state::PlaygroundState,
};
use maro_domain::issue::IssueKey;
use maro_simulation::jira::server::SimulatedJira;

/// Jira's own limit, in characters.
const MAX_SUMMARY: usize = 255;

/// The longest comment, in characters.
const MAX_COMMENT: usize = 1_000;

/// One change.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
enum JiraAct {
    Create {
        project: String,
        summary: String,
    },
    Rename {
        key: String,
        summary: String,
    },
    Transition {
        key: String,
        status: String,
    },
    Move {
        key: String,
        project: String,
    },
    Delete {
        key: String,
    },
    /// To one of the site's people, or to nobody.
    Assign {
        key: String,
        person: Option<String>,
    },
    Prioritise {
        key: String,
        priority: String,
    },
    /// Into a sprint, or out of all.
    Plan {
        key: String,
        sprint: Option<String>,
    },
    Comment {
        key: String,
        text: String,
    },
    Fail {
        how: JiraFailure,
    },
    /// Has one kind of request fail. `delay_ms` is for those that are slow.
    FailAt {
        endpoint: Endpoint,
        how: JiraFailure,
        delay_ms: Option<u64>,
    },
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
        JiraAct::Assign { key, person } => {
            let key = parse(&key)?;
            changed(jira.assign_to(&key, person.as_deref()), key)?
        }
        JiraAct::Prioritise { key, priority } => {
            let key = parse(&key)?;
            changed(jira.prioritise(&key, &priority), key)?
        }
        JiraAct::Plan { key, sprint } => {
            let key = parse(&key)?;
            changed(jira.plan(&key, sprint.as_deref()), key)?
        }
        JiraAct::Comment { key, text } => {
            let key = parse(&key)?;
            let text = checked_comment(&text)?;
            changed(jira.comment_by_somebody(&key, text), key)?
        }
        JiraAct::FailAt { endpoint, how, delay_ms } => {
            failing_endpoints::set(jira, endpoint, how, delay_ms);
            return Ok(None);
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

fn checked_comment(text: &str) -> Result<&str, &'static str> {
    match text.trim() {
        "" => Err("A comment needs words."),
        text if text.chars().count() > MAX_COMMENT => Err("Comments can be up to 1,000 characters here."),
        text => Ok(text),
    }
}

fn checked(summary: &str) -> Result<&str, &'static str> {
    let summary = summary.trim();
    match summary.chars().count() {
        0 => Err("An issue needs a summary."),
        1..=MAX_SUMMARY => Ok(summary),
        _ => Err("Summaries can be up to 255 characters."),
    }
}
