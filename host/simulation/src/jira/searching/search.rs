//! Searches the simulated site. As in Jira, the index may lag behind.

use std::sync::Arc;

use axum::{
    body::Bytes,
    extract::{Path, State},
    http::{HeaderMap, StatusCode, Uri},
    response::Response,
};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::jira::{
    api::{
        answers::{json_answer, links, no_issue, read_json},
        shapes,
    },
    data::{issue::SimulatedIssue, site::Site},
    searching::jql,
    state::SiteState,
};

const DEFAULT_PAGE_SIZE: usize = 50;

/// The largest page. Cloud returns this many if few fields are requested, and fewer otherwise.
const MAX_PAGE_SIZE: usize = 100;

/// How many properties one search may request.
const MAX_PROPERTIES: usize = 5;

/// The start of a token for the next page. The position follows.
const TOKEN: &str = "simulated-page-";

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct CloudSearch {
    jql: String,
    #[serde(default)]
    fields: Vec<String>,
    max_results: Option<usize>,
    #[serde(default)]
    properties: Vec<String>,
    next_page_token: Option<String>,
    #[serde(default, rename = "expand")]
    _expand: String,
    #[serde(default, rename = "fieldsByKeys")]
    _fields_by_keys: bool,
    #[serde(default, rename = "reconcileIssues")]
    _reconcile_issues: Vec<u64>,
}

/// Data Center's search doesn't return properties, and refuses requests for them.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct DataCenterSearch {
    jql: String,
    fields: Option<Vec<String>>,
    max_results: Option<usize>,
    #[serde(default)]
    start_at: usize,
    validate_query: Option<bool>,
    #[serde(default, rename = "expand")]
    _expand: Vec<String>,
}

/// `POST /rest/api/3/search/jql`
pub(crate) async fn cloud(
    State(shared): State<Arc<SiteState>>,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let request: CloudSearch = match read_json(&headers, &body) {
        Ok(request) => request,
        Err(fault) => return fault.answer(),
    };
    let start = match request.next_page_token.as_deref().map(place_of) {
        None => 0,
        Some(Some(start)) => start,
        Some(None) => return bad_request("The next page token is invalid."),
    };
    if request.properties.len() > MAX_PROPERTIES {
        return bad_request("At most 5 properties can be requested.");
    }
    let links = links(&shared, &uri);
    let mut site = shared.site();
    let found = match find(&mut site, &request.jql, true) {
        Ok(found) => found,
        Err(message) => return bad_request(&message),
    };
    let size = request.max_results.unwrap_or(DEFAULT_PAGE_SIZE).clamp(1, MAX_PAGE_SIZE);
    let is_id_only = request.fields.is_empty() || request.fields == ["id"];
    let shape = |issue: &&SimulatedIssue| match is_id_only && request.properties.is_empty() {
        true => json!({ "id": issue.id.to_string() }),
        false => shapes::found_issue(issue, &request.fields, &request.properties, links),
    };
    let issues: Vec<Value> = found.iter().skip(start).take(size).map(shape).collect();
    let end = start + issues.len();
    let mut answer = json!({ "issues": issues, "isLast": end >= found.len() });
    if end < found.len() {
        answer["nextPageToken"] = json!(format!("{TOKEN}{end}"));
    }
    json_answer(StatusCode::OK, &answer)
}

/// `POST /rest/api/2/search`
pub(crate) async fn data_center(
    State(shared): State<Arc<SiteState>>,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let request: DataCenterSearch = match read_json(&headers, &body) {
        Ok(request) => request,
        Err(fault) => return fault.answer(),
    };
    let links = links(&shared, &uri);
    let mut site = shared.site();
    let mut warnings = Vec::new();
    let query = match request.validate_query {
        Some(false) => jql::parse_unchecked(&request.jql, &site, &mut warnings),
        _ => jql::parse(&request.jql, &site),
    };
    let query = match query {
        Ok(query) => query,
        Err(message) => return bad_request(&message),
    };
    let found = found(&mut site, &query);
    let size = request.max_results.unwrap_or(DEFAULT_PAGE_SIZE).min(MAX_PAGE_SIZE);
    let fields = request.fields.unwrap_or_else(|| vec!["*navigable".to_owned()]);
    let page = found.iter().skip(request.start_at).take(size);
    let issues: Vec<Value> = page.map(|issue| shapes::issue(issue, &fields, links)).collect();
    let mut answer = json!({
        "expand": "schema,names",
        "startAt": request.start_at,
        "maxResults": size,
        "total": found.len(),
        "issues": issues,
    });
    if !warnings.is_empty() {
        answer["warningMessages"] = json!(warnings);
    }
    json_answer(StatusCode::OK, &answer)
}

/// `GET /rest/api/{2,3}/issue/{key}/properties/{property}`: has no lag, because it doesn't use the index.
pub(crate) async fn property(
    State(shared): State<Arc<SiteState>>,
    Path((key, property)): Path<(String, String)>,
    uri: Uri,
) -> Response {
    let site = shared.site();
    let Some(issue) = site.find(&key) else { return no_issue(links(&shared, &uri).api) };
    match issue.properties.get(&property) {
        Some(value) => json_answer(StatusCode::OK, &json!({ "key": property, "value": value })),
        None => {
            let message = format!("The property with key '{property}' does not exist.");
            json_answer(StatusCode::NOT_FOUND, &shapes::errors(&message))
        }
    }
}

/// The issues in the index that match a query, or what is wrong with the query.
fn find<'a>(
    site: &'a mut Site,
    text: &str,
    must_be_bounded: bool,
) -> Result<Vec<&'a SimulatedIssue>, String> {
    let query = jql::parse(text, site)?;
    if must_be_bounded && !query.is_bounded() {
        return Err("Unbounded JQL queries are not allowed here.".to_owned());
    }
    Ok(found(site, &query))
}

fn found<'a>(site: &'a mut Site, query: &jql::Query) -> Vec<&'a SimulatedIssue> {
    let hidden: Vec<u64> =
        site.issues().filter(|issue| issue.hidden_for.is_some()).map(|issue| issue.id).collect();
    for issue in site.issues_mut() {
        issue.hidden_for = match issue.hidden_for {
            None | Some(0 | 1) => None,
            Some(u32::MAX) => Some(u32::MAX),
            Some(searches) => Some(searches - 1),
        };
    }
    let mut found: Vec<_> =
        site.issues().filter(|issue| !hidden.contains(&issue.id) && query.holds(issue)).collect();
    query.sort(&mut found);
    found
}

fn place_of(token: &str) -> Option<usize> {
    token.strip_prefix(TOKEN)?.parse().ok()
}

fn bad_request(message: &str) -> Response {
    json_answer(StatusCode::BAD_REQUEST, &shapes::errors(message))
}
