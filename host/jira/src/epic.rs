//! Epics: whether an issue is one, and what a story under it would be.

use serde::Deserialize;
use serde_json::Value;
use tokio::time::Instant;

use crate::{
    cache::EpicFields,
    client::JiraClient,
    error::JiraError,
    model::{is_jira_error, parse, parse_issue},
    transport::{Answer, JiraRequest},
};
use maro_domain::{
    issue::{Issue, IssueKey, one_line},
    ticket::IssueType,
};

const MAX_NAME_LENGTH: usize = 100;

/// The level of epics. What is above has no stories as its children.
const EPIC_LEVEL: i32 = 1;

/// An epic under which stories can be created.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Epic {
    pub issue: Issue,
    pub project_key: String,
    /// What the stories will be.
    pub story_type: IssueType,
}

/// What an issue key leads to when an epic is wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EpicLookup {
    /// Missing, or not visible.
    Missing,
    /// Something else than an epic.
    NotAnEpic {
        issue: Issue,
        /// One line: `Task`.
        type_name: String,
    },
    /// An epic in whose project the account can create nothing that could stand under it.
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
    /// Among them, on Data Center, the epic's name.
    #[serde(flatten)]
    others: serde_json::Map<String, Value>,
}

#[derive(Deserialize)]
struct RawIssueType {
    id: String,
    name: String,
    #[serde(rename = "hierarchyLevel")]
    hierarchy_level: Option<i32>,
}

#[derive(Deserialize)]
struct RawProject {
    key: String,
}

impl JiraClient {
    /// Looks up an issue that somebody calls an epic, and its project's type for stories: the first one
    /// named "Story" that the account can create there, else the first of the same level.
    ///
    /// On Cloud an epic is what stands on level 1 of the hierarchy, whatever its type is called. Data
    /// Center tells no levels; there it is what has an epic's name, a field that Jira Software gives to
    /// its epics and to nothing else, whatever their type is called.
    ///
    /// # Errors
    /// Any [`JiraError`], at `deadline` at the latest.
    pub async fn get_epic(&self, key: &IssueKey, deadline: Instant) -> Result<EpicLookup, JiraError> {
        self.before(deadline, async {
            let fields =
                if self.is_cloud() { EpicFields::default() } else { self.epic_fields(deadline).await? };
            let mut url = self.url(&["issue", key.as_str()]);
            let asked: Vec<&str> = ["summary", "status", "issuetype", "project"]
                .into_iter()
                .chain(fields.name.as_deref())
                .collect();
            url.set_query(Some(&format!("fields={}", asked.join(","))));
            match self.ask(&JiraRequest::get(url), deadline).await? {
                Answer::NotFound(body) if is_jira_error(&body) => {
                    self.confirm(deadline).await?;
                    Ok(EpicLookup::Missing)
                }
                answer => self.judge(&answer.found()?, &fields, deadline).await,
            }
        })
        .await
    }

    async fn judge(
        &self,
        body: &[u8],
        fields: &EpicFields,
        deadline: Instant,
    ) -> Result<EpicLookup, JiraError> {
        let issue = parse_issue(body)?;
        let EpicIssueFields { issue_type, project, others } = parse::<RawEpic>(body, "the epic")?.fields;
        let is_epic = if self.is_cloud() {
            issue_type.hierarchy_level == Some(EPIC_LEVEL)
        } else {
            fields.name.as_ref().and_then(|name| others.get(name)).is_some_and(|name| !name.is_null())
        };
        if !is_epic {
            let type_name = one_line(&issue_type.name, MAX_NAME_LENGTH);
            return Ok(EpicLookup::NotAnEpic { issue, type_name });
        }
        let types = self.get_issue_types(&project.key, deadline).await?.unwrap_or_default();
        let candidates = || types.iter().filter(|kind| kind.hierarchy_level == 0 && kind.id != issue_type.id);
        let story_type = candidates()
            .find(|kind| kind.name.eq_ignore_ascii_case("story"))
            .or_else(|| candidates().next())
            .cloned();
        Ok(match story_type {
            Some(story_type) => EpicLookup::Epic(Epic { issue, project_key: project.key, story_type }),
            None => EpicLookup::NoStoryType { issue, project_key: project.key },
        })
    }
}
