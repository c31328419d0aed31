//! A request to Jira before it is sent: what it is for, and what it says.

use bytes::Bytes;
use reqwest::Method;
use serde::Serialize;
use url::Url;

/// The scopes of Jira Cloud that tokens need.
const WORK_READ: &str = "read:jira-work";
const WORK_WRITE: &str = "write:jira-work";
const USER_READ: &str = "read:jira-user";
const BOARD_READ: &str = "read:board-scope:jira-software";
const SPRINT_READ: &str = "read:sprint:jira-software";

/// Whether Jira may receive a request twice without harm.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Repeatable {
    Once,
    Again,
}
use Repeatable::{Again, Once};

/// The kinds, one a row: its name in logs and metrics, the scope of Jira Cloud that a token needs for it, and whether it
/// may be repeated.
macro_rules! request_kinds {
    ($($(#[$doc:meta])* $kind:ident: $name:literal, $scope:expr, $repeatable:expr;)*) => {
        /// What a request is for.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub(crate) enum RequestKind {
            $($(#[$doc])* $kind,)*
        }

        impl RequestKind {
            /// In the order of the kinds, which are numbers into it.
            pub(crate) const ALL: [Self; [$($name),*].len()] = [$(Self::$kind),*];

            /// The kind's name in logs and metrics.
            pub(crate) fn as_str(self) -> &'static str {
                match self {
                    $(Self::$kind => $name,)*
                }
            }

            /// The scope of Jira Cloud that a token needs for it.
            pub(crate) fn scope(self) -> &'static str {
                match self {
                    $(Self::$kind => $scope,)*
                }
            }

            /// Whether Jira may receive the request twice without harm.
            pub(crate) fn is_repeatable(self) -> bool {
                let repeatable = match self {
                    $(Self::$kind => $repeatable,)*
                };
                repeatable == Again
            }
        }
    };
}

request_kinds! {
    AddComment: "add_comment", WORK_WRITE, Once;
    // A link replaces the one with the same global id.
    AddRemoteLink: "add_remote_link", WORK_WRITE, Again;
    /// Several issues in one request.
    // An issue is in an epic only once.
    AddToEpic: "add_to_epic", WORK_WRITE, Again;
    AssignIssue: "assign_issue", WORK_WRITE, Once;
    /// What somebody may do.
    CheckPermissions: "check_permissions", WORK_READ, Again;
    CreateIssue: "create_issue", WORK_WRITE, Once;
    /// Several issues in one request.
    CreateIssues: "create_issues", WORK_WRITE, Once;
    FindAccount: "find_account", USER_READ, Again;
    FindAssignable: "find_assignable", USER_READ, Again;
    /// Groups of accounts, by what somebody types.
    FindGroups: "find_groups", USER_READ, Again;
    /// People of the whole site.
    FindPeople: "find_people", USER_READ, Again;
    FindViewers: "find_viewers", USER_READ, Again;
    GetAccount: "get_account", USER_READ, Again;
    GetAssignee: "get_assignee", WORK_READ, Again;
    /// The boards of a project.
    GetBoards: "get_boards", BOARD_READ, Again;
    /// The newest ones on an issue.
    GetComments: "get_comments", WORK_READ, Again;
    GetEpic: "get_epic", WORK_READ, Again;
    /// The ids of custom fields.
    GetFields: "get_fields", WORK_READ, Again;
    /// The property that marks an issue as MARO's.
    GetIntent: "get_intent", WORK_READ, Again;
    GetIssue: "get_issue", WORK_READ, Again;
    /// Several issues in one request.
    GetIssues: "get_issues", WORK_READ, Again;
    GetIssueTypes: "get_issue_types", WORK_READ, Again;
    GetPermissions: "get_permissions", WORK_READ, Again;
    GetProject: "get_project", WORK_READ, Again;
    /// The fields on the screen for new issues of a type.
    GetScreen: "get_screen", WORK_READ, Again;
    /// The sprints of a board.
    GetSprints: "get_sprints", SPRINT_READ, Again;
    GetTransitions: "get_transitions", WORK_READ, Again;
    /// What Data Center's own form offers.
    PickProjects: "pick_projects", WORK_READ, Again;
    /// The search for issues that MARO may have created.
    SearchByIntent: "search_by_intent", WORK_READ, Again;
    /// The search with a plugin's JQL.
    SearchIssues: "search_issues", WORK_READ, Again;
    SearchProjects: "search_projects", WORK_READ, Again;
    /// The search for issues that resemble a new one.
    SearchSimilar: "search_similar", WORK_READ, Again;
    TakeTransition: "take_transition", WORK_WRITE, Once;
}

impl RequestKind {
    pub(crate) fn changes_jira(self) -> bool {
        self.scope() == WORK_WRITE
    }

    /// The largest answer that is read, in bytes: a hundred issues take some 200 KB, a project of a list up to 1 KB.
    pub(crate) fn max_body_bytes(self) -> usize {
        const USUAL: usize = 4 * 1024 * 1024;
        if self == Self::SearchProjects { 8 * USUAL } else { USUAL }
    }
}

#[derive(Debug)]
pub(crate) struct JiraRequest {
    pub(crate) kind: RequestKind,
    pub(crate) method: Method,
    pub(crate) url: Url,
    /// JSON.
    pub(crate) body: Option<Bytes>,
}

impl JiraRequest {
    pub(crate) fn get(kind: RequestKind, url: Url) -> Self {
        Self { kind, method: Method::GET, url, body: None }
    }

    /// A `POST` of `body`, which must be valid as JSON.
    pub(crate) fn post(kind: RequestKind, url: Url, body: &impl Serialize) -> Self {
        Self::with_body(kind, Method::POST, url, body)
    }

    /// A `PUT` of `body`, which must be valid as JSON.
    pub(crate) fn put(kind: RequestKind, url: Url, body: &impl Serialize) -> Self {
        Self::with_body(kind, Method::PUT, url, body)
    }

    fn with_body(kind: RequestKind, method: Method, url: Url, body: &impl Serialize) -> Self {
        let body = serde_json::to_vec(body).expect("what is sent to Jira is valid JSON");
        Self { kind, method, url, body: Some(body.into()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_changes_something_needs_the_scope_to_write_and_is_asked_once() {
        let once: Vec<_> = RequestKind::ALL.iter().filter(|kind| !kind.is_repeatable()).collect();
        assert!(once.iter().all(|kind| kind.scope() == WORK_WRITE), "{once:?}");
        assert_eq!(once.len(), 5, "{once:?}");
    }
}
