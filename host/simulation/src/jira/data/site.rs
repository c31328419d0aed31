//! The data of the simulated site: its projects, and its issues with their current and former keys.

use std::collections::{BTreeMap, HashMap};

use jiff::{SignedDuration, Timestamp};
use tokio::sync::watch;

use crate::jira::data::{
    issue::{IssueType, SimulatedIssue},
    project::{self, SimulatedProject},
    seed::{ASSIGNEES, FIRST_NUMBER, ISSUES, PROJECT},
};
use maro_domain::issue::IssueKey;
use maro_process::clock::Clock;

/// The id of the first issue, as on a new Jira site.
const FIRST_ID: u64 = 10_000;

/// The age of the issues that the site starts with.
const SEED_AGE: SignedDuration = SignedDuration::from_hours(30 * 24);

#[derive(Debug)]
pub(crate) struct Site {
    projects: BTreeMap<String, SimulatedProject>,
    issues: BTreeMap<u64, SimulatedIssue>,
    /// Current and former keys.
    ids: HashMap<IssueKey, u64>,
    issues_ever: u64,
    changes: u64,
    /// Notified of each change.
    watched: watch::Sender<u64>,
    clock: Clock,
    /// The security level of new issues.
    pub(crate) default_level: Option<&'static str>,
    /// How many searches don't find a new issue. `None` if all find it.
    pub(crate) search_lag: Option<u32>,
    /// Whether searches find what moves under its former project.
    pub(crate) moves_lag: bool,
    /// Parts of summaries that are refused, each with the reason.
    pub(crate) refusals: Vec<(String, String)>,
    /// Whether the screens of new issues have a description.
    pub(crate) has_descriptions: bool,
    /// Whether they have a field for the epic.
    pub(crate) has_epic_links: bool,
    pub(crate) may_name_reporters: bool,
    /// Whom the site hides an issue or a project from.
    pub(crate) hidden: Vec<(&'static str, String)>,
    pub(crate) may_look_up_people: bool,
    /// Whether the account administers the site.
    pub(crate) is_administered: bool,
    /// Who lacks which permission.
    pub(crate) lacking: Vec<(&'static str, &'static str)>,
}

impl Site {
    pub(crate) fn seeded(watched: watch::Sender<u64>) -> Self {
        let mut site = Self {
            projects: project::all(),
            issues: BTreeMap::new(),
            ids: HashMap::new(),
            issues_ever: 0,
            changes: 0,
            watched,
            clock: Clock::system(),
            default_level: None,
            search_lag: None,
            moves_lag: false,
            refusals: Vec::new(),
            has_descriptions: true,
            has_epic_links: true,
            may_name_reporters: true,
            hidden: Vec::new(),
            may_look_up_people: true,
            is_administered: false,
            lacking: Vec::new(),
        };
        for (number, (issue_type, summary, status)) in (FIRST_NUMBER..).zip(ISSUES) {
            let key =
                IssueKey::parse(&format!("{PROJECT}-{number}")).expect("the seed's keys are well-formed");
            let id = site.add(key, issue_type, summary, status);
            let assignee = ASSIGNEES[usize::try_from(number).unwrap_or_default() % ASSIGNEES.len()];
            if let Some(issue) = site.issues.get_mut(&id) {
                issue.assignee = assignee;
            }
        }
        site
    }

    /// Adds an issue, or replaces the one with this key. Returns its id.
    pub(crate) fn add(&mut self, key: IssueKey, issue_type: IssueType, summary: &str, status: &str) -> u64 {
        self.delete(&key);
        let id = FIRST_ID + self.issues_ever;
        self.issues_ever += 1;
        self.note_change();
        self.ids.insert(key.clone(), id);
        let created = self.clock.now() - SEED_AGE;
        let project = self.projects.get(key.project_key());
        let type_id =
            project.map_or_else(|| issue_type.id().to_owned(), |project| project.type_id(issue_type));
        let issue = SimulatedIssue {
            id,
            key,
            issue_type,
            type_id,
            summary: summary.to_owned(),
            status: status.to_owned(),
            assignee: None,
            description: None,
            parent: None,
            properties: BTreeMap::new(),
            links: Vec::new(),
            security_level: None,
            comments: Vec::new(),
            comment_authors: Vec::new(),
            restricted_comments: Vec::new(),
            priority: "Medium",
            sprint: None,
            is_own: false,
            created,
            updated: created,
            changed: self.changes,
            history: Vec::new(),
            hidden_for: None,
            indexed_as: None,
        };
        self.issues.insert(id, issue);
        id
    }

