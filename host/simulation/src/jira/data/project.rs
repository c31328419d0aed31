//! The projects that the simulated site has.

use std::collections::BTreeMap;

use crate::jira::data::{
    issue::IssueType,
    seed::{AREAS, PROJECT, TEAMS},
};

/// The project whose issues need a severity.
pub const DEMANDING_PROJECT: &str = "OPS";

/// The project in which the account can't create anything.
pub const READ_ONLY_PROJECT: &str = "AUDIT";

/// The id of the first project.
const FIRST_ID: usize = 10_000;

#[derive(Debug, Clone)]
pub(crate) struct SimulatedProject {
    pub(crate) id: String,
    pub(crate) key: String,
    pub(crate) name: String,
    /// The issue types that can be created, in Jira's order.
    pub(crate) issue_types: &'static [IssueType],
    /// Whether the account can create issues.
    pub(crate) may_create: bool,
    /// Whether its types are its own, as in team-managed projects: named like others', with other ids.
    pub(crate) has_own_types: bool,
}

impl SimulatedProject {
    /// The id that a type has in this project.
    pub(crate) fn type_id(&self, kind: IssueType) -> String {
        let own = if self.has_own_types { self.id.as_str() } else { "" };
        format!("{own}{}", kind.id())
    }
}

/// The three projects with content, and several hundred more, as in a large company.
pub(crate) fn all() -> BTreeMap<String, SimulatedProject> {
    const SCRUM: &[IssueType] =
        &[IssueType::Epic, IssueType::Story, IssueType::Task, IssueType::Bug, IssueType::Subtask];
    const OPERATIONS: &[IssueType] =
        &[IssueType::Task, IssueType::Bug, IssueType::Initiative, IssueType::Epic, IssueType::Subtask];
    const SMALL: &[IssueType] = &[IssueType::Task, IssueType::Story, IssueType::Epic];
    let own = [
        (PROJECT.to_owned(), "Customer portal".to_owned(), SCRUM),
        (DEMANDING_PROJECT.to_owned(), "Operations".to_owned(), OPERATIONS),
        (READ_ONLY_PROJECT.to_owned(), "Audit trail".to_owned(), SMALL),
    ];
    let small = TEAMS.iter().flat_map(|(code, team)| {
        AREAS
            .iter()
            .map(move |(area_code, area)| (format!("{code}{area_code}"), format!("{team} {area}"), SMALL))
    });
    let projects = own.into_iter().chain(small).enumerate().map(|(place, (key, name, issue_types))| {
        let id = (FIRST_ID + place).to_string();
        let may_create = key != READ_ONLY_PROJECT;
        let has_own_types = ![PROJECT, DEMANDING_PROJECT, READ_ONLY_PROJECT].contains(&key.as_str());
        (key.clone(), SimulatedProject { id, key, name, issue_types, may_create, has_own_types })
    });
    projects.collect()
}
