//! Adding a comment. Jira takes the same comment twice, so one that was not confirmed stays unknown.

use serde::{Deserialize, de::IgnoredAny};
use serde_json::json;
use tokio::time::Instant;

use crate::{client::JiraClient, edit::EditError, model::parse, transport::JiraRequest};
use maro_domain::{issue::IssueKey, rich_text::RichText};

#[derive(Deserialize)]
struct RawComment {
    #[serde(rename = "id")]
    _id: IgnoredAny,
}

impl JiraClient {
    /// Adds a comment of this account's. Jira refuses one that shows nothing.
    ///
    /// # Errors
    /// An [`EditError`], at `deadline` at the latest.
    pub async fn add_comment(
        &self,
        key: &IssueKey,
        text: &RichText,
        deadline: Instant,
    ) -> Result<(), EditError> {
        let comment = json!({ "body": self.formatted(text).unwrap_or_default() });
        let action = JiraRequest::post(self.url(&["issue", key.as_str(), "comment"]), &comment);
        let body = self.edit(&action, deadline).await?;
        parse::<RawComment>(&body, "the comment").map(drop).map_err(EditError::Unknown)
    }
}
