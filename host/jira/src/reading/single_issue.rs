//! One issue by its key: `GET /rest/api/{2,3}/issue/{key}`, the same in both editions of Jira.

use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use tokio::time::Instant;

use crate::{
    connection::request::{JiraRequest, RequestKind},
    connection::site::JiraSite,
    connection::transport::Answer,
    error::JiraError,
    wire::{
        issue::{FIELDS, parse_issue},
        refusal::is_jira_error,
    },
};
use maro_domain::issue::{Issue, IssueKey};

/// How many of these requests one look-up has open at a time.
const CONCURRENCY: usize = 4;

/// The issue that has or once had this key; `None` if it is missing or not visible.
pub(crate) async fn get_issue(
    site: &JiraSite,
    key: &IssueKey,
    deadline: Instant,
) -> Result<Option<Issue>, JiraError> {
    let mut url = site.url(&["issue", key.as_str()]);
    url.set_query(Some(&format!("fields={}", FIELDS.join(","))));
    match site.ask(&JiraRequest::get(RequestKind::GetIssue, url), deadline).await? {
        Answer::NotFound(body) if is_jira_error(&body) => Ok(None),
        Answer::NotFound(_) => Err(JiraError::invalid("status 404 for an issue, but not from Jira")),
        answer => parse_issue(&answer.found()?).map(Some),
    }
}

/// What [`get_issue`] says about each key, in order, with a few requests at a time.
pub(crate) async fn get_each(
    site: &JiraSite,
    keys: &[&IssueKey],
    deadline: Instant,
) -> Result<Vec<Option<Issue>>, JiraError> {
    let questions: Vec<_> = keys.iter().map(|key| get_issue(site, key, deadline)).collect();
    stream::iter(questions).buffered(CONCURRENCY).try_collect().await
}
