//! One request to Jira over HTTP: credentials, bounded answers, retries.
//!
//! Decides what a failure means. What an answer means is for the callers to decide.

use std::time::Duration;

use bytes::Bytes;
use jiff::Timestamp;
use reqwest::{
    Request, Response, StatusCode,
    header::{ACCEPT, CONTENT_TYPE, HeaderMap, HeaderValue, LOCATION},
};
use tokio::time::{Instant, timeout_at};

use crate::{
    config::{JiraConfig, JiraCredentials},
    error::{JiraError, JiraSetupError, Outage},
    gate::Pass,
    request::JiraRequest,
};
use maro_process::{
    clock::Clock,
    http::{
        body::{self, BodyError},
        client::{self, ClientOptions, Trust},
        retry::{Backoff, Failure, Retry, retry_after},
    },
};

/// How many times a request is sent at most.
const MAX_ATTEMPTS: u32 = 3;

const BACKOFF: Backoff =
    Backoff { first: Duration::from_millis(100), longest: Duration::from_secs(60), certain: 0.0 };

/// The largest answer that is read: a hundred issues take some 200 KB.
const MAX_BODY_BYTES: usize = 4 * 1024 * 1024;

/// The wait that is reported if Jira limits the rate and doesn't say for how long.
const DEFAULT_RETRY_AFTER: Duration = Duration::from_secs(30);

/// How long others of its kind pause after a request that Jira refused twice without saying for how long.
const GUESSED_PAUSE: Duration = Duration::from_secs(2);

const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// What Jira answered, with the whole body.
#[derive(Debug)]
pub(super) enum Answer {
    /// Status 200, 201, or 204 with an empty body.
    Found(Bytes),
    /// Status 404, from Jira or from something else at that address.
    NotFound(Bytes),
    /// Status 400, 409, 413 or 422, from Jira or from something else at that address.
    Refused(u16, Bytes),
}

impl Answer {
    /// The body, if the request was one that Jira has no reason to refuse.
    pub(super) fn found(self) -> Result<Bytes, JiraError> {
        match self {
            Self::Found(body) => Ok(body),
            // Every Jira site has this address.
            Self::NotFound(_) => Err(JiraError::invalid("status 404: there is no Jira at JIRA_BASE_URL")),
            Self::Refused(status, _) => Err(JiraError::invalid(format!("status {status}"))),
        }
    }
}

#[derive(Debug)]
pub(super) struct Transport {
    http: reqwest::Client,
    /// Sent with every request. The credentials among them are marked sensitive.
    headers: HeaderMap,
    clock: Clock,
}

impl Transport {
    /// Doesn't connect yet. Reads the machine's root certificates if Jira is on HTTPS.
    pub(super) fn new(config: &JiraConfig) -> Result<Self, JiraSetupError> {
        let http = client::build(&ClientOptions::new(Trust::for_url(&config.base_url)));
        let http = http.map_err(JiraSetupError)?;
        let request = http.get(config.base_url.clone()).header(ACCEPT, JSON);
        let request = match &config.credentials {
            JiraCredentials::Cloud { email, api_token } => {
                request.basic_auth(email, Some(api_token.expose()))
            }
            JiraCredentials::DataCenter { token } => request.bearer_auth(token.expose()),
        };
        let headers = request.build().map_err(JiraSetupError)?.headers().clone();
        Ok(Self { http, headers, clock: Clock::system() })
    }

    /// Sends a request, and again after failures that may pass, as long as the pauses end before `deadline`.
    ///
    /// One that isn't repeatable is sent again only if Jira can't have acted on it: there was no connection,
    /// or Jira limits the rate.
    ///
    /// # Errors
    /// The last attempt's failure, at `deadline` at the latest.
    pub(super) async fn send(
        &self,
        request: &JiraRequest,
        deadline: Instant,
        pass: &Pass<'_>,
    ) -> Result<Answer, Failure<JiraError>> {
        if deadline <= Instant::now() {
            return Err(Failure::refused(JiraError::TimedOut));
        }
        let repeatable = request.kind.is_repeatable();
        let retry = Retry { max_attempts: MAX_ATTEMPTS, backoff: BACKOFF, deadline, repeatable };
        timeout_at(deadline, retry.run(|number| self.attempt(request, number, pass)))
            .await
            .unwrap_or_else(|_| Err(Failure::unclear(JiraError::TimedOut)))
    }

