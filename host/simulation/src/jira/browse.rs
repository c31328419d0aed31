//! An issue's web page, so that links in replies work.

use axum::{
    http::{HeaderValue, StatusCode, header},
    response::Response,
};

use crate::jira::{answers::html, issue::SimulatedIssue};

/// The page of an issue, or a page that says there is none.
pub(super) fn page(issue: Option<&SimulatedIssue>) -> Response {
    let (status, title, text) = match issue {
        Some(issue) => {
            let title = format!("{}: {}", issue.key, issue.summary);
            (StatusCode::OK, title, format!("Status: {}", issue.status))
        }
        None => {
            (StatusCode::NOT_FOUND, "No such issue".to_owned(), "It isn't in the simulated Jira.".to_owned())
        }
    };
    let (title, text) = (escape(&title), escape(&text));
    let mut response = html(
        status,
        &format!(
            "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>{title}</title>\
             <h1>{title}</h1><p>{text}</p><p>A simulated Jira site.</p></html>"
        ),
    );
    response
        .headers_mut()
        .insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static("default-src 'none'"));
    response
}

fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            other => escaped.push(other),
        }
    }
    escaped
}
