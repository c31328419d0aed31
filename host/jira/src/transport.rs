//! One request to Jira over HTTP: credentials, bounded answers, retries.
//!
//! A question may be repeated without harm ([`Transport::ask`]); an action may not, once Jira may have
//! heard it ([`Transport::act`]). What an answer means is for the callers; what a failure means is decided
//! here, once for all of them.

use std::{error::Error as _, time::Duration};

use bytes::{Bytes, BytesMut};
use reqwest::{
    Method, Request, Response, StatusCode,
    header::{ACCEPT, CONTENT_TYPE, HeaderMap, HeaderValue, LOCATION, USER_AGENT},
};
use rustls::{ClientConfig, RootCertStore};
use serde::Serialize;
use tokio::time::{Instant, timeout_at};
use url::Url;

use crate::{
    config::{JiraConfig, JiraCredentials},
    error::{JiraError, JiraSetupError, Outage},
    retry::{MAX_ATTEMPTS, PassingFailure, retry_after},
};
use maro_process::clock::Clock;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);

/// Shorter than the 60 seconds after which load balancers commonly close, so that MARO closes first.
const POOL_IDLE_TIMEOUT: Duration = Duration::from_secs(50);

/// The largest answer that is read: a hundred issues take some 200 KB.
const MAX_BODY_BYTES: usize = 4 * 1024 * 1024;

/// The wait that is reported if Jira limits the rate and does not say for how long.
const DEFAULT_RETRY_AFTER: Duration = Duration::from_secs(30);

const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// A request to Jira.
#[derive(Debug)]
pub(super) struct Question {
    method: Method,
    url: Url,
    /// JSON.
    body: Option<Bytes>,
}

impl Question {
    pub(super) fn get(url: Url) -> Self {
        Self { method: Method::GET, url, body: None }
    }

    /// A `POST` of `body`, which must be something that JSON can say.
    pub(super) fn post(url: Url, body: &impl Serialize) -> Self {
        Self::with_body(Method::POST, url, body)
    }

    /// A `PUT`, else as [`Question::post`].
    pub(super) fn put(url: Url, body: &impl Serialize) -> Self {
        Self::with_body(Method::PUT, url, body)
    }

    fn with_body(method: Method, url: Url, body: &impl Serialize) -> Self {
        let body = serde_json::to_vec(body).expect("what is sent to Jira is valid JSON");
        Self { method, url, body: Some(body.into()) }
    }
}

/// What Jira answered, with the body read whole.
#[derive(Debug)]
pub(super) enum Answer {
    /// Status 200 or 201, or 204 and no bytes.
    Found(Bytes),
    /// Status 404, from Jira or from something else at that address.
    NotFound(Bytes),
    /// Status 400, 409, 413 or 422, from Jira or from something else at that address.
    Refused(u16, Bytes),
}

impl Answer {
    /// The body, for a question that Jira has no reason to refuse.
    pub(super) fn found(self) -> Result<Bytes, JiraError> {
        match self {
            Self::Found(body) => Ok(body),
            // The address exists on every site.
            Self::NotFound(_) => Err(JiraError::invalid("status 404: there is no Jira at JIRA_BASE_URL")),
            Self::Refused(status, _) => Err(JiraError::invalid(format!("status {status}"))),
        }
    }
}

/// Why an action has no answer.
#[derive(Debug)]
pub(super) enum ActionError {
    /// Jira has certainly done nothing.
    NotDone(JiraError),
    /// Jira may have done it or not, or may still do it.
    Unknown(JiraError),
}

#[derive(Debug)]
pub(super) struct Transport {
    http: reqwest::Client,
    /// Sent with every request. The credentials among them are marked sensitive.
    headers: HeaderMap,
    clock: Clock,
}

/// A failure of one attempt.
struct Failure {
    kind: FailureKind,
    /// Whether Jira may have acted on the request all the same.
    may_have_acted: bool,
}

enum FailureKind {
    Final(JiraError),
    Passing(PassingFailure),
}

impl Failure {
    /// Jira, or something before it, refuses the request as such.
    fn refused(kind: FailureKind) -> Self {
        Self { kind, may_have_acted: false }
    }

    fn unclear(kind: FailureKind) -> Self {
        Self { kind, may_have_acted: true }
    }
}

