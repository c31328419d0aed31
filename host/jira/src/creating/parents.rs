//! Issues that a new one can belong to: epics, for people to choose from.

use tokio::time::Instant;

use crate::{
    connection::request::RequestKind,
    connection::site::JiraSite,
    creating::issue_types::get_issue_types,
    error::JiraError,
    searching::jql,
    searching::similar::{SearchRequest, search},
    wire::parse::is_project_key,
};
use maro_domain::ticket::SimilarTicket;

/// How many are read of each search: one page.
const MAX_READ: u32 = 100;

/// The open ones of a project that are one level above an issue type, the latest changed first. If there are more than
/// one page has, those with the words that were `typed` come before them.
pub(crate) async fn find_parents(
    site: &JiraSite,
    (project_key, issue_type_id): (&str, &str),
    typed: &str,
    deadline: Instant,
) -> Result<Vec<SimilarTicket>, JiraError> {
    let types = get_issue_types(site, project_key, deadline).await?.unwrap_or_default();
    let level = types.iter().find(|kind| kind.id == issue_type_id).map_or(0, |kind| kind.hierarchy_level);
    let above: Vec<&str> =
        types.iter().filter(|kind| kind.hierarchy_level == level + 1).map(|kind| kind.id.as_str()).collect();
    if above.is_empty() || !is_project_key(project_key) {
        return Ok(Vec::new());
    }
    let latest = find(site, &jql::of_types(project_key, &above, ""), deadline).await?;
    let are_all = latest.len() < MAX_READ as usize;
    let condition = jql::begun_words(typed).filter(|_| !are_all);
    let Some(condition) = condition else { return Ok(latest) };
    let mut parents = find(site, &jql::of_types(project_key, &above, &condition), deadline).await?;
    let others: Vec<_> =
        latest.into_iter().filter(|one| parents.iter().all(|other| other.id != one.id)).collect();
    parents.extend(others);
    Ok(parents)
}

async fn find(site: &JiraSite, jql: &str, deadline: Instant) -> Result<Vec<SimilarTicket>, JiraError> {
    let request = SearchRequest {
        jql,
        fields: &["summary", "status", "security"],
        max_results: MAX_READ,
        properties: None,
        next_page_token: None,
        start_at: None,
    };
    let page = search(site, RequestKind::SearchIssues, &request, deadline).await?;
    page.issues.into_iter().map(SimilarTicket::try_from).collect()
}
