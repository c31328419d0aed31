//! Makes sure that only this machine's browser can use the page, and only from the page itself.
//!
//! Pages of any site can send requests to loopback. So each request must name this host (against DNS
//! rebinding), and pages of other sites get no answer. A request that changes something must come from the
//! page's own origin, in a form that other pages can't send without asking first.

use std::{net::SocketAddr, sync::Arc};

use axum::{
    extract::{Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header},
    middleware::Next,
    response::Response,
};

use crate::playground::{answers, state::PlaygroundState};

/// Sent with every response. Nothing is loaded from elsewhere, only the page's own files run, and no text can
/// become markup.
const HEADERS: [(HeaderName, &str); 6] = [
    (
        header::CONTENT_SECURITY_POLICY,
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; \
         base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; \
         trusted-types 'none'",
    ),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::REFERRER_POLICY, "no-referrer"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    (header::CACHE_CONTROL, "no-store"),
];

pub(super) async fn check(
    State(shared): State<Arc<PlaygroundState>>,
    request: Request,
    next: Next,
) -> Response {
    let mut response = match refused(shared.address, request.method(), request.headers()) {
        Some((status, sentence)) => answers::refusal(status, sentence),
        None => next.run(request).await,
    };
    for (name, value) in HEADERS {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}

fn refused(address: SocketAddr, method: &Method, headers: &HeaderMap) -> Option<(StatusCode, &'static str)> {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let host = text(header::HOST);
    if host != address.to_string() && host != format!("localhost:{}", address.port()) {
        return Some((StatusCode::MISDIRECTED_REQUEST, "This isn't the host you're looking for."));
    }
    // Only browsers send it. `none` means that a person typed the address or followed a bookmark.
    let site = text(HeaderName::from_static("sec-fetch-site"));
    let is_navigation = text(HeaderName::from_static("sec-fetch-mode")) == "navigate";
    if !matches!(site, "" | "none" | "same-origin") && !is_navigation {
        return Some((StatusCode::FORBIDDEN, "Pages of other sites can't use this page."));
    }
    if matches!(*method, Method::GET | Method::HEAD) {
        return None;
    }
    if text(header::ORIGIN) != format!("http://{host}") {
        return Some((StatusCode::FORBIDDEN, "Only the page itself can do this."));
    }
    if text(header::CONTENT_TYPE) != "application/json" {
        return Some((StatusCode::UNSUPPORTED_MEDIA_TYPE, "The body must be JSON."));
    }
    None
}
