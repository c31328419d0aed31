//! What people choose from when they create issues, as the client offers it: projects, types, fields, people, and the
//! epic above them.

use tokio::time::Instant;

use crate::{
    accounts::groups, accounts::people_search, client::JiraClient, creating::epic_link,
    creating::issue_types, creating::parents, creating::projects, creating::screen, creating::sprints,
    editing::assign, editing::edit::EditError, error::JiraError,
};
use maro_domain::{
    issue::IssueKey,
    issue_details::Person,
    screen::{ScreenField, Sprint},
    ticket::{IssueType, Project, SimilarTicket},
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

    /// The fields on the screen for new issues of a type, at most a minute old. `None` if there is no such type, or the
    /// account may not create issues of it.
    ///
    /// # Errors
    /// Any [`JiraError`].
    pub async fn get_screen(
        &self,
        project_key: &str,
        issue_type_id: &str,
        deadline: Instant,
    ) -> Result<Option<Vec<ScreenField>>, JiraError> {
        screen::get_screen(&self.site, project_key, issue_type_id, deadline).await
    }

    /// Finds people as [`JiraClient::find_assignable`] does, who can be assigned to new issues of a project. `None` if
    /// the project is missing or not visible.
    ///
    /// # Errors
    /// Any [`JiraError`].
    pub async fn find_assignable_in(
        &self,
        project_key: &str,
        words: &str,
        deadline: Instant,
    ) -> Result<Option<Vec<Person>>, JiraError> {
        assign::find_assignable_in(&self.site, project_key, words, deadline).await
    }

    /// People of the whole site by a part of their name or address, 20 at most. Neither those who have left nor programs.
    ///
    /// # Errors
    /// [`JiraError::Forbidden`] without the permission *Browse users and groups*, or another [`JiraError`].
    pub async fn find_people(&self, words: &str, deadline: Instant) -> Result<Vec<Person>, JiraError> {
        people_search::find_people(&self.site, words, deadline).await
    }

    /// The open issues of a project that new ones of a type can belong to, such as epics, the latest changed first. Of
    /// more than 100, those that changed last, after at most 100 whose summaries have words that begin like those in
    /// `typed`.
    ///
    /// # Errors
    /// Any [`JiraError`].
    pub async fn find_parents(
        &self,
        project_key: &str,
        issue_type_id: &str,
        typed: &str,
        deadline: Instant,
    ) -> Result<Vec<SimilarTicket>, JiraError> {
        parents::find_parents(&self.site, (project_key, issue_type_id), typed, deadline).await
    }

    /// The sprints of a project's boards that aren't over, those that have begun first, as they were at most a
    /// minute ago. None on a site without boards.
    ///
    /// # Errors
    /// Any [`JiraError`].
    pub async fn find_sprints(&self, project_key: &str, deadline: Instant) -> Result<Vec<Sprint>, JiraError> {
        sprints::find_sprints(&self.site, project_key, deadline).await
    }

    /// The names of groups of accounts that have what somebody `typed` in them, in any case, as they were at most a minute ago;
    /// at most 50.
    ///
    /// # Errors
    /// Any [`JiraError`].
    pub async fn find_groups(&self, typed: &str, deadline: Instant) -> Result<Vec<String>, JiraError> {
        groups::find_groups(&self.site, typed, deadline).await
    }

    /// The number of a project, by which Jira's pages know it. `None` if it is missing or not visible.
    ///
    /// # Errors
    /// Any [`JiraError`].
    pub async fn get_project_number(
        &self,
        project_key: &str,
        deadline: Instant,
    ) -> Result<Option<u64>, JiraError> {
        projects::get_number(&self.site, project_key, deadline).await
    }

    /// Puts existing issues under an epic. To do so again does no harm.
    ///
    /// # Errors
    /// An [`EditError`]. Some of them may be there anyway.
    pub async fn add_to_epic(
        &self,
        epic: &IssueKey,
        stories: &[IssueKey],
        deadline: Instant,
    ) -> Result<(), EditError> {
        epic_link::add_to_epic(&self.site, epic, stories, deadline).await
    }
}
