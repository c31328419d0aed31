//! One request to Jira over HTTP: credentials, bounded answers, retries.
//!
//! Decides what a failure means. What an answer means is for the callers to decide.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use bytes::Bytes;
use reqwest::{
    Request, Response, StatusCode,
    header::{CONTENT_TYPE, HeaderMap, HeaderValue},
};
use tokio::time::{Instant, timeout_at};
use url::Url;

use crate::{
    config::JiraConfig,
    connection::authorization::Authorization,
    connection::location::Location,
    connection::overload_gate::Pass,
    connection::request::{JiraRequest, RequestKind},
    connection::status::{
        is_about_one_issue, is_anonymous, is_denied, limit_reset, not_allowed, redirect_detail,
    },
    error::{JiraError, JiraOutage, JiraSetupError},
    wire::refusal::is_jira_error,
};
use maro_process::{
    clock::Clock,
    http::{
        body::{self, BodyError},
        client::{self, ClientOptions, Trust},
        retry::{Backoff, Failure, Retry, retry_after},
    },
    spans,
};

/// How many times a request is sent at most.
const MAX_ATTEMPTS: u32 = 3;

const BACKOFF: Backoff =
    Backoff { first: Duration::from_millis(100), longest: Duration::from_secs(60), certain: 0.0 };

/// The wait that is reported if Jira limits the rate and doesn't say for how long.
const DEFAULT_RETRY_AFTER: Duration = Duration::from_secs(30);

/// How long others of its kind pause after a request that Jira refused twice without saying for how long.
const GUESSED_PAUSE: Duration = Duration::from_secs(2);

/// Status 410: Jira has removed what a release of MARO asks for.
const NO_LONGER_THERE: &str = "status 410: Jira no longer has what MARO asks for, so a newer MARO is needed";

const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// What Jira answered, with the whole body.
#[derive(Debug)]
pub(crate) enum Answer {
    /// Status 200, 201, or 204 with an empty body.
    Found(Bytes),
    /// Status 404, from Jira or from something else at that address.
    NotFound(Bytes),
    /// Status 400, 409, 413 or 422, or whatever says no to a change, from Jira or from something else at that address.
    Refused(u16, Bytes),
}

impl Answer {
    /// The body, if the request was one that Jira has no reason to refuse.
    pub(crate) fn found(self) -> Result<Bytes, JiraError> {
        match self {
            Self::Found(body) => Ok(body),
            // Every Jira site has this address.
            Self::NotFound(_) => Err(JiraError::invalid(
                "status 404: there is no Jira at JIRA_BASE_URL, or at JIRA_API_URL if that is set",
            )),
            Self::Refused(status, _) => Err(JiraError::invalid(format!("status {status}"))),
        }
    }
}

#[derive(Debug)]
pub(crate) struct Transport {
    http: reqwest::Client,
    authorization: Authorization,
    location: Location,
    /// Whether Jira refuses the account until somebody solves a CAPTCHA.
    wants_captcha: AtomicBool,
    clock: Clock,
}

impl Transport {
    /// Doesn't connect yet. Reads the machine's root certificates if Jira is on HTTPS.
    pub(crate) fn new(config: &JiraConfig) -> Result<Self, JiraSetupError> {
        let is_encrypted = [Some(&config.base_url), config.api_url.as_ref()]
            .into_iter()
            .flatten()
            .any(|url| Trust::for_url(url) == Trust::System);
        let trust = if is_encrypted { Trust::System } else { Trust::Nobody };
        let http = client::build(&ClientOptions {
            network: config.network.clone(),
            identity: config.client_certificate.clone(),
            ..ClientOptions::new(trust)
        });
        Ok(Self {
            http: http.map_err(JiraSetupError)?,
            authorization: Authorization::new(config),
            location: Location::new(config),
            wants_captcha: AtomicBool::new(false),
            clock: Clock::system(),
        })
    }

    /// Other credentials may be taken elsewhere.
    pub(crate) fn replace_credentials(&self, config: &JiraConfig) {
        if self.authorization.replace(config) {
            self.location.start_again();
        }
    }

