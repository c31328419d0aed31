//! One request to Jira over HTTP: credentials, bounded answers, retries.
//!
//! A question may be repeated without harm ([`Transport::ask`]); an action may not, once Jira may have
//! heard it ([`Transport::act`]). What an answer means is for the callers; what a failure means is decided
//! here, once for all of them.

use std::time::Duration;

use bytes::Bytes;
use reqwest::{
    Method, Request, Response, StatusCode,
    header::{ACCEPT, CONTENT_TYPE, HeaderMap, HeaderValue, LOCATION},
};
use serde::Serialize;
use tokio::time::{Instant, timeout_at};
use url::Url;

use crate::{
    config::{JiraConfig, JiraCredentials},
    error::{JiraError, JiraSetupError, Outage},
};
use maro_process::{
    clock::Clock,
    http::{
        body::{self, BodyError},
        client::{self, ClientOptions, Trust},
        retry::{Backoff, Failure, Retry, retry_after},
    },
};

/// How often a request is sent at most.
const MAX_ATTEMPTS: u32 = 3;

const BACKOFF: Backoff =
    Backoff { first: Duration::from_millis(100), longest: Duration::from_secs(60), certain: 0.0 };

/// The largest answer that is read: a hundred issues take some 200 KB.
const MAX_BODY_BYTES: usize = 4 * 1024 * 1024;

/// The wait that is reported if Jira limits the rate and does not say for how long.
const DEFAULT_RETRY_AFTER: Duration = Duration::from_secs(30);

const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// A request to Jira.
#[derive(Debug)]
pub(super) struct JiraRequest {
    method: Method,
    url: Url,
    /// JSON.
    body: Option<Bytes>,
}

impl JiraRequest {
    pub(super) fn get(url: Url) -> Self {
        Self { method: Method::GET, url, body: None }
    }

    /// A `POST` of `body`, which must be something that JSON can say.
    pub(super) fn post(url: Url, body: &impl Serialize) -> Self {
        Self::with_body(Method::POST, url, body)
    }

    /// A `PUT`, else as [`JiraRequest::post`].
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

impl Transport {
    /// Connects to nothing yet. Reads the machine's root certificates if Jira is on HTTPS.
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

    /// Asks, and asks again after failures that may pass, as long as the pauses end before `deadline`.
    /// The caller cuts the whole off at the deadline.
    pub(super) async fn ask(&self, request: &JiraRequest, deadline: Instant) -> Result<Answer, JiraError> {
        self.attempts(request, deadline, true).await.map_err(|failure| failure.error)
    }

    /// Has Jira do something, at `deadline` at the latest. As [`Transport::ask`], but it is sent again only
    /// if Jira cannot have acted on it: there was no connection, or Jira limits the rate.
    pub(super) async fn act(&self, request: &JiraRequest, deadline: Instant) -> Result<Answer, ActionError> {
        if deadline <= Instant::now() {
            return Err(ActionError::NotDone(JiraError::TimedOut));
        }
        match timeout_at(deadline, self.attempts(request, deadline, false)).await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(failure)) if failure.may_have_acted => Err(ActionError::Unknown(failure.error)),
            Ok(Err(failure)) => Err(ActionError::NotDone(failure.error)),
            Err(_) => Err(ActionError::Unknown(JiraError::TimedOut)),
        }
    }

    async fn attempts(
        &self,
        request: &JiraRequest,
        deadline: Instant,
        repeatable: bool,
    ) -> Result<Answer, Failure<JiraError>> {
        let retry = Retry { max_attempts: MAX_ATTEMPTS, backoff: BACKOFF, deadline, repeatable };
        retry.run(|number| self.attempt(request, number)).await
    }

    async fn attempt(&self, request: &JiraRequest, number: u32) -> Result<Answer, Failure<JiraError>> {
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
            _ => Err(self.refusal(&response, number)),
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

    /// What any other status means, to the attempt of this number.
    fn refusal(&self, response: &Response, number: u32) -> Failure<JiraError> {
        let status = response.status().as_u16();
        let retry_after = retry_after(response.headers(), self.clock.now());
        let (error, may_pass) = match status {
            401 => (JiraError::Unauthorized, false),
            403 => (JiraError::Forbidden, false),
            429 => {
                let error =
                    JiraError::RateLimited { retry_after: retry_after.unwrap_or(DEFAULT_RETRY_AFTER) };
                // Jira did not say how long: one short try more, for it may have been a burst.
                (error, retry_after.is_some() || number == 1)
            }
            502..=504 => (JiraError::outage(Outage::Status(status)), true),
            500..=599 => (JiraError::outage(Outage::Status(status)), false),
            300..=399 => (JiraError::invalid(redirect_detail(response)), false),
            _ => (JiraError::invalid(format!("status {status}")), false),
        };
        // 408 is a server's or a proxy's time-out, in which the request may have gone through.
        let may_have_acted = status == 408 || !(300..=499).contains(&status);
        Failure { error, may_have_acted, may_pass, retry_after }
    }
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

async fn read_body(response: Response) -> Result<Bytes, Failure<JiraError>> {
    body::read(response, MAX_BODY_BYTES).await.map_err(|error| match error {
        BodyError::TooLarge => {
            Failure::unclear(JiraError::invalid(format!("a body of more than {MAX_BODY_BYTES} bytes")))
        }
        BodyError::Broken(error) => connection_failure(error),
    })
}

/// A connection that fails may be tried again; a server that does not speak HTTP stays what it is.
fn connection_failure(error: reqwest::Error) -> Failure<JiraError> {
    if client::is_not_http(&error) {
        return Failure::unclear(JiraError::invalid("it isn't HTTP"));
    }
    let may_have_acted = !error.is_connect();
    let error = JiraError::outage(Outage::Connection(error.without_url()));
    Failure { may_have_acted, ..Failure::not_done(error) }
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
