//! Transitions: the steps of an issue's workflow.

use serde::Deserialize;
use serde_json::json;
use tokio::time::Instant;

use crate::{
    connection::request::{JiraRequest, RequestKind},
    connection::site::JiraSite,
    editing::edit::{EditError, edit_and_look},
    error::JiraError,
    reading::look_up::get_issues,
    wire::{
        issue::Named,
        issue::parse_issue,
        parse::{is_id, parse},
    },
};
use maro_domain::{
    issue::{Issue, IssueKey, one_line},
    issue_details::Transition,
};

const MAX_NAME_LENGTH: usize = 100;

/// How many transitions are kept.
const MAX_TRANSITIONS: usize = 50;

#[derive(Deserialize)]
struct RawTransitions {
    transitions: Vec<RawTransition>,
}

#[derive(Deserialize)]
struct RawTransition {
    id: String,
    name: String,
    to: Named,
}

pub(crate) async fn get_transitions(
    site: &JiraSite,
    key: &IssueKey,
    deadline: Instant,
) -> Result<Option<(Issue, Vec<Transition>)>, JiraError> {
    let mut url = site.url(&["issue", key.as_str()]);
    url.set_query(Some("fields=summary,status,security&expand=transitions"));
    let request = JiraRequest::get(RequestKind::GetTransitions, url);
    let Some(body) = site.find(&request, deadline).await? else { return Ok(None) };
    let issue = parse_issue(&body)?;
    let raw: RawTransitions = parse(&body, "the transitions")?;
    let transitions = raw.transitions.into_iter().filter(|raw| is_id(&raw.id)).take(MAX_TRANSITIONS);
    Ok(Some((issue, transitions.map(Transition::from).collect())))
}

pub(crate) async fn take_transition(
    site: &JiraSite,
    issue: &Issue,
    transition: &Transition,
    deadline: Instant,
) -> Result<(), EditError> {
    let url = site.url(&["issue", issue.key.as_str(), "transitions"]);
    let action = JiraRequest::post(
        RequestKind::TakeTransition,
        url,
        &json!({ "transition": { "id": transition.id } }),
    );
    edit_and_look(site, &action, deadline, async || {
        transition.to_status != issue.status
            && get_issues(site, std::slice::from_ref(&issue.key), deadline).await.is_ok_and(|found| {
                found.into_iter().flatten().any(|found| found.status == transition.to_status)
            })
    })
    .await
}
impl From<RawTransition> for Transition {
    fn from(raw: RawTransition) -> Self {
        Self {
            id: raw.id,
            name: one_line(&raw.name, MAX_NAME_LENGTH),
            to_status: one_line(&raw.to.name, MAX_NAME_LENGTH),
        }
    }
}
