//! How far a search has been read where some issues may be hidden, so that the guest's next page doesn't read it again.

use maro_domain::{issue::IssueKey, issue_details::IssueDetails};

/// A search that can be read on.
pub(crate) struct OpenSearch {
    pub(crate) jql: String,
    /// The issues that it names and that may not be shown.
    pub(crate) hidden: Vec<IssueKey>,
    /// What may be shown and was read, but not handed out.
    pub(crate) shown: Vec<IssueDetails>,
    /// How many issues the guest has got before those.
    pub(crate) handed_out: usize,
    /// Where Jira goes on. The guest doesn't get to know it: it would tell how many are hidden.
    pub(crate) next: Option<String>,
    /// Whether Jira has no more.
    pub(crate) is_read: bool,
}

impl OpenSearch {
    pub(crate) fn new(hidden: Vec<IssueKey>, jql: String) -> Self {
        Self { jql, hidden, shown: Vec::new(), handed_out: 0, next: None, is_read: false }
    }

    /// Whether the page at a place of a query is the next one.
    pub(crate) fn is_at(&self, jql: &str, place: usize) -> bool {
        self.jql == jql && self.handed_out == place
    }
}
