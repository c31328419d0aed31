//! The answers of a site that fails.

use std::{convert::Infallible, time::Duration};

use axum::{
    body::Body,
    http::{HeaderValue, StatusCode, header},
    response::Response,
};
use bytes::Bytes;
use futures_util::stream;
use serde_json::json;

use crate::jira::{
    answers::{html, json_answer},
    faults::Fault,
    shapes,
};

/// More than a client should read.
const HUGE_BODY_CHUNKS: usize = 80;
const HUGE_BODY_CHUNK: &[u8] = &[b' '; 64 * 1024];

/// The pause between two bytes of an answer in drips.
const DRIP_INTERVAL: Duration = Duration::from_millis(20);

/// The answer to `path` for a fault that has its own answer.
pub(super) fn answer(fault: &Fault, path: &str) -> Option<Response> {
    let raw_json = |text: &'static str| json_response(StatusCode::OK, Body::from(text));
    Some(match fault {
        Fault::Status(status, retry_after) => refusal(*status, retry_after.as_deref()),
        Fault::Html => html(StatusCode::OK, "<!doctype html><title>Log in</title><h1>Log in</h1>"),
        Fault::NoSuchAddress => html(StatusCode::NOT_FOUND, "<h1>404 Not Found</h1>"),
        Fault::InvalidJson => raw_json(r#"{"issues":[{"id":"10022","key":"SCRUM-1"#),
        Fault::WrongShape => raw_json(r#"{"issues":"many","fields":7,"displayName":[]}"#),
        Fault::CutShort => json_response(StatusCode::OK, cut_short()),
        Fault::HugeBody => json_response(StatusCode::OK, huge()),
        Fault::EndlessBody => json_response(StatusCode::OK, endless()),
        Fault::Drips => json_response(StatusCode::OK, drips()),
        Fault::Redirect(target) => redirect(target),
        Fault::Anonymous | Fault::SilentlyAnonymous => {
            let mut response = anonymous(path);
            if *fault == Fault::Anonymous {
                let headers = response.headers_mut();
                headers.insert("x-ausername", HeaderValue::from_static("anonymous"));
                headers.insert("x-seraph-loginreason", HeaderValue::from_static("AUTHENTICATED_FAILED"));
            }
            response
        }
        Fault::IssueErrors if path.ends_with("/bulkfetch") => {
            let errors = json!([{ "id": "10022", "errorMessage": "The issue could not be loaded in time." }]);
            let answer = json!({ "issueErrors": errors, "issues": [] });
            json_answer(StatusCode::OK, &answer)
        }
        Fault::IssueErrors
        | Fault::Hang
        | Fault::Slow(_)
        | Fault::Reset
        | Fault::DoneThenReset
        | Fault::DoneThenHang
        | Fault::DoneThenStatus(_) => return None,
    })
}

/// The answer that replaces the right one, for a fault after the request was carried out.
pub(super) fn answer_after(status: u16) -> Response {
    refusal(status, None)
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
