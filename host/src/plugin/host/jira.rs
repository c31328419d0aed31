//! `jira`: reading issues.

use crate::{
    domain::issue::Issue,
    jira::error::JiraError,
    plugin::{
        bindings::maro::plugin::{
            jira::{Host, Lookup, SearchPage},
            types,
        },
        grants::Grant,
        host::parse_keys,
        instance::Invocation,
    },
    telemetry::error_chain,
    texts,
};

impl Host for Invocation {
    async fn get_issues(
        &mut self,
        keys: Vec<String>,
    ) -> wasmtime::Result<Result<Vec<Lookup>, types::JiraError>> {
        self.count_host_call()?;
        let (_, capabilities) = match self.authorised(Grant::Jira) {
            Ok(authorised) => authorised,
            Err(message) => return Ok(Err(denied(message))),
        };
        let keys = match parse_keys(keys) {
            Ok(keys) => keys,
            Err(message) => {
                return Ok(Err(types::JiraError { kind: types::JiraErrorKind::InvalidArgument, message }));
            }
        };
        if let Err(message) =
            keys.iter().try_for_each(|key| self.reaches_project(Grant::Jira, key.project_key()))
        {
            return Ok(Err(denied(message)));
        }
        let deadline = *self
            .jira_deadline
            .get_or_insert_with(|| tokio::time::Instant::now() + capabilities.jira_patience);
        let answer = self.timed(capabilities.jira.get_issues(&keys, deadline)).await;
        Ok(match answer {
            Ok(issues) => Ok(issues.into_iter().map(|issue| self.lookup(issue)).collect()),
            Err(error) => {
                tracing::warn!(plugin = &*self.plugin, error = error_chain(&error), "jira failed");
                Err(types::JiraError { kind: kind(&error), message: texts::jira_error(&error) })
            }
        })
    }

    async fn search(
        &mut self,
        _jql: String,
        _limit: u32,
        _after: Option<String>,
    ) -> wasmtime::Result<Result<SearchPage, types::JiraError>> {
        self.count_host_call()?;
        Ok(Err(denied(texts::denied(Grant::Jira.as_str()))))
    }
}

impl Invocation {
    /// Remembers an issue as confirmed and hands a copy to the guest.
    fn lookup(&mut self, issue: Option<Issue>) -> Lookup {
        let Some(issue) = issue else { return Lookup::Missing };
        if self.reaches_project(Grant::Jira, issue.key.project_key()).is_err() {
            // It has moved to a project that the plugin must not see.
            return Lookup::Missing;
        }
        let found = types::Issue {
            key: issue.key.as_str().to_owned(),
            summary: issue.summary.clone(),
            status: issue.status.clone(),
        };
        self.confirmed.push(issue);
        Lookup::Found(found)
    }
}

fn denied(message: String) -> types::JiraError {
    types::JiraError { kind: types::JiraErrorKind::Denied, message }
}

fn kind(error: &JiraError) -> types::JiraErrorKind {
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
