//! Has slack-morphism send its requests through MARO's own HTTP client.
//!
//! Its own connectors bypass `process::http`, read answers of any length, and hide headers. Here an answer is
//! judged where it arrives, and the verdict travels in slack-morphism's error.

use futures_util::{FutureExt as _, future::BoxFuture};
use maro_process::{
    clock::Clock,
    http::{
        body::{self, BodyError},
        client::{ClientOptions, LazyClient, Trust},
        gate_pages::{self, Redirect},
        network::Network,
        retry::Failure,
    },
    secret::Secret,
    spans,
};
use reqwest::{
    Client, Method, RequestBuilder, Response, StatusCode,
    header::{CONTENT_TYPE, HeaderMap, HeaderValue},
};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use slack_morphism::{
    ClientResult, SlackApiToken, SlackApiTokenValue, SlackClientApiCallContext, SlackClientHttpConnector,
    SlackClientId, SlackClientSecret,
    errors::{SlackClientError, SlackClientSystemError},
    multipart_form::FileMultipartData,
};
use url::Url;

use crate::{
    rate_limit,
    web_api::error::{ApiError, SlackOutage},
};

/// How many bytes of an answer are read. The answer to opening a modal contains it, which is about 100 KB.
const MAX_ANSWER_BYTES: usize = 1024 * 1024;

const JSON: HeaderValue = HeaderValue::from_static("application/json; charset=utf-8");

/// The header with the scopes of the token.
const SCOPES_HEADER: &str = "x-oauth-scopes";

/// Sends requests to one Web API. Root certificates are loaded at the first one, and only for HTTPS.
pub(super) struct Connector {
    /// Without a trailing slash.
    api_url: String,
    http: LazyClient,
    /// The same for sockets over TLS, whatever the Web API is reached by.
    secure: LazyClient,
    is_plain: bool,
    clock: Clock,
}

/// An answer with its headers.
pub(super) struct RawAnswer {
    headers: HeaderMap,
    body: bytes::Bytes,
}

/// A failure on its way through slack-morphism.
#[derive(Debug, thiserror::Error)]
#[error("{}", .0.error)]
struct Carried(Failure<ApiError>);

impl Connector {
    pub(super) fn new(api_url: &Url, network: &Network) -> Self {
        let trust = Trust::for_url(api_url);
        let client =
            |trust| LazyClient::new(ClientOptions { network: network.clone(), ..ClientOptions::new(trust) });
        Self {
            api_url: api_url.as_str().trim_end_matches('/').to_owned(),
            http: client(trust),
            secure: client(Trust::System),
            is_plain: trust == Trust::Nobody,
            clock: Clock::system(),
        }
    }

    async fn http(&self) -> Result<&Client, ApiError> {
        Self::built(&self.http).await
    }

    /// The client that opens a socket at this address: the Web API's own, unless that trusts nobody and this is over TLS.
    ///
    /// # Errors
    /// [`ApiError::Unreachable`] if TLS needs root certificates and this machine has none.
    pub(super) async fn for_socket(&self, address: &Url) -> Result<&Client, ApiError> {
        let is_secure = Trust::for_url(address) == Trust::System;
        Self::built(if self.is_plain && is_secure { &self.secure } else { &self.http }).await
    }

    async fn built(client: &LazyClient) -> Result<&Client, ApiError> {
        client.get().await.map_err(|error| ApiError::Unreachable(SlackOutage::Connection(error.into())))
    }

    /// Calls a method without parameters.
    pub(super) async fn call(
        &self,
        method: &str,
        token: &SlackApiToken,
    ) -> Result<RawAnswer, Failure<ApiError>> {
        let url = self.create_method_uri_path(method).map_err(into_failure)?;
        let client = self.http().await.map_err(Failure::refused)?;
        self.exchange(client.post(url), Some(token)).await
    }

