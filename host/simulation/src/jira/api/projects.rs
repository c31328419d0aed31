//! The projects of the simulated site, and what can be created in each.

use std::sync::Arc;

use axum::{
    extract::{Path, State},
    http::{StatusCode, Uri},
    response::Response,
};
use serde_json::{Value, json};

use crate::jira::{
    api::{
        answers::{json_answer, links, query_value},
        shapes::{self, Api, Links},
    },
    data::{fields, project::SimulatedProject},
    state::SiteState,
};

const DEFAULT_PAGE_SIZE: usize = 50;

/// The largest page of projects, issue types and fields.
const MAX_PROJECTS_PAGE: usize = 100;
const MAX_META_PAGE: usize = 200;

/// The requested part of a list.
struct ListPage {
    start: usize,
    size: usize,
}

/// `GET /rest/api/3/project/search`
pub(crate) async fn search(State(shared): State<Arc<SiteState>>, uri: Uri) -> Response {
    let links = links(&shared, &uri);
    let site = shared.site();
    let typed = query_value(&uri, "query").unwrap_or_default().to_lowercase();
    let must_create = query_value(&uri, "action").is_some_and(|action| action == "create");
    let fits = |project: &&SimulatedProject| {
        let is_allowed = !must_create || project.may_create;
        let texts = [project.key.to_lowercase(), project.name.to_lowercase()];
        is_allowed && texts.iter().any(|text| text.contains(&typed))
    };
    let found: Vec<_> = site.projects().filter(fits).collect();
    let page = ListPage::asked(&uri, MAX_PROJECTS_PAGE);
    let values: Vec<Value> =
        page.part(&found).iter().map(|project| shapes::project(project, links)).collect();
    let answer = json!({
        "self": links.api("project/search"),
        "maxResults": page.size,
        "startAt": page.start,
        "total": found.len(),
        "isLast": page.is_last(found.len()),
        "values": values,
    });
    json_answer(StatusCode::OK, &answer)
}

/// `GET /rest/api/{2,3}/project`
pub(crate) async fn list(State(shared): State<Arc<SiteState>>, uri: Uri) -> Response {
    let links = links(&shared, &uri);
    let projects: Vec<Value> =
        shared.site().projects().map(|project| shapes::project(project, links)).collect();
    json_answer(StatusCode::OK, &json!(projects))
}

/// `GET /rest/api/{2,3}/project/{key}`
pub(crate) async fn get(State(shared): State<Arc<SiteState>>, Path(key): Path<String>, uri: Uri) -> Response {
    match shared.site().project(&key) {
        Some(project) => json_answer(StatusCode::OK, &shapes::project(project, links(&shared, &uri))),
        None => {
            let message = format!("No project could be found with key '{key}'.");
            json_answer(StatusCode::NOT_FOUND, &shapes::errors(&message))
        }
    }
}

/// `GET /rest/api/{2,3}/issue/createmeta/{project}/issuetypes`
pub(crate) async fn issue_types(
    State(shared): State<Arc<SiteState>>,
    Path(key): Path<String>,
    uri: Uri,
) -> Response {
    let links = links(&shared, &uri);
    let site = shared.site();
    let Some(project) = site.project(&key) else { return no_project(links) };
    let types: Vec<Value> = project
        .issue_types
        .iter()
        .map(|kind| shapes::issue_type(*kind, &project.type_id(*kind), links))
        .collect();
    // Types that the account can't create aren't listed.
    let types = if project.may_create { types } else { Vec::new() };
    json_answer(StatusCode::OK, &meta_page(&uri, &types, "issueTypes", links.api))
}

/// `GET /rest/api/{2,3}/issue/createmeta/{project}/issuetypes/{type}`
pub(crate) async fn fields(
    State(shared): State<Arc<SiteState>>,
    Path((key, issue_type_id)): Path<(String, String)>,
    uri: Uri,
) -> Response {
    let links = links(&shared, &uri);
    let site = shared.site();
    let Some(project) = site.project(&key).filter(|project| project.may_create) else {
        return no_project(links);
    };
    let Some(kind) = project.issue_types.iter().find(|kind| project.type_id(**kind) == issue_type_id) else {
        return no_project(links);
    };
    let fields: Vec<Value> =
        fields::on_screen(project, *kind, links.api).iter().map(fields::Field::metadata).collect();
    json_answer(StatusCode::OK, &meta_page(&uri, &fields, "fields", links.api))
}

fn no_project(links: Links<'_>) -> Response {
    let status = match links.api {
        Api::Cloud => StatusCode::BAD_REQUEST,
        Api::DataCenter => StatusCode::NOT_FOUND,
    };
    let message = "The project or issue type does not exist, or you may not create issues in it.";
    json_answer(status, &shapes::errors(message))
}

impl ListPage {
    fn asked(uri: &Uri, max_size: usize) -> Self {
        let number = |name| query_value(uri, name).and_then(|value| value.parse::<usize>().ok());
        Self {
            start: number("startAt").unwrap_or(0),
            size: number("maxResults").unwrap_or(DEFAULT_PAGE_SIZE).clamp(1, max_size),
        }
    }

    fn part<'a, T>(&self, items: &'a [T]) -> &'a [T] {
        let rest = items.get(self.start..).unwrap_or_default();
        &rest[..rest.len().min(self.size)]
    }

    fn is_last(&self, total: usize) -> bool {
        self.start + self.size >= total
    }
}

/// A page in the edition's shape: Cloud gives the list a name, Data Center calls it `values`.
fn meta_page(uri: &Uri, items: &[Value], name: &str, api: Api) -> Value {
    let page = ListPage::asked(uri, MAX_META_PAGE);
    let mut answer = json!({ "maxResults": page.size, "startAt": page.start, "total": items.len() });
    match api {
        Api::Cloud => answer[name] = json!(page.part(items)),
        Api::DataCenter => {
            answer["isLast"] = json!(page.is_last(items.len()));
            answer["values"] = json!(page.part(items));
        }
    }
    answer
}
