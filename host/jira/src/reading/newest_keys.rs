//! Looks for tickets that MARO may have created and that Jira's index doesn't show yet: under the keys that follow
//! the newest one in the index, read from the issues themselves.

use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use serde::Serialize;
use tokio::time::Instant;

use crate::{
    connection::request::{JiraRequest, RequestKind},
    connection::site::JiraSite,
    creating::create::INTENT_PROPERTY,
    error::JiraError,
    reading::single_issue::get_issue,
    searching::jql,
    searching::{
        intent_marks::{Found, intents_of, keep, mark_of},
        similar::{RawFound, SearchRequest, search},
    },
    wire::{
        page::SearchPage,
        parse::{is_project_key, parse},
    },
};
use maro_domain::{issue::IssueKey, ticket::CreatedTicket};

/// How many keys are tried on Cloud: the most that one request may name.
const KEYS: u64 = 100;

/// How many keys are tried on Data Center, where each takes a request, and how many at a time.
const SINGLE_KEYS: u64 = 20;
const CONCURRENCY: usize = 4;

/// `POST /rest/api/3/issue/bulkfetch`
#[derive(Serialize)]
struct ByKeys<'a> {
    #[serde(rename = "issueIdsOrKeys")]
    keys: &'a [String],
    fields: [&'static str; 1],
    properties: [&'static str; 1],
}

pub(crate) async fn find_newest(
    site: &JiraSite,
    project_key: &str,
    intent_ids: &[String],
    deadline: Instant,
) -> Result<Found, JiraError> {
    let mut found = Found::new();
    if !is_project_key(project_key) || intent_ids.is_empty() {
        return Ok(found);
    }
    let newest = newest_number(site, project_key, deadline).await?;
    let count = if site.is_cloud() { KEYS } else { SINGLE_KEYS };
    let keys: Vec<String> = (1..=count).map(|step| format!("{project_key}-{}", newest + step)).collect();
    let intents = if site.is_cloud() {
        let body = ByKeys { keys: &keys, fields: ["summary"], properties: [INTENT_PROPERTY] };
        let url = site.url(&["issue", "bulkfetch"]);
        let request = JiraRequest::post(RequestKind::SearchByIntent, url, &body);
        // What is missing is left out of the answer.
        let body = site.ask(&request, deadline).await?.found()?;
        intents_of(site, parse::<SearchPage<RawFound>>(&body, "the newest issues")?.issues, deadline).await?
    } else {
        let tickets: Vec<_> = keys.iter().map(|key| marked(site, key, intent_ids, deadline)).collect();
        let tickets: Vec<_> = stream::iter(tickets).buffered(CONCURRENCY).try_collect().await?;
        tickets.into_iter().flatten().collect()
    };
    keep(&mut found, intents, intent_ids);
    Ok(found)
}

/// The number in the newest key that the index shows; 0 if it shows none.
async fn newest_number(site: &JiraSite, project_key: &str, deadline: Instant) -> Result<u64, JiraError> {
    let jql = jql::newest(project_key);
    let request = SearchRequest {
        jql: &jql,
        fields: &["summary"],
        max_results: 1,
        properties: None,
        next_page_token: None,
        start_at: None,
    };
    let page = search(site, RequestKind::SearchByIntent, &request, deadline).await?;
    let number = |issue: &RawFound| issue.key.rsplit_once('-').and_then(|(_, number)| number.parse().ok());
    Ok(page.issues.first().and_then(number).unwrap_or(0))
}

/// The issue with this key, if it has one of these marks.
async fn marked(
    site: &JiraSite,
    key: &str,
    intent_ids: &[String],
    deadline: Instant,
) -> Result<Option<(String, CreatedTicket)>, JiraError> {
    let Some(intent) = mark_of(site, key, deadline).await?.filter(|intent| intent_ids.contains(intent))
    else {
        return Ok(None);
    };
    let key = IssueKey::parse(key).map_err(|_| JiraError::invalid("an invalid key"))?;
    let issue = get_issue(site, &key, deadline).await?;
    Ok(issue.map(|issue| (intent, CreatedTicket { id: issue.id, key: issue.key })))
}
