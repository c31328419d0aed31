//! Who MARO is to Jira, in headers: fixed ones, or those with a token that is fetched and renewed.

use std::{
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use reqwest::{
    Client, StatusCode,
    header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue},
};
use serde::Deserialize;
use tokio::{sync::Mutex, time::Instant};
use url::{Url, form_urlencoded};

use crate::{
    config::{JiraConfig, JiraCredentials},
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

/// The headers of each request to one site.
#[derive(Debug)]
pub(crate) struct Authorization {
    source: RwLock<Arc<Source>>,
}

/// The headers of one request. Their values are marked sensitive.
#[derive(Debug, Clone)]
pub(crate) struct Headers {
    pub(crate) map: Arc<HeaderMap>,
    source: Arc<Source>,
}

#[derive(Debug)]
struct Source {
    /// Without the credentials if these are a token that is fetched.
    fixed: Arc<HeaderMap>,
    tokens: Option<Tokens>,
}

/// Fetches tokens for a service account, one at a time.
#[derive(Debug)]
struct Tokens {
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
    expires_in: Option<u64>,
}

impl Authorization {
    pub(crate) fn new(config: &JiraConfig) -> Self {
        Self { source: RwLock::new(Arc::new(Source::new(config))) }
    }

    /// Has every later request carry these credentials. Whether they differ from those so far, of which a token is kept.
    pub(crate) fn replace(&self, config: &JiraConfig) -> bool {
        let source = Source::new(config);
        let mut current = self.source.write().unwrap_or_else(PoisonError::into_inner);
        let differs = !source.is_same(&current);
        if differs {
            *current = Arc::new(source);
        }
        differs
    }

    /// What a request carries. May have to fetch a token.
    pub(crate) async fn headers(&self, http: &Client) -> Result<Headers, JiraError> {
        let source = Arc::clone(&self.source.read().unwrap_or_else(PoisonError::into_inner));
        let map = match &source.tokens {
            None => Arc::clone(&source.fixed),
            Some(tokens) => tokens.get(http, &source.fixed).await?,
        };
        Ok(Headers { map, source })
    }

    /// What a request carries that asks as nobody.
    pub(crate) fn without_credentials(&self) -> HeaderMap {
        let source = self.source.read().unwrap_or_else(PoisonError::into_inner);
        let mut headers = (*source.fixed).clone();
        headers.remove(AUTHORIZATION);
        headers
    }

    /// Jira has refused these headers. Whether others may fare better.
    pub(crate) fn refused(&self, headers: &Headers) -> bool {
        let source = Arc::clone(&self.source.read().unwrap_or_else(PoisonError::into_inner));
        // The credentials were replaced meanwhile.
        if !Arc::ptr_eq(&source, &headers.source) {
            return true;
        }
        source.tokens.as_ref().is_some_and(|tokens| tokens.forget(&headers.map))
    }

    /// How long the current token lasts, if it's one that ends.
    pub(crate) fn lasts(&self) -> Option<Duration> {
        let source = Arc::clone(&self.source.read().unwrap_or_else(PoisonError::into_inner));
        let token = source.tokens.as_ref()?.known()?;
        Some(token.ends_at.saturating_duration_since(Instant::now()))
    }
}

impl Source {
    fn new(config: &JiraConfig) -> Self {
        let mut fixed = config.headers.as_map().clone();
        fixed.insert(ACCEPT, JSON);
        let mut tokens = None;
        match &config.credentials {
            JiraCredentials::Cloud { email: user, api_token: password }
            | JiraCredentials::Password { user, password } => {
                fixed.insert(AUTHORIZATION, basic(user, password));
            }
            JiraCredentials::DataCenter { token } => {
                fixed.insert(AUTHORIZATION, bearer(token.expose()).expect("the settings hold no such token"));
            }
            JiraCredentials::ServiceAccount { client_id, client_secret } => {
                tokens = Some(Tokens {
                    address: token_address(config),
                    client_id: client_id.clone(),
                    client_secret: client_secret.clone(),
                    current: RwLock::new(None),
                    renewal: Mutex::new(()),
                });
            }
        }
        Self { fixed: Arc::new(fixed), tokens }
    }
}

impl Source {
    fn is_same(&self, other: &Self) -> bool {
        let client = |source: &Self| {
            let tokens = source.tokens.as_ref()?;
            Some((tokens.client_id.clone(), tokens.client_secret.clone()))
        };
        self.fixed == other.fixed && client(self) == client(other)
    }
}

impl Tokens {
    /// The headers with a token that is still good. Nobody waits for a renewal while the old one lasts.
    async fn get(&self, http: &Client, fixed: &HeaderMap) -> Result<Arc<HeaderMap>, JiraError> {
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
    fn forget(&self, headers: &Arc<HeaderMap>) -> bool {
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
            .headers(fixed.clone())
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .timeout(timeout)
            .body(form);
        let broken = |error: reqwest::Error| JiraError::outage(JiraOutage::Connection(error.without_url()));
        let response = spans::send("jira token", request).await.map_err(broken)?;
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
            status if status.is_server_error() => {
                return Err(JiraError::outage(JiraOutage::Status(status.as_u16())));
            }
            status => {
                return Err(JiraError::invalid(format!("status {} instead of a token", status.as_u16())));
            }
        }
        let answer = body::read(response, MAX_ANSWER_BYTES).await;
        let answer = answer.map_err(|_| JiraError::invalid("no whole answer with a token"))?;
        read_token(&answer, asked_at, fixed).ok_or_else(|| JiraError::invalid("no token in the answer"))
    }
}

fn read_token(answer: &[u8], asked_at: Instant, fixed: &HeaderMap) -> Option<Token> {
    let answer: TokenAnswer = serde_json::from_slice(answer).ok()?;
    let life = answer.expires_in.map_or(DEFAULT_LIFE, Duration::from_secs).min(MAX_LIFE);
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

fn token_address(config: &JiraConfig) -> Url {
    if config.is_cloud() {
        return CLOUD_TOKENS.parse().expect("it is an address");
    }
    let mut address = config.api_url.clone().unwrap_or_else(|| config.base_url.clone());
    let path = format!("{}{DATA_CENTER_TOKENS}", address.path().trim_end_matches('/'));
    address.set_path(&path);
    address
}

fn basic(user: &str, password: &Secret) -> HeaderValue {
    let encoded = BASE64_STANDARD.encode(format!("{user}:{}", password.expose()));
    let mut value = HeaderValue::from_str(&format!("Basic {encoded}")).expect("Base64 fits into a header");
    value.set_sensitive(true);
    value
}

/// `None` if the token doesn't fit into a header.
fn bearer(token: &str) -> Option<HeaderValue> {
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
    fn no_life_is_too_long() {
        let answer = format!(r#"{{"access_token":"new","expires_in":{}}}"#, u64::MAX);
        assert!(read_token(answer.as_bytes(), Instant::now(), &HeaderMap::new()).is_some());
    }
}
