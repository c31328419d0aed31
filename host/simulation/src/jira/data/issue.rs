//! An issue of the simulated site.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::Value;

use crate::jira::data::history::{Before, differences};
use maro_domain::issue::IssueKey;

/// The possible priorities, by id from 1.
pub(crate) const PRIORITIES: [&str; 5] = ["Highest", "High", "Medium", "Low", "Lowest"];

/// How many changes are remembered of an issue.
const MAX_CHANGES: usize = 50;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum IssueType {
    Initiative,
    Epic,
    Story,
    Task,
    Subtask,
    Bug,
}

impl IssueType {
    pub(crate) fn id(self) -> &'static str {
        match self {
            Self::Epic => "10000",
            Self::Story => "10001",
            Self::Task => "10002",
            Self::Subtask => "10003",
            Self::Bug => "10004",
            Self::Initiative => "10005",
        }
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Initiative => "Initiative",
            Self::Epic => "Epic",
            Self::Story => "Story",
            Self::Task => "Task",
            Self::Subtask => "Sub-task",
            Self::Bug => "Bug",
        }
    }

    pub(crate) fn hierarchy_level(self) -> i32 {
        match self {
            Self::Initiative => 2,
            Self::Epic => 1,
            Self::Story | Self::Task | Self::Bug => 0,
            Self::Subtask => -1,
        }
    }
}

#[derive(Debug, Clone)]
pub(crate) struct SimulatedIssue {
    pub(crate) id: u64,
    pub(crate) key: IssueKey,
    pub(crate) issue_type: IssueType,
    pub(crate) type_id: String,
    pub(crate) summary: String,
    pub(crate) status: String,
    pub(crate) assignee: Option<&'static str>,
    /// A document or a text, as it was sent.
    pub(crate) description: Option<Value>,
    /// The epic that a story belongs to.
    pub(crate) parent: Option<IssueKey>,
    pub(crate) properties: BTreeMap<String, Value>,
    pub(crate) links: Vec<RemoteLink>,
    /// Documents or texts, as they were sent.
    pub(crate) comments: Vec<Value>,
    /// Who wrote each.
    pub(crate) comment_authors: Vec<&'static str>,
    /// The places of those that only people of one role may read.
    pub(crate) restricted_comments: Vec<usize>,
    pub(crate) priority: &'static str,
    pub(crate) sprint: Option<&'static str>,
    /// The name of its security level. The REST API's account sees it anyway.
    pub(crate) security_level: Option<&'static str>,
    /// Whether it was created by the REST API's account.
    pub(crate) is_own: bool,
    pub(crate) created: Timestamp,
    pub(crate) updated: Timestamp,
    /// Increases with each change on the site.
    pub(crate) changed: u64,
    /// How it was before each of its latest changes.
    pub(crate) history: Vec<Before>,
    /// How many more searches won't find it.
    pub(crate) hidden_for: Option<u32>,
    /// The key under which the index still has it, if that is another.
    pub(crate) indexed_as: Option<IssueKey>,
}

/// A link, as last set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RemoteLink {
    pub global_id: Option<String>,
    pub url: String,
    pub title: String,
    pub relationship: Option<String>,
    pub application_name: Option<String>,
}

impl SimulatedIssue {
    /// Remembers how it is, since it's about to be changed.
    pub(crate) fn note_change(&mut self, at: Timestamp) {
        if self.history.len() >= MAX_CHANGES {
            self.history.remove(0);
        }
        let before = self.as_it_is(at);
        self.history.push(before);
    }

    /// Each change in a line, latest first.
    pub(crate) fn changes(&self) -> Vec<(Timestamp, String)> {
        let now = self.as_it_is(self.updated);
        let afterwards = self.history.iter().skip(1).chain([&now]);
        let changes = self.history.iter().zip(afterwards);
        let mut lines: Vec<_> = changes
            .flat_map(|(before, after)| differences(before, after).into_iter().map(|line| (before.at, line)))
            .collect();
        lines.reverse();
        lines
    }

    /// How it was before the last change, and how it is now.
    pub(crate) fn last_change(&self) -> Option<(&Before, Before)> {
        Some((self.history.last()?, self.as_it_is(self.updated)))
    }

    fn as_it_is(&self, at: Timestamp) -> Before {
        Before {
            at,
            key: self.key.to_string(),
            summary: self.summary.clone(),
            status: self.status.clone(),
            assignee: self.assignee,
            priority: self.priority,
            sprint: self.sprint,
            comments: self.comments.len(),
            links: self.links.len(),
        }
    }
}
