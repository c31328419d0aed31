//! What Jira says of an issue beyond key, summary and status, and of the people and steps around it.

use jiff::Timestamp;

use crate::issue::Issue;

/// An issue as a search finds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IssueDetails {
    pub issue: Issue,
    /// One line of at most 100 characters, as the site calls it: `Story`.
    pub issue_type: String,
    pub assignee: Option<Person>,
    /// `None` if Jira does not say it, or in no way that can be read.
    pub updated_at: Option<Timestamp>,
}

/// Somebody with a Jira account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// Jira Cloud's account id, or Data Center's user name.
    pub id: String,
    /// One line of at most 100 characters.
    pub name: String,
}

/// A step of the workflow that an issue can take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transition {
    pub id: String,
    /// One line of at most 100 characters: `Start work`.
    pub name: String,
    /// The status that it leads to, one line of at most 100 characters.
    pub to_status: String,
}
