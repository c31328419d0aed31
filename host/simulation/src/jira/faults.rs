//! How the simulated site can fail.

use std::{collections::VecDeque, convert::Infallible, time::Duration};

use axum::{
    body::Body,
    http::{HeaderValue, Response, StatusCode, header},
};
use bytes::Bytes;
use futures_util::stream;
use serde_json::json;

use crate::jira::{
    api::{html, json_answer},
    shapes,
};

/// More than a client should read.
const HUGE_BODY_CHUNKS: usize = 80;
const HUGE_BODY_CHUNK: &[u8] = &[b' '; 64 * 1024];

/// The pause between two bytes of an answer in drips.
const DRIP_INTERVAL: Duration = Duration::from_millis(20);

/// How the REST API fails. Web pages (`/browse/…`) aren't affected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// This status with Jira's error body and, if given, this `Retry-After`.
    Status(u16, Option<String>),
    /// No answer, but the connection stays open.
    Hang,
    /// The right answer, but late.
    Slow(Duration),
    /// The connection is reset before the answer.
    Reset,
    /// The request is carried out, and the connection is reset before the answer.
    DoneThenReset,
    /// The request is carried out, but there is no answer and the connection stays open.
    DoneThenHang,
    /// The request is carried out, but the answer is this status, as from a proxy that timed out.
    DoneThenStatus(u16),
    /// The connection ends in the middle of the answer.
    CutShort,
    /// Status 200 and a login page.
    Html,
    /// Status 404 and a web server's page: Jira isn't at this address.
    NoSuchAddress,
    /// Half of a JSON document.
    InvalidJson,
    /// JSON that doesn't fit any request.
    WrongShape,
    /// 5 MB of white space, in chunks.
    HugeBody,
    /// White space without end, as fast as it is read.
    EndlessBody,
    /// White space without end, a byte at a time: the connection is never silent for long.
    Drips,
    /// Status 302 to this address.
    Redirect(String),
    /// The credentials are ignored, so nothing is visible. Headers say so, as with Data Center.
    Anonymous,
    /// As [`Fault::Anonymous`], but without the headers.
    SilentlyAnonymous,
    /// Some issues couldn't be read: an empty answer with an entry in `issueErrors`.
    IssueErrors,
}

/// The faults that are switched on.
#[derive(Debug, Default)]
pub(super) struct Faults {
    /// Faults for the next requests, one each. `None` lets a request through.
    next: VecDeque<Option<Fault>>,
    /// The fault for all requests after those.
    then: Option<Fault>,
    /// As `next`, for the requests whose path ends with a text: these come first, and count for nothing else.
    of: Vec<(String, VecDeque<Option<Fault>>)>,
}

impl Faults {
    pub(super) fn set(&mut self, next: impl IntoIterator<Item = Option<Fault>>, then: Option<Fault>) {
        *self = Self { next: next.into_iter().collect(), then, of: Vec::new() };
    }

    pub(super) fn set_of(&mut self, part: &str, next: impl IntoIterator<Item = Option<Fault>>) {
        self.of.retain(|(other, _)| other != part);
        self.of.push((part.to_owned(), next.into_iter().collect()));
    }

    /// The fault for all future requests, if any.
    pub(super) fn lasting(&self) -> Option<Fault> {
        self.then.clone()
    }

    /// The fault for the request that has just come, if any.
    pub(super) fn next(&mut self, path: &str) -> Option<Fault> {
        let of_path =
            self.of.iter_mut().find(|(part, next)| path.ends_with(part.as_str()) && !next.is_empty());
        if let Some((_, next)) = of_path {
            return next.pop_front().flatten();
        }
        self.next.pop_front().unwrap_or_else(|| self.then.clone())
    }
}

/// The answer to `path` for a fault that has its own answer.
pub(super) fn answer(fault: &Fault, path: &str) -> Option<Response<Body>> {
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
pub(super) fn answer_after(status: u16) -> Response<Body> {
    refusal(status, None)
}

fn json_response(status: StatusCode, body: Body) -> Response<Body> {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

fn refusal(status: u16, retry_after: Option<&str>) -> Response<Body> {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = json_answer(status, &shapes::errors("The simulated site was told to fail."));
    if let Some(value) = retry_after.and_then(|value| HeaderValue::from_str(value).ok()) {
        response.headers_mut().insert(header::RETRY_AFTER, value);
    }
    response
}

fn redirect(target: &str) -> Response<Body> {
    let mut response = html(StatusCode::FOUND, "");
    if let Ok(target) = HeaderValue::from_str(target) {
        response.headers_mut().insert(header::LOCATION, target);
    }
    response
}

fn anonymous(path: &str) -> Response<Body> {
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