    async fn send<A: DeserializeOwned>(
        &self,
        method: Method,
        url: Url,
        json: Option<Vec<u8>>,
        token: Option<&SlackApiToken>,
    ) -> ClientResult<A> {
        let exchange = async {
            let mut request = self.http().await.map_err(Failure::refused)?.request(method, url);
            if let Some(json) = json {
                request = request.header(CONTENT_TYPE, JSON).body(json);
            }
            self.exchange(request, token).await?.read()
        };
        exchange.await.map_err(from_failure)
    }

    /// Sends a request and reads the answer, which may still be a refusal.
    async fn exchange(
        &self,
        request: RequestBuilder,
        token: Option<&SlackApiToken>,
    ) -> Result<RawAnswer, Failure<ApiError>> {
        let request = match token {
            Some(token) => request.bearer_auth(&token.token_value.0),
            None => request,
        };
        let (client, request) = request.build_split();
        let request = request.map_err(connection_failure)?;
        let method = request.url().path().rsplit('/').next().unwrap_or_default().to_owned();
        let response = spans::execute(&client, &method, request).await.map_err(connection_failure)?;
        let headers = response.headers().clone();
        match response.status() {
            StatusCode::OK => {}
            StatusCode::TOO_MANY_REQUESTS => {
                return Err(rate_limited(rate_limit::wait(&headers, self.clock.now())));
            }
            status if status.is_server_error() => {
                let error = ApiError::Unreachable(SlackOutage::Status(status.as_u16()));
                return Err(Failure::unknown(error));
            }
            _ => return Err(invalid(strange(&response))),
        }
        let body = body::read(response, MAX_ANSWER_BYTES).await.map_err(|error| match error {
            BodyError::TooLarge => unreadable(format!("a body of more than {MAX_ANSWER_BYTES} bytes")),
            BodyError::Broken(error) => connection_failure(error),
        })?;
        Ok(RawAnswer { headers, body })
    }
}

impl RawAnswer {
    /// The answer's fields, unless it is a refusal.
    pub(super) fn read<A: DeserializeOwned>(&self) -> Result<A, Failure<ApiError>> {
        #[derive(Deserialize)]
        struct Verdict {
            ok: bool,
            #[serde(default)]
            error: String,
        }
        // The parser's messages may quote the body.
        let not_documented = |_| {
            unreadable(match gate_pages::is_web_page(&self.body) {
                true => "it is a web page, so something else answers at that address".to_owned(),
                false => "it isn't the documented JSON".to_owned(),
            })
        };
        let verdict: Verdict = serde_json::from_slice(&self.body).map_err(not_documented)?;
        if !verdict.ok {
            return Err(refused(ApiError::refused(&verdict.error, &String::from_utf8_lossy(&self.body))));
        }
        serde_json::from_slice(&self.body).map_err(not_documented)
    }

    pub(super) fn scopes(&self) -> Vec<String> {
        let scopes = self.headers.get(SCOPES_HEADER).and_then(|scopes| scopes.to_str().ok());
        let names = scopes.unwrap_or_default().split(',').map(str::trim);
        names.filter(|name| !name.is_empty()).map(str::to_owned).collect()
    }
}

/// Only what MARO uses does anything: requests with and without JSON.
impl SlackClientHttpConnector for Connector {
    fn create_method_uri_path(&self, method_relative_uri: &str) -> ClientResult<Url> {
        Ok(format!("{}/{method_relative_uri}", self.api_url).parse()?)
    }

