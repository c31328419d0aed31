//! What the simulated site knows: its issues, under their present and former keys.

use std::collections::{BTreeMap, HashMap};

use crate::{
    domain::issue::IssueKey,
    sandbox::jira::seed::{FIRST_NUMBER, ISSUES, PROJECT},
};

/// The id of the first issue, as on a fresh Jira site.
const FIRST_ID: u64 = 10_000;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum IssueType {
    Epic,
    Story,
    Task,
    Bug,
}

#[derive(Debug, Clone)]
pub(super) struct SimulatedIssue {
    pub(super) id: u64,
    pub(super) key: IssueKey,
    pub(super) issue_type: IssueType,
    pub(super) summary: String,
    pub(super) status: String,
}

#[derive(Debug, Default)]
pub(super) struct Site {
    issues: BTreeMap<u64, SimulatedIssue>,
    /// Present and former keys.
    ids: HashMap<IssueKey, u64>,
    issues_ever: u64,
}

impl Site {
    pub(super) fn seeded() -> Self {
        let mut site = Self::default();
        for (number, (issue_type, summary, status)) in (FIRST_NUMBER..).zip(ISSUES) {
            let key =
                IssueKey::parse(&format!("{PROJECT}-{number}")).expect("the seed's keys are well formed");
            site.add(key, issue_type, summary, status);
        }
        site
    }

    /// Adds an issue, or replaces the one that has this key; its id.
    pub(super) fn add(&mut self, key: IssueKey, issue_type: IssueType, summary: &str, status: &str) -> u64 {
        self.delete(&key);
        let id = FIRST_ID + self.issues_ever;
        self.issues_ever += 1;
        self.ids.insert(key.clone(), id);
        let (summary, status) = (summary.to_owned(), status.to_owned());
        self.issues.insert(id, SimulatedIssue { id, key, issue_type, summary, status });
        id
    }

    /// The issue with this id or with this present or former key, in any case of letters.
    pub(super) fn find(&self, id_or_key: &str) -> Option<&SimulatedIssue> {
        self.issues.get(&self.find_id(id_or_key)?)
    }

    pub(super) fn find_mut(&mut self, key: &IssueKey) -> Option<&mut SimulatedIssue> {
        self.issues.get_mut(self.ids.get(key)?)
    }

    /// Gives an issue a new key; the old one goes on leading to it.
    pub(super) fn rename_key(&mut self, from: &IssueKey, to: IssueKey) -> bool {
        let Some(issue) = self.find_mut(from) else { return false };
        issue.key = to.clone();
        let id = issue.id;
        self.ids.insert(to, id);
        true
    }

    pub(super) fn delete(&mut self, key: &IssueKey) -> bool {
        let Some(id) = self.ids.get(key).copied() else { return false };
        self.ids.retain(|_, other| *other != id);
        self.issues.remove(&id).is_some()
    }

    fn find_id(&self, id_or_key: &str) -> Option<u64> {
        match id_or_key.parse::<u64>() {
            Ok(id) => Some(id),
            Err(_) => {
                let key = IssueKey::parse(&id_or_key.to_ascii_uppercase()).ok()?;
                self.ids.get(&key).copied()
            }
        }
    }
}
