//! Tickets that MARO may have created, found by the marks of its intents.
//!
//! Jira's index lags seconds behind its writes, so "not found" never proves here that there is none.

use std::collections::HashMap;

use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;
use tokio::time::Instant;

use crate::{
    connection::{
        request::{JiraRequest, RequestKind},
        site::JiraSite,
        transport::Answer,
    },
    creating::create::INTENT_PROPERTY,
    error::JiraError,
    searching::{
        jql,
        similar::{RawFound, SearchRequest, search},
    },
    wire::{
        parse::{identify, is_project_key, parse},
        refusal::is_jira_error,
    },
};
use maro_domain::ticket::CreatedTicket;
use maro_process::clock::Clock;

pub use crate::searching::jql::Creator;

/// How many tickets one page holds.
const PAGE_SIZE: u32 = 100;

/// How many pages are read to find a ticket that MARO may have created.
const MAX_PAGES: usize = 10;

/// How many requests for a property are open at a time.
const CONCURRENCY: usize = 4;

/// Tickets that MARO created, by their intent ids. Several of one id were created for the same wish.
pub type Found = HashMap<String, Vec<CreatedTicket>>;

#[derive(Deserialize)]
struct RawProperty {
    value: Value,
}

/// Where the next page starts.
#[derive(Default)]
struct Place {
    token: Option<String>,
    start: usize,
}

pub(crate) async fn find_by_intent(
    site: &JiraSite,
    project_key: &str,
    intent_id: &str,
    since: Timestamp,
    deadline: Instant,
) -> Result<Option<CreatedTicket>, JiraError> {
    let intent_ids = [intent_id.to_owned()];
    let mut found = find_by_intents(site, project_key, Creator::Own, &intent_ids, since, deadline).await?;
    Ok(found.remove(intent_id).and_then(|tickets| tickets.into_iter().next()))
}

pub(crate) async fn find_by_intents(
    site: &JiraSite,
    project_key: &str,
    creator: Creator,
    intent_ids: &[String],
    since: Timestamp,
    deadline: Instant,
) -> Result<Found, JiraError> {
    let mut found = Found::new();
    if !is_project_key(project_key) || intent_ids.is_empty() {
        return Ok(found);
    }
    let jql = jql::created_since(project_key, creator, since, Clock::system().now());
    let mut place = Place::default();
    for _ in 0..MAX_PAGES {
        let (issues, next) = created_page(site, &jql, &place, deadline).await?;
        keep(&mut found, intents_of(site, issues, deadline).await?, intent_ids);
        match next {
            Some(next) if found.len() < intent_ids.len() => place = next,
            _ => return Ok(found),
        }
    }
    Err(JiraError::invalid("too many recently created issues to check"))
}

/// Keeps the tickets with one of these marks, the oldest of a mark first.
pub(crate) fn keep(found: &mut Found, intents: Vec<(String, CreatedTicket)>, intent_ids: &[String]) {
    for (intent, ticket) in intents {
        if intent_ids.contains(&intent) {
            let tickets = found.entry(intent).or_default();
            tickets.push(ticket);
            // Ids are numbers that grow.
            tickets.sort_by_key(|ticket| (ticket.id.as_str().len(), ticket.id.as_str().to_owned()));
        }
    }
}

/// A page of created tickets, and where the next page starts if there is one.
async fn created_page(
    site: &JiraSite,
    jql: &str,
    place: &Place,
    deadline: Instant,
) -> Result<(Vec<RawFound>, Option<Place>), JiraError> {
    let is_cloud = site.is_cloud();
    let request = SearchRequest {
        jql,
        fields: &["summary"],
        max_results: PAGE_SIZE,
        properties: is_cloud.then_some([INTENT_PROPERTY]),
        next_page_token: place.token.as_deref(),
        start_at: (!is_cloud).then_some(place.start),
    };
    let page = search(site, RequestKind::SearchByIntent, &request, deadline).await?;
    let next_start = page.next_start(place.start);
    let token = page.next_page_token.filter(|_| !page.issues.is_empty());
    let has_more = token.is_some() || next_start.is_some();
    let next = has_more.then(|| Place { token, start: next_start.unwrap_or_default() });
    Ok((page.issues, next))
}

/// The tickets that carry an intent id, each with that id.
pub(crate) async fn intents_of(
    site: &JiraSite,
    issues: Vec<RawFound>,
    deadline: Instant,
) -> Result<Vec<(String, CreatedTicket)>, JiraError> {
    let tickets: Vec<_> = issues.into_iter().map(|issue| intent_of(site, issue, deadline)).collect();
    let tickets: Vec<_> = stream::iter(tickets).buffered(CONCURRENCY).try_collect().await?;
    Ok(tickets.into_iter().flatten().collect())
}

async fn intent_of(
    site: &JiraSite,
    issue: RawFound,
    deadline: Instant,
) -> Result<Option<(String, CreatedTicket)>, JiraError> {
    let (id, key) = identify(&issue.id, &issue.key)?;
    let property = if site.is_cloud() {
        issue.properties.get(INTENT_PROPERTY).cloned()
    } else {
        // Data Center's search doesn't return properties.
        property(site, key.as_str(), deadline).await?
    };
    let intent = property.as_ref().and_then(intent_in);
    Ok(intent.map(|intent| (intent, CreatedTicket { id, key })))
}

/// The mark of an issue, read from the issue itself and not from the index.
pub(crate) async fn mark_of(
    site: &JiraSite,
    key: &str,
    deadline: Instant,
) -> Result<Option<String>, JiraError> {
    Ok(property(site, key, deadline).await?.as_ref().and_then(intent_in))
}

fn intent_in(property: &Value) -> Option<String> {
    property.get("id").and_then(Value::as_str).map(str::to_owned)
}

async fn property(site: &JiraSite, key: &str, deadline: Instant) -> Result<Option<Value>, JiraError> {
    let url = site.url(&["issue", key, "properties", INTENT_PROPERTY]);
    match site.ask(&JiraRequest::get(RequestKind::GetIntent, url), deadline).await? {
        Answer::NotFound(body) if is_jira_error(&body) => Ok(None),
        answer => Ok(Some(parse::<RawProperty>(&answer.found()?, "the property")?.value)),
    }
}