    fn http_get_uri<'a, RS>(
        &'a self,
        full_uri: Url,
        context: SlackClientApiCallContext<'a>,
    ) -> BoxFuture<'a, ClientResult<RS>>
    where
        RS: for<'de> Deserialize<'de> + Send + 'a,
    {
        self.send(Method::GET, full_uri, None, context.token).boxed()
    }

    fn http_post_uri<'a, RQ, RS>(
        &'a self,
        full_uri: Url,
        request_body: &'a RQ,
        context: SlackClientApiCallContext<'a>,
    ) -> BoxFuture<'a, ClientResult<RS>>
    where
        RQ: Serialize + Send + Sync,
        RS: for<'de> Deserialize<'de> + Send + 'a,
    {
        let json = serde_json::to_vec(request_body).expect("what is sent to Slack is valid JSON");
        self.send(Method::POST, full_uri, Some(json), context.token).boxed()
    }

    fn http_get_with_client_secret<'a, RS>(
        &'a self,
        _: Url,
        _: &'a SlackClientId,
        _: &'a SlackClientSecret,
    ) -> BoxFuture<'a, ClientResult<RS>>
    where
        RS: for<'de> Deserialize<'de> + Send + 'a,
    {
        not_called()
    }

    fn http_post_uri_multipart_form<'a, 'p, RS, PT, TS>(
        &'a self,
        _: Url,
        _: Option<FileMultipartData<'p>>,
        _: &'p PT,
        _: SlackClientApiCallContext<'a>,
    ) -> BoxFuture<'a, ClientResult<RS>>
    where
        RS: for<'de> Deserialize<'de> + Send + 'a,
        PT: IntoIterator<Item = (&'p str, Option<TS>)> + Clone,
        TS: AsRef<str> + 'p + Send,
    {
        not_called()
    }

    fn http_post_uri_binary<'a, 'p, RS>(
        &'a self,
        _: Url,
        _: String,
        _: &'a [u8],
        _: SlackClientApiCallContext<'a>,
    ) -> BoxFuture<'a, ClientResult<RS>>
    where
        RS: for<'de> Deserialize<'de> + Send + 'a,
    {
        not_called()
    }
}

fn not_called<'a, RS: Send + 'a>() -> BoxFuture<'a, ClientResult<RS>> {
    let error = SlackClientSystemError::new().with_message("MARO makes no such calls".to_owned());
    std::future::ready(Err(SlackClientError::SystemError(error))).boxed()
}

pub(super) fn api_token(token: &Secret) -> SlackApiToken {
    SlackApiToken::new(SlackApiTokenValue(token.expose().to_owned()))
}

fn from_failure(failure: Failure<ApiError>) -> SlackClientError {
    let cause: Box<dyn std::error::Error + Send + Sync> = Box::new(Carried(failure));
    SlackClientError::SystemError(SlackClientSystemError::new().with_cause(cause))
}

/// The connector's verdict.
pub(super) fn into_failure(error: SlackClientError) -> Failure<ApiError> {
    if let SlackClientError::SystemError(SlackClientSystemError { cause: Some(cause), .. }) = error
        && let Ok(carried) = cause.downcast::<Carried>()
    {
        return carried.0;
    }
    invalid("slack-morphism can't make a request of it".to_owned())
}

fn connection_failure(error: reqwest::Error) -> Failure<ApiError> {
    let may_have_acted = !error.is_connect();
    // The library's error would print the address, which may contain parts of the request.
    let error = ApiError::Unreachable(SlackOutage::Connection(error.without_url().into()));
    Failure { may_have_acted, ..Failure::not_done(error) }
}

/// The failures that Slack names before it begins: it's away, or didn't get the request whole. Of `internal_error` and
/// `fatal_error` it says that some of the request may have been carried out.
const NOT_BEGUN: [&str; 2] = ["service_unavailable", "request_timeout"];

fn refused(error: ApiError) -> Failure<ApiError> {
    match error {
        ApiError::RateLimited { retry_after } => rate_limited(retry_after),
        ApiError::Unreachable(SlackOutage::Failure(ref code)) if NOT_BEGUN.contains(&code.as_str()) => {
            Failure::not_done(error)
        }
        ApiError::Unreachable(_) => Failure::unknown(error),
        _ => Failure::refused(error),
    }
}

fn rate_limited(retry_after: std::time::Duration) -> Failure<ApiError> {
    Failure::not_done(ApiError::RateLimited { retry_after }).after(Some(retry_after))
}