    /// Whether Jira refuses the account until somebody solves a CAPTCHA, as it does after sign-ins that failed.
    pub(crate) fn wants_captcha(&self) -> bool {
        self.wants_captcha.load(Ordering::Relaxed)
    }

    /// Where requests go.
    pub(crate) fn location(&self) -> &Location {
        &self.location
    }

    /// Who MARO is to Jira.
    pub(crate) fn authorization(&self) -> &Authorization {
        &self.authorization
    }

    /// What the site says to anybody, at an address below it.
    pub(crate) async fn ask_openly(&self, url: Url, deadline: Instant) -> Result<Answer, JiraError> {
        let request = self.http.get(url).headers(self.authorization.without_credentials());
        let exchange = async {
            let response =
                spans::send("jira", request).await.map_err(|error| connection_failure(error).error)?;
            let status = response.status();
            let body = read_body(response, RequestKind::GetAccount.max_body_bytes())
                .await
                .map_err(|failure| failure.error)?;
            Ok(if status == StatusCode::OK {
                Answer::Found(body)
            } else {
                Answer::Refused(status.as_u16(), body)
            })
        };
        timeout_at(deadline, exchange).await.unwrap_or(Err(JiraError::TimedOut))
    }

    /// Sends a request, and again after failures that may pass, as long as the pauses end before `deadline`.
    ///
    /// One that isn't repeatable is sent again only if Jira can't have acted on it: there was no connection,
    /// or Jira limits the rate.
    ///
    /// # Errors
    /// The last attempt's failure, at `deadline` at the latest.
    pub(crate) async fn send(
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

    /// Sends it where the API is. If the credentials are refused, it wasn't acted on, and is sent where they may be
    /// taken, and once more if they can be renewed.
    async fn attempt(
        &self,
        request: &JiraRequest,
        number: u32,
        pass: &Pass<'_>,
    ) -> Result<Answer, Failure<JiraError>> {
        let limited = |error: JiraError| {
            // The giver of tokens limits MARO, and every request would ask it again.
            if let JiraError::RateLimited { retry_after } = &error {
                pass.limited(*retry_after);
            }
            Failure::refused(error)
        };
        let headers = self.authorization.headers(&self.http).await.map_err(limited)?;
        let mut place = self.location.place(&request.url);
        let mut answer = self.exchange(request, &place, &headers.map, number, pass).await;
        if is_refused(&answer) || is_nowhere(&answer) {
            self.location.doubt().await;
            let elsewhere = self.location.place(&request.url);
            if elsewhere != place {
                place = elsewhere;
                answer = self.exchange(request, &place, &headers.map, number, pass).await;
            }
        }
        if !is_refused(&answer) {
            return answer;
        }
        if let Some((there, gateway)) = self.location.at_gateway(&self.http, &request.url, &place).await {
            let refused = answer;
            answer = self.exchange(request, &there, &headers.map, number, pass).await;
            match &answer {
                Err(Failure { error: JiraError::Unauthorized, .. }) => {}
                Err(Failure { error, .. }) if error.is_outage() => return answer,
                _ if is_nowhere(&answer) => {
                    self.location.not_at_gateway();
                    return refused;
                }
                _ => {
                    gateway.settle();
                    return answer;
                }
            }
            place = there;
        }
        if !self.authorization.refused(&headers) {
            return answer;
        }
        let headers = self.authorization.headers(&self.http).await.map_err(limited)?;
        self.exchange(request, &place, &headers.map, number, pass).await
    }

    async fn exchange(
        &self,
        request: &JiraRequest,
        place: &Url,
        headers: &HeaderMap,
        number: u32,
        pass: &Pass<'_>,
    ) -> Result<Answer, Failure<JiraError>> {
        let max_bytes = request.kind.max_body_bytes();
        let sent = as_sent(request, place, headers);
        let response =
            spans::execute(&self.http, request.kind.as_str(), sent).await.map_err(connection_failure)?;
        self.wants_captcha.store(is_denied(response.headers()), Ordering::Relaxed);
        match response.status() {
            StatusCode::OK | StatusCode::NOT_FOUND | StatusCode::BAD_REQUEST
                if is_anonymous(response.headers()) =>
            {
                Err(Failure::refused(JiraError::Unauthorized))
            }
            StatusCode::OK | StatusCode::CREATED | StatusCode::NO_CONTENT => {
                Ok(Answer::Found(read_body(response, max_bytes).await?))
            }
            StatusCode::NOT_FOUND => Ok(Answer::NotFound(read_body(response, max_bytes).await?)),
            status @ (StatusCode::BAD_REQUEST
            | StatusCode::CONFLICT
            | StatusCode::PAYLOAD_TOO_LARGE
            | StatusCode::UNPROCESSABLE_ENTITY) => {
                Ok(Answer::Refused(status.as_u16(), read_body(response, max_bytes).await?))
            }
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
                Err(Failure::refused(not_allowed(response, request).await))
            }
            // A site that is locked for a while, an app that has a say in it: the reason is in the body.
            status if request.kind.changes_jira() && is_no(status) => {
                Ok(Answer::Refused(status.as_u16(), read_body(response, max_bytes).await?))
            }
            _ => Err(self.refusal(&response, number, pass)),
        }
    }