impl Transport {
    /// Connects to nothing yet. Reads the machine's root certificates if Jira is on HTTPS.
    pub(super) fn new(config: &JiraConfig) -> Result<Self, JiraSetupError> {
        let http = http_client(&config.base_url).map_err(JiraSetupError)?;
        let request = http
            .get(config.base_url.clone())
            .header(ACCEPT, JSON)
            .header(USER_AGENT, concat!("maro/", env!("CARGO_PKG_VERSION")));
        let request = match &config.credentials {
            JiraCredentials::Cloud { email, api_token } => {
                request.basic_auth(email, Some(api_token.expose()))
            }
            JiraCredentials::DataCenter { token } => request.bearer_auth(token.expose()),
        };
        let headers = request.build().map_err(JiraSetupError)?.headers().clone();
        Ok(Self { http, headers, clock: Clock::system() })
    }

    /// Asks, and asks again after failures that may pass, as long as the pauses end before `deadline`.
    /// The caller cuts the whole off at the deadline.
    pub(super) async fn ask(&self, question: &Question, deadline: Instant) -> Result<Answer, JiraError> {
        self.attempts(question, deadline, |_| true).await.map_err(|failure| failure.kind.into())
    }

    /// Has Jira do something, at `deadline` at the latest. As [`Transport::ask`], but it is sent again only
    /// if Jira cannot have acted on it: there was no connection, or Jira limits the rate.
    pub(super) async fn act(&self, question: &Question, deadline: Instant) -> Result<Answer, ActionError> {
        if deadline <= Instant::now() {
            return Err(ActionError::NotDone(JiraError::TimedOut));
        }
        let work = self.attempts(question, deadline, |failure| !failure.may_have_acted);
        match timeout_at(deadline, work).await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(failure)) if failure.may_have_acted => Err(ActionError::Unknown(failure.kind.into())),
            Ok(Err(failure)) => Err(ActionError::NotDone(failure.kind.into())),
            Err(_) => Err(ActionError::Unknown(JiraError::TimedOut)),
        }
    }

    async fn attempts(
        &self,
        question: &Question,
        deadline: Instant,
        is_repeatable: impl Fn(&Failure) -> bool,
    ) -> Result<Answer, Failure> {
        let mut attempt = 1;
        loop {
            let failure = match self.attempt(question).await {
                Ok(answer) => return Ok(answer),
                Err(failure) => failure,
            };
            let FailureKind::Passing(passing) = &failure.kind else { return Err(failure) };
            let remaining = deadline.saturating_duration_since(Instant::now());
            let Some(pause) = passing.pause(attempt, remaining).filter(|_| is_repeatable(&failure)) else {
                return Err(failure);
            };
            tracing::debug!(
                attempt,
                ?pause,
                error = &passing.error as &dyn std::error::Error,
                "retrying a Jira request"
            );
            tokio::time::sleep(pause).await;
            attempt += 1;
        }
    }

    async fn attempt(&self, question: &Question) -> Result<Answer, Failure> {
        let response = self.http.execute(self.request(question)).await.map_err(connection_failure)?;
        match response.status() {
            StatusCode::OK | StatusCode::NOT_FOUND | StatusCode::BAD_REQUEST
                if is_anonymous(response.headers()) =>
            {
                Err(Failure::refused(FailureKind::Final(JiraError::Unauthorized)))
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
            _ => Err(self.refusal(&response)),
        }
    }

    fn request(&self, question: &Question) -> Request {
        let mut request = Request::new(question.method.clone(), question.url.clone());
        *request.headers_mut() = self.headers.clone();
        if let Some(body) = &question.body {
            request.headers_mut().insert(CONTENT_TYPE, JSON);
            *request.body_mut() = Some(body.clone().into());
        }
        request
    }

    /// What any other status means.
    fn refusal(&self, response: &Response) -> Failure {
        let status = response.status().as_u16();
        let passing = |error, retry_after, max_attempts| {
            FailureKind::Passing(PassingFailure { error, retry_after, max_attempts })
        };
        let wait = || retry_after(response.headers(), self.clock.now());
        let kind = match status {
            401 => FailureKind::Final(JiraError::Unauthorized),
            403 => FailureKind::Final(JiraError::Forbidden),
            429 => {
                let wait = wait();
                let error = JiraError::RateLimited { retry_after: wait.unwrap_or(DEFAULT_RETRY_AFTER) };
                // Jira did not say how long: one short try more, for it may have been a burst.
                passing(error, wait, if wait.is_some() { MAX_ATTEMPTS } else { 2 })
            }
            502..=504 => passing(JiraError::outage(Outage::Status(status)), wait(), MAX_ATTEMPTS),
            500..=599 => FailureKind::Final(JiraError::outage(Outage::Status(status))),
            300..=399 => FailureKind::Final(JiraError::invalid(redirect_detail(response))),
            _ => FailureKind::Final(JiraError::invalid(format!("status {status}"))),
        };
        // 408 is a server's or a proxy's time-out, in which the request may have gone through.
        let may_have_acted = status == 408 || !(300..=499).contains(&status);
        Failure { kind, may_have_acted }
    }
}

