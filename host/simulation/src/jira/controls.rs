//! Lets the owner of the simulated site look at created issues, and make creating them fail.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::jira::{
    data::issue::{IssueType, RemoteLink, SimulatedIssue},
    server::SimulatedJira,
};
use maro_domain::issue::{IssueId, IssueKey};

/// An issue created through the REST API.
#[derive(Debug, Clone, PartialEq)]
pub struct CreatedIssue {
    pub id: IssueId,
    pub key: IssueKey,
    /// Such as `Story`.
    pub issue_type: String,
    pub summary: String,
    /// A document (v3) or a text (v2), as it was sent.
    pub description: Option<Value>,
    /// The epic that it is under.
    pub parent: Option<IssueKey>,
    pub properties: BTreeMap<String, Value>,
}

/// How long searches don't find new issues.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SearchLag {
    None,
    /// This many searches don't find it.
    Searches(u32),
    /// Until [`SimulatedJira::index_now`].
    UntilTold,
}

impl SimulatedJira {
    /// The issues created through the REST API, oldest first.
    pub fn created_issues(&self) -> Vec<CreatedIssue> {
        self.shared.site().issues().filter(|issue| issue.is_own).map(CreatedIssue::from).collect()
    }

    /// The links from an issue to other places, oldest first.
    pub fn remote_links(&self, key: &IssueKey) -> Vec<RemoteLink> {
        self.shared.site().find(key.as_str()).map(|issue| issue.links.clone()).unwrap_or_default()
    }

    /// Adds an epic, replacing any issue with this key. Returns its id.
    pub fn add_epic(&self, key: &IssueKey, summary: &str, status: &str) -> IssueId {
        IssueId::new(self.shared.site().add(key.clone(), IssueType::Epic, summary, status).to_string())
    }

    /// Adds an initiative (the level above epics), replacing any issue with this key. Returns its id.
    pub fn add_initiative(&self, key: &IssueKey, summary: &str, status: &str) -> IssueId {
        IssueId::new(self.shared.site().add(key.clone(), IssueType::Initiative, summary, status).to_string())
    }

    /// Gives issues that the account creates from now on a security level, as a project's default does.
    pub fn give_new_issues_level(&self, name: Option<&'static str>) {
        self.shared.site().default_level = name;
    }

    /// Hides issues created from now on from searches for a while.
    pub fn set_search_lag(&self, lag: SearchLag) {
        self.shared.site().search_lag = match lag {
            SearchLag::None | SearchLag::Searches(0) => None,
            SearchLag::Searches(count) => Some(count),
            SearchLag::UntilTold => Some(u32::MAX),
        };
    }

    /// Makes searches find issues that move from now on under their former project, with their new key.
    pub fn let_index_miss_moves(&self) {
        self.shared.site().moves_lag = true;
    }

    /// Makes searches find everything that exists now, where it is now.
    pub fn index_now(&self) {
        self.shared.site().issues_mut().for_each(|issue| (issue.hidden_for, issue.indexed_as) = (None, None));
    }

    /// Makes the site refuse issues with `part` in their summary, for this reason, one at a time and in bulk.
    pub fn refuse_summaries_with(&self, part: &str, reason: &str) {
        self.shared.site().refusals.push((part.to_owned(), reason.to_owned()));
    }

    /// Takes the permission to name somebody else as the reporter from the account.
    pub fn keep_reporters(&self) {
        self.shared.site().may_name_reporters = false;
    }

    /// Takes the description off the screens of new issues.
    pub fn hide_descriptions(&self) {
        self.shared.site().has_descriptions = false;
    }

    /// Takes the field for the epic off the screens of new issues.
    pub fn hide_epic_links(&self) {
        self.shared.site().has_epic_links = false;
    }

    /// Removes all such refusals.
    pub fn refuse_no_summaries(&self) {
        self.shared.site().refusals.clear();
    }

    /// The comments on an issue, oldest first: documents (v3) or texts (v2), as they were sent.
    pub fn comments(&self, key: &IssueKey) -> Vec<Value> {
        self.shared.site().find(key.as_str()).map(|issue| issue.comments.clone()).unwrap_or_default()
    }

    /// The status and assignee of an issue. `None` if there is no such issue.
    pub fn status_and_assignee(&self, key: &IssueKey) -> Option<(String, Option<&'static str>)> {
        self.shared.site().find(key.as_str()).map(|issue| (issue.status.clone(), issue.assignee))
    }
}

impl From<&SimulatedIssue> for CreatedIssue {
    fn from(issue: &SimulatedIssue) -> Self {
        Self {
            id: IssueId::new(issue.id.to_string()),
            key: issue.key.clone(),
            issue_type: issue.issue_type.name().to_owned(),
            summary: issue.summary.clone(),
            description: issue.description.clone(),
            parent: issue.parent.clone(),
            properties: issue.properties.clone(),
        }
    }
}
