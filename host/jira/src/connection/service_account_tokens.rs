//! Tokens of a service account: fetched, renewed ahead of their end, one renewal at a time.

use std::{
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use reqwest::{
    Client, StatusCode,
    header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue},
};
use serde::Deserialize;
use serde_json::Value;
use tokio::{sync::Mutex, time::Instant};
use url::{Url, form_urlencoded};

use crate::{
    config::JiraConfig,
    error::{JiraError, JiraOutage},
};
use maro_process::{
    clock::Clock,
    http::{body, retry::retry_after},
    secret::Secret,
    spans,
};

/// Where Jira Cloud's service accounts get their tokens.
const CLOUD_TOKENS: &str = "https://auth.atlassian.com/oauth/token";

/// Where those of Data Center get theirs, below the site.
const DATA_CENTER_TOKENS: &str = "/rest/oauth2/latest/token";

/// How long a token takes at most.
const TIMEOUT: Duration = Duration::from_secs(10);

/// How many bytes of the answer with a token are read.
const MAX_ANSWER_BYTES: usize = 64 * 1024;

/// How long before its end a token is renewed: this, or a fifth of its life if that is shorter.
const AHEAD: Duration = Duration::from_secs(5 * 60);

/// How long a token lasts if its giver doesn't say.
const DEFAULT_LIFE: Duration = Duration::from_secs(10 * 60);

/// How long nobody asks again where the renewal of a token that still lasts has failed.
const RENEWAL_PAUSE: Duration = Duration::from_secs(30);

/// How long a request waits for a renewal while the old token lasts.
const RENEWAL_TIMEOUT: Duration = Duration::from_secs(2);

/// The longest life of a token that is believed.
const MAX_LIFE: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// How long a giver of tokens that limits MARO is left alone if it doesn't say.
const DEFAULT_RETRY_AFTER: Duration = Duration::from_secs(30);

/// A token that is refused within this time after it was asked for isn't replaced, so that nobody asks without end.
const YOUTH: Duration = Duration::from_secs(1);

const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// Fetches tokens for a service account, one at a time.
#[derive(Debug)]
pub(super) struct Tokens {
    address: Url,
    client_id: String,
    client_secret: Secret,
    current: RwLock<Option<Token>>,
    renewal: Mutex<()>,
}

#[derive(Debug, Clone)]
struct Token {
    headers: Arc<HeaderMap>,
    fetched_at: Instant,
    renew_at: Instant,
    ends_at: Instant,
    /// Its renewal failed, and that was told.
    is_kept: bool,
}

#[derive(Deserialize)]
struct TokenAnswer {
    access_token: String,
    expires_in: Option<Value>,
}

impl Tokens {
    pub(super) fn new(config: &JiraConfig, client_id: &str, client_secret: &Secret) -> Self {
        Self {
            address: token_address(config),
            client_id: client_id.to_owned(),
            client_secret: client_secret.clone(),
            current: RwLock::new(None),
            renewal: Mutex::new(()),
        }
    }

    pub(super) fn is_same_client(&self, other: &Self) -> bool {
        self.client_id == other.client_id && self.client_secret == other.client_secret
    }

    /// How long the current token lasts.
    pub(super) fn lasts(&self) -> Option<Duration> {
        Some(self.known()?.ends_at.saturating_duration_since(Instant::now()))
    }

    /// The headers with a token that is still good. Nobody waits for a renewal while the old one lasts.
    pub(super) async fn get(&self, http: &Client, fixed: &HeaderMap) -> Result<Arc<HeaderMap>, JiraError> {
        let known = self.known();
        let now = Instant::now();
        if let Some(token) = known.as_ref().filter(|token| now < token.renew_at) {
            return Ok(Arc::clone(&token.headers));
        }
        let still_good = known.filter(|token| now < token.ends_at);
        let _renewal = match (self.renewal.try_lock(), &still_good) {
            (Ok(renewal), _) => renewal,
            (Err(_), Some(token)) => return Ok(Arc::clone(&token.headers)),
            (Err(_), None) => self.renewal.lock().await,
        };
        // Somebody else may have fetched it meanwhile.
        if let Some(token) = self.known().filter(|token| now < token.renew_at) {
            return Ok(token.headers);
        }
        let timeout = if still_good.is_some() { RENEWAL_TIMEOUT } else { TIMEOUT };
        match (self.fetch(http, fixed, timeout).await, still_good) {
            (Ok(token), _) => {
                let headers = Arc::clone(&token.headers);
                *self.current.write().unwrap_or_else(PoisonError::into_inner) = Some(token);
                Ok(headers)
            }
            (Err(error), Some(token)) => {
                if !token.is_kept {
                    tracing::warn!(%error, "Jira's token can't be renewed; the old one still lasts");
                }
                let headers = Arc::clone(&token.headers);
                self.keep(token);
                Ok(headers)
            }
            (Err(error), None) => Err(error),
        }
    }

