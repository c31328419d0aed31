//! `jira`: reading issues.

use crate::{
    capabilities::call::{Call, CallError},
    interface::bindings::maro::plugin::{
        jira::{self, Host, Lookup, SearchPage},
        types,
    },
    invocation::Invocation,
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
        Ok(self.look_up(keys).await)
    }

    async fn search(
        &mut self,
        jql: String,
        limit: u32,
        after: Option<String>,
    ) -> wasmtime::Result<Result<SearchPage, types::JiraError>> {
        Ok(self.find(jql, limit, after).await)
    }
}

impl Invocation {
    async fn look_up(&mut self, keys: Vec<String>) -> Result<Vec<Lookup>, types::JiraError> {
        let call = Call::begin(self, Grant::Jira)?;
        let keys = call.keys(self, keys)?;
        let deadline = call.jira_read_deadline(self);
        let issues = self
            .timed(call.capabilities.jira.get_issues(&keys, deadline))
            .await
            .map_err(|error| self.jira_failed(&error))?;
        Ok(issues.into_iter().map(|issue| self.lookup(&call, issue)).collect())
    }

    async fn find(
        &mut self,
        jql: String,
        limit: u32,
        after: Option<String>,
    ) -> Result<SearchPage, types::JiraError> {
        let call = Call::begin(self, Grant::Jira)?;
        if jql.chars().count() > MAX_JQL_LENGTH {
            return Err(invalid(texts::requests::query_too_long(MAX_JQL_LENGTH)));
        }
        if !(1..=MAX_PAGE_SIZE).contains(&limit) {
            return Err(invalid(texts::requests::page_size(limit, MAX_PAGE_SIZE)));
        }
        let projects = self.authority.projects(Grant::Jira);
        let projects: Option<Vec<_>> =
            projects.map(|keys| keys.iter().map(|key| key.as_str().to_owned()).collect());
        let search = Search { jql: &jql, projects: projects.as_deref(), limit, after: after.as_deref() };
        let deadline = call.jira_read_deadline(self);
        let page = self
            .timed(call.capabilities.jira.find_issues(search, deadline))
            .await
            .map_err(|error| self.search_failed(&error))?;
        self.confirmed.extend(page.issues.iter().map(|found| found.issue.clone()));
        Ok(SearchPage { issues: page.issues.into_iter().map(details).collect(), next: page.next })
    }

    /// Remembers an issue as confirmed and hands a copy to the guest.
    fn lookup(&mut self, call: &Call, issue: Option<Issue>) -> Lookup {
        let Some(issue) = issue else { return Lookup::Missing };
        if call.reaches(self, issue.key.project_key()).is_err() {
            // It has moved to a project that the plugin may not see.
            return Lookup::Missing;
        }
        let found = guest_issue(&issue);
        self.confirmed.push(issue);
        Lookup::Found(found)
    }

    /// Logs for the operator why Jira failed, and returns the sentence for the person.
    fn jira_failed(&self, error: &JiraError) -> types::JiraError {
        if error.is_outage() {
            self.authority.note_outage("Jira");
        } else {
            tracing::warn!(plugin = &*self.authority.plugin, error = error_chain(error), "jira failed");
        }
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

/// An issue as guests see it.
pub(super) fn guest_issue(issue: &Issue) -> types::Issue {
    types::Issue {
        key: issue.key.as_str().to_owned(),
        summary: issue.summary.clone(),
        status: issue.status.clone(),
    }
}

/// A person as guests see them.
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

impl From<CallError> for types::JiraError {
    fn from(error: CallError) -> Self {
        let (kind, message) = match error {
            CallError::Denied(message) => (types::JiraErrorKind::Denied, message),
            CallError::InvalidArgument(message) => (types::JiraErrorKind::InvalidArgument, message),
        };
        Self { kind, message }
    }
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
