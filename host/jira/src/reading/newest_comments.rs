//! The newest comments on an issue: who wrote them, and never what they say.

use serde::Deserialize;
use tokio::time::Instant;

use crate::{
    accounts::people::{Editor, RawPerson},
    client::JiraClient,
    connection::request::{JiraRequest, RequestKind},
    error::JiraError,
    wire::parse::parse,
};
use maro_domain::issue::IssueKey;

/// How many are read.
const MAX_COMMENTS: &str = "20";

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Comment {
    /// Later ones have higher ids.
    pub id: i64,
    pub author: Option<Editor>,
    /// Whether only some of those who see the issue may read it.
    pub is_restricted: bool,
}

#[derive(Deserialize)]
struct RawPage {
    comments: Vec<RawComment>,
}

#[derive(Deserialize)]
struct RawComment {
    id: String,
    author: Option<RawPerson>,
    visibility: Option<serde::de::IgnoredAny>,
    /// Service Management's: `false` is for agents alone.
    #[serde(default = "yes", rename = "jsdPublic")]
    is_public: bool,
}

fn yes() -> bool {
    true
}

impl JiraClient {
    /// The newest 20 comments on an issue, newest first. Empty if Jira doesn't show the issue.
    ///
    /// # Errors
    /// Any [`JiraError`].
    pub async fn newest_comments(
        &self,
        key: &IssueKey,
        deadline: Instant,
    ) -> Result<Vec<Comment>, JiraError> {
        let mut url = self.site.url(&["issue", key.as_str(), "comment"]);
        url.query_pairs_mut().extend_pairs([("orderBy", "-created"), ("maxResults", MAX_COMMENTS)]);
        let request = JiraRequest::get(RequestKind::GetComments, url);
        let Some(body) = self.site.find(&request, deadline).await? else { return Ok(Vec::new()) };
        let comments = parse::<RawPage>(&body, "the comments")?.comments.into_iter();
        Ok(comments.filter_map(RawComment::comment).collect())
    }
}

impl RawComment {
    fn comment(self) -> Option<Comment> {
        Some(Comment {
            id: self.id.parse().ok()?,
            author: self.author.and_then(RawPerson::person).map(Editor::from),
            is_restricted: self.visibility.is_some() || !self.is_public,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_for_some_alone_is_restricted() {
        let is_restricted = |more: &str| {
            let raw: RawComment = serde_json::from_str(&format!("{{\"id\": \"7\"{more}}}")).unwrap();
            raw.comment().unwrap().is_restricted
        };
        assert!(!is_restricted("") && !is_restricted(r#", "visibility": null, "jsdPublic": true"#));
        assert!(is_restricted(r#", "visibility": {"type": "role", "value": "Administrators"}"#));
        assert!(is_restricted(r#", "jsdPublic": false"#));
    }
}
