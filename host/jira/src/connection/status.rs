//! What statuses and headers say of a request that wasn't answered as it should be.

use std::time::Duration;

use jiff::Timestamp;
use reqwest::{
    Response, StatusCode,
    header::{HeaderMap, WWW_AUTHENTICATE},
};

use crate::{connection::request::JiraRequest, error::JiraError, wire::refusal};
use maro_process::http::{
    body,
    gate_pages::{self, Redirect},
};

/// Status 403 with a web page.
const GATE: &str =
    "status 403 with a web page: something stands in front of Jira and doesn't let MARO through";

/// How many bytes are read of why Jira refuses the credentials.
const MAX_REASON_BYTES: usize = 4 * 1024;

/// What status 401 or 403 means. Jira says 401 also where it knows the token, which doesn't cover the request.
pub(crate) async fn not_allowed(response: Response, request: &JiraRequest) -> JiraError {
    let is_unauthorized = response.status() == StatusCode::UNAUTHORIZED;
    let is_named = response
        .headers()
        .get_all(WWW_AUTHENTICATE)
        .iter()
        .any(|value| value.to_str().is_ok_and(|value| value.contains("insufficient_scope")));
    let (is_jiras, is_anonymous) = (is_jiras(response.headers()), is_anonymous(response.headers()));
    let reason = body::read_start(response, MAX_REASON_BYTES).await;
    if !is_unauthorized && !is_jiras && gate_pages::is_web_page(&reason) {
        return JiraError::invalid(GATE);
    }
    let words = String::from_utf8_lossy(&reason).to_ascii_lowercase();
    match is_unauthorized || is_anonymous {
        _ if is_named || words.contains("scope does not match") => {
            JiraError::MissingScope { scope: request.kind.scope() }
        }
        true => JiraError::Unauthorized,
        // Why nothing can be read is for admins to find out. What isn't changed, people can often do in another way.
        false => JiraError::Forbidden {
            reason: request.kind.changes_jira().then(|| refusal::reason(&reason)).flatten(),
        },
    }
}

/// Whether Jira treated the request as anonymous although it carried credentials. Data Center then hides
/// issues instead of answering 401.
pub(crate) fn is_anonymous(headers: &HeaderMap) -> bool {
    let holds = |name, words: &[&str]| {
        headers
            .get_all(name)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .any(|value| words.iter().any(|word| value.contains(word)))
    };
    holds("x-seraph-loginreason", &["AUTHENTICATED_FAILED", "AUTHENTICATION_DENIED"])
        || headers.get("x-ausername").is_some_and(|name| name == "anonymous")
}

/// Whether Data Center refuses the account, whatever its password, until it signs in with a CAPTCHA.
pub(crate) fn is_denied(headers: &HeaderMap) -> bool {
    let holds = |name, word: &str| {
        headers.get_all(name).iter().any(|value| value.to_str().is_ok_and(|value| value.contains(word)))
    };
    holds("x-seraph-loginreason", "AUTHENTICATION_DENIED")
        || holds("x-authentication-denied-reason", "CAPTCHA")
}

/// Whether Jira itself answers, as its own headers tell, and not what stands in front of it.
fn is_jiras(headers: &HeaderMap) -> bool {
    ["x-arequestid", "atl-traceid", "x-ausername", "x-seraph-loginreason"]
        .iter()
        .any(|name| headers.contains_key(*name))
}

/// When Jira Cloud accepts requests again, if it says so.
/// <https://developer.atlassian.com/cloud/jira/platform/rate-limiting/>
pub(crate) fn limit_reset(headers: &HeaderMap, now: Timestamp) -> Option<Duration> {
    let reset: Timestamp = headers.get("x-ratelimit-reset")?.to_str().ok()?.trim().parse().ok()?;
    Some(reset.duration_since(now).try_into().unwrap_or(Duration::ZERO))
}

/// Whether Jira limits changes of this one issue, and nothing else.
pub(crate) fn is_about_one_issue(headers: &HeaderMap) -> bool {
    headers.get("ratelimit-reason").is_some_and(|reason| reason == "jira-per-issue-on-write")
}

/// Names only the host that a redirect leads to: the rest of the address may hold a session.
pub(crate) fn redirect_detail(response: &Response) -> String {
    let (status, from) = (response.status().as_u16(), response.url().host_str().unwrap_or_default());
    match gate_pages::redirect(response) {
        Redirect::ToTls => {
            format!(
                "status {status}, a redirect to https://{from}; the address must begin with https:// then"
            )
        }
        Redirect::Within => {
            format!("status {status}, a redirect to another page of {from}, as to one that asks to sign in")
        }
        Redirect::To(host) => format!(
            "status {status}, a redirect to {host}; JIRA_BASE_URL must be the site itself, and JIRA_API_URL the API"
        ),
        Redirect::Nowhere => format!("status {status}, a redirect to nowhere"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_a_limit_is_read_from_jiras_own_headers() {
        let now = "2026-01-31T09:30:00Z".parse().unwrap();
        let wait = |text: &'static str| {
            limit_reset(
                &HeaderMap::from_iter([("x-ratelimit-reset".parse().unwrap(), text.parse().unwrap())]),
                now,
            )
        };
        assert_eq!(wait("2026-01-31T09:30:20Z"), Some(Duration::from_secs(20)));
        assert_eq!(wait("2026-01-31T09:31Z"), Some(Duration::from_secs(60)));
        assert_eq!(wait("2026-01-31T09:00:00Z"), Some(Duration::ZERO));
        assert_eq!(wait("soon"), None);
        assert_eq!(limit_reset(&HeaderMap::new(), now), None);
    }
}
