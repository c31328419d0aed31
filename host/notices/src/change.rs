//! What changed of an issue, put together from what waits. Does no I/O.

use jiff::Timestamp;

use crate::edit_window;
use maro_domain::issue::{Issue, IssueId, IssueKey};
use maro_store::notices::{Head, Kind, LastReply, Part, Thread, Told, Waiting};

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
    /// Whether its status is the one on the list, so that no other change of it is to be told.
    is_listed: bool,
}

impl<'a> Change<'a> {
    pub(crate) fn issue_id(&self) -> &'a IssueId {
        &self.issue.id
    }

    /// The change of its status, if it has one.
    pub(crate) fn status(&self) -> Option<&Part> {
        self.parts.iter().find(|part| part.kind == Kind::Status)
    }

    /// Its parts, as they are told among many.
    pub(crate) fn told(&self) -> impl Iterator<Item = Told> {
        self.parts.iter().map(|part| Told { key: self.issue.key.clone(), part: part.clone() })
    }

    /// The issue, if it has a head line, as those are told apart that have to be changed.
    pub(crate) fn head_line(&self) -> Option<(&'a IssueId, &'a IssueKey)> {
        let has_line = matches!(self.thread.head, Head::Known { is_line: true, .. });
        has_line.then_some((&self.issue.id, &self.issue.key))
    }

    /// What nobody has to be told of, or nobody has noted, may have changed the issue's status since. Where no other
    /// change will say so, this one does.
    pub(crate) fn catch_up(&self, parts: &mut [Part]) {
        if self.is_listed {
            catch_up(self.issue, parts);
        }
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
                is_listed: false,
            });
            changes.len() - 1
        });
        let change = &mut changes[place];
        change.ids.push(notice.id);
        change.added_to = change.added_to.or(notice.added_to.as_deref());
        change.at = notice.at.or(change.at);
        change.is_listed = notice.listed_status.as_ref() == Some(&issue.status);
        add(&mut change.parts, notice.part.clone());
    }
    for change in &mut changes {
        let mut parts = std::mem::take(&mut change.parts);
        change.catch_up(&mut parts);
        change.parts = parts;
    }
    changes
}

/// Has a change of status end at the status that the issue has now. Nobody knows who set that.
pub(crate) fn catch_up(issue: &Issue, parts: &mut [Part]) {
    let is_other = |part: &&mut Part| part.kind == Kind::Status && part.to != issue.status;
    if let Some(part) = parts.iter_mut().rev().find(|part| part.kind == Kind::Status).filter(is_other) {
        part.to.clone_from(&issue.status);
        part.set_by = None;
    }
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
