//! The simulated site as people see it in their browsers: its issues, and what they do with them.

use serde::Serialize;
use tokio::sync::watch;

use crate::jira::{
    faults::Fault,
    server::SimulatedJira,
    site::{IssueType, SimulatedIssue},
};
use maro_domain::issue::IssueKey;

/// The status of an issue that somebody has just created.
const NEW: &str = "To Do";

/// An issue as a list shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ListedIssue {
    pub key: String,
    /// Such as `Story`.
    pub kind: &'static str,
    pub summary: String,
    pub status: String,
    pub assignee: Option<&'static str>,
}

impl SimulatedJira {
    /// All issues, by age.
    pub fn issues(&self) -> Vec<ListedIssue> {
        self.shared.site().issues().map(ListedIssue::from).collect()
    }

    /// The keys of all projects.
    pub fn project_keys(&self) -> Vec<String> {
        self.shared.site().projects().map(|project| project.key.clone()).collect()
    }

    /// The fault under which the site lies until it is cleared.
    pub fn fault(&self) -> Option<Fault> {
        self.shared.faults().lasting()
    }

    /// Changes with each change of an issue or of the fault.
    pub fn watch(&self) -> watch::Receiver<u64> {
        self.shared.changes.subscribe()
    }

    /// Creates a task under the next key of a project; `None` if there is no such project.
    pub fn create_issue(&self, project: &str, summary: &str) -> Option<IssueKey> {
        let mut site = self.shared.site();
        let project = site.project(project)?.key.clone();
        let key = site.next_key(&project);
        site.add(key.clone(), IssueType::Task, summary, NEW);
        Some(key)
    }

    /// Moves an issue to another project, under its next key; `None` if there is no such issue or project.
    pub fn move_to_project(&self, key: &IssueKey, project: &str) -> Option<IssueKey> {
        let new_key = {
            let site = self.shared.site();
            site.next_key(&site.project(project)?.key)
        };
        self.move_issue(key, &new_key).then_some(new_key)
    }
}

impl From<&SimulatedIssue> for ListedIssue {
    fn from(issue: &SimulatedIssue) -> Self {
        Self {
            key: issue.key.as_str().to_owned(),
            kind: issue.issue_type.name(),
            summary: issue.summary.clone(),
            status: issue.status.clone(),
            assignee: issue.assignee,
        }
    }
}