    /// The next request asks for no other token than this for a while.
    fn keep(&self, token: Token) {
        let mut current = self.current.write().unwrap_or_else(PoisonError::into_inner);
        // Unless Jira has refused it meanwhile.
        if current.as_ref().is_some_and(|known| Arc::ptr_eq(&known.headers, &token.headers)) {
            let renew_at = (Instant::now() + RENEWAL_PAUSE).min(token.ends_at);
            *current = Some(Token { renew_at, is_kept: true, ..token });
        }
    }

    fn known(&self) -> Option<Token> {
        self.current.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Whether another token may fare better than this one, which Jira has refused: one that is there or under way, or one
    /// to be fetched. A token that was refused at once won't have a better successor.
    pub(super) fn forget(&self, headers: &Arc<HeaderMap>) -> bool {
        let mut current = self.current.write().unwrap_or_else(PoisonError::into_inner);
        let Some(token) = current.as_ref().filter(|token| Arc::ptr_eq(&token.headers, headers)) else {
            return true;
        };
        let is_young = token.fetched_at.elapsed() < YOUTH;
        if !is_young {
            *current = None;
        }
        !is_young
    }

    async fn fetch(&self, http: &Client, fixed: &HeaderMap, timeout: Duration) -> Result<Token, JiraError> {
        let form = form_urlencoded::Serializer::new(String::new())
            .append_pair("grant_type", "client_credentials")
            .append_pair("client_id", &self.client_id)
            .append_pair("client_secret", self.client_secret.expose())
            .finish();
        let asked_at = Instant::now();
        let request = http
            .post(self.address.clone())
            .headers(self.carried(fixed))
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .timeout(timeout)
            .body(form);
        let no_token = |detail: String| {
            let host = self.address.host_str().unwrap_or_default().to_owned();
            JiraError::outage(JiraOutage::NoToken { host, detail })
        };
        let response = spans::send("jira token", request).await.map_err(JiraError::connection)?;
        match response.status() {
            StatusCode::OK => {}
            StatusCode::BAD_REQUEST | StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
                return Err(JiraError::Unauthorized);
            }
            StatusCode::TOO_MANY_REQUESTS => {
                let retry_after =
                    retry_after(response.headers(), Clock::system().now()).unwrap_or(DEFAULT_RETRY_AFTER);
                return Err(JiraError::RateLimited { retry_after });
            }
            status => return Err(no_token(format!("status {}", status.as_u16()))),
        }
        let answer = body::read(response, MAX_ANSWER_BYTES).await;
        let answer = answer.map_err(|_| no_token("no whole answer".to_owned()))?;
        read_token(&answer, asked_at, fixed).ok_or_else(|| no_token("it isn't in the answer".to_owned()))
    }

    /// What a request for a token carries. What is for gates in front of Jira is nothing for Atlassian's own giver.
    fn carried(&self, fixed: &HeaderMap) -> HeaderMap {
        if self.address.as_str() == CLOUD_TOKENS {
            HeaderMap::from_iter([(ACCEPT, JSON)])
        } else {
            fixed.clone()
        }
    }
}

fn read_token(answer: &[u8], asked_at: Instant, fixed: &HeaderMap) -> Option<Token> {
    let answer: TokenAnswer = serde_json::from_slice(answer).ok()?;
    if answer.access_token.trim().is_empty() {
        return None;
    }
    let life = answer.expires_in.as_ref().and_then(life).unwrap_or(DEFAULT_LIFE).min(MAX_LIFE);
    let mut headers = fixed.clone();
    headers.insert(AUTHORIZATION, bearer(&answer.access_token)?);
    Some(Token {
        headers: Arc::new(headers),
        fetched_at: asked_at,
        renew_at: asked_at + life.saturating_sub(AHEAD.min(life / 5)),
        ends_at: asked_at + life,
        is_kept: false,
    })
}

/// A number of seconds, however it is written. `None` if it can't be one.
fn life(value: &Value) -> Option<Duration> {
    let seconds = match value {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    };
    let seconds = seconds.filter(|seconds| seconds.is_finite() && *seconds >= 1.0)?;
    // More than the longest that is believed says no more.
    Some(Duration::from_secs_f64(seconds.min(MAX_LIFE.as_secs_f64())))
}

