//! Whether a person can view an issue or a project in Jira.
//!
//! This needs the global permission *Browse users and groups*, and no more.

use tokio::time::Instant;

use crate::{
    accounts::account_by_email::{MAX_ASKED, PersonAccount, RawUser},
    connection::request::{JiraRequest, RequestKind},
    connection::site::JiraSite,
    error::JiraError,
    wire::parse::parse,
};

/// What somebody may view.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Viewed<'a> {
    /// One issue, by its key.
    Issue(&'a str),
    /// Any issue of a project, by its key.
    Project(&'a str),
}

pub(crate) async fn can_view(
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
    Ok(has_account(parse(&body, "the people")?, account))
}

/// Whether an account is among these: Jira takes what it's asked for as the beginning of a name.
fn has_account(users: Vec<RawUser>, account: &PersonAccount) -> bool {
    users.into_iter().filter_map(RawUser::id).any(|id| id == account.id)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn users(json: &str) -> Vec<RawUser> {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn nobody_sees_with_the_eyes_of_a_namesake() {
        let ada = PersonAccount { id: "ada".to_owned() };
        assert!(has_account(users(r#"[{"name": "adam"}, {"name": "ada"}]"#), &ada));
        assert!(!has_account(users(r#"[{"name": "adam"}, {"accountId": "ada-2"}]"#), &ada));
        assert!(!has_account(users("[]"), &ada));
    }
}
