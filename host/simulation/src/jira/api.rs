//! The routes of the simulated site.

use std::sync::Arc;

use axum::{
    RequestExt as _, RequestPartsExt as _, Router,
    body::{Body, Bytes},
    extract::{FromRequest, Path, RawQuery, Request, State},
    http::{HeaderMap, HeaderValue, Response, StatusCode, Uri, header},
    response::IntoResponse,
    routing::{get, post, put},
};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::Value;

use crate::jira::{
    browse, create, edits, fields, permissions, projects, remote_links, search,
    server::{BASIC, BEARER, Shared},
    shapes::{self, Api, Links},
    site::SimulatedIssue,
};

/// How many issues one request may name, as in Jira.
const MAX_KEYS: usize = 100;

type Answer = Response<Body>;

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct BulkFetchRequest {
    issue_ids_or_keys: Vec<String>,
    fields: Option<Vec<String>>,
    #[serde(default)]
    #[expect(dead_code, reason = "Jira knows it, but it makes no difference to the simulated site")]
    expand: Vec<String>,
    #[serde(default)]
    #[expect(dead_code, reason = "Jira knows it, but it makes no difference to the simulated site")]
    properties: Vec<String>,
    #[serde(default)]
    #[expect(dead_code, reason = "Jira knows it, but it makes no difference to the simulated site")]
    fields_by_keys: bool,
}

/// A parsed request to change an existing issue.
pub(super) struct ChangeRequest<T> {
    shared: Arc<Shared>,
    uri: Uri,
    key: String,
    asked: T,
}

impl<T: DeserializeOwned> FromRequest<Arc<Shared>> for ChangeRequest<T> {
    type Rejection = Answer;

    async fn from_request(request: Request, shared: &Arc<Shared>) -> Result<Self, Answer> {
        let (mut parts, body) = request.into_parts();
        let key = parts.extract::<Path<String>>().await.map_err(IntoResponse::into_response)?;
        let (headers, uri) = (parts.headers.clone(), parts.uri.clone());
        let body = Request::from_parts(parts, body).extract::<Bytes, _>().await;
        let asked =
            read_json(&headers, &body.map_err(IntoResponse::into_response)?).map_err(BadBody::answer)?;
        let request = Self { shared: Arc::clone(shared), uri, key: key.0, asked };
        match shared.site().find(&request.key) {
            Some(_) => Ok(request),
            None => Err(no_issue(request.links().api)),
        }
    }
}

impl<T> ChangeRequest<T> {
    fn links(&self) -> Links<'_> {
        links(&self.shared, &self.uri)
    }

    /// Changes the issue. `change` receives what the request asks for.
    pub(super) fn perform(self, change: impl FnOnce(&mut SimulatedIssue, T, Links<'_>) -> Answer) -> Answer {
        let links = links(&self.shared, &self.uri);
        match self.shared.site().find_to_change(&self.key) {
            Some(issue) => change(issue, self.asked, links),
            None => no_issue(links.api),
        }
    }
}

/// Why the body of a request can't be used.
pub(super) enum BadBody {
    /// Its header doesn't say that it is JSON.
    Type,
    /// It isn't JSON of the right shape.
    Shape,
}

pub(super) fn router(shared: Arc<Shared>) -> Router {
    Router::new()
        .merge(both_editions("/rest/api/3"))
        .merge(both_editions("/rest/api/2"))
        .route("/rest/api/3/issue/bulkfetch", post(bulk_fetch))
        .route("/rest/api/3/project/search", get(projects::search))
        .route("/rest/api/3/search/jql", post(search::cloud))
        .route("/rest/api/2/search", post(search::data_center))
        .route("/browse/{key}", get(browse_issue))
        .fallback(|| async { html(StatusCode::NOT_FOUND, "<h1>Oops, you've found a dead link.</h1>") })
        .with_state(shared)
}

/// Not nested, because the handlers recognise the edition by the whole path.
fn both_editions(api: &str) -> Router<Arc<Shared>> {
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
        .route(&at("issue/{key}/comment"), post(edits::comment))
        .route(&at("issue/{key}/transitions"), post(edits::transition))
        .route(&at("issue/{key}/assignee"), put(edits::assign))
        .route(&at("user/assignable/search"), get(edits::assignable))
        .route(&at("issue/{key}/remotelink"), get(remote_links::get).post(remote_links::set))
}

