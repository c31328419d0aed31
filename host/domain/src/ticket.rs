//! Tickets that MARO creates: what is asked of Jira, and what it answers.

use crate::{
    issue::{IssueId, IssueKey},
    rich_text::RichText,
};

/// A Jira project, as far as somebody chooses one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Project {
    pub key: String,
    pub name: String,
}

/// A kind of issue in one project.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IssueType {
    pub id: String,
    pub name: String,
    /// `1` and above are epics and their like, `0` stories and tasks, `-1` sub-tasks.
    pub hierarchy_level: i32,
}

/// A ticket that somebody wants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewTicket {
    pub project_key: String,
    pub issue_type_id: String,
    /// One line of at most 255 characters.
    pub summary: String,
    pub description: RichText,
    /// The account of the person who wants it, if it's to be the reporter and Jira allows that.
    pub reporter: Option<String>,
    /// Whether it has no words of the person's, so that the ticket may be created without it.
    pub is_description_optional: bool,
    /// Marks the ticket in Jira, so that one whose creation was not confirmed can be found again.
    pub intent_id: String,
}

/// A ticket that Jira has created.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CreatedTicket {
    pub id: IssueId,
    pub key: IssueKey,
}

/// A ticket that may be about the same as a new one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SimilarTicket {
    pub id: IssueId,
    pub key: IssueKey,
    pub summary: String,
    pub status: String,
    pub assignee: Option<String>,
    /// Whether Jira shows it only to some people.
    pub has_security_level: bool,
}
