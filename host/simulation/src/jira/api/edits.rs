//! Comments, transitions and assignments on the simulated site, refused in Jira's own words.

use std::sync::Arc;

use axum::{
    body::Body,
    extract::{Path, State},
    http::{StatusCode, Uri},
    response::Response,
};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::jira::{
    api::{
        adf_check,
        answers::{ChangeRequest, json_answer, links, no_issue, query_value},
        shapes::{self, Api},
    },
    data::{
        accounts::{self, PEOPLE},
        site::Site,
        workflow,
    },
    state::SiteState,
};

const MAX_COMMENT_LENGTH: usize = 32_767;

const DEFAULT_PAGE_SIZE: usize = 50;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewComment {
    body: Value,
    #[serde(default, rename = "visibility")]
    _visibility: Value,
    #[serde(default, rename = "properties")]
    _properties: Vec<Value>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct TransitionRequest {
    transition: TransitionId,
    #[serde(default, rename = "fields")]
    _fields: Map<String, Value>,
    #[serde(default, rename = "update")]
    _update: Map<String, Value>,
}

#[derive(Deserialize)]
struct TransitionId {
    id: String,
}

/// `POST /rest/api/{2,3}/issue/{key}/comment`
pub(crate) async fn comment(request: ChangeRequest<NewComment>) -> Response {
    request.perform(|issue, NewComment { body, .. }, links| {
        let text = match (links.api, &body) {
            (Api::Cloud, document) if adf_check::is_document(document) => document.to_string(),
            (Api::DataCenter, Value::String(text)) => text.clone(),
            _ => return refusal("comment", "Comment body is not valid!"),
        };
        if text.trim().is_empty() || body["content"].as_array().is_some_and(Vec::is_empty) {
            return refusal("comment", "Comment body can not be empty!");
        }
        if links.api == Api::DataCenter && text.chars().count() > MAX_COMMENT_LENGTH {
            return refusal(
                "comment",
                "The entered text is too long. It exceeds the allowed limit of 32,767 characters.",
            );
        }
        issue.comments.push(body.clone());
        issue.comment_authors.push("MARO");
        let id = format!("{}{:03}", issue.id, issue.comments.len());
        let (author, now) = (shapes::person("MARO", links), shapes::time(issue.updated));
        let answer = json!({
            "self": links.api(&format!("issue/{}/comment/{id}", issue.id)),
            "id": id,
            "author": author,
            "updateAuthor": author,
            "body": body,
            "created": now,
            "updated": now,
        });
        json_answer(StatusCode::CREATED, &answer)
    })
}

/// `GET /rest/api/{2,3}/issue/{key}/comment`, with what MARO reads of comments.
pub(crate) async fn comments(
    State(shared): State<Arc<SiteState>>,
    Path(key): Path<String>,
    uri: Uri,
) -> Response {
    let links = links(&shared, &uri);
    let site = shared.site();
    let Some(issue) = site.find(&key) else { return no_issue(links.api) };
    let size =
        query_value(&uri, "maxResults").and_then(|size| size.parse().ok()).unwrap_or(DEFAULT_PAGE_SIZE);
    let all =
        issue.comments.iter().zip(&issue.comment_authors).enumerate().map(|(number, (body, author))| {
            let id = format!("{}{:03}", issue.id, number + 1);
            let mut comment = json!({ "id": id, "author": shapes::person(author, links), "body": body });
            if issue.restricted_comments.contains(&number) {
                comment["visibility"] = json!({ "type": "role", "value": "Administrators" });
            }
            comment
        });
    let mut all: Vec<Value> = all.collect();
    let total = all.len();
    if query_value(&uri, "orderBy").as_deref() == Some("-created") {
        all.reverse();
    }
    all.truncate(size);
    let page = json!({ "startAt": 0, "maxResults": size, "total": total, "comments": all });
    json_answer(StatusCode::OK, &page)
}

/// `POST /rest/api/{2,3}/issue/{key}/transitions`
pub(crate) async fn transition(request: ChangeRequest<TransitionRequest>) -> Response {
    request.perform(|issue, asked, _| {
        match workflow::steps(&issue.status).iter().find(|step| step.id == asked.transition.id) {
            Some(step) => {
                step.to.clone_into(&mut issue.status);
                no_content()
            }
            None => {
                let message = "It seems that you have tried to perform a workflow operation that is not valid for \
                               the current state of this issue. The likely cause is that somebody has changed the \
                               issue recently, please look at the issue history for details.";
                json_answer(StatusCode::BAD_REQUEST, &shapes::errors(message))
            }
        }
    })
}

/// `PUT /rest/api/{2,3}/issue/{key}/assignee`
pub(crate) async fn assign(request: ChangeRequest<Map<String, Value>>) -> Response {
    request.perform(|issue, asked, links| {
        let field = if links.api == Api::Cloud { "accountId" } else { "name" };
        issue.assignee = match asked.get(field) {
            Some(Value::Null) if asked.len() == 1 => None,
            Some(Value::String(account)) if asked.len() == 1 => {
                match PEOPLE.iter().find(|name| accounts::id(name) == *account) {
                    Some(name) => Some(name),
                    None => {
                        let text = format!("User '{account}' cannot be assigned issues.");
                        return refusal("assignee", &text);
                    }
                }
            }
            _ => return refusal("assignee", &format!("Exactly '{field}' must be given.")),
        };
        no_content()
    })
}

/// `GET /rest/api/{2,3}/user/assignable/search`
pub(crate) async fn assignable(State(shared): State<Arc<SiteState>>, uri: Uri) -> Response {
    let links = links(&shared, &uri);
    let parameter = if links.api == Api::Cloud { "query" } else { "username" };
    let (key, project) = (query_value(&uri, "issueKey"), query_value(&uri, "project"));
    let (true, Some(words)) = (key.is_some() || project.is_some(), query_value(&uri, parameter)) else {
        let message = format!("'issueKey' or 'project', and '{parameter}' must be given.");
        return json_answer(StatusCode::BAD_REQUEST, &shapes::errors(&message));
    };
    let is_missing = |site: &Site| {
        key.is_some_and(|key| site.find(&key).is_none())
            || project.is_some_and(|project| site.project(&project).is_none())
    };
    if is_missing(&shared.site()) {
        return no_issue(links.api);
    }
    let size =
        query_value(&uri, "maxResults").and_then(|size| size.parse().ok()).unwrap_or(DEFAULT_PAGE_SIZE);
    let found = PEOPLE.iter().filter(|name| accounts::fits(name, &words)).take(size);
    let people: Vec<Value> = found.map(|name| shapes::person(name, links)).collect();
    json_answer(StatusCode::OK, &json!(people))
}

fn no_content() -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::NO_CONTENT;
    response
}

fn refusal(field: &str, text: &str) -> Response {
    json_answer(StatusCode::BAD_REQUEST, &json!({ "errorMessages": [], "errors": { field: text } }))
}
