//! Look-ups in Jira Data Center, REST API v2.
//!
//! It has no request for several keys, and a JQL search (`key in (…)`) fails if even one of them is gone.

use tokio::time::Instant;

use crate::{
    connection::site::JiraSite,
    error::JiraError,
    reading::single_issue::{get_each, get_issue},
};
use maro_domain::issue::{Issue, IssueKey};

/// One answer per key, with one request for each.
pub(crate) async fn get_issues(
    site: &JiraSite,
    keys: &[&IssueKey],
    deadline: Instant,
) -> Result<Vec<Option<Issue>>, JiraError> {
    match keys {
        [key] => Ok(vec![get_issue(site, key, deadline).await?]),
        _ => get_each(site, keys, deadline).await,
    }
}
