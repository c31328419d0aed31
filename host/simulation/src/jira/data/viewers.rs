//! People with accounts on the simulated site, and what each may see.

use std::sync::Arc;

use axum::{
    extract::State,
    http::{StatusCode, Uri},
    response::Response,
};
use serde_json::{Value, json};

use crate::jira::{
    api::{
        answers::{json_answer, links, query_value},
        shapes,
    },
    data::accounts::{self, ONLOOKER, PEOPLE},
    state::SiteState,
};

/// The address of somebody's account.
fn email(name: &str) -> String {
    format!("{}@example.com", name.split(' ').next().unwrap_or(name).to_lowercase())
}

fn person(name: &str, shared: &SiteState, uri: &Uri) -> Value {
    let mut person = shapes::person(name, links(shared, uri));
    person["emailAddress"] = json!(email(name));
    person
}

fn refused(shared: &SiteState) -> Option<Response> {
    let message = shapes::errors("You do not have permission to browse users and groups.");
    (!shared.site().may_look_up_people).then(|| json_answer(StatusCode::FORBIDDEN, &message))
}

/// `GET /rest/api/{2,3}/user/search`
pub(crate) async fn accounts(State(shared): State<Arc<SiteState>>, uri: Uri) -> Response {
    if let Some(refused) = refused(&shared) {
        return refused;
    }
    let typed = query_value(&uri, "query").or_else(|| query_value(&uri, "username")).unwrap_or_default();
    let found = PEOPLE
        .iter()
        .chain([&ONLOOKER])
        .filter(|name| accounts::fits(name, &typed) || email(name).starts_with(&typed));
    let people: Vec<Value> = found.map(|name| person(name, &shared, &uri)).collect();
    json_answer(StatusCode::OK, &json!(people))
}

/// `GET /rest/api/{2,3}/user/viewissue/search`
pub(crate) async fn search(State(shared): State<Arc<SiteState>>, uri: Uri) -> Response {
    if let Some(refused) = refused(&shared) {
        return refused;
    }
    let id = query_value(&uri, "accountId").or_else(|| query_value(&uri, "username")).unwrap_or_default();
    let place = query_value(&uri, "issueKey").or_else(|| query_value(&uri, "projectKey")).unwrap_or_default();
    let sees = |name: &&&str| {
        let site = shared.site();
        let project = place.split('-').next().unwrap_or_default();
        accounts::id(name) == id
            && !site.hidden.iter().any(|(who, what)| who == *name && (*what == place || what == project))
    };
    let people: Vec<Value> = PEOPLE.iter().filter(sees).map(|name| person(name, &shared, &uri)).collect();
    json_answer(StatusCode::OK, &json!(people))
}
