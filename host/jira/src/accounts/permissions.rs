//! What the configured account may do in a project.

use std::collections::BTreeMap;

use serde::Deserialize;
use tokio::time::Instant;

use crate::{
    connection::request::{JiraRequest, RequestKind},
    connection::site::JiraSite,
    error::JiraError,
    wire::parse::parse,
};

/// A permission that MARO may need, by Jira's own name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Permission {
    BrowseProjects,
    CreateIssues,
    LinkIssues,
    AddComments,
    TransitionIssues,
    AssignIssues,
}

impl Permission {
    /// What MARO itself needs.
    pub const BOT: [Self; 3] = [Self::BrowseProjects, Self::CreateIssues, Self::LinkIssues];
    /// What plugins that change issues need as well.
    pub const PLUGINS: [Self; 3] = [Self::AddComments, Self::TransitionIssues, Self::AssignIssues];

    /// Jira's key for it.
    pub(crate) fn key(self) -> &'static str {
        match self {
            Self::BrowseProjects => "BROWSE_PROJECTS",
            Self::CreateIssues => "CREATE_ISSUES",
            Self::LinkIssues => "LINK_ISSUES",
            Self::AddComments => "ADD_COMMENTS",
            Self::TransitionIssues => "TRANSITION_ISSUES",
            Self::AssignIssues => "ASSIGN_ISSUES",
        }
    }

    /// What Jira's administration calls it.
    pub fn name(self) -> &'static str {
        match self {
            Self::BrowseProjects => "Browse projects",
            Self::CreateIssues => "Create issues",
            Self::LinkIssues => "Link issues",
            Self::AddComments => "Add comments",
            Self::TransitionIssues => "Transition issues",
            Self::AssignIssues => "Assign issues",
        }
    }
}

#[derive(Deserialize)]
pub(crate) struct RawPermissions {
    pub(crate) permissions: BTreeMap<String, RawPermission>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct RawPermission {
    pub(crate) have_permission: bool,
}

pub(crate) async fn get_missing_permissions(
    site: &JiraSite,
    project_key: &str,
    permissions: &[Permission],
    deadline: Instant,
) -> Result<Vec<Permission>, JiraError> {
    let mut url = site.url(&["mypermissions"]);
    let keys: Vec<_> = permissions.iter().map(|permission| permission.key()).collect();
    let keys = keys.join(",");
    url.query_pairs_mut().append_pair("projectKey", project_key).append_pair("permissions", &keys);
    let body = site.ask(&JiraRequest::get(RequestKind::GetPermissions, url), deadline).await?.found()?;
    let granted: RawPermissions = parse(&body, "the permissions")?;
    let lacks = |permission: &Permission| {
        !granted.permissions.get(permission.key()).is_some_and(|found| found.have_permission)
    };
    Ok(permissions.iter().copied().filter(lacks).collect())
}
