//! The way out: through which proxy requests go, and whom connections trust beside the system's authorities.
//!
//! Every client of the process is told by the same [`Network`]. Other programs' variables (`HTTPS_PROXY` and its
//! like) change nothing.

use std::{fmt, path::Path, sync::Arc};

use hyper::Uri;
use hyper_util::client::proxy::matcher::Matcher;
use reqwest::{Certificate, ClientBuilder, Identity, Proxy};
use url::Url;

use crate::http::pem::{AuthoritiesError, IdentityError, PemFile, check_identity};

/// The way out. By default: straight, with the system's authorities alone.
#[derive(Clone, Default)]
pub struct Network {
    proxy: Option<Arc<ProxyRoute>>,
    /// Trusted beside the system's.
    authorities: Arc<[Certificate]>,
}

/// A proxy, and what goes through it.
struct ProxyRoute {
    /// May contain a password.
    url: Url,
    exceptions: String,
    matcher: Matcher,
}

/// How requests reach an address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Way {
    Straight,
    /// Through the proxy at this host and port.
    Proxy(String),
}

impl Network {
    /// With these authorities beside the system's.
    #[must_use]
    pub fn trusting(self, authorities: Vec<Certificate>) -> Self {
        Self { authorities: authorities.into(), ..self }
    }

    /// Through an HTTP proxy, which is asked to connect (`CONNECT`) to whatever `https://` addresses name, except
    /// where `exceptions` say otherwise: names with all that is below them, IP addresses, networks such as
    /// `10.0.0.0/8`, or `*`, separated by commas. Plain `http://` isn't sent through it.
    ///
    /// # Errors
    /// What the address must be like.
    pub fn through(self, proxy: &str, exceptions: &str) -> Result<Self, &'static str> {
        let url = Url::parse(proxy).ok().filter(|url| {
            matches!(url.scheme(), "http" | "https")
                && url.has_host()
                && matches!(url.path(), "" | "/")
                && url.query().is_none()
                && url.fragment().is_none()
        });
        let url = url.ok_or(if proxy.contains('@') {
            "must be the address of an HTTP proxy, such as http://USER:PASSWORD@proxy.example.com:3128; special characters \
             of a name or password are percent-encoded, as @ is %40"
        } else {
            "must be the address of an HTTP proxy, such as http://proxy.example.com:3128"
        })?;
        let matcher = Matcher::builder().https(url.as_str()).no(exceptions).build();
        Ok(Self {
            proxy: Some(Arc::new(ProxyRoute { url, exceptions: exceptions.to_owned(), matcher })),
            ..self
        })
    }

    /// Whether an entry of the exceptions can mean anything.
    pub fn is_exception(entry: &str) -> bool {
        let is_network = || {
            entry.split_once('/').is_some_and(|(address, prefix)| {
                address.parse::<std::net::IpAddr>().is_ok_and(|address| {
                    prefix
                        .parse::<u8>()
                        .is_ok_and(|prefix| prefix <= if address.is_ipv4() { 32 } else { 128 })
                })
            })
        };
        let is_name = |name: &str| {
            !name.is_empty()
                && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_'))
        };
        entry == "*" || is_name(entry) || entry.parse::<std::net::IpAddr>().is_ok() || is_network()
    }

    /// How requests reach an address.
    pub fn way_to(&self, url: &Url) -> Way {
        match self.proxy_for(url) {
            None => Way::Straight,
            Some(proxy) => Way::Proxy(place(&proxy.url)),
        }
    }

    /// Whether anything may go through a proxy.
    pub fn has_proxy(&self) -> bool {
        self.proxy.is_some()
    }

    /// Whether the proxy is told a user and a password.
    pub fn has_password(&self) -> bool {
        self.proxy.as_ref().is_some_and(|proxy| !proxy.url.username().is_empty())
    }

    /// Whether this is the name of the proxy itself.
    pub fn is_proxy(&self, name: &str) -> bool {
        self.proxy.as_ref().is_some_and(|proxy| proxy.url.host_str() == Some(name))
    }

    fn proxy_for(&self, url: &Url) -> Option<&Arc<ProxyRoute>> {
        let uri: Uri = as_http(url).parse().ok()?;
        self.proxy.as_ref().filter(|proxy| proxy.matcher.intercept(&uri).is_some())
    }

    /// Tells a client the way.
    pub(super) fn tell_way(&self, builder: ClientBuilder) -> ClientBuilder {
        if self.proxy.is_none() {
            return builder;
        }
        let network = self.clone();
        builder.proxy(Proxy::custom(move |url| network.proxy_for(url).map(|proxy| proxy.url.clone())))
    }

    /// Tells a client whom to trust beside the system's authorities.
    pub(super) fn tell_trust(&self, builder: ClientBuilder) -> ClientBuilder {
        if self.authorities.is_empty() { builder } else { builder.tls_certs_merge(self.authorities.to_vec()) }
    }
}

impl fmt::Debug for Network {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Network")
            .field("proxy", &self.proxy.as_ref().map(|proxy| place(&proxy.url)))
            .field("exceptions", &self.proxy.as_ref().map(|proxy| &proxy.exceptions))
            .field("authorities", &self.authorities.len())
            .finish()
    }
}

impl fmt::Display for Way {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Straight => formatter.write_str("directly"),
            Self::Proxy(place) => write!(formatter, "through the proxy {place}"),
        }
    }
}

