//! Searches for tickets that resemble a new one.

use std::collections::HashMap;

use serde::{Deserialize, Serialize, de::IgnoredAny};
use serde_json::Value;
use tokio::time::Instant;

use crate::{
    connection::request::{JiraRequest, RequestKind},
    connection::site::JiraSite,
    error::JiraError,
    searching::jql,
    wire::{
        issue::Named,
        page::SearchPage,
        parse::{identify, is_project_key, parse},
    },
};
use maro_domain::{
    issue::{Issue, one_line},
    ticket::SimilarTicket,
};

/// How many similar tickets can be asked for.
const MAX_SIMILAR: u32 = 50;

/// The longest name of an assignee that is kept, in characters.
const MAX_NAME_LENGTH: usize = 100;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SearchRequest<'a> {
    pub(crate) jql: &'a str,
    pub(crate) fields: &'a [&'static str],
    pub(crate) max_results: u32,
    /// Cloud only: Data Center rejects fields that it doesn't know.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) properties: Option<[&'static str; 1]>,
    /// Cloud only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) next_page_token: Option<&'a str>,
    /// Data Center only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) start_at: Option<usize>,
}

#[derive(Deserialize)]
pub(crate) struct RawFound {
    pub(super) id: String,
    pub(crate) key: String,
    #[serde(default)]
    fields: SimilarFields,
    #[serde(default)]
    pub(super) properties: HashMap<String, Value>,
}

#[derive(Default, Deserialize)]
struct SimilarFields {
    #[serde(default)]
    summary: String,
    status: Option<Named>,
    assignee: Option<RawAssignee>,
    security: Option<IgnoredAny>,
}

#[derive(Deserialize)]
struct RawAssignee {
    #[serde(rename = "displayName")]
    display_name: String,
}

pub(crate) async fn search_similar(
    site: &JiraSite,
    project_key: &str,
    words: &[String],
    limit: u32,
    deadline: Instant,
) -> Result<Vec<SimilarTicket>, JiraError> {
    if !is_project_key(project_key) {
        return Ok(Vec::new());
    }
    let Some(jql) = jql::similar(project_key, words) else { return Ok(Vec::new()) };
    let request = SearchRequest {
        jql: &jql,
        fields: &["summary", "status", "assignee", "security"],
        max_results: limit.clamp(1, MAX_SIMILAR),
        properties: None,
        next_page_token: None,
        start_at: None,
    };
    let page = search(site, RequestKind::SearchSimilar, &request, deadline).await?;
    page.issues.into_iter().map(SimilarTicket::try_from).collect()
}

pub(crate) fn search_request(site: &JiraSite, kind: RequestKind, request: &SearchRequest<'_>) -> JiraRequest {
    let path: &[&str] = if site.is_cloud() { &["search", "jql"] } else { &["search"] };
    JiraRequest::post(kind, site.url(path), request)
}

pub(crate) async fn search(
    site: &JiraSite,
    kind: RequestKind,
    request: &SearchRequest<'_>,
    deadline: Instant,
) -> Result<SearchPage<RawFound>, JiraError> {
    let body = site.ask(&search_request(site, kind, request), deadline).await?.found()?;
    parse(&body, "the search results")
}

impl TryFrom<RawFound> for SimilarTicket {
    type Error = JiraError;

    fn try_from(raw: RawFound) -> Result<Self, JiraError> {
        let (id, key) = identify(&raw.id, &raw.key)?;
        let status = raw.fields.status.map(|status| status.name).unwrap_or_default();
        let Issue { id, key, summary, status, .. } = Issue::new(id, key, &raw.fields.summary, &status);
        let assignee = raw
            .fields
            .assignee
            .map(|person| one_line(&person.display_name, MAX_NAME_LENGTH))
            .filter(|name| !name.is_empty());
        let has_security_level = Some(raw.fields.security.is_some());
        Ok(Self { id, key, summary, status, assignee, has_security_level })
    }
}
