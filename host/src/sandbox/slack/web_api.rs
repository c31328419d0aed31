//! The Web API under `/api/`, as far as MARO uses it. Like Slack it answers errors with status 200.

use std::sync::Arc;

use axum::{
    extract::{Path, State},
    http::{HeaderMap, header},
    response::{IntoResponse, Response},
};
use serde_json::{Value, json};
use subtle::ConstantTimeEq;

use crate::sandbox::slack::Shared;

pub(super) async fn call(
    State(shared): State<Arc<Shared>>,
    Path(method): Path<String>,
    headers: HeaderMap,
) -> Response {
    let answer = match (method.as_str(), authorise(&shared, &headers)) {
        ("api.test", _) => json!({ "ok": true }),
        (_, Err(word)) => failure(&shared, &method, word),
        ("auth.test", Ok(())) => auth_test(&shared),
        _ => failure(&shared, &method, "unknown_method"),
    };
    ([(header::CONTENT_TYPE, "application/json; charset=utf-8")], answer.to_string()).into_response()
}

fn authorise(shared: &Shared, headers: &HeaderMap) -> Result<(), &'static str> {
    let value = headers.get(header::AUTHORIZATION).ok_or("not_authed")?;
    let token = value.as_bytes().strip_prefix(b"Bearer ").ok_or("invalid_auth")?;
    if bool::from(token.ct_eq(shared.settings.bot_token.expose().as_bytes())) {
        Ok(())
    } else {
        Err("invalid_auth")
    }
}

fn auth_test(shared: &Shared) -> Value {
    let workspace = &shared.workspace;
    json!({
        "ok": true,
        "url": shared.base.as_str(),
        "team": workspace.team_domain,
        "user": "maro",
        "team_id": workspace.team_id,
        "user_id": workspace.bot_user.as_str(),
        "bot_id": workspace.bot_id,
        "is_enterprise_install": false,
    })
}

fn failure(shared: &Shared, method: &str, word: &str) -> Value {
    shared.history.report(format!("A call of {method} was refused: {word}."));
    json!({ "ok": false, "error": word })
}
