//! Assigning issues, and finding people to assign them to.

use serde::Deserialize;
use serde_json::json;
use tokio::time::Instant;

use crate::{
    accounts::people::RawPerson,
    connection::request::{JiraRequest, RequestKind},
    connection::site::JiraSite,
    editing::edit::{EditError, edit_and_look},
    error::JiraError,
    wire::parse::parse,
};
use maro_domain::{issue::IssueKey, issue_details::Person};

/// How many people Jira is asked for. It then leaves out those who can't be assigned.
const MAX_ASKED: &str = "100";

/// How many people are returned.
const MAX_PEOPLE: usize = 20;

#[derive(Deserialize)]
struct RawIssue {
    fields: AssigneeFields,
}

#[derive(Deserialize)]
struct AssigneeFields {
    assignee: Option<RawPerson>,
}

pub(crate) async fn find_assignable(
    site: &JiraSite,
    key: &IssueKey,
    words: &str,
    deadline: Instant,
) -> Result<Option<Vec<Person>>, JiraError> {
    asked_people(site, ("issueKey", key.as_str()), words, deadline).await
}

/// The people to whom new issues of a project can be assigned.
pub(crate) async fn find_assignable_in(
    site: &JiraSite,
    project_key: &str,
    words: &str,
    deadline: Instant,
) -> Result<Option<Vec<Person>>, JiraError> {
    asked_people(site, ("project", project_key), words, deadline).await
}

async fn asked_people(
    site: &JiraSite,
    place: (&str, &str),
    words: &str,
    deadline: Instant,
) -> Result<Option<Vec<Person>>, JiraError> {
    let words = words.trim();
    // Data Center's `username` matches full names too.
    let parameter = if site.is_cloud() { "query" } else { "username" };
    let mut url = site.url(&["user", "assignable", "search"]);
    url.query_pairs_mut().extend_pairs([place, (parameter, words), ("maxResults", MAX_ASKED)]);
    let request = JiraRequest::get(RequestKind::FindAssignable, url);
    let Some(body) = site.find(&request, deadline).await? else { return Ok(None) };
    let raw: Vec<RawPerson> = parse(&body, "the people")?;
    let mut people: Vec<Person> = raw.into_iter().filter_map(RawPerson::person).collect();
    people.sort_by_key(|person| person.name.to_lowercase() != words.to_lowercase());
    people.truncate(MAX_PEOPLE);
    Ok(Some(people))
}

pub(crate) async fn assign(
    site: &JiraSite,
    key: &IssueKey,
    account: Option<&str>,
    deadline: Instant,
) -> Result<(), EditError> {
    let field = if site.is_cloud() { "accountId" } else { "name" };
    let url = site.url(&["issue", key.as_str(), "assignee"]);
    let action = JiraRequest::put(RequestKind::AssignIssue, url, &json!({ field: account }));
    edit_and_look(site, &action, deadline, async || {
        assignee(site, key, deadline).await.is_ok_and(|assignee| assignee.as_deref() == account)
    })
    .await
}

/// The account that an issue is assigned to.
async fn assignee(site: &JiraSite, key: &IssueKey, deadline: Instant) -> Result<Option<String>, JiraError> {
    let mut url = site.url(&["issue", key.as_str()]);
    url.set_query(Some("fields=assignee"));
    let body = site.ask(&JiraRequest::get(RequestKind::GetAssignee, url), deadline).await?.found()?;
    let raw: RawIssue = parse(&body, "the issue")?;
    match raw.fields.assignee {
        None => Ok(None),
        Some(raw) => match raw.person() {
            Some(person) => Ok(Some(person.id)),
            None => Err(JiraError::invalid("an assignee without an account")),
        },
    }
}
