//! The remote links of the simulated site's issues.

use std::sync::Arc;

use axum::{
    extract::{Path, State},
    http::{StatusCode, Uri},
    response::Response,
};
use serde::Deserialize;
use serde_json::{Value, json};
use url::Url;

use crate::jira::{
    api::{
        answers::{ChangeRequest, json_answer, links, no_issue, query_value},
        shapes,
    },
    data::issue::RemoteLink,
    state::SiteState,
};

const MAX_TEXT_LENGTH: usize = 255;

/// The id of an issue's first link.
const FIRST_ID: usize = 10_000;

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct LinkRequest {
    global_id: Option<String>,
    #[serde(default)]
    application: Application,
    relationship: Option<String>,
    object: Object,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Application {
    #[serde(default, rename = "type")]
    _type: Option<String>,
    name: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Object {
    #[serde(default)]
    url: String,
    #[serde(default)]
    title: String,
    #[serde(default, rename = "summary")]
    _summary: Option<String>,
    #[serde(default, rename = "icon")]
    _icon: Option<Value>,
    #[serde(default, rename = "status")]
    _status: Option<Value>,
}

/// `POST /rest/api/{2,3}/issue/{key}/remotelink`: replaces a link with the same global id.
pub(crate) async fn set(request: ChangeRequest<LinkRequest>) -> Response {
    request.perform(|issue, asked, links| {
        if let Some((field, text)) = asked.fault() {
            let errors = json!({ "errorMessages": [], "errors": { field: text } });
            return json_answer(StatusCode::BAD_REQUEST, &errors);
        }
        let link = RemoteLink {
            global_id: asked.global_id,
            url: asked.object.url,
            title: asked.object.title,
            relationship: asked.relationship,
            application_name: asked.application.name,
        };
        let is_same = |other: &RemoteLink| other.global_id.is_some() && other.global_id == link.global_id;
        let (status, place) = match issue.links.iter().position(is_same) {
            Some(place) => {
                issue.links[place] = link;
                (StatusCode::OK, place)
            }
            None => {
                issue.links.push(link);
                (StatusCode::CREATED, issue.links.len() - 1)
            }
        };
        let id = FIRST_ID + place;
        let address = links.api(&format!("issue/{}/remotelink/{id}", issue.key));
        json_answer(status, &json!({ "id": id, "self": address }))
    })
}

/// `GET /rest/api/{2,3}/issue/{key}/remotelink`
pub(crate) async fn get(State(shared): State<Arc<SiteState>>, Path(key): Path<String>, uri: Uri) -> Response {
    let links = links(&shared, &uri);
    let site = shared.site();
    let Some(issue) = site.find(&key) else { return no_issue(links.api) };
    let shape = |(place, link): (usize, &RemoteLink)| {
        let id = FIRST_ID + place;
        let mut value = json!({
            "id": id,
            "self": links.api(&format!("issue/{}/remotelink/{id}", issue.key)),
            "application": { "name": link.application_name.as_deref().unwrap_or_default() },
            "object": { "url": link.url, "title": link.title },
        });
        if let Some(global_id) = &link.global_id {
            value["globalId"] = json!(global_id);
        }
        if let Some(relationship) = &link.relationship {
            value["relationship"] = json!(relationship);
        }
        value
    };
    let Some(asked) = query_value(&uri, "globalId") else {
        let all: Vec<Value> = issue.links.iter().enumerate().map(shape).collect();
        return json_answer(StatusCode::OK, &json!(all));
    };
    match issue.links.iter().enumerate().find(|(_, link)| link.global_id.as_ref() == Some(&asked)) {
        Some(link) => json_answer(StatusCode::OK, &shape(link)),
        None => json_answer(StatusCode::NOT_FOUND, &shapes::errors("There is no such remote link.")),
    }
}

impl LinkRequest {
    fn fault(&self) -> Option<(&'static str, &'static str)> {
        let is_long = |text: &str| text.chars().count() > MAX_TEXT_LENGTH;
        if self.object.title.trim().is_empty() {
            Some(("title", "'title' is required."))
        } else if self.object.url.trim().is_empty() {
            Some(("url", "'url' is required."))
        } else if Url::parse(&self.object.url).is_err() {
            Some(("url", "The URL is not valid."))
        } else if is_long(&self.object.title) {
            Some(("title", "'title' must have at most 255 characters."))
        } else if self.global_id.as_deref().is_some_and(is_long) {
            Some(("globalId", "'globalId' must have at most 255 characters."))
        } else {
            None
        }
    }
}
