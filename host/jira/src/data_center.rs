//! Look-ups in Jira Data Center, REST API v2.
//!
//! It has no request for several keys, and JQL (`key in (…)`) fails whole if one of them is gone.

use tokio::time::Instant;

use crate::{error::JiraError, single_issue::SingleIssues, transport::Transport};
use maro_domain::issue::{Issue, IssueKey};

/// One answer per key; each key is asked for by itself.
pub(super) async fn get_issues(
    issues: &SingleIssues,
    transport: &Transport,
    keys: &[&IssueKey],
    deadline: Instant,
) -> Result<Vec<Option<Issue>>, JiraError> {
    match keys {
        [key] => Ok(vec![issues.get(transport, key, deadline).await?]),
        _ => issues.get_each(transport, keys, deadline).await,
    }
}
