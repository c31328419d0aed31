//! Reading from Jira. Grant: `jira`.

pub use crate::bindings::maro::plugin::{
    jira::Lookup,
    types::{Issue, JiraError, JiraErrorKind},
};
use crate::{IssueKey, bindings::maro::plugin::jira};

/// Looks up at most 100 keys, in one request where Jira can. One answer for each key, in the order
/// asked. Without keys the host is not called.
///
/// # Errors
/// None of them means that an issue does not exist: that is [`Lookup::Missing`].
pub fn get_issues(keys: &[IssueKey]) -> Result<Vec<Lookup>, JiraError> {
    if keys.is_empty() { Ok(Vec::new()) } else { jira::get_issues(keys) }
}
