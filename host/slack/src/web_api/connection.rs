//! Connections to the Web API: one client for the process, made when it is first needed.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use http_body_util::{BodyExt, Empty, Limited};
use hyper::{Method, Request, StatusCode, header};
use hyper_rustls::{ConfigBuilderExt, HttpsConnector, HttpsConnectorBuilder};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use rustls::{ClientConfig, ConfigBuilder, RootCertStore, WantsVerifier};
use serde::{Deserialize, de::DeserializeOwned};
use slack_morphism::{
    SlackClient,
    hyper_tokio::{SlackClientHyperConnector, SlackHyperClient},
};
use tokio::sync::OnceCell;
use url::Url;

use crate::web_api::error::{ApiError, DEFAULT_RETRY_AFTER, Outage};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);

/// The most bytes that are read of an answer read here.
const MAX_ANSWER_BYTES: usize = 64 * 1024;

/// Where the scopes of the token stand.
const SCOPES_HEADER: &str = "x-oauth-scopes";

type Connector = HttpsConnector<HttpConnector>;

/// The clients of one Web API. Root certificates are loaded at the first call, and only for HTTPS.
pub(crate) struct Connections {
    /// Without a final slash.
    api_url: String,
    clients: OnceCell<Clients>,
}

struct Clients {
    slack: Arc<SlackHyperClient>,
    /// For answers of which more is needed than slack-morphism hands out.
    raw: Client<Connector, Empty<Bytes>>,
}

/// An answer with its headers.
pub(super) struct RawAnswer {
    headers: header::HeaderMap,
    body: Bytes,
}

impl Connections {
    pub(crate) fn new(api_url: &Url) -> Self {
        let api_url = api_url.as_str().trim_end_matches('/').to_owned();
        Self { api_url, clients: OnceCell::new() }
    }

    /// slack-morphism's client.
    ///
    /// # Errors
    /// [`ApiError::Unreachable`] if HTTPS needs root certificates and this machine has none.
    pub(crate) async fn client(&self) -> Result<&Arc<SlackHyperClient>, ApiError> {
        Ok(&self.clients().await?.slack)
    }

    async fn clients(&self) -> Result<&Clients, ApiError> {
        let build = || async {
            let connector = connector(self.api_url.starts_with("https:")).await?;
            let slack = SlackClientHyperConnector::with_connector(connector.clone())
                .with_slack_api_url(&self.api_url);
            Ok(Clients {
                slack: Arc::new(SlackClient::new(slack)),
                raw: Client::builder(TokioExecutor::new()).build(connector),
            })
        };
        self.clients.get_or_try_init(build).await
    }

    /// Asks a method without parameters, once and without a time-out.
    pub(super) async fn call_raw(&self, method: &str, token: &str) -> Result<RawAnswer, ApiError> {
        let mut authorization =
            header::HeaderValue::try_from(format!("Bearer {token}")).map_err(|_| ApiError::InvalidAuth)?;
        authorization.set_sensitive(true);
        let request = Request::builder()
            .method(Method::POST)
            .uri(format!("{}/{method}", self.api_url))
            .header(header::AUTHORIZATION, authorization)
            .header(header::CONTENT_LENGTH, 0)
            .body(Empty::new())
            .map_err(|_| ApiError::InvalidResponse { detail: "the address isn't a URI".to_owned() })?;
        let answer = self.clients().await?.raw.request(request).await.map_err(connection_failed)?;
        let (parts, body) = answer.into_parts();
        match parts.status {
            StatusCode::OK => {}
            StatusCode::TOO_MANY_REQUESTS => {
                let seconds = parts.headers.get(header::RETRY_AFTER).and_then(|value| value.to_str().ok());
                let retry_after = seconds.and_then(|text| text.parse().ok()).map(Duration::from_secs);
                let retry_after = retry_after.unwrap_or(DEFAULT_RETRY_AFTER);
                return Err(ApiError::RateLimited { retry_after });
            }
            status => return Err(ApiError::Unreachable(Outage::Status(status.as_u16()))),
        }
        let body = Limited::new(body, MAX_ANSWER_BYTES)
            .collect()
            .await
            .map_err(|error| ApiError::Unreachable(Outage::Connection(error)))?;
        Ok(RawAnswer { headers: parts.headers, body: body.to_bytes() })
    }
}

impl RawAnswer {
    /// The answer's fields, unless it is a refusal.
    pub(super) fn read<A: DeserializeOwned>(&self) -> Result<A, ApiError> {
        #[derive(Deserialize)]
        struct Verdict {
            ok: bool,
            #[serde(default)]
            error: String,
        }
        let invalid = || ApiError::InvalidResponse { detail: "it isn't the documented JSON".to_owned() };
        let verdict: Verdict = serde_json::from_slice(&self.body).map_err(|_| invalid())?;
        if !verdict.ok {
            return Err(ApiError::refused(&verdict.error, &String::from_utf8_lossy(&self.body)));
        }
        serde_json::from_slice(&self.body).map_err(|_| invalid())
    }

    pub(super) fn scopes(&self) -> Vec<String> {
        let scopes = self.headers.get(SCOPES_HEADER).and_then(|scopes| scopes.to_str().ok());
        let names = scopes.unwrap_or_default().split(',').map(str::trim);
        names.filter(|name| !name.is_empty()).map(str::to_owned).collect()
    }
}

/// A connector for both schemes: tests and `maro dev` speak plain HTTP on loopback.
async fn connector(is_secure: bool) -> Result<Connector, ApiError> {
    let mut http = HttpConnector::new();
    http.enforce_http(false);
    http.set_nodelay(true);
    http.set_connect_timeout(Some(CONNECT_TIMEOUT));
    let config = if is_secure {
        // Reading the system's certificates blocks.
        let roots = tokio::task::spawn_blocking(|| tls().with_native_roots()).await;
        let roots = roots.unwrap_or_else(|error| std::panic::resume_unwind(error.into_panic()));
        roots.map_err(|error| ApiError::Unreachable(Outage::Connection(error.into())))?
    } else {
        tls().with_root_certificates(RootCertStore::empty())
    };
    let config = config.with_no_client_auth();
    Ok(HttpsConnectorBuilder::new()
        .with_tls_config(config)
        .https_or_http()
        .enable_http1()
        .wrap_connector(http))
}

fn tls() -> ConfigBuilder<ClientConfig, WantsVerifier> {
    ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("ring supports the default protocol versions")
}

fn connection_failed(error: hyper_util::client::legacy::Error) -> ApiError {
    ApiError::Unreachable(Outage::Connection(error.into()))
}
