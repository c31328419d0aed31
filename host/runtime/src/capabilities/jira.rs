//! `jira`: reading issues.

mod read;
mod search;

use crate::{
    capabilities::permitted_call::{Call, CallError},
    interface::bindings::maro::plugin::{
        jira::{self, Finding, Host, Lookup, Reading, SearchPage},
        types,
    },
    invocation::Invocation,
    policy::functions::Function,
};
use maro_access::hiding_rules::Rule;
use maro_domain::{
    issue::{Issue, IssueKey, StatusCategory},
    issue_details::{IssueDetails, Person},
};
use maro_jira::{error::JiraError, searching::plugin_search::SearchError};
use maro_process::telemetry::error_chain;
use maro_sync::security_levels::note_withheld;
use maro_texts as texts;

impl Host for Invocation {
    async fn get_issues(
        &mut self,
        keys: Vec<String>,
    ) -> wasmtime::Result<Result<Vec<Lookup>, types::JiraError>> {
        Ok(self.get_all(keys).await)
    }

    async fn look_up(
        &mut self,
        keys: Vec<String>,
    ) -> wasmtime::Result<Result<Vec<Finding>, types::JiraError>> {
        Ok(self.look_up_each(keys).await)
    }

    async fn site(&mut self) -> wasmtime::Result<Result<String, types::JiraError>> {
        let call = Call::begin(self, Function::SITE);
        let site = call.map(|call| {
            let address = call.capabilities.jira.base_url().as_str();
            format!("{}/", address.trim_end_matches('/'))
        });
        Ok(site.map_err(types::JiraError::from))
    }