    /// What any other status means for the attempt with this number.
    fn refusal(&self, response: &Response, number: u32, pass: &Pass<'_>) -> Failure<JiraError> {
        let status = response.status().as_u16();
        let (headers, now) = (response.headers(), self.clock.now());
        let retry_after = retry_after(headers, now);
        let (error, may_pass) = match status {
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
            502..=504 => (JiraError::outage(JiraOutage::Status(status)), true),
            500..=599 => (JiraError::outage(JiraOutage::Status(status)), false),
            300..=399 => (JiraError::invalid(redirect_detail(response)), false),
            410 => (JiraError::invalid(NO_LONGER_THERE), false),
            _ => (JiraError::invalid(format!("status {status}")), false),
        };
        // 408 is a time-out of a server or proxy: the request may have gone through.
        let may_have_acted = status == 408 || !(300..=499).contains(&status);
        Failure { error, may_have_acted, may_pass, retry_after }
    }
}

/// Whether a status says that nothing was done, and nothing more than that.
fn is_no(status: StatusCode) -> bool {
    const OTHERS: [StatusCode; 3] =
        [StatusCode::REQUEST_TIMEOUT, StatusCode::GONE, StatusCode::TOO_MANY_REQUESTS];
    status.is_client_error() && !OTHERS.contains(&status)
}

fn as_sent(asked: &JiraRequest, place: &Url, headers: &HeaderMap) -> Request {
    let mut request = Request::new(asked.method.clone(), place.clone());
    *request.headers_mut() = headers.clone();
    if let Some(body) = &asked.body {
        request.headers_mut().insert(CONTENT_TYPE, JSON);
        *request.body_mut() = Some(body.clone().into());
    }
    request
}

/// Whether Jira refuses the credentials as a whole.
fn is_refused(answer: &Result<Answer, Failure<JiraError>>) -> bool {
    matches!(answer, Err(Failure { error: JiraError::Unauthorized, .. }))
}

/// Whether what answers isn't Jira: as the gateway, where it doesn't know the site.
fn is_nowhere(answer: &Result<Answer, Failure<JiraError>>) -> bool {
    matches!(answer, Ok(Answer::NotFound(body)) if !is_jira_error(body))
}

async fn read_body(response: Response, max_bytes: usize) -> Result<Bytes, Failure<JiraError>> {
    body::read(response, max_bytes).await.map_err(|error| match error {
        BodyError::TooLarge => {
            Failure::unclear(JiraError::invalid(format!("a body of more than {max_bytes} bytes")))
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
    let error = JiraError::connection(error);
    Failure { may_have_acted, ..Failure::not_done(error) }
}
