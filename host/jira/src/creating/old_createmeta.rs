//! What can be created in a project, as Data Center before 8.4 tells it: all in one answer.

use std::collections::BTreeMap;

use serde::{Deserialize, de::DeserializeOwned};
use serde_json::Value;
use tokio::time::Instant;

use crate::{
    connection::request::{JiraRequest, RequestKind},
    connection::site::JiraSite,
    connection::transport::Answer,
    error::JiraError,
    wire::{parse::parse, refusal::is_jira_error},
};

#[derive(Deserialize)]
struct RawMeta<Type> {
    #[serde(default = "Vec::new")]
    projects: Vec<RawProject<Type>>,
}

#[derive(Deserialize)]
struct RawProject<Type> {
    #[serde(default = "Vec::new")]
    issuetypes: Vec<Type>,
}

/// A type with its fields, by their ids.
#[derive(Deserialize)]
pub(crate) struct TypeWithFields {
    pub(crate) id: String,
    #[serde(default)]
    pub(crate) fields: BTreeMap<String, Value>,
}

/// Whether an answer may be that of a release that lacks the address.
pub(crate) fn may_be_old(site: &JiraSite, answer: &Answer) -> bool {
    !site.is_cloud() && matches!(answer, Answer::NotFound(body) if !is_jira_error(body))
}

/// The types that the account can create in a project, with their fields if `issue_type_id` says for which one. `None`
/// if this release doesn't have that address either.
pub(crate) async fn types<Type: DeserializeOwned>(
    site: &JiraSite,
    kind: RequestKind,
    (project_key, issue_type_id): (&str, Option<&str>),
    deadline: Instant,
) -> Result<Option<Vec<Type>>, JiraError> {
    let mut url = site.url(&["issue", "createmeta"]);
    url.query_pairs_mut().append_pair("projectKeys", project_key);
    if let Some(id) = issue_type_id {
        url.query_pairs_mut().extend_pairs([("issuetypeIds", id), ("expand", "projects.issuetypes.fields")]);
    }
    let body = match site.ask(&JiraRequest::get(kind, url), deadline).await? {
        Answer::NotFound(_) => return Ok(None),
        answer => answer.found()?,
    };
    let RawMeta { projects } = parse::<RawMeta<Type>>(&body, "what can be created")?;
    Ok(Some(projects.into_iter().flat_map(|project| project.issuetypes).collect()))
}
