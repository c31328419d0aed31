//! The lines of one form for stories, and what became of each.

use crate::intents::records::{StoriesRecord, StoryState};
use maro_domain::{
    issue::{IssueId, IssueKey},
    reply::Span,
};
use maro_texts as texts;

/// The created lines, for people to read. Of those that are `hidden`, the keys.
pub(crate) fn created_lines(record: &StoriesRecord, hidden: &[IssueId]) -> Vec<Vec<Span>> {
    record
        .lines
        .iter()
        .filter_map(|line| match &line.state {
            StoryState::Created(ticket) => {
                let title = if hidden.contains(&ticket.id()) { "" } else { &line.title };
                Some(texts::issues::stories::created(&ticket.key().ok()?, title))
            }
            _ => None,
        })
        .collect()
}

/// The key of one of them: they are all in the same project.
pub(super) fn created_key(record: &StoriesRecord) -> Option<IssueKey> {
    record.lines.iter().find_map(|line| match &line.state {
        StoryState::Created(ticket) => ticket.key().ok(),
        _ => None,
    })
}

pub(super) fn created_issues(record: &StoriesRecord) -> Vec<IssueId> {
    let created = record.lines.iter().filter_map(|line| match &line.state {
        StoryState::Created(ticket) => Some(ticket.id()),
        _ => None,
    });
    created.collect()
}

/// The mark of one line.
pub(super) fn mark(id: &str, index: usize) -> String {
    format!("{id}/{index}")
}

pub(super) fn lines_in(record: &StoriesRecord, state: &StoryState) -> impl Iterator<Item = usize> {
    record.lines.iter().enumerate().filter(move |(_, line)| line.state == *state).map(|(index, _)| index)
}

pub(super) fn change_lines(record: &mut StoriesRecord, from: &StoryState, to: &StoryState) {
    for line in record.lines.iter_mut().filter(|line| line.state == *from) {
        line.state = to.clone();
    }
}

/// Fails all lines that aren't created.
pub(super) fn fail_all(record: &mut StoriesRecord, reason: String) {
    let failed = StoryState::Failed(reason);
    change_lines(record, &StoryState::Asked, &failed);
    change_lines(record, &StoryState::Due, &failed);
}
