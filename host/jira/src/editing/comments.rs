//! Adding comments. Jira accepts the same comment twice, so one that it didn't confirm stays unknown.

use serde::{Deserialize, de::IgnoredAny};
use serde_json::json;
use tokio::time::Instant;

use crate::{
    connection::request::{JiraRequest, RequestKind},
    connection::site::JiraSite,
    creating::field_values::formatted,
    editing::edit::{EditError, edit},
    wire::parse::parse,
};
use maro_domain::{issue::IssueKey, rich_text::RichText};

#[derive(Deserialize)]
struct RawComment {
    #[serde(rename = "id")]
    _id: IgnoredAny,
}

pub(crate) async fn add_comment(
    site: &JiraSite,
    key: &IssueKey,
    text: &RichText,
    deadline: Instant,
) -> Result<(), EditError> {
    let comment = json!({ "body": formatted(site, text).unwrap_or_default() });
    let url = site.url(&["issue", key.as_str(), "comment"]);
    let action = JiraRequest::post(RequestKind::AddComment, url, &comment);
    let body = edit(site, &action, deadline).await?;
    parse::<RawComment>(&body, "the comment").map(drop).map_err(EditError::Unknown)
}
