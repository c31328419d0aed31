//! A change of status on its way to the outbox.

use serde_json::{Value, json};

use maro_domain::issue::Issue;

/// A change of an issue's status on one list.
#[derive(Debug, Clone, Copy)]
pub(crate) struct StatusChange<'a> {
    pub(crate) channel: &'a str,
    pub(crate) issue: &'a Issue,
    pub(crate) from: &'a str,
    pub(crate) to: &'a str,
    /// Jira's keys of the categories. Empty: they aren't known, so it isn't known either whether they differ.
    pub(crate) from_category: &'a str,
    pub(crate) to_category: &'a str,
    pub(crate) set_by: Option<&'a str>,
    /// Whether nobody has to be told of it: MARO has done it itself, or the same status is called otherwise by now.
    pub(crate) is_silent: bool,
}

impl StatusChange<'_> {
    /// As SQLite's statements take it.
    pub(crate) fn stored(&self, at: &str) -> Value {
        let Self { channel, issue, from, to, from_category, to_category, set_by, is_silent } = self;
        let (key, id) = (issue.key.as_str(), issue.id.as_str());
        json!([channel, key, id, from, to, from_category, to_category, set_by, at, u8::from(*is_silent)])
    }
}
