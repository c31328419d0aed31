//! A request to Jira before it is sent: what it is for, and what it says.

use bytes::Bytes;
use reqwest::Method;
use serde::Serialize;
use url::Url;

/// What a request is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum RequestKind {
    AddComment,
    AddRemoteLink,
    /// Several issues in one request.
    AddToEpic,
    AssignIssue,
    /// What somebody may do.
    CheckPermissions,
    CreateIssue,
    /// Several issues in one request.
    CreateIssues,
    FindAccount,
    FindAssignable,
    /// Groups of accounts, by what somebody types.
    FindGroups,
    FindViewers,
    GetAccount,
    GetAssignee,
    /// The boards of a project.
    GetBoards,
    /// The newest ones on an issue.
    GetComments,
    GetEpic,
    /// The ids of custom fields.
    GetFields,
    /// The property that marks an issue as MARO's.
    GetIntent,
    GetIssue,
    /// Several issues in one request.
    GetIssues,
    GetIssueTypes,
    GetPermissions,
    GetProject,
    /// The fields on the screen for new issues of a type.
    GetScreen,
    /// The sprints of a board.
    GetSprints,
    GetTransitions,
    /// What Data Center's own form offers.
    PickProjects,
    /// The search for issues that MARO may have created.
    SearchByIntent,
    /// The search with a plugin's JQL.
    SearchIssues,
    SearchProjects,
    /// The search for issues that resemble a new one.
    SearchSimilar,
    TakeTransition,
}

impl RequestKind {
    /// In the order of the kinds, which are numbers into it.
    pub(crate) const ALL: [Self; 32] = [
        Self::AddComment,
        Self::AddRemoteLink,
        Self::AddToEpic,
        Self::AssignIssue,
        Self::CheckPermissions,
        Self::CreateIssue,
        Self::CreateIssues,
        Self::FindAccount,
        Self::FindAssignable,
        Self::FindGroups,
        Self::FindViewers,
        Self::GetAccount,
        Self::GetAssignee,
        Self::GetBoards,
        Self::GetComments,
        Self::GetEpic,
        Self::GetFields,
        Self::GetIntent,
        Self::GetIssue,
        Self::GetIssues,
        Self::GetIssueTypes,
        Self::GetPermissions,
        Self::GetProject,
        Self::GetScreen,
        Self::GetSprints,
        Self::GetTransitions,
        Self::PickProjects,
        Self::SearchByIntent,
        Self::SearchIssues,
        Self::SearchProjects,
        Self::SearchSimilar,
        Self::TakeTransition,
    ];

    /// The kind's name in logs and metrics.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::AddComment => "add_comment",
            Self::AddRemoteLink => "add_remote_link",
            Self::AddToEpic => "add_to_epic",
            Self::AssignIssue => "assign_issue",
            Self::CheckPermissions => "check_permissions",
            Self::CreateIssue => "create_issue",
            Self::CreateIssues => "create_issues",
            Self::FindAccount => "find_account",
            Self::FindAssignable => "find_assignable",
            Self::FindGroups => "find_groups",
            Self::FindViewers => "find_viewers",
            Self::GetAccount => "get_account",
            Self::GetAssignee => "get_assignee",
            Self::GetBoards => "get_boards",
            Self::GetComments => "get_comments",
            Self::GetEpic => "get_epic",
            Self::GetFields => "get_fields",
            Self::GetIntent => "get_intent",
            Self::GetIssue => "get_issue",
            Self::GetIssues => "get_issues",
            Self::GetIssueTypes => "get_issue_types",
            Self::GetPermissions => "get_permissions",
            Self::GetProject => "get_project",
            Self::GetScreen => "get_screen",
            Self::GetSprints => "get_sprints",
            Self::GetTransitions => "get_transitions",
            Self::PickProjects => "pick_projects",
            Self::SearchByIntent => "search_by_intent",
            Self::SearchIssues => "search_issues",
            Self::SearchProjects => "search_projects",
            Self::SearchSimilar => "search_similar",
            Self::TakeTransition => "take_transition",
        }
    }

    /// The scope of Jira Cloud that a token needs for it.
    pub(crate) fn scope(self) -> &'static str {
        match self {
            Self::AddComment
            | Self::AddRemoteLink
            | Self::AddToEpic
            | Self::AssignIssue
            | Self::CreateIssue
            | Self::CreateIssues
            | Self::TakeTransition => "write:jira-work",
            Self::FindAccount
            | Self::FindAssignable
            | Self::FindGroups
            | Self::FindViewers
            | Self::GetAccount => "read:jira-user",
            Self::GetBoards => "read:board-scope:jira-software",
            Self::GetSprints => "read:sprint:jira-software",
            Self::CheckPermissions
            | Self::GetAssignee
            | Self::GetComments
            | Self::GetEpic
            | Self::GetFields
            | Self::GetIntent
            | Self::GetIssue
            | Self::GetIssues
            | Self::GetIssueTypes
            | Self::GetPermissions
            | Self::GetProject
            | Self::GetScreen
            | Self::GetTransitions
            | Self::PickProjects
            | Self::SearchByIntent
            | Self::SearchIssues
            | Self::SearchProjects
            | Self::SearchSimilar => "read:jira-work",
        }
    }

    /// The largest answer that is read, in bytes: a hundred issues take some 200 KB, a project of a list up to 1 KB.
    pub(crate) fn max_body_bytes(self) -> usize {
        const USUAL: usize = 4 * 1024 * 1024;
        if self == Self::SearchProjects { 8 * USUAL } else { USUAL }
    }

    /// Whether Jira may receive the request twice without harm.
    pub(crate) fn is_repeatable(self) -> bool {
        match self {
            Self::AddComment
            | Self::AssignIssue
            | Self::CreateIssue
            | Self::CreateIssues
            | Self::TakeTransition => false,
            // A link replaces the one with the same global id, and an issue is in an epic only once.
            Self::AddRemoteLink
            | Self::AddToEpic
            | Self::CheckPermissions
            | Self::FindAccount
            | Self::FindAssignable
            | Self::FindGroups
            | Self::FindViewers
            | Self::GetAccount
            | Self::GetAssignee
            | Self::GetBoards
            | Self::GetComments
            | Self::GetEpic
            | Self::GetFields
            | Self::GetIntent
            | Self::GetIssue
            | Self::GetIssues
            | Self::GetIssueTypes
            | Self::GetPermissions
            | Self::GetProject
            | Self::GetScreen
            | Self::GetSprints
            | Self::GetTransitions
            | Self::PickProjects
            | Self::SearchByIntent
            | Self::SearchIssues
            | Self::SearchProjects
            | Self::SearchSimilar => true,
        }
    }
}

/// A request to Jira.
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
    fn the_kinds_are_numbered_in_their_order() {
        assert!(RequestKind::ALL.iter().enumerate().all(|(number, kind)| *kind as usize == number));
    }
}
