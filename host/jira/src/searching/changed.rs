//! What has changed on the site lately, with no more of it than when: many issues are one page.

use serde::Deserialize;
use tokio::time::Instant;

use crate::{
    connection::request::RequestKind,
    connection::site::JiraSite,
    error::JiraError,
    searching::similar::{SearchRequest, search_request},
    wire::{
        issue::{RawIssue, parse_time},
        page::SearchPage,
        parse::{identify, parse},
    },
};
use maro_domain::issue::Issue;

/// How many issues Jira is asked for at once. It may return fewer.
const PAGE_SIZE: u32 = 1_000;

/// Issues that changed, the latest first.
#[derive(Debug)]
pub struct ChangedPage {
    /// With their ids, keys and times of change alone.
    pub issues: Vec<Issue>,
    pub next: Option<NextPage>,
}

/// Where the next page begins.
#[derive(Debug)]
pub struct NextPage(Place);

#[derive(Debug)]
enum Place {
    Cloud(String),
    DataCenter(usize),
}

#[derive(Deserialize)]
struct ChangedFields {
    updated: Option<String>,
}

pub(crate) async fn changed_since(
    site: &JiraSite,
    minutes: u64,
    from: Option<&NextPage>,
    deadline: Instant,
) -> Result<ChangedPage, JiraError> {
    // Jira would read a time in the account's own zone, and takes whole minutes.
    let jql = format!("updated >= \"-{minutes}m\" ORDER BY updated DESC");
    let (next_page_token, start) = match from {
        Some(NextPage(Place::Cloud(token))) => (Some(token.as_str()), 0),
        Some(NextPage(Place::DataCenter(start))) => (None, *start),
        None => (None, 0),
    };
    let request = SearchRequest {
        jql: &jql,
        fields: &["updated"],
        max_results: PAGE_SIZE,
        properties: None,
        next_page_token,
        start_at: (!site.is_cloud()).then_some(start),
    };
    let body =
        site.ask(&search_request(site, RequestKind::SearchIssues, &request), deadline).await?.found()?;
    let page: SearchPage<RawIssue<ChangedFields>> = parse(&body, "the changed issues")?;
    let next_start = page.next_start(start);
    let next = page.next_page_token.map(Place::Cloud).or(next_start.map(Place::DataCenter));
    let issues = page.issues.into_iter().map(|raw| {
        let (id, key) = identify(&raw.id, &raw.key)?;
        let updated_at = raw.fields.updated.as_deref().and_then(parse_time);
        Ok(Issue { updated_at, ..Issue::new(id, key, "", "") })
    });
    Ok(ChangedPage { issues: issues.collect::<Result<_, JiraError>>()?, next: next.map(NextPage) })
}
