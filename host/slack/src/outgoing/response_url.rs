//! Late answers: the `response_url` of a command, which hosts it may point to, and posting to it.
//!
//! The address is a capability: anybody who knows it can post in the channel. So it is never logged. It is
//! also input, so it is contacted only if it is Slack's.

use std::{
    fmt,
    sync::atomic::{AtomicU8, Ordering},
    time::Duration,
};

use bytes::Bytes;
use reqwest::{Client, Response, StatusCode, header};
use tokio::time::Instant;
use url::{Origin, Url};

use crate::{config::SlackConfig, outgoing::message::Message, rate_limit};
use maro_process::{
    clock::Clock,
    http::{
        body,
        client::{ClientOptions, LazyClient, Trust},
        network::Network,
        retry::{Backoff, Failure, Retry, retry_after},
    },
    spans,
};

/// Where Slack's own response URLs point: <https://docs.slack.dev/interactivity/handling-user-interaction>.
const SLACK_HOSTS: [&str; 2] = ["hooks.slack.com", "hooks.slack-gov.com"];

/// Slack accepts five messages for one command, within half an hour.
const MAX_USES: u8 = 5;
const LIFETIME: Duration = Duration::from_secs(30 * 60);

const REQUEST_TIMEOUT: Duration = Duration::from_secs(10);

/// How many times one message is tried. Fewer than the uses, so that a failing message leaves one.
const MAX_ATTEMPTS: u32 = 4;

const BACKOFF: Backoff =
    Backoff { first: Duration::from_millis(200), longest: Duration::from_secs(1), certain: 0.5 };

/// The longest `Retry-After` that is waited for. A person has stopped waiting by then.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// How many bytes of Slack's answer are read.
const MAX_ANSWER_BYTES: usize = 4 * 1024;

/// An address that belongs to Slack, and how many times it can still be used.
pub struct ResponseUrl {
    url: Url,
    admitted_at: Instant,
    uses_left: AtomicU8,
}

impl ResponseUrl {
    /// Takes one use, unless the address is used up or too old.
    fn take_use(&self) -> Result<(), PostError> {
        if self.admitted_at.elapsed() >= LIFETIME {
            return Err(PostError::Expired);
        }
        self.uses_left
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, |left| left.checked_sub(1))
            .map(|_| ())
            .map_err(|_| PostError::Expired)
    }

    /// Returns a use that never reached Slack.
    fn return_use(&self) {
        self.uses_left.fetch_add(1, Ordering::AcqRel);
    }
}

impl fmt::Debug for ResponseUrl {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "ResponseUrl({}/…)", self.url.origin().ascii_serialization())
    }
}

/// Which addresses may be contacted: Slack's own, and those with the origin of the configured Web API.
#[derive(Debug, Clone)]
pub struct ResponseUrlPolicy {
    api_origin: Origin,
}

impl ResponseUrlPolicy {
    pub fn new(config: &SlackConfig) -> Self {
        Self { api_origin: config.api_url.origin() }
    }

    /// The address, if it may be contacted: it must have `https`, one of Slack's hosts and the default port,
    /// or the scheme, host and port of `SLACK_API_URL`, and no user or password. A rejection is logged, with
    /// only the host.
    pub fn admit(&self, text: &str) -> Option<ResponseUrl> {
        let Ok(url) = Url::parse(text) else {
            tracing::warn!("ignored a response_url that isn't a URL");
            return None;
        };
        let is_slacks = url.scheme() == "https"
            && url.port().is_none()
            && url.host_str().is_some_and(|host| SLACK_HOSTS.contains(&host));
        let is_configured = || matches!(url.scheme(), "http" | "https") && url.origin() == self.api_origin;
        let has_user = !url.username().is_empty() || url.password().is_some();
        if has_user || !(is_slacks || is_configured()) {
            let host = url.host_str().unwrap_or_default();
            tracing::warn!(host, "ignored a response_url that isn't Slack's");
            return None;
        }
        Some(ResponseUrl { url, admitted_at: Instant::now(), uses_left: AtomicU8::new(MAX_USES) })
    }
}

