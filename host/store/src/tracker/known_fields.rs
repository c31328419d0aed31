//! What Jira said of an issue, as far as it sent that: nothing but its key may be shown.

use maro_domain::issue::Issue;

/// The category of the row's new status.
pub(in crate::tracker) fn known_category(issue: &Issue) -> Option<&'static str> {
    known_status(issue).and_then(|_| issue.status_category.as_str())
}

/// Whether Jira shows the issue only to some people, if it said anything of it beside its key.
pub(in crate::tracker) fn known_level(issue: &Issue) -> Option<bool> {
    known_status(issue).map(|_| issue.has_security_level)
}

/// The status of an issue, if Jira sent it.
pub(in crate::tracker) fn known_status(issue: &Issue) -> Option<&str> {
    Some(issue.status.as_str()).filter(|status| !status.is_empty())
}
