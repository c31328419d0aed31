//! Groups of accounts, for people to choose from.

use serde::Deserialize;
use tokio::time::Instant;

use crate::{
    connection::cache::LIFETIME,
    connection::request::{JiraRequest, RequestKind},
    connection::site::JiraSite,
    error::JiraError,
    wire::parse::parse,
};
use maro_domain::issue::one_line;

/// How many are offered.
const MAX_GROUPS: &str = "50";

/// The longest name that is offered: what a select of Slack's can hold.
const MAX_NAME_LENGTH: usize = 75;

#[derive(Deserialize)]
struct Found {
    groups: Vec<RawGroup>,
}

#[derive(Deserialize)]
struct RawGroup {
    name: String,
}

/// The names of groups with what somebody `typed` in them.
pub(crate) async fn find_groups(
    site: &JiraSite,
    typed: &str,
    deadline: Instant,
) -> Result<Vec<String>, JiraError> {
    let typed = typed.trim().to_lowercase();
    if let Some(names) = site.caches.groups.get(&typed) {
        return Ok(names);
    }
    let mut url = site.url(&["groups", "picker"]);
    url.query_pairs_mut().extend_pairs([("query", typed.as_str()), ("maxResults", MAX_GROUPS)]);
    let request = JiraRequest::get(RequestKind::FindGroups, url);
    let Some(body) = site.find(&request, deadline).await? else { return Ok(Vec::new()) };
    let found: Found = parse(&body, "the groups")?;
    let names = found.groups.into_iter().map(|group| group.name);
    let names: Vec<String> =
        names.filter(|name| !name.is_empty() && *name == one_line(name, MAX_NAME_LENGTH)).collect();
    site.caches.groups.put(typed, names.clone(), LIFETIME);
    Ok(names)
}
