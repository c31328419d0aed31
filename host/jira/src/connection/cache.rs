//! Answers of Jira that may be a minute old: projects, issue types, epic fields.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use tokio::time::Instant;

use crate::creating::project_list::ProjectList;
use maro_domain::{
    screen::ScreenField,
    ticket::{IssueType, Project},
};

/// How long an answer is reused.
const LIFETIME: Duration = Duration::from_secs(60);

/// How many answers of each kind are kept.
const MAX_ENTRIES: usize = 500;

/// What the client remembers.
#[derive(Debug, Default)]
pub(crate) struct Caches {
    /// All of Data Center's projects.
    pub(crate) projects: ProjectList,
    /// What Cloud found, by what was typed.
    pub(crate) found_projects: Cache<Vec<Project>>,
    /// By project key.
    pub(crate) issue_types: Cache<Vec<IssueType>>,
    pub(crate) epic_fields: Cache<EpicFields>,
    /// By project key and the id of an issue type.
    pub(crate) screens: Cache<Vec<ScreenField>>,
}

/// The ids of the fields by which Data Center knows epics. A site may lack them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct EpicFields {
    pub(crate) name: Option<String>,
    pub(crate) link: Option<String>,
    /// In either edition.
    pub(crate) sprint: Option<String>,
}

/// Answers by question.
#[derive(Debug)]
pub(crate) struct Cache<T>(Mutex<HashMap<String, (Instant, T)>>);

impl<T> Default for Cache<T> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<T: Clone> Cache<T> {
    /// The answer, if there is a recent one.
    pub(crate) fn get(&self, key: &str, now: Instant) -> Option<T> {
        let entries = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (since, value) = entries.get(key)?;
        is_young(*since, now).then(|| value.clone())
    }

    pub(crate) fn put(&self, key: &str, value: T, now: Instant) {
        let mut entries = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if entries.len() >= MAX_ENTRIES {
            entries.retain(|_, (since, _)| is_young(*since, now));
        }
        if entries.len() < MAX_ENTRIES {
            entries.insert(key.to_owned(), (now, value));
        }
    }
}

fn is_young(since: Instant, now: Instant) -> bool {
    now.saturating_duration_since(since) < LIFETIME
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_used_again_for_a_minute() {
        let (cache, now) = (Cache::default(), Instant::now());
        cache.put("A", 1, now);
        let last_moment = now + LIFETIME - Duration::from_secs(1);
        assert_eq!((cache.get("A", last_moment), cache.get("B", last_moment)), (Some(1), None));
        assert_eq!(cache.get("A", now + LIFETIME), None);
    }

    #[test]
    fn no_more_answers_are_kept_than_there_is_room_for() {
        let (cache, now) = (Cache::default(), Instant::now());
        for number in 0..=MAX_ENTRIES {
            cache.put(&number.to_string(), number, now);
        }
        assert_eq!((cache.get("0", now), cache.get(&MAX_ENTRIES.to_string(), now)), (Some(0), None));
        cache.put("new", 1, now + LIFETIME);
        assert_eq!(cache.get("new", now + LIFETIME), Some(1));
    }
}
