//! Look-ups in Jira Data Center, REST API v2.
//!
//! It has no request for several keys but a JQL search, whose index may be some seconds behind. A search (`key in
//! (…)`) is refused if even one of the keys is gone, unless it isn't validated.

use serde::Serialize;
use tokio::time::Instant;

use crate::{
    connection::request::{JiraRequest, RequestKind},
    connection::site::JiraSite,
    error::JiraError,
    reading::single_issue::{get_each, get_issue},
    wire::issue::{FIELDS, parse_found},
};
use maro_domain::issue::{Issue, IssueKey};

/// `POST /rest/api/2/search`
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ByKeys<'a> {
    jql: &'a str,
    fields: [&'static str; 4],
    max_results: usize,
    validate_query: bool,
}

/// One answer per key, with one request for each.
pub(crate) async fn get_issues(
    site: &JiraSite,
    keys: &[&IssueKey],
    deadline: Instant,
) -> Result<Vec<Option<Issue>>, JiraError> {
    match keys {
        [key] => Ok(vec![get_issue(site, key, deadline).await?]),
        _ => get_each(site, keys, deadline).await,
    }
}

/// The issues that the index has under these keys, with one request for all. `None` for what may have moved, be gone or
/// hidden, or be too new.
pub(crate) async fn search_issues(
    site: &JiraSite,
    keys: &[&IssueKey],
    deadline: Instant,
) -> Result<Vec<Option<Issue>>, JiraError> {
    let names: Vec<String> = keys.iter().map(|key| format!("\"{key}\"")).collect();
    let jql = format!("key in ({})", names.join(","));
    let body = ByKeys { jql: &jql, fields: FIELDS, max_results: keys.len(), validate_query: false };
    let request = JiraRequest::post(RequestKind::GetIssues, site.url(&["search"]), &body);
    let found = parse_found(&site.ask(&request, deadline).await?.found()?)?;
    let of = |key: &IssueKey| found.iter().find(|issue| issue.key == *key).cloned();
    Ok(keys.iter().map(|key| of(key)).collect())
}
