//! `jira`: reading issues.

use std::sync::Arc;

use tokio::time::Instant;

use crate::{
    capabilities::parse_keys,
    interface::bindings::maro::plugin::{
        jira::{self, Host, Lookup, SearchPage},
        types,
    },
    invocation::{Invocation, services::Capabilities},
    policy::grants::Grant,
};
use maro_domain::{
    details::{IssueDetails, Person, StatusCategory},
    issue::Issue,
};
use maro_jira::{
    error::JiraError,
    find::{Search, SearchError},
};
use maro_process::telemetry::error_chain;
use maro_tickets::texts;

/// The longest query, in characters.
const MAX_JQL_LENGTH: usize = 4_000;

/// The largest page of a search.
const MAX_PAGE_SIZE: u32 = 100;

impl Host for Invocation {
    async fn get_issues(
        &mut self,
        keys: Vec<String>,
    ) -> wasmtime::Result<Result<Vec<Lookup>, types::JiraError>> {
        self.count_host_call()?;
        Ok(self.look_up(keys).await)
    }

    async fn search(
        &mut self,
        jql: String,
        limit: u32,
        after: Option<String>,
    ) -> wasmtime::Result<Result<SearchPage, types::JiraError>> {
        self.count_host_call()?;
        Ok(self.find(jql, limit, after).await)
    }
}

impl Invocation {
    async fn look_up(&mut self, keys: Vec<String>) -> Result<Vec<Lookup>, types::JiraError> {
        let capabilities = self.jira_call()?;
        let keys = parse_keys(keys).map_err(invalid)?;
        keys.iter()
            .try_for_each(|key| self.reaches_project(Grant::Jira, key.project_key()))
            .map_err(denied)?;
        let deadline = self.jira_deadline(&capabilities);
        let issues = self
            .timed(capabilities.jira.get_issues(&keys, deadline))
            .await
            .map_err(|error| self.jira_failed(&error))?;
        Ok(issues.into_iter().map(|issue| self.lookup(issue)).collect())
    }

    async fn find(
        &mut self,
        jql: String,
        limit: u32,
        after: Option<String>,
    ) -> Result<SearchPage, types::JiraError> {
        let capabilities = self.jira_call()?;
        if jql.chars().count() > MAX_JQL_LENGTH {
            return Err(invalid(texts::requests::query_too_long(MAX_JQL_LENGTH)));
        }
        if !(1..=MAX_PAGE_SIZE).contains(&limit) {
            return Err(invalid(texts::requests::page_size(limit, MAX_PAGE_SIZE)));
        }
        let projects = self.projects();
        let search = Search { jql: &jql, projects: projects.as_deref(), limit, after: after.as_deref() };
        let deadline = self.jira_deadline(&capabilities);
        let page = self
            .timed(capabilities.jira.find_issues(search, deadline))
            .await
            .map_err(|error| self.search_failed(&error))?;
        self.confirmed.extend(page.issues.iter().map(|found| found.issue.clone()));
        Ok(SearchPage { issues: page.issues.into_iter().map(details).collect(), next: page.next })
    }

    fn jira_call(&mut self) -> Result<Arc<Capabilities>, types::JiraError> {
        self.authorised(Grant::Jira).map(|(_, capabilities)| capabilities).map_err(denied)
    }

    /// When this invocation has waited long enough for Jira. The first call starts the time.
    pub(crate) fn jira_deadline(&mut self, capabilities: &Capabilities) -> Instant {
        *self.jira_deadline.get_or_insert_with(|| Instant::now() + capabilities.jira_patience)
    }

    /// The projects that the operator narrows `jira` to, if to any.
    fn projects(&self) -> Option<Vec<String>> {
        let projects = self.manifest.scope.get(&Grant::Jira)?.projects.as_ref()?;
        Some(projects.iter().map(|key| key.as_str().to_owned()).collect())
    }

    /// Remembers an issue as confirmed and hands a copy to the guest.
    fn lookup(&mut self, issue: Option<Issue>) -> Lookup {
        let Some(issue) = issue else { return Lookup::Missing };
        if self.reaches_project(Grant::Jira, issue.key.project_key()).is_err() {
            // It has moved to a project that the plugin must not see.
            return Lookup::Missing;
        }
        let found = guest_issue(&issue);
        self.confirmed.push(issue);
        Lookup::Found(found)
    }

    /// Logs why Jira failed, for the operator, and words it for the person.
    fn jira_failed(&self, error: &JiraError) -> types::JiraError {
        tracing::warn!(plugin = &*self.plugin, error = error_chain(error), "jira failed");
        types::JiraError { kind: kind(error), message: texts::jira::failed(error) }
    }

    fn search_failed(&self, error: &SearchError) -> types::JiraError {
        match error {
            SearchError::Jira(error) => self.jira_failed(error),
            SearchError::Refused { reason } => invalid(texts::jira::query_rejected(reason)),
            SearchError::Unbalanced => invalid(texts::jira::QUERY_UNBALANCED.to_owned()),
            SearchError::NoSuchPage => invalid(texts::requests::unknown_page()),
        }
    }
}

/// An issue as guests know it.
pub(super) fn guest_issue(issue: &Issue) -> types::Issue {
    types::Issue {
        key: issue.key.as_str().to_owned(),
        summary: issue.summary.clone(),
        status: issue.status.clone(),
    }
}

/// A person as guests know them.
pub(super) fn guest_user(person: Person) -> types::JiraUser {
    types::JiraUser { id: person.id, name: person.name }
}

fn details(details: IssueDetails) -> jira::IssueDetails {
    jira::IssueDetails {
        issue: guest_issue(&details.issue),
        issue_type: details.issue_type,
        status_category: match details.status_category {
            StatusCategory::ToDo => jira::StatusCategory::ToDo,
            StatusCategory::InProgress => jira::StatusCategory::InProgress,
            StatusCategory::Done => jira::StatusCategory::Done,
            StatusCategory::Unknown => jira::StatusCategory::Unknown,
        },
        assignee: details.assignee.map(guest_user),
        updated_at: details.updated_at.map_or(0, |time| u64::try_from(time.as_second()).unwrap_or(0)),
    }
}

fn invalid(message: String) -> types::JiraError {
    types::JiraError { kind: types::JiraErrorKind::InvalidArgument, message }
}

fn denied(message: String) -> types::JiraError {
    types::JiraError { kind: types::JiraErrorKind::Denied, message }
}

pub(super) fn kind(error: &JiraError) -> types::JiraErrorKind {
    match error {
        JiraError::Unauthorized => types::JiraErrorKind::Unauthorized,
        JiraError::Forbidden => types::JiraErrorKind::Forbidden,
        JiraError::RateLimited { retry_after } => {
            types::JiraErrorKind::RateLimited(u32::try_from(retry_after.as_secs()).unwrap_or(u32::MAX))
        }
        JiraError::Unreachable { .. } => types::JiraErrorKind::Unreachable,
        JiraError::TimedOut => types::JiraErrorKind::TimedOut,
        JiraError::InvalidResponse { .. } => types::JiraErrorKind::InvalidResponse,
    }
}
