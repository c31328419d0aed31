//! Changing Jira. Grant: `jira-edit`.
//!
//! To Jira, the bot's account makes every change. So the host adds a last line to each comment and each new
//! issue that says who asked for it.
//!
//! ```no_run
//! use maro_plugin::{RunError, jira_edit};
//!
//! /// Makes the transition that leads to a status.
//! fn move_to(key: &str, status: &str) -> Result<(), RunError> {
//!     let steps = jira_edit::list_transitions(key)?;
//!     match steps.iter().find(|step| step.to_status.eq_ignore_ascii_case(status)) {
//!         Some(step) => Ok(jira_edit::transition(key, &step.id)?),
//!         None => Err(RunError::failed(format!("{key} can't be moved to {status} right now."))),
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
/// [`EditErrorKind::Uncertain`] means that the comment may have been added.
pub fn comment(key: &str, text: &str) -> Result<(), EditError> {
    host!(jira_edit::comment(key, text))
}

/// The transitions that the issue's workflow allows right now, at most 50.
///
/// # Errors
/// Jira couldn't be asked, or has no such issue.
pub fn list_transitions(key: &str) -> Result<Vec<AvailableTransition>, EditError> {
    host!(jira_edit::list_transitions(key))
}

/// Makes a transition that [`list_transitions`] returned, by its id. Lists with this issue show its new
/// status.
///
/// # Errors
/// [`EditErrorKind::Rejected`] if the transition isn't possible right now.
pub fn transition(key: &str, transition_id: &str) -> Result<(), EditError> {
    host!(jira_edit::transition(key, transition_id))
}

/// People who can be assigned to the issue and have these words at the start of a name or email address,
/// best match first, at most 20. No words match everyone.
///
/// # Errors
/// Jira couldn't be asked, or has no such issue.
pub fn find_assignable(key: &str, words: &str) -> Result<Vec<JiraUser>, EditError> {
    host!(jira_edit::find_assignable(key, words))
}

/// The person who typed the command, in place of an account's id.
pub const CALLER: &str = "<@me>";

/// Assigns the issue to an account, by the id that [`find_assignable`] returns, or to no one. In place of an id it
/// takes [`CALLER`], and what Slack makes of a mention: `<@U1>`. The host finds the account by that person's email
/// address.
///
/// # Errors
/// [`EditErrorKind::Rejected`] if this person can't be assigned. [`JiraErrorKind::Forbidden`] also if there is no
/// finding out whose account it is.
pub fn assign(key: &str, user_id: Option<&str>) -> Result<(), EditError> {
    host!(jira_edit::assign(key, user_id))
}

/// Creates an issue, which the channel tracks from then on. One call of the plugin can create up to 5. The
/// status is empty if Jira created the issue but couldn't be asked for its status.
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
/// [`EditErrorKind::Rejected`] with Jira's reason. [`EditErrorKind::Uncertain`] means that the issue may have
/// been created.
pub fn create(issue: &NewIssue) -> Result<Issue, EditError> {
    host!(jira_edit::create(issue))
}

impl NewIssue {
    /// An issue in the default project, of the usual type, without a description.
    pub fn new(summary: impl Into<String>) -> Self {
        Self { project: None, issue_type: None, summary: summary.into(), description: String::new() }
    }
}