    async fn read(
        &mut self,
        keys: Vec<String>,
        fields: Vec<String>,
    ) -> wasmtime::Result<Result<Vec<Reading>, types::JiraError>> {
        Ok(self.read_each(keys, fields).await)
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
    async fn get_all(&mut self, keys: Vec<String>) -> Result<Vec<Lookup>, types::JiraError> {
        let mut call = Call::begin_with_issues(self, Function::GET_ISSUES).await?;
        let keys = call.keys(self, keys)?;
        let issues = self.look(&mut call, &keys).await?;
        keys.iter().zip(issues).map(|(key, issue)| self.lookup(&call, key, issue)).collect()
    }

    async fn look_up_each(&mut self, keys: Vec<String>) -> Result<Vec<Finding>, types::JiraError> {
        let mut call = Call::begin_with_issues(self, Function::LOOK_UP).await?;
        self.look_up_with(&mut call, keys).await
    }

    async fn look_up_with(
        &mut self,
        call: &mut Call,
        keys: Vec<String>,
    ) -> Result<Vec<Finding>, types::JiraError> {
        let keys = call.keys_or_sentences(self, keys)?;
        let asked: Vec<IssueKey> = keys.iter().filter_map(|key| key.as_ref().ok()).cloned().collect();
        let mut issues = self.look(call, &asked).await?.into_iter();
        let findings = keys.into_iter().map(|key| match key {
            Ok(key) => self.finding(call, &key, issues.next().flatten()),
            Err(sentence) => Finding::Withheld(sentence),
        });
        Ok(findings.collect())
    }

    async fn look(
        &mut self,
        call: &mut Call,
        keys: &[IssueKey],
    ) -> Result<Vec<Option<Issue>>, types::JiraError> {
        let (deadline, asked_at) = (call.jira_read_deadline(self), call.capabilities.clock.now());
        let issues = self.timed(call.capabilities.jira.get_issues(keys, deadline)).await;
        let issues = issues.map_err(|error| self.jira_failed(&error))?;
        call.look_at(self, issues.iter().flatten().map(|issue| &issue.key)).await;
        let missing = keys.iter().zip(&issues).filter(|(_, issue)| issue.is_none());
        call.look_at_missing(self, missing.map(|(key, _)| key)).await;
        let tracker = &*call.capabilities.tracker;
        self.timed(note_withheld(tracker, call.sight(), issues.iter().flatten(), asked_at)).await;
        Ok(issues)
    }

    /// The projects to which the operator narrows the grant and the channel, if to any.
    fn projects_of(&self, call: &Call) -> Option<Vec<String>> {
        let granted = self.authority.projects(call.function());
        let granted = granted.map(|keys| keys.into_iter().map(|key| key.as_str().to_owned()));
        match (granted, call.sight().projects()) {
            (None, None) => None,
            (Some(granted), None) => Some(granted.collect()),
            (None, Some(shown)) => Some(shown.iter().map(str::to_owned).collect()),
            (Some(granted), Some(shown)) => Some(granted.filter(|key| shown.contains(key)).collect()),
        }
    }

    /// Remembers an issue as confirmed and hands a copy to the guest.
    fn lookup(
        &mut self,
        call: &Call,
        key: &IssueKey,
        issue: Option<Issue>,
    ) -> Result<Lookup, types::JiraError> {
        match self.finding(call, key, issue) {
            Finding::Found(issue) => Ok(Lookup::Found(issue)),
            Finding::Missing => Ok(Lookup::Missing),
            Finding::Withheld(sentence) => Err(CallError::Denied(sentence).into()),
        }
    }

    /// As [`Invocation::lookup`], with a sentence if the issue may not be shown.
    fn finding(&mut self, call: &Call, key: &IssueKey, issue: Option<Issue>) -> Finding {
        let Some(issue) = issue else {
            return match call.may_be_missing(key) {
                Ok(()) => Finding::Missing,
                Err(CallError::Denied(sentence) | CallError::InvalidArgument(sentence)) => {
                    Finding::Withheld(sentence)
                }
            };
        };
        if self.authority.reach(call.function(), issue.key.project_key()).is_err() {
            // It has moved to a project that the plugin may not see.
            return Finding::Missing;
        }
        if call.sight().issue(&issue) == Err(&Rule::NotVisible) {
            return Finding::Missing;
        }
        if let Err(CallError::Denied(sentence) | CallError::InvalidArgument(sentence)) =
            call.shows(self, key.as_str(), &issue)
        {
            return Finding::Withheld(sentence);
        }
        let found = guest_issue(&issue);
        self.confirmed.push(issue);
        Finding::Found(found)
    }

    /// Logs for the operator why Jira failed, and returns the sentence for the person.
    fn jira_failed(&self, error: &JiraError) -> types::JiraError {
        if error.is_outage() {
            self.authority.note_outage("Jira");
        } else {
            tracing::warn!(plugin = &*self.authority.plugin, error = error_chain(error), "jira failed");
        }
        types::JiraError { kind: kind(error), message: texts::failures::jira::failed(error) }
    }

    fn search_failed(&self, error: &SearchError) -> types::JiraError {
        match error {
            SearchError::Jira(error) => self.jira_failed(error),
            SearchError::Refused { reason } => invalid(texts::failures::jira::query_rejected(reason)),
            SearchError::Unbalanced => invalid(texts::failures::jira::QUERY_UNBALANCED.to_owned()),
            SearchError::NoSuchPage => invalid(texts::plugins::requests::unknown_page()),
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

/// A status's category as guests see it.
pub(super) fn guest_category(category: StatusCategory) -> types::StatusCategory {
    match category {
        StatusCategory::ToDo => types::StatusCategory::ToDo,
        StatusCategory::InProgress => types::StatusCategory::InProgress,
        StatusCategory::Done => types::StatusCategory::Done,
        StatusCategory::Undefined | StatusCategory::Unknown => types::StatusCategory::Unknown,
    }
}

fn details(details: IssueDetails) -> jira::IssueDetails {
    jira::IssueDetails {
        issue: guest_issue(&details.issue),
        issue_type: details.issue_type,
        status_category: guest_category(details.issue.status_category),
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
        JiraError::Forbidden { .. } | JiraError::MissingScope { .. } => types::JiraErrorKind::Forbidden,
        JiraError::RateLimited { retry_after } => {
            types::JiraErrorKind::RateLimited(u32::try_from(retry_after.as_secs()).unwrap_or(u32::MAX))
        }
        JiraError::Unreachable { .. } => types::JiraErrorKind::Unreachable,
        JiraError::TimedOut => types::JiraErrorKind::TimedOut,
        JiraError::InvalidResponse { .. } => types::JiraErrorKind::InvalidResponse,
    }
}
