//! The fields that a query can compare, and the values that the simulated issues have.

use crate::jira::data::{accounts, issue::SimulatedIssue};

/// What queries call the REST API's only account.
pub(super) const OWN_ACCOUNT: &str = "maro";

/// The default priority. Nobody sets another.
const PRIORITY: &str = "Medium";

const PRIORITIES: [&str; 5] = ["Highest", "High", PRIORITY, "Low", "Lowest"];

const RESOLUTIONS: [&str; 5] = ["Done", "Won't Do", "Duplicate", "Cannot Reproduce", "Declined"];

/// A field that is compared for equality.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Field {
    Project,
    Key,
    IssueType,
    Status,
    StatusCategory,
    Resolution,
    Priority,
    Labels,
    Parent,
    Assignee,
    /// Also the reporter.
    Creator,
}

/// How a field is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Values(Field),
    /// Text search. Only the summary is searched.
    Text,
    Created,
    Updated,
}

/// All known fields, for use in a sentence.
pub(super) const KNOWN: &str = "assignee, created, creator, issuetype, key, labels, parent, priority, project, \
                                reporter, resolution, status, statusCategory, summary, text, updated";

/// The field with this name, ignoring case.
pub(super) fn named(name: &str) -> Option<Kind> {
    Some(match name.to_ascii_lowercase().as_str() {
        "project" => Kind::Values(Field::Project),
        "key" | "issuekey" | "issue" => Kind::Values(Field::Key),
        "issuetype" | "type" => Kind::Values(Field::IssueType),
        "status" => Kind::Values(Field::Status),
        "statuscategory" => Kind::Values(Field::StatusCategory),
        "resolution" => Kind::Values(Field::Resolution),
        "priority" => Kind::Values(Field::Priority),
        "labels" => Kind::Values(Field::Labels),
        "parent" => Kind::Values(Field::Parent),
        "assignee" => Kind::Values(Field::Assignee),
        "creator" | "reporter" => Kind::Values(Field::Creator),
        "summary" | "text" => Kind::Text,
        "created" | "createddate" => Kind::Created,
        "updated" | "updateddate" => Kind::Updated,
        _ => return None,
    })
}

impl Field {
    /// Whether such a value exists. Always true for fields without a list of values.
    pub(super) fn has(self, value: &str) -> bool {
        let is_among = |values: &[&str]| values.iter().any(|known| known.eq_ignore_ascii_case(value));
        match self {
            Self::Priority => is_among(&PRIORITIES),
            Self::Resolution => is_among(&RESOLUTIONS),
            Self::Creator => value == OWN_ACCOUNT,
            _ => true,
        }
    }

    /// An issue's value in this field: nothing, or all the names of the value.
    pub(super) fn values(self, issue: &SimulatedIssue) -> Vec<String> {
        let is_done = issue.status == "Done";
        match self {
            Self::Project => {
                vec![issue.indexed_as.as_ref().unwrap_or(&issue.key).project_key().to_owned()]
            }
            Self::Key => vec![issue.key.to_string()],
            Self::IssueType => vec![issue.issue_type.name().to_owned(), issue.type_id.clone()],
            Self::Status => vec![issue.status.clone()],
            Self::StatusCategory => vec![category(&issue.status).to_owned()],
            Self::Resolution => is_done.then(|| RESOLUTIONS[0].to_owned()).into_iter().collect(),
            Self::Priority => vec![PRIORITY.to_owned()],
            Self::Labels => Vec::new(),
            Self::Parent => issue.parent.iter().map(ToString::to_string).collect(),
            Self::Assignee => {
                issue.assignee.iter().flat_map(|name| [(*name).to_owned(), accounts::id(name)]).collect()
            }
            Self::Creator => vec![if issue.is_own { OWN_ACCOUNT } else { "somebody else" }.to_owned()],
        }
    }
}

fn category(status: &str) -> &'static str {
    match status {
        "Done" => "Done",
        "In Progress" | "In Review" => "In Progress",
        _ => "To Do",
    }
}
