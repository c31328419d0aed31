//! The routes of the simulated site.

use std::sync::Arc;

use axum::{
    Router,
    body::Bytes,
    extract::{Path, RawQuery, State},
    http::{HeaderMap, StatusCode, Uri, header},
    response::Response,
    routing::{get, post, put},
};
use serde::Deserialize;

use crate::jira::{
    api::{
        agile,
        answers::{html, json_answer, links, no_issue, query_value, read_json},
        create, edits, projects, remote_links,
        shapes::{self, Api},
    },
    credentials::{BASIC, BEARER},
    data::{fields, permissions, viewers},
    people::browse,
    searching::search,
    state::SiteState,
};

/// How many issues one request may name, as in Jira.
const MAX_KEYS: usize = 100;

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct BulkFetchRequest {
    issue_ids_or_keys: Vec<String>,
    fields: Option<Vec<String>>,
    #[serde(default)]
    #[expect(dead_code, reason = "Jira knows it, but it makes no difference to the simulated site")]
    expand: Vec<String>,
    #[serde(default)]
    properties: Vec<String>,
    #[serde(default)]
    #[expect(dead_code, reason = "Jira knows it, but it makes no difference to the simulated site")]
    fields_by_keys: bool,
}

pub(crate) fn router(shared: Arc<SiteState>) -> Router {
    Router::new()
        .merge(both_editions("/rest/api/3"))
        .merge(both_editions("/rest/api/2"))
        .route("/rest/api/3/issue/bulkfetch", post(bulk_fetch))
        .route("/rest/api/3/permissions/check", post(permissions::check))
        .route("/rest/api/3/project/search", get(projects::search))
        .route("/rest/api/3/search/jql", post(search::cloud))
        .route("/rest/api/2/search", post(search::data_center))
        .route("/rest/agile/1.0/epic/{key}/issue", post(agile::add_to_epic))
        .route("/browse/{key}", get(browse_issue))
        .fallback(|| async { html(StatusCode::NOT_FOUND, "<h1>Oops, you've found a dead link.</h1>") })
        .with_state(shared)
}

/// Not nested, because the handlers recognise the edition by the whole path.
fn both_editions(api: &str) -> Router<Arc<SiteState>> {
    let at = |path: &str| format!("{api}/{path}");
    Router::new()
        .route(&at("myself"), get(myself))
        .route(&at("field"), get(fields::list))
        .route(&at("mypermissions"), get(permissions::list))
        .route(&at("project"), get(projects::list))
        .route(&at("project/{key}"), get(projects::get))
        .route(&at("issue"), post(create::issue))
        .route(&at("issue/bulk"), post(create::bulk))
        .route(&at("issue/createmeta/{project}/issuetypes"), get(projects::issue_types))
        .route(&at("issue/createmeta/{project}/issuetypes/{type}"), get(projects::fields))
        .route(&at("issue/{key}"), get(get_issue))
        .route(&at("issue/{key}/properties/{property}"), get(search::property))
        .route(&at("issue/{key}/comment"), post(edits::comment).get(edits::comments))
        .route(&at("issue/{key}/transitions"), post(edits::transition))
        .route(&at("issue/{key}/assignee"), put(edits::assign))
        .route(&at("user/assignable/search"), get(edits::assignable))
        .route(&at("user/search"), get(viewers::accounts))
        .route(&at("user/viewissue/search"), get(viewers::search))
        .route(&at("issue/{key}/remotelink"), get(remote_links::get).post(remote_links::set))
}

/// Jira's refusal of a REST API request without the right credentials.
pub(crate) fn refuse_strangers(api: Option<Api>, headers: &HeaderMap) -> Option<Response> {
    let expected: &[&str] = match api {
        Some(Api::Cloud) => &[BASIC],
        Some(Api::DataCenter) => &[BEARER],
        None => &[BASIC, BEARER],
    };
    if headers.get(header::AUTHORIZATION).is_some_and(|value| expected.iter().any(|right| value == right)) {
        return None;
    }
    let message = "Client must be authenticated to access this resource.";
    Some(json_answer(StatusCode::UNAUTHORIZED, &shapes::errors(message)))
}

async fn myself(State(shared): State<Arc<SiteState>>, uri: Uri) -> Response {
    json_answer(StatusCode::OK, &shapes::account(links(&shared, &uri)))
}

async fn bulk_fetch(
    State(shared): State<Arc<SiteState>>,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let request: BulkFetchRequest = match read_json(&headers, &body) {
        Ok(request) => request,
        Err(fault) => return fault.answer(),
    };
    if request.issue_ids_or_keys.is_empty() || request.issue_ids_or_keys.len() > MAX_KEYS {
        let message = "The request must name between 1 and 100 issues.";
        return json_answer(StatusCode::BAD_REQUEST, &shapes::errors(message));
    }
    let fields = request.fields.unwrap_or_else(|| vec!["*navigable".to_owned()]);
    let links = links(&shared, &uri);
    let site = shared.site();
    let mut issues: Vec<_> = request.issue_ids_or_keys.iter().filter_map(|key| site.find(key)).collect();
    issues.sort_by_key(|issue| issue.id);
    issues.dedup_by_key(|issue| issue.id);
    let shape = |issue| shapes::found_issue(issue, &fields, &request.properties, links);
    json_answer(StatusCode::OK, &shapes::bulk_issues(issues.into_iter().map(shape).collect()))
}

async fn get_issue(
    State(shared): State<Arc<SiteState>>,
    Path(key): Path<String>,
    RawQuery(query): RawQuery,
    uri: Uri,
) -> Response {
    let links = links(&shared, &uri);
    let site = shared.site();
    let Some(issue) = site.find(&key) else { return no_issue(links.api) };
    let mut shape = shapes::issue(issue, &asked_fields(query), links);
    if query_value(&uri, "expand").is_some_and(|expand| expand.split(',').any(|part| part == "transitions")) {
        shape["transitions"] = shapes::transitions(issue, links);
    }
    json_answer(StatusCode::OK, &shape)
}

async fn browse_issue(State(shared): State<Arc<SiteState>>, Path(key): Path<String>) -> Response {
    browse::page(shared.site().find(&key))
}

/// The `fields` in a query. All of them if none are named.
fn asked_fields(query: Option<String>) -> Vec<String> {
    let query = query.unwrap_or_default();
    let fields: Vec<String> = url::form_urlencoded::parse(query.as_bytes())
        .filter(|(name, _)| name == "fields")
        .flat_map(|(_, value)| value.split(',').map(|field| field.trim().to_owned()).collect::<Vec<_>>())
        .collect();
    if fields.is_empty() { vec!["*all".to_owned()] } else { fields }
}
