//! Where the bot posts what it could not answer at once: `/commands/…`, the simulated `response_url`.

use std::sync::Arc;

use axum::{
    body::Bytes,
    extract::State,
    http::{HeaderMap, StatusCode, Uri, header},
    response::{IntoResponse, Response},
};
use serde_json::Value;

use crate::sandbox::slack::{Shared, dispatch, history::Closed};

pub(super) async fn take(
    State(shared): State<Arc<Shared>>,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let typed = match shared.history.use_response_url(uri.path(), shared.settings.clock.now()) {
        Ok(typed) => typed,
        Err(closed) => return refuse(&shared, StatusCode::NOT_FOUND, word(closed)),
    };
    let content_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    if !content_type.is_some_and(|kind| kind.starts_with("application/json")) {
        return refuse(&shared, StatusCode::BAD_REQUEST, "invalid_payload");
    }
    let Ok(payload) = serde_json::from_slice::<Value>(&body) else {
        return refuse(&shared, StatusCode::BAD_REQUEST, "invalid_payload");
    };
    match dispatch::shown(&shared, &typed, &payload, true) {
        Some(message) => {
            shared.history.show(message);
            "ok".into_response()
        }
        None => refuse(&shared, StatusCode::BAD_REQUEST, "invalid_blocks"),
    }
}

fn word(closed: Closed) -> &'static str {
    match closed {
        Closed::Unknown => "no_service",
        Closed::Used => "used_url",
        Closed::Expired => "expired_url",
    }
}

fn refuse(shared: &Shared, status: StatusCode, word: &str) -> Response {
    shared.history.report(format!("A post to a response_url was refused: {word}."));
    let body = serde_json::json!({ "ok": false, "error": word }).to_string();
    (status, [(header::CONTENT_TYPE, "application/json; charset=utf-8")], body).into_response()
}
