//! Building HTTP clients: whom they trust, how long they wait for a connection, which way they take.
//!
//! All of them send what they are given to the given host and nowhere else: no redirects, no repetitions,
//! no proxies but the one of [`Network`].

use std::{error::Error as _, sync::Arc, time::Duration};

use reqwest::{Certificate, Client, Identity, dns::Resolve, redirect, retry};
use tokio::sync::OnceCell;
use url::Url;

use crate::http::network::Network;

/// How long a connection may take where a proxy is set, at least: what a proxy looks up and inspects takes seconds.
const PROXY_TIMEOUT: Duration = Duration::from_secs(10);

/// What differs between the clients of this process.
#[derive(Clone)]
pub struct ClientOptions {
    /// Whom connections over TLS trust.
    pub trust: Trust,
    /// The sender's name, where a request gives none.
    pub user_agent: &'static str,
    /// How long a connection may take, TLS included. Longer where a proxy is set.
    pub connect_timeout: Duration,
    /// How long a request may take, from looking up the name to the last byte of the answer.
    pub timeout: Option<Duration>,
    /// Idle connections that are kept to one host, and for how long.
    pub max_idle: usize,
    pub idle_timeout: Duration,
    /// Whether plain HTTP is refused.
    pub https_only: bool,
    /// Which addresses names stand for, instead of all that the system says.
    pub resolver: Option<Arc<dyn Resolve>>,
    /// The way out.
    pub network: Network,
    /// What the client shows of itself to services that ask for a certificate.
    pub identity: Option<Identity>,
}

/// Whom connections over TLS trust.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trust {
    /// The machine's root certificates. Reading them takes milliseconds, and fails if there are none.
    System,
    /// One authority, by its certificate in DER.
    Only(&'static [u8]),
    /// Nobody: the client is for plain HTTP.
    Nobody,
}

impl Trust {
    /// What a client for this address needs.
    pub fn for_url(url: &Url) -> Self {
        if matches!(url.scheme(), "https" | "wss") { Self::System } else { Self::Nobody }
    }
}

impl ClientOptions {
    pub fn new(trust: Trust) -> Self {
        Self {
            trust,
            user_agent: concat!("maro/", env!("CARGO_PKG_VERSION")),
            connect_timeout: Duration::from_secs(2),
            timeout: None,
            max_idle: usize::MAX,
            // Shorter than the 60 seconds after which load balancers commonly close, so that MARO closes first.
            idle_timeout: Duration::from_secs(50),
            https_only: false,
            resolver: None,
            network: Network::default(),
            identity: None,
        }
    }

    /// For programs on this machine that speak plain HTTP.
    pub fn loopback(timeout: Duration) -> Self {
        Self { timeout: Some(timeout), ..Self::new(Trust::Nobody) }
    }
}

/// A client as `options` want it. It connects to nothing yet. With [`Trust::System`] this reads files.
///
/// # Errors
/// If there is nobody to trust: the machine has no root certificates, or the given one is invalid.
pub fn build(options: &ClientOptions) -> Result<Client, reqwest::Error> {
    install_tls_provider();
    let connect_timeout = if options.network.has_proxy() {
        options.connect_timeout.max(PROXY_TIMEOUT)
    } else {
        options.connect_timeout
    };
    #[expect(clippy::disallowed_methods, reason = "this is the one place")]
    let builder = Client::builder()
        .user_agent(options.user_agent)
        .connect_timeout(connect_timeout)
        .pool_max_idle_per_host(options.max_idle)
        .pool_idle_timeout(options.idle_timeout)
        .redirect(redirect::Policy::none())
        .retry(retry::never())
        .referer(false)
        .no_proxy()
        .tcp_nodelay(true)
        .https_only(options.https_only);
    let builder = options.network.tell_way(builder);
    let builder = match options.trust {
        Trust::System => options.network.tell_trust(builder),
        Trust::Only(certificate) => builder.tls_certs_only([Certificate::from_der(certificate)?]),
        Trust::Nobody => builder.tls_certs_only([]),
    };
    let builder = match options.timeout {
        Some(timeout) => builder.timeout(timeout),
        None => builder,
    };
    let builder = match &options.resolver {
        Some(resolver) => builder.dns_resolver(Arc::clone(resolver)),
        None => builder,
    };
    let builder = match &options.identity {
        Some(identity) => builder.identity(identity.clone()),
        None => builder,
    };
    builder.build()
}

/// Sets the cryptography that every TLS connection of the process uses.
fn install_tls_provider() {
    // Fails only if a provider is there already, which then is the same one.
    #[expect(clippy::disallowed_methods, reason = "this is the one place")]
    let _ = rustls::crypto::ring::default_provider().install_default();
}

/// A client that is built when it is first needed, so that no start waits for root certificates.
pub struct LazyClient {
    options: ClientOptions,
    client: OnceCell<Client>,
}

impl LazyClient {
    pub fn new(options: ClientOptions) -> Self {
        Self { options, client: OnceCell::new() }
    }

    /// The client.
    ///
    /// # Errors
    /// As [`build`]. The next call tries again.
    pub async fn get(&self) -> Result<&Client, reqwest::Error> {
        let build = || async {
            let options = self.options.clone();
            if options.trust != Trust::System {
                return build(&options);
            }
            // Reading the system's certificates blocks.
            tokio::task::spawn_blocking(move || build(&options))
                .await
                .unwrap_or_else(|error| std::panic::resume_unwind(error.into_panic()))
        };
        self.client.get_or_try_init(build).await
    }
}

/// Whether a request failed because what answers doesn't speak HTTP.
pub fn is_not_http(error: &reqwest::Error) -> bool {
    let mut cause = error.source();
    while let Some(source) = cause {
        if source.downcast_ref::<hyper::Error>().is_some_and(hyper::Error::is_parse) {
            return true;
        }
        cause = source.source();
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::connection_failure::Trouble;
    use tokio::{
        io::{AsyncReadExt as _, AsyncWriteExt as _},
        net::TcpListener,
    };

    #[test]
    fn only_addresses_over_tls_need_root_certificates() {
        for (url, expected) in [
            ("https://example.com", Trust::System),
            ("wss://example.com", Trust::System),
            ("http://127.0.0.1:80", Trust::Nobody),
            ("ws://127.0.0.1:80", Trust::Nobody),
        ] {
            assert_eq!(Trust::for_url(&url.parse().unwrap()), expected, "{url}");
        }
    }

    #[tokio::test]
    async fn a_proxy_may_take_its_time() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let proxy = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut head = [0; 1024];
            let _ = stream.read(&mut head).await;
            tokio::time::sleep(Duration::from_secs(3)).await;
            let _ = stream.write_all(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n").await;
        });
        let network = Network::default().through(&proxy, "").unwrap();
        let client = build(&ClientOptions { network, ..ClientOptions::new(Trust::Nobody) }).unwrap();
        let error = client.get("https://jira.harbor.example/").send().await.unwrap_err();
        assert_eq!(Trouble::of(&error), Some(Trouble::ProxyRefuses), "{error:?}");
    }

    #[test]
    fn a_certificate_that_is_none_is_told_at_once() {
        assert!(build(&ClientOptions::new(Trust::Only(b"no certificate"))).is_err());
        assert!(build(&ClientOptions::new(Trust::Nobody)).is_ok());
    }
}
