//! The simulated `response_url`: `/commands/…` and `/actions/…`, where the bot posts later answers.

use std::sync::Arc;

use axum::{
    body::Bytes,
    extract::State,
    http::{HeaderMap, StatusCode, Uri, header},
    response::{IntoResponse, Response},
};
use serde_json::Value;

use crate::slack::{
    shown::history::Closed,
    state::WorkspaceState,
    to_bot::{dispatch, parcel},
};

pub(crate) async fn take(
    State(shared): State<Arc<WorkspaceState>>,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let typed = match shared.history.use_response_url(uri.path(), shared.settings.clock.now()) {
        Ok(typed) => typed,
        Err(closed) => return refuse(&shared, StatusCode::NOT_FOUND, word(closed)),
    };
    if !parcel::is_json(&headers) {
        return refuse(&shared, StatusCode::BAD_REQUEST, "invalid_payload");
    }
    let Ok(payload) = serde_json::from_slice::<Value>(&body) else {
        return refuse(&shared, StatusCode::BAD_REQUEST, "invalid_payload");
    };
    if payload["delete_original"] == true {
        typed.original_ts.iter().for_each(|ts| shared.history.delete(ts));
        return "ok".into_response();
    }
    let Some(message) = dispatch::shown(&shared, &typed, &payload, true) else {
        return refuse(&shared, StatusCode::BAD_REQUEST, "invalid_blocks");
    };
    match &typed.original_ts {
        Some(ts) if payload["replace_original"] == true => shared.history.replace(ts, message),
        _ => shared.history.show(message),
    }
    "ok".into_response()
}

fn word(closed: Closed) -> &'static str {
    match closed {
        Closed::Unknown => "no_service",
        Closed::Used => "used_url",
        Closed::Expired => "expired_url",
    }
}

fn refuse(shared: &WorkspaceState, status: StatusCode, word: &str) -> Response {
    shared.history.report(format!("Slack rejected a post to a response_url: {word}."));
    let body = serde_json::json!({ "ok": false, "error": word }).to_string();
    (status, [(header::CONTENT_TYPE, "application/json; charset=utf-8")], body).into_response()
}
