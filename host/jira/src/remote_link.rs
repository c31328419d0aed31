//! Links from an issue to something elsewhere: to the conversation in Slack that it came up in.

use serde_json::json;
use tokio::time::Instant;

use crate::{
    client::JiraClient,
    error::JiraError,
    model::is_jira_error,
    transport::{Answer, JiraRequest},
};
use maro_domain::issue::{IssueKey, one_line};

/// The longest global id that Jira takes, in characters.
const MAX_GLOBAL_ID_LENGTH: usize = 255;

/// The longest title that Jira takes, in characters.
const MAX_TITLE_LENGTH: usize = 255;

/// Why there is no confirmed link.
#[derive(Debug, thiserror::Error)]
pub enum LinkError {
    /// The issue is missing, or not visible.
    #[error("the issue to link doesn't exist")]
    MissingIssue,
    #[error(transparent)]
    Jira(#[from] JiraError),
}

impl JiraClient {
    /// Has an issue link to `url`, under the heading "mentioned in". A link with the same
    /// `global_id` (at most 255 characters, the rest is cut off) is replaced, so that this may be repeated;
    /// the client itself repeats it after failures that may pass.
    ///
    /// # Errors
    /// A [`LinkError`], at `deadline` at the latest.
    pub async fn add_remote_link(
        &self,
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
        let request = JiraRequest::post(self.url(&["issue", key.as_str(), "remotelink"]), &link);
        let is_linked = self
            .before(deadline, async {
                match self.ask(&request, deadline).await? {
                    Answer::NotFound(body) if is_jira_error(&body) => {
                        self.confirm(deadline).await?;
                        Ok(false)
                    }
                    answer => answer.found().map(|_| true),
                }
            })
            .await?;
        if is_linked { Ok(()) } else { Err(LinkError::MissingIssue) }
    }
}
