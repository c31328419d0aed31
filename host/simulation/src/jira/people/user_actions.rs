//! The simulated site as people use it in a browser: its issues, and what people do with them.

use serde::Serialize;
use tokio::sync::watch;

use crate::jira::{
    data::{
        accounts::PEOPLE,
        issue::{IssueType, PRIORITIES, SimulatedIssue},
    },
    faults::JiraFault,
    server::SimulatedJira,
};
use maro_domain::issue::IssueKey;

/// The status of a new issue.
const NEW: &str = "To Do";

const SPRINTS: [&str; 2] = ["Sprint 14", "Sprint 15"];

/// An issue as shown in a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ListedIssue {
    pub key: String,
    /// Such as `Story`.
    pub kind: &'static str,
    pub summary: String,
    pub status: String,
    pub assignee: Option<&'static str>,
    pub priority: &'static str,
    pub sprint: Option<&'static str>,
}

impl SimulatedJira {
    /// All issues, oldest first.
    pub fn issues(&self) -> Vec<ListedIssue> {
        self.shared.site().issues().map(ListedIssue::from).collect()
    }

    pub fn project_keys(&self) -> Vec<String> {
        self.shared.site().projects().map(|project| project.key.clone()).collect()
    }

    /// The current fault, which stays until it is cleared.
    pub fn fault(&self) -> Option<JiraFault> {
        self.shared.faults().lasting()
    }

    /// Changes whenever an issue or the fault changes.
    pub fn watch(&self) -> watch::Receiver<u64> {
        self.shared.changes.subscribe()
    }

    /// Creates a task with the next key of a project. `None` if there is no such project.
    pub fn create_issue(&self, project: &str, summary: &str) -> Option<IssueKey> {
        let mut site = self.shared.site();
        let project = site.project(project)?.key.clone();
        let key = site.next_key(&project);
        site.add(key.clone(), IssueType::Task, summary, NEW);
        Some(key)
    }

    /// Hides an issue, or all of a project, from a person. The bot's account sees it anyway.
    pub fn hide_from(&self, person: &'static str, issue_or_project: &str) {
        self.shared.site().hidden.push((person, issue_or_project.to_owned()));
    }

    /// Takes the permission to look up people from the bot's account, or gives it back.
    pub fn let_people_be_looked_up(&self, may: bool) {
        self.shared.site().may_look_up_people = may;
    }

    /// Lets the bot's account administer the site.
    pub fn let_account_administer(&self) {
        self.shared.site().is_administered = true;
    }

    /// Takes a permission, by Jira's key for it, from a person.
    pub fn take_permission(&self, person: &'static str, permission: &'static str) {
        self.shared.site().lacking.push((person, permission));
    }

    /// Assigns an issue to one of the site's people, or to nobody.
    pub fn assign_issue(&self, key: &IssueKey, person: Option<&'static str>) {
        self.change_issue(key, |issue| issue.assignee = person);
    }

    pub fn set_priority(&self, key: &IssueKey, priority: &'static str) {
        self.change_issue(key, |issue| issue.priority = priority);
    }

    pub fn set_sprint(&self, key: &IssueKey, sprint: Option<&'static str>) {
        self.change_issue(key, |issue| issue.sprint = sprint);
    }

    /// The names of the site's people.
    pub fn people() -> &'static [&'static str] {
        &PEOPLE
    }

    /// The names of the priorities, the highest first.
    pub fn priorities() -> &'static [&'static str] {
        &PRIORITIES
    }

    pub fn sprints() -> &'static [&'static str] {
        &SPRINTS
    }

    /// As [`SimulatedJira::assign_issue`], by a name. `false` if there is no such issue or person.
    pub fn assign_to(&self, key: &IssueKey, person: Option<&str>) -> bool {
        let known = |name: &str| PEOPLE.iter().find(|known| **known == name).copied();
        match person.map(known) {
            Some(None) => false,
            person => self.change_issue(key, |issue| issue.assignee = person.flatten()),
        }
    }

    /// `false` if there is no such issue or priority.
    pub fn prioritise(&self, key: &IssueKey, priority: &str) -> bool {
        let Some(priority) = PRIORITIES.iter().find(|known| **known == priority) else { return false };
        self.change_issue(key, |issue| issue.priority = priority)
    }

    /// Puts an issue into a sprint, or takes it out of all. `false` if there is no such issue or sprint.
    pub fn plan(&self, key: &IssueKey, sprint: Option<&str>) -> bool {
        let known = |name: &str| SPRINTS.iter().find(|known| **known == name).copied();
        match sprint.map(known) {
            Some(None) => false,
            sprint => self.change_issue(key, |issue| issue.sprint = sprint.flatten()),
        }
    }

    /// Writes a comment as one of the site's people. `false` if there is no such issue.
    pub fn comment_by_somebody(&self, key: &IssueKey, text: &str) -> bool {
        self.change_issue(key, |issue| {
            issue.comments.push(text.into());
            issue.comment_authors.push(PEOPLE[1]);
        })
    }

    pub fn comment_on(&self, key: &IssueKey, person: &'static str, text: &str) {
        self.change_issue(key, |issue| {
            issue.comments.push(text.into());
            issue.comment_authors.push(person);
        });
    }

    /// Writes a comment that only people of one role may read.
    pub fn comment_for_some_on(&self, key: &IssueKey, person: &'static str, text: &str) {
        self.comment_on(key, person, text);
        self.change_issue(key, |issue| issue.restricted_comments.extend(issue.comments.len().checked_sub(1)));
    }

    /// Gives an issue a security level. The bot's account sees it anyway.
    pub fn set_security_level(&self, key: &IssueKey, name: &'static str) {
        self.change_issue(key, |issue| issue.security_level = Some(name));
    }

    /// Moves an issue to another project, where it gets the next key. `None` if there is no such issue or
    /// project.
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
            priority: issue.priority,
            sprint: issue.sprint,
        }
    }
}
