//! What became of an issue: how it was before each change.

use jiff::Timestamp;

/// An issue as it was before a change.
#[derive(Debug, Clone)]
pub(super) struct Before {
    /// When it was changed.
    pub(super) at: Timestamp,
    pub(super) key: String,
    pub(super) summary: String,
    pub(super) status: String,
    pub(super) assignee: Option<&'static str>,
    pub(super) comments: usize,
    pub(super) links: usize,
}

/// What changed from one to the next, a line each.
pub(super) fn differences(before: &Before, after: &Before) -> Vec<String> {
    let mut lines = Vec::new();
    let nobody = "nobody";
    let assignees = (before.assignee.unwrap_or(nobody), after.assignee.unwrap_or(nobody));
    for (field, from, to) in [
        ("Key", before.key.as_str(), after.key.as_str()),
        ("Summary", &before.summary, &after.summary),
        ("Status", &before.status, &after.status),
        ("Assignee", assignees.0, assignees.1),
    ] {
        if from != to {
            lines.push(format!("{field}: {from} → {to}"));
        }
    }
    if after.comments > before.comments {
        lines.push("A comment was added".to_owned());
    }
    if after.links > before.links {
        lines.push("A link was added".to_owned());
    }
    lines
}
