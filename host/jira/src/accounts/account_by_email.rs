//! A person's Jira account, found by their email address.
//!
//! This needs the global permission *Browse users and groups*, and no more.

use serde::Deserialize;
use tokio::time::Instant;

use crate::{
    accounts::people::is_account,
    connection::request::{JiraRequest, RequestKind},
    connection::site::JiraSite,
    error::JiraError,
    wire::parse::parse,
};

/// How many people Jira is asked for: addresses that contain another are rare.
pub(crate) const MAX_ASKED: &str = "50";

/// Somebody's account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PersonAccount {
    /// The account's id on Cloud, the user's name on Data Center.
    pub id: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct RawUser {
    /// Cloud only.
    account_id: Option<String>,
    /// Data Center only.
    name: Option<String>,
    /// Left out if the person doesn't let others see it.
    email_address: Option<String>,
}

impl RawUser {
    pub(crate) fn id(self) -> Option<String> {
        self.account_id.or(self.name).filter(|id| is_account(id))
    }
}

/// The only account with this address. `None` if Jira shows none, or several.
pub(crate) async fn find_account(
    site: &JiraSite,
    email: &str,
    deadline: Instant,
) -> Result<Option<PersonAccount>, JiraError> {
    let mut url = site.url(&["user", "search"]);
    let parameter = if site.is_cloud() { "query" } else { "username" };
    url.query_pairs_mut().extend_pairs([(parameter, email), ("maxResults", MAX_ASKED)]);
    let body = site.ask(&JiraRequest::get(RequestKind::FindAccount, url), deadline).await?.found()?;
    Ok(with_address(parse(&body, "the people")?, email))
}

/// The only one of these people with an address. Jira also finds people of whom it doesn't tell their address.
fn with_address(users: Vec<RawUser>, email: &str) -> Option<PersonAccount> {
    let has_address = |user: &RawUser| {
        user.email_address.as_deref().is_some_and(|address| address.eq_ignore_ascii_case(email))
    };
    let mut ids = users.into_iter().filter(has_address).filter_map(RawUser::id);
    match (ids.next(), ids.next()) {
        (Some(id), None) => Some(PersonAccount { id }),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn users(json: &str) -> Vec<RawUser> {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn an_account_has_the_address_itself_and_no_other_has_it() {
        let found = |json: &str| with_address(users(json), "ada@x.example").map(|account| account.id);
        let ada = r#"{"accountId": "1", "emailAddress": "Ada@X.example"}"#;
        assert_eq!(found(&format!("[{ada}, {{\"accountId\": \"2\"}}]")).as_deref(), Some("1"));
        assert_eq!(
            found(r#"[{"accountId": "2"}, {"accountId": "3", "emailAddress": "ada@x.example.org"}]"#),
            None
        );
        assert_eq!(
            found(&format!("[{ada}, {{\"accountId\": \"2\", \"emailAddress\": \"ada@x.example\"}}]")),
            None
        );
    }
}
