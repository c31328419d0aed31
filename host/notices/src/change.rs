//! What changed of an issue, put together from what waits. Does no I/O.

use jiff::Timestamp;

use crate::edit_window;
use maro_domain::issue::{Issue, IssueId};
use maro_store::notices::{Kind, LastReply, Part, Thread, Waiting};

/// All that waits of one issue, as one change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Change<'a> {
    /// As Jira shows it now.
    pub(crate) issue: &'a Issue,
    pub(crate) ids: Vec<i64>,
    /// One of each kind.
    pub(crate) parts: Vec<Part>,
    /// When the last of them was seen.
    pub(crate) at: Option<Timestamp>,
    pub(crate) thread: &'a Thread,
    /// The message that some of it was being added to when a worker lost sight of it. To add it once more does no harm.
    pub(crate) added_to: Option<&'a str>,
}

impl<'a> Change<'a> {
    pub(crate) fn issue_id(&self) -> &'a IssueId {
        &self.issue.id
    }

    /// The change of its status, if it has one.
    pub(crate) fn status(&self) -> Option<&Part> {
        self.parts.iter().find(|part| part.kind == Kind::Status)
    }

    /// The status that is told.
    pub(crate) fn status_now(&self) -> &str {
        self.status().map_or(self.issue.status.as_str(), |part| part.to.as_str())
    }

    /// The last answer, if this change still goes into it.
    pub(crate) fn reply(&self) -> Option<&'a LastReply> {
        let is_begun = |reply: &&LastReply| self.added_to == Some(reply.message.ts.as_str());
        self.thread.reply.as_ref().filter(|reply| edit_window::is_open(reply.message.age) || is_begun(reply))
    }
}

/// What waits, one change for each issue, in the order of the first.
pub(crate) fn merge<'a>(told: &[(&'a Waiting, &'a Issue)]) -> Vec<Change<'a>> {
    let mut changes: Vec<Change<'a>> = Vec::new();
    for &(notice, issue) in told {
        let place = changes.iter().position(|change| change.issue.id == issue.id);
        let place = place.unwrap_or_else(|| {
            let thread = &notice.thread;
            changes.push(Change {
                issue,
                ids: Vec::new(),
                parts: Vec::new(),
                at: None,
                thread,
                added_to: None,
            });
            changes.len() - 1
        });
        let change = &mut changes[place];
        change.ids.push(notice.id);
        change.added_to = change.added_to.or(notice.added_to.as_deref());
        change.at = notice.at.or(change.at);
        add(&mut change.parts, notice.part.clone());
    }
    changes
}

/// Adds a later part to earlier ones.
pub(crate) fn add(parts: &mut Vec<Part>, later: Part) {
    match parts.iter_mut().find(|part| part.kind == later.kind) {
        Some(part) => {
            if part.kind == Kind::Comments {
                let count = |text: &str| text.parse::<u32>().unwrap_or(1);
                part.from = count(&part.from).saturating_add(count(&later.from)).to_string();
                // Several people's have no one name.
                part.set_by = later.set_by.filter(|by| part.set_by.as_ref() == Some(by));
            } else {
                part.set_by = later.set_by;
            }
            part.to = later.to;
        }
        None => parts.push(later),
    }
}
