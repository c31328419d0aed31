//! The simulated site's part of Jira Software's own API.

use std::sync::Arc;

use axum::{
    body::Bytes,
    extract::{Path, State},
    http::{HeaderMap, StatusCode},
    response::{IntoResponse as _, Response},
};
use serde::Deserialize;

use crate::jira::{
    api::{
        answers::{json_answer, no_issue, read_json},
        shapes::{self, Api},
    },
    data::issue::IssueType,
    state::SiteState,
};

/// How many issues one request may name, as in Jira.
const MAX_ISSUES: usize = 50;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AddedIssues {
    issues: Vec<String>,
}

/// `POST /rest/agile/1.0/epic/{key}/issue`
pub(crate) async fn add_to_epic(
    State(shared): State<Arc<SiteState>>,
    Path(epic): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let AddedIssues { issues } = match read_json(&headers, &body) {
        Ok(added) => added,
        Err(fault) => return fault.answer(),
    };
    if issues.is_empty() || issues.len() > MAX_ISSUES {
        let message = format!("The request must name between 1 and {MAX_ISSUES} issues.");
        return json_answer(StatusCode::BAD_REQUEST, &shapes::errors(&message));
    }
    let mut site = shared.site();
    let epic = site.find(&epic).filter(|issue| issue.issue_type == IssueType::Epic);
    let Some(epic) = epic.map(|issue| issue.key.clone()) else { return no_issue(Api::DataCenter) };
    if issues.iter().any(|key| site.find(key).is_none()) {
        return no_issue(Api::DataCenter);
    }
    for key in issues {
        if let Some(issue) = site.find_to_change(&key) {
            issue.parent = Some(epic.clone());
        }
    }
    StatusCode::NO_CONTENT.into_response()
}
