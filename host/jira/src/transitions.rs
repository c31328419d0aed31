//! The steps of an issue's workflow: which it can take, and taking one.

use serde::Deserialize;
use serde_json::json;
use tokio::time::Instant;

use crate::{
    client::JiraClient,
    edit::EditError,
    error::JiraError,
    model::{is_id, is_jira_error, parse, parse_issue},
    transport::{Answer, JiraRequest},
    wire::issue::Named,
};
use maro_domain::{
    details::Transition,
    issue::{Issue, IssueKey, one_line},
};

const MAX_NAME_LENGTH: usize = 100;

/// How many steps are kept.
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

impl JiraClient {
    /// The issue, and the steps that its workflow lets this account take now, in Jira's order, at most 50.
    /// `None` if it is missing or not visible. An issue that has moved comes under its new key.
    ///
    /// # Errors
    /// Any [`JiraError`], at `deadline` at the latest.
    pub async fn get_transitions(
        &self,
        key: &IssueKey,
        deadline: Instant,
    ) -> Result<Option<(Issue, Vec<Transition>)>, JiraError> {
        let mut url = self.url(&["issue", key.as_str()]);
        url.set_query(Some("fields=summary,status&expand=transitions"));
        self.before(deadline, async {
            let body = match self.ask(&JiraRequest::get(url), deadline).await? {
                Answer::NotFound(body) if is_jira_error(&body) => {
                    self.confirm(deadline).await?;
                    return Ok(None);
                }
                answer => answer.found()?,
            };
            let issue = parse_issue(&body)?;
            let raw: RawTransitions = parse(&body, "the transitions")?;
            let transitions = raw.transitions.into_iter().filter(|raw| is_id(&raw.id)).take(MAX_TRANSITIONS);
            Ok(Some((issue, transitions.map(Transition::from).collect())))
        })
        .await
    }

    /// Takes a step that [`JiraClient::get_transitions`] gave with this issue. What Jira does not confirm is
    /// looked up: a step that led to another status has been taken if the issue has that status.
    ///
    /// # Errors
    /// An [`EditError`], at `deadline` at the latest.
    pub async fn take_transition(
        &self,
        issue: &Issue,
        transition: &Transition,
        deadline: Instant,
    ) -> Result<(), EditError> {
        let url = self.url(&["issue", issue.key.as_str(), "transitions"]);
        let action = JiraRequest::post(url, &json!({ "transition": { "id": transition.id } }));
        self.edit_and_look(&action, deadline, async || {
            transition.to_status != issue.status
                && self.get_issues(std::slice::from_ref(&issue.key), deadline).await.is_ok_and(|found| {
                    found.into_iter().flatten().any(|found| found.status == transition.to_status)
                })
        })
        .await
    }
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
