//! Changing Jira. Grant: `jira-edit`.
//!
//! Jira sees the bot's account at work, so the host adds a last line to each comment and each new issue that
//! says who asked for it.
//!
//! ```no_run
//! use maro_plugin::{RunError, jira_edit};
//!
//! /// Takes the step that leads to a status.
//! fn move_to(key: &str, status: &str) -> Result<(), RunError> {
//!     let steps = jira_edit::list_transitions(key)?;
//!     match steps.iter().find(|step| step.to_status.eq_ignore_ascii_case(status)) {
//!         Some(step) => Ok(jira_edit::transition(key, &step.id)?),
//!         None => Err(RunError::failed(format!("{key} cannot become {status} now."))),
//!     }
//! }
//! ```

use crate::{bindings::maro::plugin::jira_edit, host::host};
pub use crate::{
    bindings::maro::plugin::jira_edit::{AvailableTransition, EditError, EditErrorKind, NewIssue},
    jira::{Issue, JiraErrorKind, JiraUser},
};

/// Adds a comment: plain text of 1 to 10,000 characters, its line breaks kept.
///
/// # Errors
/// [`EditErrorKind::Uncertain`] means that the comment may be there all the same.
pub fn comment(key: &str, text: &str) -> Result<(), EditError> {
    host!(jira_edit::comment(key, text))
}

/// What the issue's workflow allows now, at most 50.
///
/// # Errors
/// Jira could not be asked, or has no such issue.
pub fn list_transitions(key: &str) -> Result<Vec<AvailableTransition>, EditError> {
    host!(jira_edit::list_transitions(key))
}

/// Takes a step of [`list_transitions`], by its id. The lists that the issue is on show its new status.
///
/// # Errors
/// [`EditErrorKind::Rejected`] if the step is not possible now.
pub fn transition(key: &str, transition_id: &str) -> Result<(), EditError> {
    host!(jira_edit::transition(key, transition_id))
}

/// Who can be assigned to the issue and has these words at the start of a name or e-mail address, best first,
/// at most 20. No words match everybody.
///
/// # Errors
/// Jira could not be asked, or has no such issue.
pub fn find_assignable(key: &str, words: &str) -> Result<Vec<JiraUser>, EditError> {
    host!(jira_edit::find_assignable(key, words))
}

/// Assigns the issue to an account, by the id that [`find_assignable`] gives, or to nobody.
///
/// # Errors
/// [`EditErrorKind::Rejected`] if this person cannot be assigned.
pub fn assign(key: &str, user_id: Option<&str>) -> Result<(), EditError> {
    host!(jira_edit::assign(key, user_id))
}

/// Creates an issue, at most 5 in one call of the plugin; the channel tracks it from then on. The status is
/// empty if Jira has created the issue and could not be asked what it is.
///
/// ```no_run
/// use maro_plugin::{Reply, RunError, jira_edit::{self, NewIssue}, reply::issue, spans};
///
/// fn report(summary: &str) -> Result<Reply, RunError> {
///     let bug = NewIssue { issue_type: Some("Bug".to_owned()), ..NewIssue::new(summary) };
///     let created = jira_edit::create(&bug)?;
///     Ok(Reply::to_channel().paragraph(spans!["Created ", issue(&created.key), ": ", summary]))
/// }
/// ```
///
/// # Errors
/// [`EditErrorKind::Rejected`] with Jira's reason; [`EditErrorKind::Uncertain`] means that the issue may be
/// there all the same.
pub fn create(issue: &NewIssue) -> Result<Issue, EditError> {
    host!(jira_edit::create(issue))
}

impl NewIssue {
    /// An issue of the default project and the usual type, without a description.
    pub fn new(summary: impl Into<String>) -> Self {
        Self { project: None, issue_type: None, summary: summary.into(), description: String::new() }
    }
}
