//! Issues with what surrounds them, by their keys: `GET /rest/api/{2,3}/issue/{key}`, the same in both editions of
//! Jira.

use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use tokio::time::Instant;

use crate::{
    client::JiraClient,
    connection::request::{JiraRequest, RequestKind},
    connection::site::JiraSite,
    error::JiraError,
    searching::plugin_search::{FIELDS, RawFound},
    wire::parse::{is_issue_id, parse},
};
use maro_domain::{
    issue::{Issue, IssueId, IssueKey},
    issue_details::IssueDetails,
};

/// How many of these requests are open at a time.
const CONCURRENCY: usize = 4;

impl JiraClient {
    /// Whether Jira doesn't answer, as far as is known without asking it.
    pub fn is_silent(&self) -> bool {
        self.site.is_silent()
    }

    /// As [`JiraClient::get_issues`], with what surrounds the issues. This takes one request per key, a few at a time.
    ///
    /// # Errors
    /// Any [`JiraError`], for all keys together.
    pub async fn get_details(
        &self,
        keys: &[IssueKey],
        deadline: Instant,
    ) -> Result<Vec<Option<IssueDetails>>, JiraError> {
        let questions: Vec<_> = keys.iter().map(|key| get_one(&self.site, key.as_str(), deadline)).collect();
        stream::iter(questions).buffered(CONCURRENCY).try_collect().await
    }

    /// The issue with this id, whatever its key is by now; `None` if Jira doesn't show it, or if it can be no id.
    ///
    /// # Errors
    /// Any [`JiraError`].
    pub async fn get_issue_by_id(&self, id: &IssueId, deadline: Instant) -> Result<Option<Issue>, JiraError> {
        if !is_issue_id(id.as_str()) {
            return Ok(None);
        }
        Ok(get_one(&self.site, id.as_str(), deadline).await?.map(|details| details.issue))
    }
}

async fn get_one(
    site: &JiraSite,
    id_or_key: &str,
    deadline: Instant,
) -> Result<Option<IssueDetails>, JiraError> {
    let mut url = site.url(&["issue", id_or_key]);
    url.set_query(Some(&format!("fields={}", FIELDS.join(","))));
    let Some(body) = site.find(&JiraRequest::get(RequestKind::GetIssue, url), deadline).await? else {
        return Ok(None);
    };
    parse::<RawFound>(&body, "the issue")?.try_into().map(Some)
}
