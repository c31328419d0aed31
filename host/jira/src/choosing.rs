//! What people choose from when they create issues, as the client offers it: projects, types, and the epic above them.

use tokio::time::Instant;

use crate::{client::JiraClient, edit::EditError, epic_link, error::JiraError, issue_types, projects};
use maro_domain::{
    issue::IssueKey,
    ticket::{IssueType, Project},
};

impl JiraClient {
    /// Finds projects by what somebody has `typed` so far of a key or name; all projects if that is empty.
    /// The project with exactly that key comes first, the others by key. At most 100 are returned, whatever
    /// `limit` says.
    ///
    /// On Cloud these are projects where the account may create tickets. On Data Center they are those that it may see,
    /// from a list that is read again after a minute. What comes after the deadline is there for the next search.
    ///
    /// # Errors
    /// Any [`JiraError`].
    pub async fn search_projects(
        &self,
        typed: &str,
        limit: u32,
        deadline: Instant,
    ) -> Result<Vec<Project>, JiraError> {
        projects::search_projects(&self.site, typed, limit, deadline).await
    }

    /// Begins to read what [`JiraClient::search_projects`] is going to need.
    pub fn expect_project_search(&self) {
        projects::expect_search(&self.site);
    }

    /// The project with this key, or `None` if it is missing or not visible.
    ///
    /// # Errors
    /// Any [`JiraError`].
    pub async fn get_project(&self, key: &str, deadline: Instant) -> Result<Option<Project>, JiraError> {
        projects::get_project(&self.site, key, deadline).await
    }

    /// The issue types that the account can create in a project, in Jira's order and without sub-tasks, from
    /// a list that is at most a minute old. `None` if the project is missing or not visible, or if Jira says
    /// that the account may not create issues there. An empty list may mean the latter too.
    ///
    /// Data Center doesn't tell hierarchy levels: a type named "Epic" counts as 1 there, any other as 0.
    /// [`JiraClient::get_epic`] knows better.
    ///
    /// # Errors
    /// Any [`JiraError`].
    pub async fn get_issue_types(
        &self,
        project_key: &str,
        deadline: Instant,
    ) -> Result<Option<Vec<IssueType>>, JiraError> {
        issue_types::get_issue_types(&self.site, project_key, deadline).await
    }

    /// Puts existing issues under an epic. To do so again does no harm.
    ///
    /// # Errors
    /// An [`EditError`]. Some of them may be there all the same.
    pub async fn add_to_epic(
        &self,
        epic: &IssueKey,
        stories: &[IssueKey],
        deadline: Instant,
    ) -> Result<(), EditError> {
        epic_link::add_to_epic(&self.site, epic, stories, deadline).await
    }
}
