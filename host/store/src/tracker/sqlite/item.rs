//! The issues and keys of several changes to lists, as SQLite's statements take them.

use serde_json::{Value, json};

use crate::{
    audit::{
        Entry,
        author_and_request::{Claim, Stamp},
    },
    tracker::{
        jira_answers::updated_ms,
        known_fields::{known_category, known_level, known_status},
        reconcile::Answer,
        shown_status::ShownStatus,
    },
};
use maro_domain::issue::{Issue, IssueKey};

/// A change to one channel's list. Times are in their stored form.
#[derive(Debug)]
pub(in crate::tracker) enum ListChange {
    Track { stamp: Stamp, source: &'static str, issues: Vec<Issue> },
    Untrack { stamp: Stamp, keys: Vec<IssueKey> },
    Sync { channel: String, updates: Vec<(IssueKey, Option<Issue>)>, now: String },
}

impl ListChange {
    pub(super) fn len(&self) -> usize {
        match self {
            Self::Track { issues, .. } => issues.len(),
            Self::Untrack { keys, .. } => keys.len(),
            Self::Sync { updates, .. } => updates.len(),
        }
    }

    pub(super) fn channel(&self) -> &str {
        match self {
            Self::Track { stamp, .. } | Self::Untrack { stamp, .. } => &stamp.channel,
            Self::Sync { channel, .. } => channel,
        }
    }

    pub(super) fn now(&self) -> Option<&str> {
        match self {
            Self::Track { stamp, .. } => Some(stamp.at()),
            Self::Sync { now, .. } => Some(now),
            Self::Untrack { .. } => None,
        }
    }

    /// Who makes it. A sync is nobody's.
    fn stamp(&self) -> Option<&Stamp> {
        match self {
            Self::Track { stamp, .. } | Self::Untrack { stamp, .. } => Some(stamp),
            Self::Sync { .. } => None,
        }
    }

    pub(super) fn claim(&self) -> Option<&Claim> {
        self.stamp().map(Stamp::claim)
    }
}

/// The changes to make, by kind.
#[derive(Default)]
pub(super) struct Items<'a> {
    pub(super) removals: Vec<Item<'a>>,
    pub(super) additions: Vec<Item<'a>>,
    pub(super) syncs: Vec<Item<'a>>,
}

impl<'a> Items<'a> {
    /// Those of the changes, by their positions, that may be made.
    pub(super) fn of(changes: &[&'a ListChange], may_be_made: impl Fn(usize) -> bool) -> Self {
        let mut items = Self::default();
        for (change, position) in changes.iter().zip(0..).filter(|(_, position)| may_be_made(*position)) {
            let kind = match change {
                ListChange::Untrack { .. } => &mut items.removals,
                ListChange::Track { .. } => &mut items.additions,
                ListChange::Sync { .. } => &mut items.syncs,
            };
            kind.extend((0..change.len()).map(|item| Item { change, place: (position, item) }));
        }
        items
    }
}

/// One issue or key of a change.
#[derive(Clone, Copy)]
pub(super) struct Item<'a> {
    pub(super) change: &'a ListChange,
    /// The position of its change, and its position within that change.
    pub(super) place: (usize, usize),
}

impl<'a> Item<'a> {
    /// The item's key on the list, now or after the change.
    pub(super) fn key(&self) -> &'a IssueKey {
        match self.change {
            ListChange::Track { issues, .. } => &issues[self.place.1].key,
            ListChange::Untrack { keys, .. } => &keys[self.place.1],
            ListChange::Sync { updates, .. } => &updates[self.place.1].0,
        }
    }

    fn issue(&self) -> Option<&'a Issue> {
        match self.change {
            ListChange::Track { issues, .. } => issues.get(self.place.1),
            ListChange::Untrack { .. } => None,
            ListChange::Sync { updates, .. } => updates[self.place.1].1.as_ref(),
        }
    }

    pub(super) fn answer(&self) -> Answer<'a> {
        let listed_as = match self.change {
            ListChange::Sync { .. } => Some(self.key()),
            ListChange::Track { .. } | ListChange::Untrack { .. } => None,
        };
        Answer { channel: self.change.channel(), listed_as, issue: self.issue() }
    }

    /// The item in the form that the statements expect, with channel and key first.
    pub(super) fn stored(&self) -> Value {
        match self.change {
            ListChange::Track { stamp, source, issues } => {
                let issue = &issues[self.place.1];
                json!([
                    stamp.channel,
                    issue.key.as_str(),
                    issue.id.as_str(),
                    stamp.at(),
                    stamp.user,
                    source,
                    issue.summary,
                    known_status(issue),
                    known_level(issue),
                    known_category(issue),
                    updated_ms(issue),
                    ShownStatus::stored(issue)
                ])
            }
            ListChange::Untrack { .. } | ListChange::Sync { .. } => {
                json!([self.change.channel(), self.key().as_str()])
            }
        }
    }

    /// What the log says of it once it's done. `is_first` says whether it's the first of its change.
    pub(super) fn entry(&self, is_first: bool) -> Option<Value> {
        let action = match self.change {
            ListChange::Track { .. } => "track",
            ListChange::Untrack { .. } => "untrack",
            ListChange::Sync { .. } => return None,
        };
        let entry = Entry { action, subject: self.key().as_str(), outcome: "done" };
        Some(self.change.stamp()?.entry(entry, is_first))
    }
}
