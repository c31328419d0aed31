//! Permissions on the simulated site: the account's, and those of people.

use std::sync::Arc;

use axum::{
    body::Bytes,
    extract::State,
    http::{HeaderMap, StatusCode, Uri},
    response::Response,
};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::jira::{
    api::{
        answers::{json_answer, query_value, read_json},
        shapes,
    },
    data::accounts,
    state::SiteState,
};

/// `GET /rest/api/{2,3}/mypermissions`
pub(crate) async fn list(State(shared): State<Arc<SiteState>>, uri: Uri) -> Response {
    let site = shared.site();
    let wanted = query_value(&uri, "permissions").unwrap_or_default();
    let Some(key) = query_value(&uri, "projectKey") else {
        let administers = site.is_administered;
        let permission = json!({ "id": "0", "key": wanted, "name": wanted, "type": "GLOBAL", "havePermission": administers });
        return json_answer(StatusCode::OK, &json!({ "permissions": { wanted: permission } }));
    };
    let Some(project) = site.project(&key) else {
        let message = format!("No project could be found with key '{key}'.");
        return json_answer(StatusCode::NOT_FOUND, &shapes::errors(&message));
    };
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

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct CheckRequest {
    account_id: String,
    project_permissions: Vec<CheckedPermissions>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CheckedPermissions {
    permissions: Vec<String>,
    #[serde(default)]
    issues: Vec<u64>,
    #[serde(default)]
    projects: Vec<u64>,
}

/// `POST /rest/api/3/permissions/check`
pub(crate) async fn check(State(shared): State<Arc<SiteState>>, headers: HeaderMap, body: Bytes) -> Response {
    let request: CheckRequest = match read_json(&headers, &body) {
        Ok(request) => request,
        Err(fault) => return fault.answer(),
    };
    let site = shared.site();
    if !site.is_administered {
        let message = "You do not have permission to check the permissions of other users.";
        return json_answer(StatusCode::FORBIDDEN, &shapes::errors(message));
    }
    let lacks = |permission: &str| {
        site.lacking
            .iter()
            .any(|(person, lacking)| accounts::id(person) == request.account_id && *lacking == permission)
    };
    let granted: Vec<Value> = request
        .project_permissions
        .iter()
        .flat_map(|checked| checked.permissions.iter().map(move |permission| (checked, permission)))
        .filter(|(_, permission)| !lacks(permission))
        .map(|(checked, permission)| {
            json!({ "permission": permission, "issues": checked.issues, "projects": checked.projects })
        })
        .collect();
    json_answer(StatusCode::OK, &json!({ "globalPermissions": [], "projectPermissions": granted }))
}
