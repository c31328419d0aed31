//! The newest comments on an issue: who wrote them, and never what they say.

use serde::Deserialize;
use tokio::time::Instant;

use crate::{
    client::JiraClient,
    error::JiraError,
    people::RawPerson,
    request::{JiraRequest, RequestKind},
    wire::parse::parse,
};
use maro_domain::issue::IssueKey;

/// How many are read.
const MAX_COMMENTS: &str = "20";

/// A comment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Comment {
    /// Later ones have higher ids.
    pub id: i64,
    /// The name of who wrote it, one line of at most 100 characters.
    pub author: Option<String>,
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
        let comment = |raw: RawComment| {
            Some(Comment {
                id: raw.id.parse().ok()?,
                author: raw.author.and_then(RawPerson::person).map(|person| person.name),
                is_restricted: raw.visibility.is_some() || !raw.is_public,
            })
        };
        Ok(comments.filter_map(comment).collect())
    }
}