/// What an answer with a status that Slack doesn't use is.
fn strange(response: &Response) -> String {
    let status = response.status();
    match gate_pages::redirect(response) {
        Redirect::To(host) => format!("status {}, a redirect to {host}", status.as_u16()),
        _ if status == StatusCode::PROXY_AUTHENTICATION_REQUIRED => {
            "status 407: a proxy on the way wants a password".to_owned()
        }
        _ => format!("status {}", status.as_u16()),
    }
}

fn invalid(detail: String) -> Failure<ApiError> {
    Failure::refused(ApiError::InvalidResponse { detail })
}

/// An answer with status 200 that can't be read: the request may have been carried out.
fn unreadable(detail: String) -> Failure<ApiError> {
    Failure::unclear(ApiError::InvalidResponse { detail })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    #[tokio::test]
    async fn a_socket_over_tls_is_opened_by_who_trusts_somebody() {
        let connector = Connector::new(&"http://127.0.0.1:9/api".parse().unwrap(), &Network::default());
        let address = |text: &str| text.parse::<Url>().unwrap();
        let api = connector.http().await.unwrap();
        let plain = connector.for_socket(&address("ws://127.0.0.1:9/")).await.unwrap();
        let secure = connector.for_socket(&address("wss://wss-primary.slack.com/")).await.unwrap();
        assert!(std::ptr::eq(api, plain) && !std::ptr::eq(api, secure));
        let connector = Connector::new(&address("https://slack.com/api"), &Network::default());
        let secure = connector.for_socket(&address("wss://wss-primary.slack.com/")).await.unwrap();
        assert!(std::ptr::eq(secure, connector.http().await.unwrap()));
    }

    #[test]
    fn an_answer_that_cannot_be_read_may_mean_that_it_was_done() {
        let answer = |body: &'static str| RawAnswer {
            headers: HeaderMap::new(),
            body: bytes::Bytes::from_static(body.as_bytes()),
        };
        for body in ["<html>Sign in</html>", "", r#"{"ok": true"#, r#"{"ok": true, "ts": 7}"#] {
            #[derive(Debug, Deserialize)]
            struct Posted {
                #[serde(rename = "ts")]
                _ts: String,
            }
            let failure = answer(body).read::<Posted>().unwrap_err();
            assert_eq!((failure.may_have_acted, failure.may_pass), (true, false), "{body}");
        }
        assert!(
            !answer(r#"{"ok": false, "error": "is_archived"}"#).read::<Value>().unwrap_err().may_have_acted
        );
    }

    fn refusal(code: &str) -> Failure<ApiError> {
        refused(ApiError::refused(code, ""))
    }

    #[test]
    fn a_refusal_tells_whether_another_attempt_makes_sense() {
        for (code, may_pass, may_have_acted) in [
            ("ratelimited", true, false),
            ("internal_error", true, true),
            ("fatal_error", true, true),
            ("service_unavailable", true, false),
            ("request_timeout", true, false),
            ("is_archived", false, false),
        ] {
            let failure = refusal(code);
            assert_eq!((failure.may_pass, failure.may_have_acted), (may_pass, may_have_acted), "{code}");
        }
    }

    #[test]
    fn a_failure_comes_back_from_slack_morphism_as_it_was() {
        let carried = into_failure(from_failure(refusal("ratelimited")));
        assert_eq!(carried.retry_after, Some(rate_limit::DEFAULT_WAIT));
        assert!(matches!(carried.error, ApiError::RateLimited { .. }));
        let foreign: ClientResult<()> =
            Connector::new(&"http://127.0.0.1:1/api".parse().unwrap(), &Network::default())
                .create_method_uri_path("x")
                .and_then(|_| Err(url::ParseError::EmptyHost.into()));
        assert!(matches!(into_failure(foreign.unwrap_err()).error, ApiError::InvalidResponse { .. }));
    }
}
