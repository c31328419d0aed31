//! What Jira says of issues that may not be shown for their security level. They may have got it since they were
//! tracked, so the lists learn it at once, no matter who asked.

use jiff::Timestamp;

use maro_access::{hiding_rules::Rule, policy_in_channel::Sight};
use maro_domain::issue::Issue;
use maro_process::telemetry::error_chain;
use maro_store::tracker::{
    ChannelIssueTracker,
    jira_answers::{IssueAnswer, JiraAnswers},
};

/// Writes what Jira said at `asked_at` of those of these issues that `sight` withholds for their level to every list
/// that they are on. If that fails, they are read again when their turn comes.
pub async fn note_withheld(
    tracker: &dyn ChannelIssueTracker,
    sight: &Sight,
    issues: impl IntoIterator<Item = &Issue>,
    asked_at: Timestamp,
) {
    let is_withheld = |issue: &&Issue| {
        matches!(sight.issue(issue), Err(Rule::SecurityLevel | Rule::SecurityLevelOutsidePrivate))
    };
    let answer = |issue: &Issue| IssueAnswer::to(issue.key.clone(), Some(issue.clone()));
    let answers: Vec<IssueAnswer> = issues.into_iter().filter(is_withheld).map(answer).collect();
    if answers.is_empty() {
        return;
    }
    if let Err(error) = tracker.record(JiraAnswers::new(answers, asked_at)).await {
        tracing::info!(error = error_chain(&error), "the lists learn of a security level later");
    }
}
