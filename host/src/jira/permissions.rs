//! What the configured account may do in a project.

use std::collections::BTreeMap;

use serde::Deserialize;
use tokio::time::Instant;

use crate::jira::{client::JiraClient, error::JiraError, model::parse, transport::Question};

/// A permission that MARO needs, under Jira's own name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Permission {
    BrowseProjects,
    CreateIssues,
    LinkIssues,
}

impl Permission {
    pub const ALL: [Self; 3] = [Self::BrowseProjects, Self::CreateIssues, Self::LinkIssues];

    /// Jira's key of it.
    fn key(self) -> &'static str {
        match self {
            Self::BrowseProjects => "BROWSE_PROJECTS",
            Self::CreateIssues => "CREATE_ISSUES",
            Self::LinkIssues => "LINK_ISSUES",
        }
    }

    /// What Jira's administration calls it.
    pub fn name(self) -> &'static str {
        match self {
            Self::BrowseProjects => "Browse projects",
            Self::CreateIssues => "Create issues",
            Self::LinkIssues => "Link issues",
        }
    }
}

#[derive(Deserialize)]
struct RawPermissions {
    permissions: BTreeMap<String, RawPermission>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawPermission {
    have_permission: bool,
}

impl JiraClient {
    /// Which of [`Permission::ALL`] the account lacks in a project.
    ///
    /// # Errors
    /// Any [`JiraError`], at `deadline` at the latest.
    pub async fn get_missing_permissions(
        &self,
        project_key: &str,
        deadline: Instant,
    ) -> Result<Vec<Permission>, JiraError> {
        let mut url = self.url(&["mypermissions"]);
        let keys = Permission::ALL.map(Permission::key).join(",");
        url.query_pairs_mut().append_pair("projectKey", project_key).append_pair("permissions", &keys);
        self.before(deadline, async {
            let body = self.ask(&Question::get(url), deadline).await?.found()?;
            let granted: RawPermissions = parse(&body, "the permissions")?;
            let lacks = |permission: &Permission| {
                !granted.permissions.get(permission.key()).is_some_and(|granted| granted.have_permission)
            };
            Ok(Permission::ALL.into_iter().filter(lacks).collect())
        })
        .await
    }
}
