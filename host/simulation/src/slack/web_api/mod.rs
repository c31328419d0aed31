//! The part of the Web API that MARO uses, under `/api/`. Like Slack, it answers errors with status 200.

mod arguments;
mod chat;
mod controls;
pub mod faults;
mod history;
mod lookups;
mod result;
mod scopes;
mod views;

use std::sync::Arc;

use axum::{
    body::Bytes,
    extract::{Path, RawQuery, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde_json::{Value, json};

use crate::slack::{
    connection::Reset,
    state::WorkspaceState,
    web_api::{
        faults::{ApiCall, SlackFault},
        result::{ApiResult, Refused},
    },
};

pub(crate) async fn call(
    State(shared): State<Arc<WorkspaceState>>,
    Path(method): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let arguments = arguments::read(&method, query.as_deref(), &headers, &body);
    let fault = shared.api.next_fault(&method, arguments.as_ref().ok());
    let number = shared.api.record(ApiCall {
        method: method.clone(),
        arguments: arguments.as_ref().map(Value::clone).unwrap_or_default(),
        outcome: None,
    });
    let outcome = match fault {
        Some(SlackFault::Hang) => {
            shared.shutdown.cancelled().await;
            return Reset.into_response();
        }
        Some(SlackFault::Reset) => return Reset.into_response(),
        Some(SlackFault::Status(status)) => return status_answer(status),
        Some(SlackFault::RateLimited { retry_after }) => return rate_limited(retry_after),
        Some(SlackFault::Error(word)) => Err(Refused::from(word.as_str())),
        Some(SlackFault::Slow(delay)) => {
            shared.shutdown.run_until_cancelled(tokio::time::sleep(delay)).await;
            answer(&shared, &method, &headers, arguments)
        }
        Some(SlackFault::LostAnswer) => {
            let outcome = answer(&shared, &method, &headers, arguments);
            finish(&shared, &method, number, outcome);
            return Reset.into_response();
        }
        None => {
            let outcome = answer(&shared, &method, &headers, arguments);
            if let Err(refused) = &outcome {
                let details = if refused.messages.is_empty() {
                    String::new()
                } else {
                    format!(" {}", refused.messages.join(" "))
                };
                shared.history.report(format!("Slack rejected {method}: {}.{details}", refused.word));
            }
            outcome
        }
    };
    let body = finish(&shared, &method, number, outcome);
    let mut response =
        ([(header::CONTENT_TYPE, "application/json; charset=utf-8")], body.to_string()).into_response();
    if let Ok(scopes) = HeaderValue::from_str(&shared.api.scopes().join(",")) {
        response.headers_mut().insert("x-oauth-scopes", scopes);
    }
    response
}

/// Records the outcome of a call, and turns it into the body of the answer.
fn finish(shared: &WorkspaceState, method: &str, number: usize, outcome: ApiResult) -> Value {
    shared.api.conclude(number, outcome.as_ref().map_or_else(|refused| refused.word.as_str(), |_| "ok"));
    match outcome {
        Ok(mut fields) => {
            fields["ok"] = json!(true);
            fields
        }
        Err(refused) => {
            tracing::debug!(method, refused.word, "a call was refused");
            let mut body = json!({ "ok": false, "error": refused.word });
            if !refused.messages.is_empty() {
                body["response_metadata"] = json!({ "messages": refused.messages });
            }
            if let Some(needed) = refused.needed {
                body["needed"] = json!(needed);
                body["provided"] = json!(shared.api.scopes().join(","));
            }
            body
        }
    }
}

fn answer(shared: &WorkspaceState, method: &str, headers: &HeaderMap, arguments: ApiResult) -> ApiResult {
    if method == "api.test" {
        return Ok(json!({}));
    }
    let arguments = arguments?;
    scopes::authorise(shared, headers, &arguments, method)?;
    match method {
        "auth.test" => Ok(lookups::auth_test(shared)),
        "views.open" => views::open(shared, &arguments),
        "views.update" => views::update(shared, &arguments),
        "views.push" => views::push(shared, &arguments),
        "views.publish" => views::publish(shared, &arguments),
        "chat.postMessage" => chat::post_message(shared, &arguments),
        "chat.postEphemeral" => chat::post_ephemeral(shared, &arguments),
        "chat.update" => chat::update(shared, &arguments),
        "chat.delete" => chat::delete(shared, &arguments),
        "chat.unfurl" => chat::unfurl(shared, &arguments),
        "chat.getPermalink" => lookups::permalink(shared, &arguments),
        "conversations.history" => history::history(shared, &arguments),
        "conversations.replies" => history::replies(shared, &arguments),
        "conversations.info" => lookups::conversation(shared, &arguments),
        "users.conversations" => lookups::conversations_of(shared, &arguments),
        "usergroups.list" => lookups::user_groups(shared),
        "usergroups.users.list" => lookups::user_group(shared, &arguments),
        "users.info" => lookups::user(shared, &arguments),
        "apps.connections.open" => Ok(json!({ "url": shared.sockets.new_address().as_str() })),
        _ => Err("unknown_method".into()),
    }
}

fn status_answer(status: u16) -> Response {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    (status, "The simulated Slack was told to fail.").into_response()
}

fn rate_limited(retry_after: u64) -> Response {
    let body = json!({ "ok": false, "error": "ratelimited" }).to_string();
    let headers = [
        (header::CONTENT_TYPE, "application/json".to_owned()),
        (header::RETRY_AFTER, retry_after.to_string()),
    ];
    (StatusCode::TOO_MANY_REQUESTS, headers, body).into_response()
}
