//! Epics: whether an issue is one, and which type stories under it have.

use serde::Deserialize;
use serde_json::Value;
use tokio::time::Instant;

use crate::{
    connection::cache::EpicFields,
    connection::request::{JiraRequest, RequestKind},
    connection::site::JiraSite,
    creating::epic_fields::get_epic_fields,
    creating::issue_types::get_issue_types,
    error::JiraError,
    wire::{issue::parse_issue, parse::parse},
};
use maro_domain::{
    issue::{Issue, IssueKey, one_line},
    ticket::IssueType,
};

const MAX_NAME_LENGTH: usize = 100;

/// The hierarchy level of epics. Stories can't be children of anything above it.
const EPIC_LEVEL: i32 = 1;

/// An epic under which stories can be created.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Epic {
    pub issue: Issue,
    pub project_key: String,
    /// The type that its stories get.
    pub story_type: IssueType,
}

/// What looking for an epic by its key finds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EpicLookup {
    /// Missing, or not visible.
    Missing,
    /// An issue, but not an epic.
    NotAnEpic {
        issue: Issue,
        /// One line: `Task`.
        type_name: String,
    },
    /// An epic in a project where the account can't create anything that could be its child.
    NoStoryType {
        issue: Issue,
        project_key: String,
    },
    Epic(Epic),
}

#[derive(Deserialize)]
struct RawEpic {
    fields: EpicIssueFields,
}

#[derive(Deserialize)]
struct EpicIssueFields {
    #[serde(rename = "issuetype")]
    issue_type: RawIssueType,
    project: RawProject,
    /// On Data Center, the epic's name is among them.
    #[serde(flatten)]
    others: serde_json::Map<String, Value>,
}

#[derive(Deserialize)]
struct RawIssueType {
    id: String,
    name: String,
    #[serde(rename = "hierarchyLevel")]
    hierarchy_level: Option<i32>,
    #[serde(rename = "untranslatedName")]
    untranslated_name: Option<String>,
}

impl RawIssueType {
    /// Whether it's one for epics. Data Center tells no level; then it's the type that Jira brings along.
    fn is_epic(&self) -> bool {
        let english = || self.untranslated_name.as_ref().unwrap_or(&self.name);
        self.hierarchy_level
            .map_or_else(|| english().trim().eq_ignore_ascii_case("epic"), |level| level == EPIC_LEVEL)
    }
}

#[derive(Deserialize)]
struct RawProject {
    key: String,
}

pub(crate) async fn get_epic(
    site: &JiraSite,
    key: &IssueKey,
    deadline: Instant,
) -> Result<EpicLookup, JiraError> {
    let fields =
        if site.is_cloud() { EpicFields::default() } else { get_epic_fields(site, deadline).await? };
    let mut url = site.url(&["issue", key.as_str()]);
    let asked: Vec<&str> = ["summary", "status", "security", "issuetype", "project"]
        .into_iter()
        .chain(fields.name.as_deref())
        .collect();
    url.set_query(Some(&format!("fields={}", asked.join(","))));
    match site.find(&JiraRequest::get(RequestKind::GetEpic, url), deadline).await? {
        Some(body) => judge(site, &body, &fields, deadline).await,
        None => Ok(EpicLookup::Missing),
    }
}

async fn judge(
    site: &JiraSite,
    body: &[u8],
    fields: &EpicFields,
    deadline: Instant,
) -> Result<EpicLookup, JiraError> {
    let issue = parse_issue(body)?;
    let EpicIssueFields { issue_type, project, others } = parse::<RawEpic>(body, "the epic")?.fields;
    let has_epic_name = || {
        let name = fields.name.as_ref().filter(|_| !site.is_cloud()).and_then(|name| others.get(name));
        name.is_some_and(|name| !name.is_null())
    };
    let is_epic = issue_type.is_epic() || has_epic_name();
    if !is_epic {
        let type_name = one_line(&issue_type.name, MAX_NAME_LENGTH);
        return Ok(EpicLookup::NotAnEpic { issue, type_name });
    }
    let types = get_issue_types(site, &project.key, deadline).await?.unwrap_or_default();
    let candidates = || types.iter().filter(|kind| kind.hierarchy_level == 0 && kind.id != issue_type.id);
    let story_type = candidates().min_by_key(|kind| kind.distance_from_story()).cloned();
    Ok(match story_type {
        Some(story_type) => EpicLookup::Epic(Epic { issue, project_key: project.key, story_type }),
        None => EpicLookup::NoStoryType { issue, project_key: project.key },
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn an_epic_is_known_by_its_level_or_else_by_its_name() {
        for (issue_type, is_epic) in [
            (json!({ "id": "1", "name": "Feature", "hierarchyLevel": 1 }), true),
            (json!({ "id": "1", "name": "Epik", "untranslatedName": "Epic" }), true),
            (json!({ "id": "1", "name": "Epic" }), true),
            (json!({ "id": "1", "name": "epic", "hierarchyLevel": null }), true),
            (json!({ "id": "1", "name": "Epic", "hierarchyLevel": 0 }), false),
            (json!({ "id": "1", "name": "Story" }), false),
            (json!({ "id": "1", "name": "Epic", "untranslatedName": "Initiative" }), false),
        ] {
            let parsed: RawIssueType = serde_json::from_value(issue_type.clone()).unwrap();
            assert_eq!(parsed.is_epic(), is_epic, "{issue_type}");
        }
    }
}
