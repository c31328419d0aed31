//! Answers of Jira that may be a minute old: what people choose from when they create issues.

use std::time::Duration;

use crate::creating::project_list::ProjectList;
use maro_domain::{
    screen::{ScreenField, Sprint},
    ticket::{IssueType, Project},
};
use maro_process::ttl_cache::Remembered;

/// How long an answer is reused.
pub(crate) const LIFETIME: Duration = Duration::from_secs(60);

/// How many answers of each kind are kept.
const MAX_ENTRIES: usize = 500;

/// What the client remembers.
#[derive(Debug)]
pub(crate) struct Caches {
    /// All of Data Center's projects.
    pub(crate) projects: ProjectList,
    /// What Cloud found, by what was typed.
    pub(crate) found_projects: Remembered<String, Vec<Project>>,
    /// By project key.
    pub(crate) issue_types: Remembered<String, Vec<IssueType>>,
    pub(crate) epic_fields: Remembered<(), EpicFields>,
    /// By project key and the id of an issue type.
    pub(crate) screens: Remembered<String, Vec<ScreenField>>,
    /// By project key.
    pub(crate) sprints: Remembered<String, Vec<Sprint>>,
    /// The names of groups, by what was typed.
    pub(crate) groups: Remembered<String, Vec<String>>,
}

impl Default for Caches {
    fn default() -> Self {
        Self {
            projects: ProjectList::default(),
            found_projects: Remembered::at_most(MAX_ENTRIES),
            issue_types: Remembered::at_most(MAX_ENTRIES),
            epic_fields: Remembered::at_most(1),
            screens: Remembered::at_most(MAX_ENTRIES),
            sprints: Remembered::at_most(MAX_ENTRIES),
            groups: Remembered::at_most(MAX_ENTRIES),
        }
    }
}

/// The ids of the fields by which Data Center knows epics. A site may lack them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct EpicFields {
    pub(crate) name: Option<String>,
    pub(crate) link: Option<String>,
    /// In either edition.
    pub(crate) sprint: Option<String>,
}
