//! Finding people of the whole site, whatever they may do.

use serde::Deserialize;
use tokio::time::Instant;

use crate::{
    accounts::people::RawPerson,
    connection::request::{JiraRequest, RequestKind},
    connection::site::JiraSite,
    error::JiraError,
    wire::parse::parse,
};
use maro_domain::issue_details::Person;

/// How many people Jira is asked for, and how many are returned.
const MAX_ASKED: &str = "50";
const MAX_PEOPLE: usize = 20;

/// What Cloud calls the accounts of programs.
const PROGRAM: &str = "app";

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawFound {
    #[serde(flatten)]
    person: RawPerson,
    active: Option<bool>,
    /// Cloud only.
    account_type: Option<String>,
}

pub(crate) async fn find_people(
    site: &JiraSite,
    words: &str,
    deadline: Instant,
) -> Result<Vec<Person>, JiraError> {
    // Data Center's `username` matches full names too.
    let parameter = if site.is_cloud() { "query" } else { "username" };
    let mut url = site.url(&["user", "search"]);
    url.query_pairs_mut().extend_pairs([(parameter, words.trim()), ("maxResults", MAX_ASKED)]);
    let body = site.ask(&JiraRequest::get(RequestKind::FindPeople, url), deadline).await?.found()?;
    let found: Vec<RawFound> = parse(&body, "the people")?;
    let is_at_work =
        |found: &RawFound| found.active != Some(false) && found.account_type.as_deref() != Some(PROGRAM);
    let people = found.into_iter().filter(is_at_work).filter_map(|found| found.person.person());
    Ok(people.take(MAX_PEOPLE).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_has_left_and_programs_are_told_apart() {
        let found: Vec<RawFound> = serde_json::from_str(
            r#"[{"accountId":"1","displayName":"Ada","active":true,"accountType":"atlassian"},
                {"accountId":"2","displayName":"Bot","active":true,"accountType":"app"},
                {"name":"grace","displayName":"Grace","active":false}]"#,
        )
        .unwrap();
        let told = found.iter().map(|found| (found.active, found.account_type.as_deref()));
        let expected = [(Some(true), Some("atlassian")), (Some(true), Some("app")), (Some(false), None)];
        assert!(told.eq(expected));
        let people = found.into_iter().filter_map(|found| found.person.person());
        assert!(people.map(|person| person.id).eq(["1", "2", "grace"]));
    }
}
