//! A request to Jira before it is sent: what it is for, and what it says.

use bytes::Bytes;
use reqwest::Method;
use serde::Serialize;
use url::Url;

/// What a request is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum RequestKind {
    AddComment,
    AddRemoteLink,
    AssignIssue,
    CreateIssue,
    /// Several issues in one request.
    CreateIssues,
    FindAssignable,
    GetAccount,
    GetAssignee,
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
    GetTransitions,
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
    /// Whether Jira may receive the request twice without harm.
    pub(super) fn is_repeatable(self) -> bool {
        match self {
            Self::AddComment
            | Self::AssignIssue
            | Self::CreateIssue
            | Self::CreateIssues
            | Self::TakeTransition => false,
            // A link replaces the one with the same global id.
            Self::AddRemoteLink
            | Self::FindAssignable
            | Self::GetAccount
            | Self::GetAssignee
            | Self::GetEpic
            | Self::GetFields
            | Self::GetIntent
            | Self::GetIssue
            | Self::GetIssues
            | Self::GetIssueTypes
            | Self::GetPermissions
            | Self::GetProject
            | Self::GetTransitions
            | Self::SearchByIntent
            | Self::SearchIssues
            | Self::SearchProjects
            | Self::SearchSimilar => true,
        }
    }
}

/// A request to Jira.
#[derive(Debug)]
pub(super) struct JiraRequest {
    pub(super) kind: RequestKind,
    pub(super) method: Method,
    pub(super) url: Url,
    /// JSON.
    pub(super) body: Option<Bytes>,
}

impl JiraRequest {
    pub(super) fn get(kind: RequestKind, url: Url) -> Self {
        Self { kind, method: Method::GET, url, body: None }
    }

    /// A `POST` of `body`, which must be valid as JSON.
    pub(super) fn post(kind: RequestKind, url: Url, body: &impl Serialize) -> Self {
        Self::with_body(kind, Method::POST, url, body)
    }

    /// A `PUT` of `body`, which must be valid as JSON.
    pub(super) fn put(kind: RequestKind, url: Url, body: &impl Serialize) -> Self {
        Self::with_body(kind, Method::PUT, url, body)
    }

    fn with_body(kind: RequestKind, method: Method, url: Url, body: &impl Serialize) -> Self {
        let body = serde_json::to_vec(body).expect("what is sent to Jira is valid JSON");
        Self { kind, method, url, body: Some(body.into()) }
    }
}