/// Where a service account gets its tokens.
pub(super) fn token_address(config: &JiraConfig) -> Url {
    if config.is_cloud() {
        return CLOUD_TOKENS.parse().expect("it is an address");
    }
    let mut address = config.api_url.clone().unwrap_or_else(|| config.base_url.clone());
    let path = format!("{}{DATA_CENTER_TOKENS}", address.path().trim_end_matches('/'));
    address.set_path(&path);
    address
}

/// `None` if the token doesn't fit into a header.
pub(super) fn bearer(token: &str) -> Option<HeaderValue> {
    let mut value = HeaderValue::from_str(&format!("Bearer {token}")).ok()?;
    value.set_sensitive(true);
    Some(value)
}

#[cfg(test)]
mod tests {
    use maro_process::http::client::{self, ClientOptions, Trust};
    use tokio::net::TcpListener;

    use super::*;

    fn client() -> Client {
        client::build(&ClientOptions::new(Trust::Nobody)).unwrap()
    }

    fn tokens(address: &str, known: &str, ends_in: Duration) -> Tokens {
        let mut token = read_token(known.as_bytes(), Instant::now(), &HeaderMap::new()).unwrap();
        token.renew_at = Instant::now();
        token.ends_at = Instant::now() + ends_in;
        Tokens {
            address: address.parse().unwrap(),
            client_id: "maro-client".to_owned(),
            client_secret: Secret::new("s3cret"),
            current: RwLock::new(Some(token)),
            renewal: Mutex::new(()),
        }
    }

    const MINUTE: Duration = Duration::from_secs(60);

    #[tokio::test]
    async fn a_token_that_lasts_is_kept_for_a_while_where_it_cannot_be_renewed() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        // Nobody answers there, and each connection stays in the queue.
        let address = format!("http://{}/", listener.local_addr().unwrap());
        let tokens = tokens(&address, r#"{"access_token":"old"}"#, MINUTE);
        let (http, fixed) = (client(), HeaderMap::new());
        let began = Instant::now();
        assert_eq!(tokens.get(&http, &fixed).await.unwrap()[AUTHORIZATION], "Bearer old");
        assert!(began.elapsed() < TIMEOUT / 2, "{:?}", began.elapsed());
        let kept = tokens.known().unwrap();
        assert!(kept.is_kept && kept.renew_at > Instant::now() + RENEWAL_PAUSE / 2);
        drop(listener);
        // Nobody asks now, so nothing fails.
        assert_eq!(tokens.get(&http, &fixed).await.unwrap()[AUTHORIZATION], "Bearer old");
        assert_eq!(tokens.known().unwrap().renew_at, kept.renew_at);
    }

    #[tokio::test]
    async fn a_token_that_has_ended_is_not_kept() {
        let tokens = tokens("http://127.0.0.1:1/", r#"{"access_token":"old"}"#, Duration::ZERO);
        assert!(tokens.get(&client(), &HeaderMap::new()).await.is_err());
        assert!(!tokens.known().unwrap().is_kept);
    }

    #[test]
    fn a_life_is_read_however_it_is_written() {
        for (written, expected) in [
            ("3600", Some(3600)),
            ("\"3600\"", Some(3600)),
            ("3599.0", Some(3599)),
            ("-1", None),
            ("0", None),
            ("\"soon\"", None),
            ("null", None),
        ] {
            let answer = format!(r#"{{"access_token":"new","expires_in":{written}}}"#);
            let (now, expected) = (Instant::now(), expected.map_or(DEFAULT_LIFE, Duration::from_secs));
            let token = read_token(answer.as_bytes(), now, &HeaderMap::new()).unwrap();
            assert_eq!(token.ends_at - now, expected, "{written}");
        }
    }

    #[test]
    fn headers_for_a_gate_are_nothing_for_atlassians_own_token_server() {
        let gate = HeaderMap::from_iter([(ACCEPT, JSON), (AUTHORIZATION, JSON)]);
        let tokens = tokens(CLOUD_TOKENS, r#"{"access_token":"old"}"#, MINUTE);
        assert_eq!(tokens.carried(&gate).len(), 1);
        let own = Tokens { address: "https://jira.harbor.example/".parse().unwrap(), ..tokens };
        assert_eq!(own.carried(&gate).len(), 2);
    }

    #[test]
    fn an_empty_token_is_none() {
        for answer in [r#"{"access_token":""}"#, r#"{"access_token":" "}"#, r#"{"access_token":null}"#] {
            assert!(read_token(answer.as_bytes(), Instant::now(), &HeaderMap::new()).is_none(), "{answer}");
        }
    }

    #[test]
    fn no_life_is_too_long() {
        let answer = format!(r#"{{"access_token":"new","expires_in":{}}}"#, u64::MAX);
        assert!(read_token(answer.as_bytes(), Instant::now(), &HeaderMap::new()).is_some());
    }
}
