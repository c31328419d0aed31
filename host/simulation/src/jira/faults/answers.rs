//! The answers of a site that fails.

use std::{convert::Infallible, time::Duration};

use axum::{
    body::Body,
    http::{HeaderValue, StatusCode, header},
    response::Response,
};
use bytes::Bytes;
use futures_util::stream;
use serde_json::{Value, json};

use crate::jira::{
    api::{
        answers::{html, json_answer},
        shapes,
    },
    faults::JiraFault,
};

/// More than a client should read.
const HUGE_BODY_CHUNKS: usize = 80;
const HUGE_BODY_CHUNK: &[u8] = &[b' '; 64 * 1024];

/// The pause between two bytes of an answer in drips.
const DRIP_INTERVAL: Duration = Duration::from_millis(20);

/// The answer to `path` for a fault that has its own answer.
pub(crate) fn answer(fault: &JiraFault, path: &str) -> Option<Response> {
    let raw_json = |text: &'static str| json_response(StatusCode::OK, Body::from(text));
    Some(match fault {
        JiraFault::Status(status, retry_after) => refusal(*status, retry_after.as_deref()),
        JiraFault::MissingScope => {
            let answer = json!({ "code": 401, "message": "Unauthorized; scope does not match" });
            json_answer(StatusCode::UNAUTHORIZED, &answer)
        }
        JiraFault::Html => html(StatusCode::OK, "<!doctype html><title>Log in</title><h1>Log in</h1>"),
        JiraFault::NoSuchAddress => html(StatusCode::NOT_FOUND, "<h1>404 Not Found</h1>"),
        JiraFault::InvalidJson => raw_json(r#"{"issues":[{"id":"10022","key":"SCRUM-1"#),
        JiraFault::WrongShape => raw_json(r#"{"issues":"many","fields":7,"displayName":[]}"#),
        JiraFault::CutShort => json_response(StatusCode::OK, cut_short()),
        JiraFault::HugeBody => json_response(StatusCode::OK, huge()),
        JiraFault::EndlessBody => json_response(StatusCode::OK, endless()),
        JiraFault::Drips => json_response(StatusCode::OK, drips()),
        JiraFault::Redirect(target) => redirect(target),
        JiraFault::Anonymous | JiraFault::SilentlyAnonymous => {
            let mut response = anonymous(path);
            if *fault == JiraFault::Anonymous {
                let headers = response.headers_mut();
                headers.insert("x-ausername", HeaderValue::from_static("anonymous"));
                headers.insert("x-seraph-loginreason", HeaderValue::from_static("AUTHENTICATED_FAILED"));
            }
            response
        }
        JiraFault::Answer(status, body) => {
            let status = StatusCode::from_u16(*status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            json_response(status, Body::from(body.clone()))
        }
        JiraFault::IssueErrors if path.ends_with("/bulkfetch") => {
            let errors = json!([{ "id": "10022", "errorMessage": "The issue could not be loaded in time." }]);
            let answer = json!({ "issueErrors": errors, "issues": [] });
            json_answer(StatusCode::OK, &answer)
        }
        JiraFault::IssueErrors
        | JiraFault::Hang
        | JiraFault::Slow(_)
        | JiraFault::Reset
        | JiraFault::DoneThenReset
        | JiraFault::DoneThenHang
        | JiraFault::DoneThenStatus(_)
        | JiraFault::DoneLate(_)
        | JiraFault::GivenUpThenDone(_)
        | JiraFault::OddErrors => return None,
    })
}

/// The answer that replaces the right one, for a fault after the request was carried out.
pub(crate) fn answer_after(status: u16) -> Response {
    refusal(status, None)
}

/// The answer to a bulk of issues, with texts instead of its errors.
pub(crate) async fn with_odd_errors(response: Response) -> Response {
    let (parts, body) = response.into_parts();
    let body = axum::body::to_bytes(body, usize::MAX).await.unwrap_or_default();
    let mut answer: Value = serde_json::from_slice(&body).unwrap_or_default();
    if let Some(errors) = answer["errors"].as_array_mut() {
        for error in errors {
            *error = error["elementErrors"]["errors"]["summary"].take();
        }
    }
    json_answer(parts.status, &answer)
}

fn json_response(status: StatusCode, body: Body) -> Response {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

fn refusal(status: u16, retry_after: Option<&str>) -> Response {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = json_answer(status, &shapes::errors("The simulated site was told to fail."));
    if let Some(value) = retry_after.and_then(|value| HeaderValue::from_str(value).ok()) {
        response.headers_mut().insert(header::RETRY_AFTER, value);
    }
    response
}

fn redirect(target: &str) -> Response {
    let mut response = html(StatusCode::FOUND, "");
    if let Ok(target) = HeaderValue::from_str(target) {
        response.headers_mut().insert(header::LOCATION, target);
    }
    response
}

fn anonymous(path: &str) -> Response {
    if path.ends_with("/myself") {
        json_answer(StatusCode::UNAUTHORIZED, &shapes::errors("You are not authenticated."))
    } else if path.ends_with("/bulkfetch") {
        json_answer(StatusCode::OK, &shapes::bulk_issues(Vec::new()))
    } else {
        let message = "Issue does not exist or you do not have permission to see it.";
        json_answer(StatusCode::NOT_FOUND, &shapes::errors(message))
    }
}

fn cut_short() -> Body {
    let parts = [Ok(Bytes::from_static(b"{\"issues\":[")), Err(std::io::Error::other("cut short"))];
    Body::from_stream(stream::iter(parts))
}

fn huge() -> Body {
    let chunk = || Ok::<_, Infallible>(Bytes::from_static(HUGE_BODY_CHUNK));
    Body::from_stream(stream::iter(std::iter::repeat_with(chunk).take(HUGE_BODY_CHUNKS)))
}

fn endless() -> Body {
    let chunk = || Ok::<_, Infallible>(Bytes::from_static(HUGE_BODY_CHUNK));
    Body::from_stream(stream::repeat_with(chunk))
}

fn drips() -> Body {
    let drips = stream::unfold((), |()| async {
        tokio::time::sleep(DRIP_INTERVAL).await;
        Some((Ok::<_, Infallible>(Bytes::from_static(b" ")), ()))
    });
    Body::from_stream(drips)
}