impl From<FailureKind> for JiraError {
    fn from(kind: FailureKind) -> Self {
        match kind {
            FailureKind::Final(error) | FailureKind::Passing(PassingFailure { error, .. }) => error,
        }
    }
}

/// An HTTP client that sends credentials to the configured site and nowhere else: no redirects, no
/// proxies from the environment.
fn http_client(base_url: &Url) -> Result<reqwest::Client, reqwest::Error> {
    let builder = reqwest::Client::builder()
        .connect_timeout(CONNECT_TIMEOUT)
        .pool_idle_timeout(POOL_IDLE_TIMEOUT)
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        .referer(false)
        .no_proxy()
        .tcp_nodelay(true);
    let provider = rustls::crypto::ring::default_provider();
    if base_url.scheme() == "https" {
        // Fails only if a provider is installed already, which then is the same one.
        provider.install_default().ok();
        return builder.build();
    }
    // Reading the root certificates takes milliseconds of a start that has no use for them.
    let tls = ClientConfig::builder_with_provider(provider.into())
        .with_safe_default_protocol_versions()
        .expect("ring has the cipher suites of TLS 1.2 and 1.3")
        .with_root_certificates(RootCertStore::empty())
        .with_no_client_auth();
    builder.tls_backend_preconfigured(tls).build()
}

/// Whether Jira took the request for nobody's although it carried credentials. Data Center then hides
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

async fn read_body(mut response: Response) -> Result<Bytes, Failure> {
    let too_large = || {
        let error = JiraError::invalid(format!("a body of more than {MAX_BODY_BYTES} bytes"));
        Failure::unclear(FailureKind::Final(error))
    };
    if response.content_length().is_some_and(|length| length > MAX_BODY_BYTES as u64) {
        return Err(too_large());
    }
    let Some(first) = response.chunk().await.map_err(connection_failure)? else { return Ok(Bytes::new()) };
    // Most answers are one chunk, which needs no copying.
    let Some(second) = response.chunk().await.map_err(connection_failure)? else { return Ok(first) };
    let mut body = BytesMut::from(first);
    body.extend_from_slice(&second);
    while let Some(chunk) = response.chunk().await.map_err(connection_failure)? {
        if body.len() + chunk.len() > MAX_BODY_BYTES {
            return Err(too_large());
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body.freeze())
}

/// A connection that fails may be tried anew; a server that does not speak HTTP stays what it is.
fn connection_failure(error: reqwest::Error) -> Failure {
    let mut cause = error.source();
    while let Some(source) = cause {
        if source.downcast_ref::<hyper::Error>().is_some_and(hyper::Error::is_parse) {
            let error = JiraError::invalid("it isn't HTTP");
            return Failure::unclear(FailureKind::Final(error));
        }
        cause = source.source();
    }
    let may_have_acted = !error.is_connect();
    let kind = FailureKind::Passing(PassingFailure {
        error: JiraError::outage(Outage::Connection(error.without_url())),
        retry_after: None,
        max_attempts: MAX_ATTEMPTS,
    });
    Failure { kind, may_have_acted }
}

/// Says where a redirect leads by its host alone: the rest may hold a session.
fn redirect_detail(response: &Response) -> String {
    let status = response.status().as_u16();
    let target = response.headers().get(LOCATION).and_then(|location| location.to_str().ok());
    let host = target
        .and_then(|target| response.url().join(target).ok())
        .and_then(|target| target.host_str().map(|host| host.chars().take(100).collect::<String>()));
    let host = host.as_deref().unwrap_or("nowhere");
    format!("status {status}, a redirect to {host}; JIRA_BASE_URL must be the site itself")
}
