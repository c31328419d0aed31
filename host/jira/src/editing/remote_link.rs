//! Links from an issue to the Slack conversation where it came up.

use serde_json::json;
use tokio::time::Instant;

use crate::{
    connection::request::{JiraRequest, RequestKind},
    connection::site::{ActionError, JiraSite},
    connection::transport::Answer,
    error::JiraError,
    wire::refusal::is_jira_error,
};
use maro_domain::issue::{IssueKey, one_line};

/// The longest global id that Jira accepts, in characters.
const MAX_GLOBAL_ID_LENGTH: usize = 255;

/// The longest title that Jira accepts, in characters.
const MAX_TITLE_LENGTH: usize = 255;

/// Why there is no confirmed link.
#[derive(Debug, thiserror::Error)]
pub enum LinkError {
    /// The issue is missing, or not visible.
    #[error("the issue to link doesn't exist")]
    MissingIssue,
    /// Jira has certainly added nothing.
    #[error(transparent)]
    Jira(#[from] JiraError),
    /// Jira may have added it, or may still do so.
    #[error("Jira didn't confirm the link")]
    Unknown(#[source] JiraError),
}

pub(crate) async fn add_remote_link(
    site: &JiraSite,
    key: &IssueKey,
    global_id: &str,
    url: &str,
    title: &str,
    deadline: Instant,
) -> Result<(), LinkError> {
    let global_id: String = global_id.chars().take(MAX_GLOBAL_ID_LENGTH).collect();
    let link = json!({
        "globalId": global_id,
        "application": { "type": "com.slack", "name": "Slack" },
        "relationship": "mentioned in",
        "object": { "url": url, "title": one_line(title, MAX_TITLE_LENGTH) },
    });
    let url = site.url(&["issue", key.as_str(), "remotelink"]);
    let request = JiraRequest::post(RequestKind::AddRemoteLink, url, &link);
    match site.act(&request, deadline).await {
        Ok(Answer::NotFound(body)) if is_jira_error(&body) => {
            site.confirm(deadline).await?;
            Err(LinkError::MissingIssue)
        }
        Ok(answer) => Ok(answer.found().map(drop)?),
        Err(ActionError::NotDone(error)) => Err(error.into()),
        Err(ActionError::Unknown(error)) => Err(LinkError::Unknown(error)),
    }
}
