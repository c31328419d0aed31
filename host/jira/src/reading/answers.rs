//! What Jira says of several issues, one by one.

use std::{
    collections::HashSet,
    sync::{Mutex, MutexGuard, PoisonError},
};

use crate::error::JiraError;
use maro_domain::issue::{Issue, IssueKey};

/// What Jira said of one key; `None` if the issue is missing or not visible.
pub type EachAnswer = Result<Option<Issue>, JiraError>;

/// Is told the answer of each key.
pub type Tell<'a> = &'a (dyn Fn(&IssueKey, EachAnswer) + Sync);

/// How old an answer may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Age {
    /// As of now.
    Current,
    /// As Data Center's index has it, which may be some seconds behind: many keys take one request there.
    Indexed,
}

/// The keys that have no answer yet. The first answer counts.
pub(crate) struct Unanswered<'a> {
    keys: Mutex<HashSet<&'a IssueKey>>,
    tell: Tell<'a>,
}

impl<'a> Unanswered<'a> {
    pub(crate) fn new(keys: &[&'a IssueKey], tell: Tell<'a>) -> Self {
        Self { keys: Mutex::new(keys.iter().copied().collect()), tell }
    }

    pub(crate) fn has(&self, key: &IssueKey) -> bool {
        self.keys().contains(key)
    }

    pub(crate) fn tell(&self, key: &IssueKey, answer: EachAnswer) {
        let is_first = self.keys().remove(key);
        if is_first {
            (self.tell)(key, answer);
        }
    }

    fn keys(&self) -> MutexGuard<'_, HashSet<&'a IssueKey>> {
        self.keys.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The same for somebody else.
pub fn again(answer: &EachAnswer) -> EachAnswer {
    match answer {
        Ok(issue) => Ok(issue.clone()),
        Err(error) => Err(error.again()),
    }
}
