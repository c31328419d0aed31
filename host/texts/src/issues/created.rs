//! For people who create an issue, or link one instead of a duplicate, and for their channel.

use crate::text;
use maro_domain::{issue::IssueKey, reply::Span};

pub const CREATE_TITLE: &str = "Create an issue";
pub const DUPLICATES_TITLE: &str = "Possible duplicates";
pub const CREATE_ANYWAY: &str = "Create anyway";
pub const LINK_THIS: &str = "Link this one";
pub const LINK_TITLE: &str = "Link an issue";
pub const LINKING: &str = "Linking…";
/// Above the form. Jira's search didn't answer.
pub const SEARCH_UNANSWERED: &str = "Jira's search isn't responding, so MARO couldn't check for duplicates. Nothing was \
    created. Try again, or create the issue anyway.";
pub const DUPLICATES_UNCHECKED: &str = "MARO couldn't check for duplicates.";
/// For a status that Jira's search doesn't know yet.
pub const JUST_CREATED: &str = "just created";
const UNASSIGNED: &str = "unassigned";
/// In Jira, the title of the link to Slack.
pub const CONVERSATION: &str = "Slack conversation";

/// Above `count` issues that may be the same as the one with this summary.
pub fn duplicates(count: usize, summary: &str) -> Vec<Span> {
    let invitation = match count {
        1 => "This open issue looks similar. Link it, or create a new one: ",
        _ => "These open issues look similar. Link one, or create a new one: ",
    };
    vec![text(invitation), Span::Strong(summary.to_owned())]
}

/// One of them, in two lines.
pub fn duplicate(key: &IssueKey, summary: &str, status: &str, assignee: Option<&str>) -> Vec<Vec<Span>> {
    vec![titled(key, summary), vec![text(format!("{status} · {}", assignee.unwrap_or(UNASSIGNED)))]]
}

/// To the person and to the channel.
pub fn created(key: &IssueKey, summary: &str) -> Vec<Span> {
    let mut spans = vec![text("Created ")];
    spans.extend(titled(key, summary));
    spans
}

/// To the person: Jira has created all of these for one wish.
pub fn created_twice(keys: &[IssueKey]) -> String {
    let keys: Vec<&str> = keys.iter().map(IssueKey::as_str).collect();
    format!(
        "Jira was slow and created this more than once: {}. Close the ones you don't need.",
        keys.join(" and ")
    )
}

/// To the person whose form it is.
pub fn linked(key: &IssueKey, summary: &str) -> Vec<Span> {
    let mut spans = vec![text("Linked this conversation to ")];
    spans.extend(titled(key, summary));
    spans
}

/// To the channel.
pub fn linked_by_caller(key: &IssueKey, summary: &str) -> Vec<Span> {
    let mut spans = vec![Span::Caller, text(" linked this conversation to ")];
    spans.extend(titled(key, summary));
    spans
}

/// An issue, and what it is about if that may be said.
pub fn titled(key: &IssueKey, title: &str) -> Vec<Span> {
    let title = (!title.is_empty()).then(|| text(format!(": {title}")));
    [Span::Issue(key.clone())].into_iter().chain(title).collect()
}