/// Why a message didn't arrive.
#[derive(Debug, thiserror::Error)]
pub enum PostError {
    /// Slack accepts no more messages for this command: there were five, or half an hour is over.
    #[error("the response_url has expired or was used up")]
    Expired,
    /// Slack won't accept this message, however often it is sent.
    #[error("Slack rejected the message with status {status}: {reason}")]
    Refused { status: u16, reason: String },
    #[error("Slack is rate-limiting MARO and asks it to wait {} s", .retry_after.as_secs())]
    RateLimited { retry_after: Duration },
    /// Slack has an internal error.
    #[error("Slack failed with status {status}")]
    Failed { status: u16 },
    #[error("can't reach Slack")]
    Unreachable(#[source] reqwest::Error),
    /// The message may have arrived, so it isn't sent again: nobody wants two answers.
    #[error("Slack took too long to respond")]
    TimedOut(#[source] reqwest::Error),
    /// This process can't use HTTP, for instance because the system has no root certificates.
    #[error("can't set up the connection to Slack")]
    NoClient(#[source] reqwest::Error),
}

/// Posts messages to response URLs. One for the whole process: it keeps connections open.
pub struct ResponseUrlClient {
    plain: LazyClient,
    secure: LazyClient,
    clock: Clock,
}

impl Default for ResponseUrlClient {
    fn default() -> Self {
        Self::new(&Network::default())
    }
}

impl ResponseUrlClient {
    pub fn new(network: &Network) -> Self {
        let client = |trust| {
            LazyClient::new(ClientOptions {
                timeout: Some(REQUEST_TIMEOUT),
                network: network.clone(),
                ..ClientOptions::new(trust)
            })
        };
        Self { plain: client(Trust::Nobody), secure: client(Trust::System), clock: Clock::system() }
    }

    /// Sends a separate message to the person or channel that `url` stands for. Tries up to four times while
    /// Slack can't be reached, fails or limits the rate, and follows no redirects.
    ///
    /// # Errors
    /// [`PostError`] with the outcome of the last attempt.
    pub async fn post(&self, url: &ResponseUrl, message: &Message) -> Result<(), PostError> {
        self.post_json(url, Bytes::from(message.to_follow_up())).await
    }

    /// Removes the message that `url` belongs to, also one that only one person sees.
    ///
    /// # Errors
    /// As [`ResponseUrlClient::post`].
    pub async fn delete_original(&self, url: &ResponseUrl) -> Result<(), PostError> {
        self.post_json(url, Bytes::from_static(br#"{"delete_original":true}"#)).await
    }

    async fn post_json(&self, url: &ResponseUrl, body: Bytes) -> Result<(), PostError> {
        let client = match Trust::for_url(&url.url) {
            Trust::Nobody => self.plain.get().await,
            _ => self.secure.get().await,
        };
        let client = client.map_err(PostError::NoClient)?;
        let deadline = url.admitted_at + LIFETIME;
        // A message that may have been shown doesn't count as passing, so everything else can be sent again.
        let retry = Retry { max_attempts: MAX_ATTEMPTS, backoff: BACKOFF, deadline, repeatable: true };
        retry.run(|_| self.send(client, url, body.clone())).await.map_err(|failure| failure.error)
    }

    async fn send(&self, client: &Client, url: &ResponseUrl, body: Bytes) -> Result<(), Failure<PostError>> {
        url.take_use().map_err(Failure::refused)?;
        let request = client
            .post(url.url.clone())
            .header(header::CONTENT_TYPE, "application/json; charset=utf-8")
            .body(body);
        match spans::send("response_url", request).await {
            Ok(response) => self.judge(response).await,
            // The library's error would print the address.
            Err(error) if error.is_connect() => {
                url.return_use();
                Err(Failure::not_done(PostError::Unreachable(error.without_url())))
            }
            Err(error) if error.is_timeout() => {
                Err(Failure::unclear(PostError::TimedOut(error.without_url())))
            }
            Err(error) => Err(Failure::unclear(PostError::Unreachable(error.without_url()))),
        }
    }

    async fn judge(&self, response: Response) -> Result<(), Failure<PostError>> {
        let status = response.status();
        match status {
            StatusCode::NOT_FOUND | StatusCode::GONE => Err(Failure::refused(PostError::Expired)),
            StatusCode::TOO_MANY_REQUESTS => {
                let retry_after = rate_limit::wait(response.headers(), self.clock.now());
                Err(later(PostError::RateLimited { retry_after }, Some(retry_after)))
            }
            // A proxy has given up on Slack, which may have shown the message by now.
            StatusCode::BAD_GATEWAY | StatusCode::GATEWAY_TIMEOUT => {
                Err(Failure::unclear(PostError::Failed { status: status.as_u16() }))
            }
            status if status.is_server_error() => {
                let asked = retry_after(response.headers(), self.clock.now());
                Err(later(PostError::Failed { status: status.as_u16() }, asked))
            }
            status => match refusal(status, &body::read_start(response, MAX_ANSWER_BYTES).await) {
                None => Ok(()),
                Some(reason) if matches!(reason.as_str(), "expired_url" | "used_url") => {
                    Err(Failure::refused(PostError::Expired))
                }
                Some(reason) => Err(Failure::refused(PostError::Refused { status: status.as_u16(), reason })),
            },
        }
    }
}

/// Slack hasn't shown the message, but may after a wait, unless that is longer than anybody would wait.
fn later(error: PostError, wait: Option<Duration>) -> Failure<PostError> {
    let may_pass = wait.is_none_or(|wait| wait <= LONGEST_PAUSE);
    Failure { may_pass, ..Failure::not_done(error).after(wait) }
}

/// Slack's word for why it rejected a message, in JSON or as plain text, sometimes with status 200.
fn refusal(status: StatusCode, answer: &[u8]) -> Option<String> {
    #[derive(serde::Deserialize)]
    struct Answer {
        ok: bool,
        #[serde(default)]
        error: String,
    }
    let said = serde_json::from_slice::<Answer>(answer).ok();
    if status.is_success() && said.as_ref().is_none_or(|answer| answer.ok) {
        return None;
    }
    let reason = said.map_or_else(|| String::from_utf8_lossy(answer).into_owned(), |answer| answer.error);
    // Slack's words are short names; anything else isn't worth a log line.
    let is_name = (1..=80).contains(&reason.len()) && reason.bytes().all(|byte| byte.is_ascii_graphic());
    Some(if is_name { reason } else { "no reason given".to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use maro_process::secret::Secret;

    fn policy(api_url: &str) -> ResponseUrlPolicy {
        ResponseUrlPolicy::new(&SlackConfig::new(Url::parse(api_url).unwrap(), Secret::new("xoxb-1")))
    }

    #[test]
    fn slacks_addresses_are_admitted() {
        let policy = policy("https://slack.com/api");
        for good in [
            "https://hooks.slack.com/commands/T1/2/3",
            "https://hooks.slack-gov.com/commands/T1/2/3",
            "https://hooks.slack.com:443/commands/T1/2/3",
            "https://slack.com/commands/T1/2/3",
        ] {
            assert!(policy.admit(good).is_some(), "{good}");
        }
    }

    #[test]
    fn nobody_elses_addresses_are_admitted() {
        let policy = policy("https://slack.com/api");
        for bad in [
            "http://hooks.slack.com/commands/T1/2/3",
            "https://hooks.slack.com:8443/commands",
            "https://hooks.slack.com.evil.example/commands",
            "https://hooks.slack.com@evil.example/commands",
            "https://evil.example/?hooks.slack.com",
            "https://user:word@hooks.slack.com/commands",
            "https://user@hooks.slack.com/commands",
            "https://hooks.slack.com./commands",
            "https://xhooks.slack.com/commands",
            "http://169.254.169.254/latest/meta-data",
            "http://localhost:3000/",
            "file:///etc/passwd",
            "data:text/plain,x",
            "//hooks.slack.com/x",
            "hooks.slack.com",
            "",
        ] {
            assert!(policy.admit(bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn the_configured_origin_is_admitted_whole() {
        let policy = policy("http://127.0.0.1:4000/api");
        assert!(policy.admit("http://127.0.0.1:4000/commands/T1/2/3").is_some());
        assert!(policy.admit("https://hooks.slack.com/commands/T1/2/3").is_some());
        for bad in ["http://127.0.0.1:4001/x", "https://127.0.0.1:4000/x", "http://localhost:4000/x"] {
            assert!(policy.admit(bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn an_address_does_not_show_in_logs() {
        let url = policy("https://slack.com/api").admit("https://hooks.slack.com/commands/T1/2/3").unwrap();
        assert_eq!(format!("{url:?}"), "ResponseUrl(https://hooks.slack.com/…)");
    }

    #[test]
    fn five_uses_are_all_there_are() {
        let url = policy("https://slack.com/api").admit("https://hooks.slack.com/commands/T1/2/3").unwrap();
        for _ in 0..5 {
            url.take_use().unwrap();
        }
        assert!(matches!(url.take_use(), Err(PostError::Expired)));
    }

    #[test]
    fn slacks_refusals_are_read_from_json_and_from_text() {
        let ok = StatusCode::OK;
        let bad = StatusCode::BAD_REQUEST;
        for fine in [&b"ok"[..], b"", b"{\"ok\":true}"] {
            assert_eq!(refusal(ok, fine), None);
        }
        assert_eq!(
            refusal(ok, b"{\"ok\":false,\"error\":\"invalid_blocks\"}").as_deref(),
            Some("invalid_blocks")
        );
        assert_eq!(refusal(bad, b"invalid_payload").as_deref(), Some("invalid_payload"));
        assert_eq!(refusal(bad, b"<html>go away</html> ").as_deref(), Some("no reason given"));
        assert_eq!(refusal(bad, b"{\"ok\":true}").as_deref(), Some("no reason given"));
    }
}
