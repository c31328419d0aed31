//! The account's permissions in a project of the simulated site.

use std::sync::Arc;

use axum::{
    extract::State,
    http::{StatusCode, Uri},
    response::Response,
};
use serde_json::{Map, Value, json};

use crate::jira::{
    answers::{json_answer, query_value},
    shapes,
    state::SiteState,
};

/// `GET /rest/api/{2,3}/mypermissions`
pub(super) async fn list(State(shared): State<Arc<SiteState>>, uri: Uri) -> Response {
    let key = query_value(&uri, "projectKey").unwrap_or_default();
    let site = shared.site();
    let Some(project) = site.project(&key) else {
        let message = format!("No project could be found with key '{key}'.");
        return json_answer(StatusCode::NOT_FOUND, &shapes::errors(&message));
    };
    let wanted = query_value(&uri, "permissions").unwrap_or_default();
    let permissions: Map<String, Value> = wanted
        .split(',')
        .map(|key| {
            let has = key != "CREATE_ISSUES" || project.may_create;
            (
                key.to_owned(),
                json!({ "id": "10", "key": key, "name": key, "type": "PROJECT", "havePermission": has }),
            )
        })
        .collect();
    json_answer(StatusCode::OK, &json!({ "permissions": permissions }))
}