    /// Adds an issue created by the REST API's account, with the next key of a project.
    pub(crate) fn create(
        &mut self,
        project: &str,
        issue_type: IssueType,
        summary: &str,
    ) -> &mut SimulatedIssue {
        let id = self.add(self.next_key(project), issue_type, summary, "To Do");
        let (created, hidden_for, level) = (self.clock.now(), self.search_lag, self.default_level);
        let issue = self.issues.get_mut(&id).expect("it has just been added");
        issue.created = created;
        issue.updated = created;
        issue.is_own = true;
        issue.hidden_for = hidden_for;
        issue.security_level = level;
        issue
    }

    pub(crate) fn project(&self, id_or_key: &str) -> Option<&SimulatedProject> {
        self.projects
            .get(&id_or_key.to_ascii_uppercase())
            .or_else(|| self.projects.values().find(|project| project.id == id_or_key))
    }

    /// Finds a project by key.
    pub(crate) fn projects(&self) -> impl Iterator<Item = &SimulatedProject> {
        self.projects.values()
    }

    /// All issues by id, which means oldest first.
    pub(crate) fn issues(&self) -> impl Iterator<Item = &SimulatedIssue> {
        self.issues.values()
    }

    pub(crate) fn issues_mut(&mut self) -> impl Iterator<Item = &mut SimulatedIssue> {
        self.issues.values_mut()
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// The issue with this id, or with this current or former key, ignoring case.
    pub(crate) fn find(&self, id_or_key: &str) -> Option<&SimulatedIssue> {
        self.issues.get(&self.find_id(id_or_key)?)
    }

    /// As [`Site::find`], but mutable.
    pub(crate) fn find_to_change(&mut self, id_or_key: &str) -> Option<&mut SimulatedIssue> {
        let id = self.find_id(id_or_key)?;
        self.note_change();
        let (now, changes) = (self.clock.now(), self.changes);
        let issue = self.issues.get_mut(&id)?;
        issue.note_change(now);
        (issue.updated, issue.changed) = (now, changes);
        Some(issue)
    }

    /// Gives an issue a new key. The old key still leads to it.
    pub(crate) fn rename_key(&mut self, from: &IssueKey, to: IssueKey) -> bool {
        let lags = self.moves_lag;
        let Some(issue) = self.find_to_change(from.as_str()) else { return false };
        let former = std::mem::replace(&mut issue.key, to.clone());
        if lags {
            issue.indexed_as.get_or_insert(former);
        }
        let id = issue.id;
        self.ids.insert(to, id);
        true
    }

    pub(crate) fn delete(&mut self, key: &IssueKey) -> bool {
        let Some(id) = self.ids.get(key).copied() else { return false };
        self.ids.retain(|_, other| *other != id);
        self.note_change();
        self.issues.remove(&id).is_some()
    }

    /// The key for the next issue of a project.
    pub(crate) fn next_key(&self, project: &str) -> IssueKey {
        let prefix = format!("{project}-");
        let number_of = |key: &IssueKey| key.as_str().strip_prefix(&prefix)?.parse::<u64>().ok();
        let number = self.ids.keys().filter_map(number_of).max().unwrap_or(0) + 1;
        IssueKey::parse(&format!("{prefix}{number}")).expect("the projects' keys are well-formed")
    }

    /// The change is complete when listeners look at it: until then, the site is locked.
    fn note_change(&mut self) {
        self.changes += 1;
        self.watched.send_modify(|count| *count += 1);
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
