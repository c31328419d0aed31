//! Jira failed, or says no. A failure never says that an issue doesn't exist.

use crate::durations::wait;
use maro_jira::error::{JiraError, JiraOutage};

pub const EDIT_UNCONFIRMED: &str = "Jira didn't confirm this. The change may have gone through; check Jira before \
    trying again.";
/// About an issue that a plugin asked for.
pub const CREATION_UNCONFIRMED: &str = "Jira didn't confirm the new issue. MARO will keep looking and track it here \
    if it turns up. Check Jira before trying again.";
pub const QUERY_UNBALANCED: &str =
    "Jira can't read this search: the brackets or quotation marks don't match.";

/// Jira couldn't be asked.
pub fn failed(error: &JiraError) -> String {
    match error {
        JiraError::Unauthorized => {
            "Jira rejected MARO's credentials. Nothing was changed. Ask your MARO admin to renew them."
                .to_owned()
        }
        JiraError::Forbidden { reason } => {
            let said = reason.as_ref().map(|reason| format!(" Jira says: {reason}")).unwrap_or_default();
            format!(
                "Jira doesn't allow MARO to do this. Nothing was changed. Your MARO admin can ask a Jira admin for \
                 the permission.{said}"
            )
        }
        JiraError::MissingScope { scope } => format!(
            "MARO's token for Jira doesn't have the scope {scope}, which this needs. Nothing was changed. Ask your \
             MARO admin to add it."
        ),
        JiraError::RateLimited { retry_after } => {
            format!("Jira is rate-limiting MARO. Nothing was changed. Try again in {}.", wait(*retry_after))
        }
        JiraError::Unreachable { source: JiraOutage::Status(_) | JiraOutage::NoToken { .. } } => {
            "Jira is having problems right now. Nothing was changed. Try again in a few minutes.".to_owned()
        }
        JiraError::Unreachable {
            source: JiraOutage::Connection { .. } | JiraOutage::NotAsked | JiraOutage::Resting,
        } => "MARO can't reach Jira right now. Nothing was changed. Try again in a few minutes.".to_owned(),
        JiraError::TimedOut => {
            "Jira took too long to respond. Nothing was changed. Try again in a few minutes.".to_owned()
        }
        JiraError::InvalidResponse { .. } => {
            "Jira sent a response MARO couldn't read. Nothing was changed. If it \
             happens again, tell your MARO admin."
                .to_owned()
        }
    }
}

/// Jira has no such issue, or MARO can't see it.
pub fn not_found(key: &str) -> String {
    format!("{key} not found in Jira")
}

/// Jira rejects a query; `reason` is in Jira's own words.
pub fn query_rejected(reason: &str) -> String {
    format!("Jira can't read this search: {reason}")
}

/// Jira rejects a change; `reason` is in Jira's own words.
pub fn edit_rejected(reason: &str) -> String {
    format!("Jira rejected this change: {reason}")
}

/// The workflow has no such transition for an issue, at least now.
pub fn no_such_transition(key: &str) -> String {
    format!("{key} can't make that transition right now.")
}

/// There is no such project, or MARO may not create anything there.
pub fn cannot_create_in(project: &str) -> String {
    format!(
        "MARO can't create issues in the {project} project: it doesn't exist, or MARO has no access to it."
    )
}

pub fn no_such_issue_type(project: &str, wanted: &str, names: &[&str]) -> String {
    format!("The {project} project has no issue type called {wanted}. Available types: {}.", names.join(", "))
}