/// The authorities in a file of certificates in PEM.
///
/// # Errors
/// Why there are none.
pub fn read_authorities(path: &Path) -> Result<Vec<Certificate>, AuthoritiesError> {
    let unusable = |error: reqwest::Error| AuthoritiesError::Unusable(error.to_string());
    let authorities = PemFile::read(path)?.authorities()?;
    authorities.iter().map(|authority| Certificate::from_der(authority).map_err(unusable)).collect()
}

/// The certificate and key in a file in PEM, to be shown to services that ask for one.
///
/// # Errors
/// Why there is none, as the end of a sentence about the file.
pub fn read_identity(path: &Path) -> Result<Identity, String> {
    let file = PemFile::read(path).map_err(|error| format!("can't be read: {error}"))?;
    let none = |instead| format!("has no certificate in PEM with its key{instead}");
    match check_identity(&file, &file) {
        Ok(()) => Identity::from_pem(file.text().as_bytes()).map_err(|_| none(String::new())),
        Err(IdentityError::Unusable(why)) => Err(format!("has a certificate that can't be used: {why}")),
        Err(IdentityError::OtherKey) => Err("has a certificate and the key of another one".to_owned()),
        Err(IdentityError::NoCertificate(instead) | IdentityError::NoKey(instead)) => {
            Err(none(instead.to_string()))
        }
    }
}

/// Sockets are asked for over HTTP.
fn as_http(url: &Url) -> String {
    let text = url.as_str();
    match text.strip_prefix("ws") {
        Some(rest) => format!("http{rest}"),
        None => text.to_owned(),
    }
}

/// Host and port, without user and password.
fn place(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    format!("{host}:{}", url.port_or_known_default().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn network(exceptions: &str) -> Network {
        Network::default().through("http://user:word@proxy.corp.example:3128", exceptions).unwrap()
    }

    fn way(exceptions: &str, url: &str) -> String {
        network(exceptions).way_to(&url.parse().unwrap()).to_string()
    }

    #[test]
    fn what_is_encrypted_goes_through_the_proxy_unless_it_is_an_exception() {
        const PROXY: &str = "through the proxy proxy.corp.example:3128";
        for (exceptions, url, expected) in [
            ("", "https://slack.com/api", PROXY),
            ("", "wss://wss-primary.slack.com/link/?ticket=1", PROXY),
            ("", "https://127.0.0.1:8443/", PROXY),
            ("", "https://localhost:8443/", PROXY),
            ("", "http://jira.corp.example/", "directly"),
            ("localhost,127.0.0.1", "https://127.0.0.1:8443/", "directly"),
            ("127.0.0.1", "wss://127.0.0.1:8443/", "directly"),
            (".corp.example", "https://jira.corp.example/", "directly"),
            ("corp.example, 10.0.0.0/8", "https://jira.corp.example/", "directly"),
            ("corp.example, 10.0.0.0/8", "https://10.1.2.3/", "directly"),
            ("corp.example", "https://notcorp.example/", PROXY),
            ("::1", "https://[::1]:8443/", "directly"),
            ("*", "https://slack.com/", "directly"),
        ] {
            assert_eq!(way(exceptions, url), expected, "{url} except {exceptions:?}");
        }
        let straight = Network::default().way_to(&"https://slack.com/".parse().unwrap());
        assert_eq!(straight, Way::Straight);
    }

    #[test]
    fn a_proxy_is_an_address_over_http_and_its_password_does_not_show() {
        for bad in ["", "proxy:3128", "socks5://proxy:1080", "http://", "http://proxy/x", "http://proxy?x"] {
            assert!(Network::default().through(bad, "").is_err(), "{bad}");
        }
        let unencoded = Network::default().through("http://us@er:p/w@proxy:3128", "").unwrap_err();
        assert!(unencoded.contains("@ is %40"), "{unencoded}");
        assert!(
            network("").has_password()
                && !Network::default().through("http://proxy:1", "").unwrap().has_password()
        );
        let shown = format!("{:?}", network(""));
        assert!(shown.contains("proxy.corp.example:3128") && !shown.contains("word"), "{shown}");
        assert!(network("").is_proxy("proxy.corp.example") && !network("").is_proxy("corp.example"));
    }

    #[test]
    fn exceptions_are_names_addresses_and_networks() {
        for good in ["*", "localhost", ".corp.example", "10.0.0.0/8", "127.0.0.1", "::1", "fd00::/8"] {
            assert!(Network::is_exception(good), "{good}");
        }
        for bad in ["", "jira.corp.example:8443", "https://jira", "10.0.0.0/33", "10.0/8", "*.corp.example"] {
            assert!(!Network::is_exception(bad), "{bad}");
        }
    }

    #[test]
    fn a_file_without_a_usable_certificate_is_told_at_once() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ca.pem");
        let said = |text: &str| {
            fs::write(&path, text).unwrap();
            read_authorities(&path).unwrap_err().to_string()
        };
        assert_eq!(said(""), "has no certificate in PEM: it's empty");
        assert_eq!(said("no certificate"), "has no certificate in PEM");
        let nonsense = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        assert!(said(nonsense).starts_with("has a certificate that can't be used"), "{}", said(nonsense));
        assert!(said(&nonsense[..40]).ends_with("it is cut off, or isn't PEM throughout"));
        assert!(
            read_authorities(&folder.path().join("none")).unwrap_err().to_string().contains("can't be read")
        );
    }
}
