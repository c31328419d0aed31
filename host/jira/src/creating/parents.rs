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

/// How many are read: one page. Nobody has more open epics in a project.
const MAX_READ: u32 = 100;

/// The open ones of a project that are one level above an issue type, the latest changed first.
pub(crate) async fn find_parents(
    site: &JiraSite,
    project_key: &str,
    issue_type_id: &str,
    deadline: Instant,
) -> Result<Vec<SimilarTicket>, JiraError> {
    let types = get_issue_types(site, project_key, deadline).await?.unwrap_or_default();
    let level = types.iter().find(|kind| kind.id == issue_type_id).map_or(0, |kind| kind.hierarchy_level);
    let above: Vec<&str> =
        types.iter().filter(|kind| kind.hierarchy_level == level + 1).map(|kind| kind.id.as_str()).collect();
    if above.is_empty() || !is_project_key(project_key) {
        return Ok(Vec::new());
    }
    let request = SearchRequest {
        jql: &jql::of_types(project_key, &above),
        fields: &["summary", "status", "security"],
        max_results: MAX_READ,
        properties: None,
        next_page_token: None,
        start_at: None,
    };
    let page = search(site, RequestKind::SearchIssues, &request, deadline).await?;
    page.issues.into_iter().map(SimilarTicket::try_from).collect()
}
