//! One issue by its key: `GET /rest/api/{2,3}/issue/{key}`, the same in both editions of Jira.

use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use tokio::time::Instant;
use url::Url;

use crate::{
    error::JiraError,
    model::{FIELDS, is_jira_error, parse_issue},
    transport::{Answer, JiraRequest, Transport},
};
use maro_domain::issue::{Issue, IssueKey};

/// How many of these questions one look-up has under way at a time.
const CONCURRENCY: usize = 4;

/// Where single issues are, with the fields to ask for.
#[derive(Debug)]
pub(super) struct SingleIssues {
    /// The address without a key, with a final slash, and with the query.
    url: Url,
}

impl SingleIssues {
    /// `url` is the address of `issue/` in the REST API.
    pub(super) fn new(mut url: Url) -> Self {
        url.set_query(Some(&format!("fields={}", FIELDS.join(","))));
        Self { url }
    }

    /// The issue that has or once had this key; `None` if it is missing or not visible.
    pub(super) async fn get(
        &self,
        transport: &Transport,
        key: &IssueKey,
        deadline: Instant,
    ) -> Result<Option<Issue>, JiraError> {
        let mut url = self.url.clone();
        url.set_path(&format!("{}{key}", self.url.path()));
        match transport.ask(&JiraRequest::get(url), deadline).await? {
            Answer::NotFound(body) if is_jira_error(&body) => Ok(None),
            Answer::NotFound(_) => Err(JiraError::invalid("status 404 for an issue, but not from Jira")),
            answer => parse_issue(&answer.found()?).map(Some),
        }
    }

    /// As [`SingleIssues::get`] for each key, in order, a few at a time.
    pub(super) async fn get_each(
        &self,
        transport: &Transport,
        keys: &[&IssueKey],
        deadline: Instant,
    ) -> Result<Vec<Option<Issue>>, JiraError> {
        let questions: Vec<_> = keys.iter().map(|key| self.get(transport, key, deadline)).collect();
        stream::iter(questions).buffered(CONCURRENCY).try_collect().await
    }
}
