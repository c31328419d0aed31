//! Reads one issue at once, because it's known to have changed, and writes what Jira says to every list that it is on.

use jiff::Timestamp;
use tokio::time::Instant;

use maro_domain::issue::{Issue, IssueKey, StatusSetter};
use maro_jira::client::JiraClient;
use maro_process::{clock::Clock, telemetry::error_chain};
use maro_store::{
    database::error::DatabaseError,
    tracker::{
        ChannelIssueTracker,
        jira_answers::{IssueAnswer, JiraAnswers},
    },
};

/// Writes what Jira said at `asked_at` about an issue (`None` if it doesn't show it) to every list that it is on.
///
/// # Errors
/// The database fails; no list was updated.
pub(crate) async fn write(
    tracker: &dyn ChannelIssueTracker,
    key: &IssueKey,
    answer: Option<&Issue>,
    asked_at: Timestamp,
) -> Result<(), DatabaseError> {
    tracker.record(JiraAnswers::new(vec![IssueAnswer::to(key.clone(), answer.cloned())], asked_at)).await
}

/// Reads an issue and writes what Jira says to every list that it is on. `set_by`: who gave it its status, if that is
/// known. Returns the issue if Jira answers by
/// `deadline`. Failures to read or write are logged.
pub async fn refresh(
    jira: &JiraClient,
    tracker: &dyn ChannelIssueTracker,
    clock: &Clock,
    key: &IssueKey,
    deadline: Instant,
    set_by: Option<StatusSetter>,
) -> Option<Issue> {
    let asked_at = clock.now();
    let answer = match jira.get_issues(std::slice::from_ref(key), deadline).await {
        Ok(issues) => {
            issues.into_iter().flatten().next().map(|issue| Issue { status_set_by: set_by, ..issue })
        }
        Err(error) => {
            tracing::info!(key = key.as_str(), error = error_chain(&error), "couldn't read a changed issue");
            return None;
        }
    };
    if let Err(error) = write(tracker, key, answer.as_ref(), asked_at).await {
        tracing::info!(
            key = key.as_str(),
            error = error_chain(&error),
            "couldn't update the lists, so they show an old status"
        );
    }
    answer
}
