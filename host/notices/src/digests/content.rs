//! What a digest tells: changes by status, and issues that have been done for long. Does no I/O.

use jiff::SignedDuration;

use crate::change::{Change, catch_up};
use maro_domain::{issue::Issue, words::MAX_KEYS};

/// How many changes a digest shows, and how many finished issues: as many as fit.
pub(crate) const DIGEST_LINES: [usize; 3] = [MAX_KEYS, 25, 10];

/// How long an issue is done before it's offered for removal.
pub(crate) const DONE_FOR: SignedDuration = SignedDuration::from_hours(14 * 24);

/// All that waits in a channel that reads digests.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Digest<'a> {
    changes: Vec<Change<'a>>,
    /// Done for long.
    pub(crate) finished: Vec<&'a Issue>,
    /// How many more there are.
    pub(crate) more_finished: usize,
    /// The notices that it tells.
    pub(crate) ids: Vec<i64>,
}

impl<'a> Digest<'a> {
    /// `finished`: each with its notice. What was taken back isn't told. It says what issues are, not what they were.
    pub(crate) fn new(mut changes: Vec<Change<'a>>, finished: &[(i64, &'a Issue)]) -> Self {
        for change in &mut changes {
            catch_up(change.issue, &mut change.parts);
        }
        let ids = changes.iter().flat_map(|change| change.ids.iter().copied());
        let ids = ids.chain(finished.iter().map(|(id, _)| *id)).collect();
        let is_told = |change: &Change<'_>| change.status().is_some_and(|part| part.from != part.to);
        let changes = changes.into_iter().filter(is_told).collect();
        let more_finished = finished.len().saturating_sub(MAX_KEYS);
        let finished = finished.iter().take(MAX_KEYS).map(|(_, issue)| *issue).collect();
        Self { changes, finished, more_finished, ids }
    }

    /// Whether there is nothing to tell.
    pub(crate) fn is_empty(&self) -> bool {
        self.changes.is_empty() && self.finished.is_empty()
    }

    /// How many issues changed.
    pub(crate) fn len(&self) -> usize {
        self.changes.len()
    }

    /// The changes to each status, in the order of the first to each.
    pub(crate) fn by_status(&self) -> Vec<(&str, Vec<&Change<'a>>)> {
        let mut groups: Vec<(&str, Vec<&Change<'a>>)> = Vec::new();
        for change in &self.changes {
            let to = change.issue.status.as_str();
            match groups.iter_mut().find(|(status, _)| *status == to) {
                Some((_, changes)) => changes.push(change),
                None => groups.push((to, vec![change])),
            }
        }
        groups
    }

    /// The keys of what has been done for long, as a command takes them: of those that are shown.
    pub(crate) fn finished(&self, most: usize) -> Option<String> {
        let keys: Vec<&str> = self.finished.iter().take(most).map(|issue| issue.key.as_str()).collect();
        (!keys.is_empty()).then(|| keys.join(" "))
    }
}