    async fn attempt(
        &self,
        request: &JiraRequest,
        number: u32,
        pass: &Pass<'_>,
    ) -> Result<Answer, Failure<JiraError>> {
        let response = self.http.execute(self.request(request)).await.map_err(connection_failure)?;
        match response.status() {
            StatusCode::OK | StatusCode::NOT_FOUND | StatusCode::BAD_REQUEST
                if is_anonymous(response.headers()) =>
            {
                Err(Failure::refused(JiraError::Unauthorized))
            }
            StatusCode::OK | StatusCode::CREATED | StatusCode::NO_CONTENT => {
                Ok(Answer::Found(read_body(response).await?))
            }
            StatusCode::NOT_FOUND => Ok(Answer::NotFound(read_body(response).await?)),
            status @ (StatusCode::BAD_REQUEST
            | StatusCode::CONFLICT
            | StatusCode::PAYLOAD_TOO_LARGE
            | StatusCode::UNPROCESSABLE_ENTITY) => {
                Ok(Answer::Refused(status.as_u16(), read_body(response).await?))
            }
            _ => Err(self.refusal(&response, number, pass)),
        }
    }

    fn request(&self, asked: &JiraRequest) -> Request {
        let mut request = Request::new(asked.method.clone(), asked.url.clone());
        *request.headers_mut() = self.headers.clone();
        if let Some(body) = &asked.body {
            request.headers_mut().insert(CONTENT_TYPE, JSON);
            *request.body_mut() = Some(body.clone().into());
        }
        request
    }

    /// What any other status means for the attempt with this number.
    fn refusal(&self, response: &Response, number: u32, pass: &Pass<'_>) -> Failure<JiraError> {
        let status = response.status().as_u16();
        let (headers, now) = (response.headers(), self.clock.now());
        let retry_after = retry_after(headers, now);
        let (error, may_pass) = match status {
            401 => (JiraError::Unauthorized, false),
            403 => (JiraError::Forbidden, false),
            429 => {
                let retry_after = retry_after.or_else(|| limit_reset(headers, now));
                match retry_after {
                    _ if is_about_one_issue(headers) => {}
                    Some(wait) => pass.limited(wait),
                    None if number > 1 => pass.limited(GUESSED_PAUSE),
                    None => {}
                }
                let error =
                    JiraError::RateLimited { retry_after: retry_after.unwrap_or(DEFAULT_RETRY_AFTER) };
                // Jira didn't say how long. It may have been a burst, so one more try follows soon.
                (error, retry_after.is_some() || number == 1)
            }
            502..=504 => (JiraError::outage(Outage::Status(status)), true),
            500..=599 => (JiraError::outage(Outage::Status(status)), false),
            300..=399 => (JiraError::invalid(redirect_detail(response)), false),
            _ => (JiraError::invalid(format!("status {status}")), false),
        };
        // 408 is a time-out of a server or proxy: the request may have gone through.
        let may_have_acted = status == 408 || !(300..=499).contains(&status);
        Failure { error, may_have_acted, may_pass, retry_after }
    }
}

/// Whether Jira treated the request as anonymous although it carried credentials. Data Center then hides
/// issues instead of answering 401.
fn is_anonymous(headers: &HeaderMap) -> bool {
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

/// When Jira Cloud accepts requests again, if it says so.
/// <https://developer.atlassian.com/cloud/jira/platform/rate-limiting/>
fn limit_reset(headers: &HeaderMap, now: Timestamp) -> Option<Duration> {
    let reset: Timestamp = headers.get("x-ratelimit-reset")?.to_str().ok()?.trim().parse().ok()?;
    Some(reset.duration_since(now).try_into().unwrap_or(Duration::ZERO))
}

/// Whether Jira limits changes of this one issue, and nothing else.
fn is_about_one_issue(headers: &HeaderMap) -> bool {
    headers.get("ratelimit-reason").is_some_and(|reason| reason == "jira-per-issue-on-write")
}

async fn read_body(response: Response) -> Result<Bytes, Failure<JiraError>> {
    body::read(response, MAX_BODY_BYTES).await.map_err(|error| match error {
        BodyError::TooLarge => {
            Failure::unclear(JiraError::invalid(format!("a body of more than {MAX_BODY_BYTES} bytes")))
        }
        BodyError::Broken(error) => connection_failure(error),
    })
}

/// A failed connection may work next time. A server that doesn't speak HTTP won't.
fn connection_failure(error: reqwest::Error) -> Failure<JiraError> {
    if client::is_not_http(&error) {
        return Failure::unclear(JiraError::invalid("it isn't HTTP"));
    }
    let may_have_acted = !error.is_connect();
    let error = JiraError::outage(Outage::Connection(error.without_url()));
    Failure { may_have_acted, ..Failure::not_done(error) }
}

/// Names only the host that a redirect leads to: the rest of the address may hold a session.
fn redirect_detail(response: &Response) -> String {
    let status = response.status().as_u16();
    let target = response.headers().get(LOCATION).and_then(|location| location.to_str().ok());
    let host = target
        .and_then(|target| response.url().join(target).ok())
        .and_then(|target| target.host_str().map(|host| host.chars().take(100).collect::<String>()));
    let host = host.as_deref().unwrap_or("nowhere");
    format!("status {status}, a redirect to {host}; JIRA_BASE_URL must be the site itself")
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
