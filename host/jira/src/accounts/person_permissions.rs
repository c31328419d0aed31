//! What one person may do in Jira. Only an account that administers Jira may ask, and only Cloud answers.

use serde::Deserialize;
use serde_json::json;
use tokio::time::Instant;

use crate::{
    accounts::account_by_email::PersonAccount,
    accounts::permissions::{Permission, RawPermissions},
    connection::request::{JiraRequest, RequestKind},
    connection::site::JiraSite,
    creating::projects::get_number,
    error::JiraError,
    wire::parse::parse,
};
use maro_domain::issue::IssueId;

/// Jira's name for the global permission to administer it.
const ADMINISTER: &str = "ADMINISTER";

/// What something is done to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target<'a> {
    Issue(&'a IssueId),
    /// A project, by its key.
    Project(&'a str),
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawGrants {
    #[serde(default)]
    project_permissions: Vec<RawGrant>,
}

#[derive(Deserialize)]
struct RawGrant {
    permission: String,
    #[serde(default)]
    issues: Vec<u64>,
    #[serde(default)]
    projects: Vec<u64>,
}

/// Whether the configured account may ask: whether it administers Jira.
pub(crate) async fn may_ask_for_others(site: &JiraSite, deadline: Instant) -> Result<bool, JiraError> {
    if !site.is_cloud() {
        return Ok(false);
    }
    let mut url = site.url(&["mypermissions"]);
    url.query_pairs_mut().append_pair("permissions", ADMINISTER);
    let body = site.ask(&JiraRequest::get(RequestKind::GetPermissions, url), deadline).await?.found()?;
    let held: RawPermissions = parse(&body, "the permissions")?;
    Ok(held.permissions.get(ADMINISTER).is_some_and(|held| held.have_permission))
}

/// Whether somebody has a permission. `None` if Jira doesn't say so to this account.
pub(crate) async fn person_may(
    site: &JiraSite,
    account: &PersonAccount,
    permission: Permission,
    target: Target<'_>,
    deadline: Instant,
) -> Result<Option<bool>, JiraError> {
    if !site.is_cloud() {
        return Ok(None);
    }
    let Some(id) = number(site, target, deadline).await? else { return Ok(Some(false)) };
    let what = if matches!(target, Target::Issue(_)) { "issues" } else { "projects" };
    let body = json!({
        "accountId": account.id,
        "projectPermissions": [{ "permissions": [permission.key()], what: [id] }],
    });
    let request =
        JiraRequest::post(RequestKind::CheckPermissions, site.url(&["permissions", "check"]), &body);
    let body = match site.ask(&request, deadline).await {
        Ok(answer) => answer.found()?,
        // One refusal may be a proxy's or a mistake: it opens nothing to an account that may ask.
        Err(JiraError::Forbidden { .. }) if !may_ask_for_others(site, deadline).await? => return Ok(None),
        Err(error) => return Err(error),
    };
    let grants: RawGrants = parse(&body, "the permissions")?;
    let covers = |grant: &RawGrant| {
        let granted = if matches!(target, Target::Issue(_)) { &grant.issues } else { &grant.projects };
        grant.permission == permission.key() && granted.contains(&id)
    };
    Ok(Some(grants.project_permissions.iter().any(covers)))
}

/// The number by which Jira checks permissions. `None` if there is no such project or issue.
async fn number(site: &JiraSite, target: Target<'_>, deadline: Instant) -> Result<Option<u64>, JiraError> {
    match target {
        Target::Issue(id) => Ok(id.as_str().parse().ok()),
        Target::Project(key) => get_number(site, key, deadline).await,
    }
}