/// Jira's refusal of a REST API request without the right credentials.
pub(super) fn refuse_strangers(api: Api, headers: &HeaderMap) -> Option<Answer> {
    let expected = match api {
        Api::Cloud => BASIC,
        Api::DataCenter => BEARER,
    };
    if headers.get(header::AUTHORIZATION).is_some_and(|value| value == expected) {
        return None;
    }
    let message = "Client must be authenticated to access this resource.";
    Some(json_answer(StatusCode::UNAUTHORIZED, &shapes::errors(message)))
}

pub(super) fn json_answer(status: StatusCode, value: &Value) -> Answer {
    answer(status, "application/json;charset=UTF-8", value.to_string())
}

pub(super) fn html(status: StatusCode, page: &str) -> Answer {
    answer(status, "text/html;charset=UTF-8", page.to_owned())
}

fn answer(status: StatusCode, content_type: &'static str, body: String) -> Answer {
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}

async fn myself(State(shared): State<Arc<Shared>>, uri: Uri) -> Answer {
    json_answer(StatusCode::OK, &shapes::account(links(&shared, &uri)))
}

async fn bulk_fetch(State(shared): State<Arc<Shared>>, uri: Uri, headers: HeaderMap, body: Bytes) -> Answer {
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
    let issues = issues.into_iter().map(|issue| shapes::issue(issue, &fields, links)).collect();
    json_answer(StatusCode::OK, &shapes::bulk_issues(issues))
}

async fn get_issue(
    State(shared): State<Arc<Shared>>,
    Path(key): Path<String>,
    RawQuery(query): RawQuery,
    uri: Uri,
) -> Answer {
    let links = links(&shared, &uri);
    let site = shared.site();
    let Some(issue) = site.find(&key) else { return no_issue(links.api) };
    let mut shape = shapes::issue(issue, &asked_fields(query), links);
    if query_value(&uri, "expand").is_some_and(|expand| expand.split(',').any(|part| part == "transitions")) {
        shape["transitions"] = shapes::transitions(issue, links);
    }
    json_answer(StatusCode::OK, &shape)
}

/// There is no such issue, or it isn't visible.
pub(super) fn no_issue(api: Api) -> Answer {
    let message = match api {
        Api::Cloud => "Issue does not exist or you do not have permission to see it.",
        Api::DataCenter => "Issue Does Not Exist",
    };
    json_answer(StatusCode::NOT_FOUND, &shapes::errors(message))
}

/// The body of a request, if it is JSON of this shape.
pub(super) fn read_json<T: DeserializeOwned>(headers: &HeaderMap, body: &Bytes) -> Result<T, BadBody> {
    let content_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    if !content_type.is_some_and(|value| value.starts_with("application/json")) {
        return Err(BadBody::Type);
    }
    serde_json::from_slice(body).map_err(|_| BadBody::Shape)
}

impl BadBody {
    /// Jira's refusal.
    pub(super) fn answer(self) -> Answer {
        let (status, message) = match self {
            Self::Type => (StatusCode::UNSUPPORTED_MEDIA_TYPE, "Unsupported Media Type"),
            Self::Shape => (
                StatusCode::BAD_REQUEST,
                "Invalid request payload. Refer to the REST API documentation and try again.",
            ),
        };
        json_answer(status, &shapes::errors(message))
    }
}

/// The first value of a query parameter.
pub(super) fn query_value(uri: &Uri, name: &str) -> Option<String> {
    url::form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes())
        .find(|(other, _)| other == name)
        .map(|(_, value)| value.into_owned())
}

async fn browse_issue(State(shared): State<Arc<Shared>>, Path(key): Path<String>) -> Answer {
    browse::page(shared.site().find(&key))
}

pub(super) fn links<'a>(shared: &'a Shared, uri: &Uri) -> Links<'a> {
    Links { site: &shared.base_url, api: Api::of_path(uri.path()).unwrap_or(Api::Cloud) }
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
