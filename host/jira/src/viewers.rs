//! What one person may see in Jira: their account, found by their e-mail address, and whether it can view an issue.
//!
//! Both need the global permission *Browse users and groups*, and no more.

use serde::Deserialize;
use tokio::time::Instant;

use crate::{
    error::JiraError,
    people::is_account,
    request::{JiraRequest, RequestKind},
    site::JiraSite,
    wire::parse::parse,
};

/// How many people Jira is asked for: addresses that contain another are rare.
const MAX_ASKED: &str = "50";

/// Somebody's account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PersonAccount {
    /// The account's id on Cloud, the user's name on Data Center.
    pub id: String,
}

/// What somebody may view.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Viewed<'a> {
    /// One issue, by its key.
    Issue(&'a str),
    /// Any issue of a project, by its key.
    Project(&'a str),
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawUser {
    /// Cloud only.
    account_id: Option<String>,
    /// Data Center only.
    name: Option<String>,
    /// Left out if the person doesn't let others see it.
    email_address: Option<String>,
}

impl RawUser {
    fn id(self) -> Option<String> {
        self.account_id.or(self.name).filter(|id| is_account(id))
    }
}

/// The only account with this address. `None` if Jira shows none, or several.
pub(super) async fn find_account(
    site: &JiraSite,
    email: &str,
    deadline: Instant,
) -> Result<Option<PersonAccount>, JiraError> {
    let mut url = site.url(&["user", "search"]);
    let parameter = if site.is_cloud() { "query" } else { "username" };
    url.query_pairs_mut().extend_pairs([(parameter, email), ("maxResults", MAX_ASKED)]);
    let body = site.ask(&JiraRequest::get(RequestKind::FindAccount, url), deadline).await?.found()?;
    let users: Vec<RawUser> = parse(&body, "the people")?;
    let has_address = |user: &RawUser| {
        user.email_address.as_deref().is_some_and(|address| address.eq_ignore_ascii_case(email))
    };
    let mut ids = users.into_iter().filter(has_address).filter_map(RawUser::id);
    Ok(match (ids.next(), ids.next()) {
        (Some(id), None) => Some(PersonAccount { id }),
        _ => None,
    })
}

pub(super) async fn can_view(
    site: &JiraSite,
    account: &PersonAccount,
    viewed: Viewed<'_>,
    deadline: Instant,
) -> Result<bool, JiraError> {
    let mut url = site.url(&["user", "viewissue", "search"]);
    let parameter = if site.is_cloud() { "accountId" } else { "username" };
    let place = match viewed {
        Viewed::Issue(key) => ("issueKey", key),
        Viewed::Project(key) => ("projectKey", key),
    };
    url.query_pairs_mut().extend_pairs([(parameter, account.id.as_str()), place, ("maxResults", MAX_ASKED)]);
    // Of an issue or a project that there isn't, Jira says so.
    let Some(body) = site.find(&JiraRequest::get(RequestKind::FindViewers, url), deadline).await? else {
        return Ok(false);
    };
    let users: Vec<RawUser> = parse(&body, "the people")?;
    Ok(users.into_iter().filter_map(RawUser::id).any(|id| id == account.id))
}
