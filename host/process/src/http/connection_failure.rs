//! Why a connection failed, as far as there is something to do about it.

use std::{error::Error, io};

use rustls::{AlertDescription, CertificateError};

/// What is in the way of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trouble {
    /// The other side's certificate was issued by nobody who is trusted.
    Untrusted,
    /// It isn't valid any more, or not yet.
    OutOfDate,
    /// It is another name's.
    OtherName,
    /// It is of a kind that no server may have: an authority's own, or of the first version of X.509.
    NoServers,
    /// The other side wants a certificate of MARO's, or rejects the one that it was shown.
    OwnCertificate,
    /// What answers doesn't speak TLS.
    NotTls,
    /// It speaks a version of TLS that is no longer safe, or ciphers of that kind alone.
    OldTls,
    /// It ended the handshake without saying why.
    NoHandshake,
    /// The proxy wants a password, or another one.
    ProxyPassword,
    /// The proxy doesn't connect to that host.
    ProxyRefuses,
    /// There is no connection to the proxy.
    ProxyAway,
    /// Nobody knows the proxy's name.
    UnknownProxy,
    /// Nobody knows the name.
    UnknownName,
    /// This machine trusts nobody: it has no root certificates.
    NoRoots,
}

/// The connector's own words about proxies, which has no types for them.
const PROXY_PASSWORD: &str = "proxy authorization required";
const PROXY_REFUSES: &str = "tunnel error";
const PROXY_AWAY: &str = "failed to create underlying connection";
const UNKNOWN_NAME: &str = "dns error";

impl Trouble {
    /// Whether it is about TLS or a certificate.
    pub fn is_tls(self) -> bool {
        matches!(
            self,
            Self::Untrusted
                | Self::OutOfDate
                | Self::OtherName
                | Self::NoServers
                | Self::OwnCertificate
                | Self::NotTls
                | Self::OldTls
                | Self::NoHandshake
        )
    }

    /// What was in the way. `None` if nothing of this kind was.
    pub fn of(error: &(dyn Error + 'static)) -> Option<Self> {
        let mut by_proxy = None;
        let mut cause = Some(error);
        while let Some(error) = cause {
            if let Some(trouble) = of_tls(error) {
                return Some(trouble);
            }
            if error.downcast_ref().is_some_and(reqwest::Error::is_builder) {
                return Some(Trouble::NoRoots);
            }
            by_proxy = match (by_proxy, of_words(&error.to_string())) {
                // It is the proxy's that is looked up here.
                (Some(Self::ProxyAway), Some(Self::UnknownName)) => Some(Self::UnknownProxy),
                (before, now) => now.or(before),
            };
            cause = error.source();
        }
        by_proxy
    }
}

/// Whether it was the connection to the proxy that failed, and not the one that leads through it.
pub fn is_to_proxy(error: &(dyn Error + 'static)) -> bool {
    let mut causes = std::iter::successors(Some(error), |&error| error.source());
    causes.any(|cause| cause.to_string().contains(PROXY_AWAY))
}

fn of_tls(error: &(dyn Error + 'static)) -> Option<Trouble> {
    // Errors of I/O may hold others of I/O, which their sources leave out.
    let mut innermost = error;
    while let Some(inner) = innermost.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
        innermost = inner;
    }
    match innermost.downcast_ref()? {
        rustls::Error::InvalidCertificate(invalid) => Some(match invalid {
            CertificateError::Expired
            | CertificateError::ExpiredContext { .. }
            | CertificateError::NotValidYet
            | CertificateError::NotValidYetContext { .. } => Trouble::OutOfDate,
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
                Trouble::OtherName
            }
            // The verifier's own errors, of which it exports no types.
            CertificateError::Other(other) if is_no_servers(&format!("{other:?}")) => Trouble::NoServers,
            _ => Trouble::Untrusted,
        }),
        rustls::Error::AlertReceived(alert) if is_about_ours(*alert) => Some(Trouble::OwnCertificate),
        rustls::Error::AlertReceived(
            AlertDescription::ProtocolVersion | AlertDescription::InsufficientSecurity,
        )
        | rustls::Error::PeerIncompatible(_) => Some(Trouble::OldTls),
        // Servers say so of ciphers, and before TLS 1.3 of a client certificate that they miss.
        rustls::Error::AlertReceived(AlertDescription::HandshakeFailure) => Some(Trouble::NoHandshake),
        rustls::Error::InvalidMessage(_) => Some(Trouble::NotTls),
        _ => None,
    }
}

fn is_no_servers(error: &str) -> bool {
    ["CaUsedAsEndEntity", "UnsupportedCertVersion"].iter().any(|name| error.contains(name))
}

/// Whether the other side rejects the certificate that it was shown, or wants one.
fn is_about_ours(alert: AlertDescription) -> bool {
    matches!(
        alert,
        AlertDescription::BadCertificate
            | AlertDescription::CertificateExpired
            | AlertDescription::CertificateRequired
            | AlertDescription::CertificateRevoked
            | AlertDescription::CertificateUnknown
            | AlertDescription::UnknownCA
            | AlertDescription::UnsupportedCertificate
    )
}

fn of_words(text: &str) -> Option<Trouble> {
    [
        (PROXY_PASSWORD, Trouble::ProxyPassword),
        (PROXY_AWAY, Trouble::ProxyAway),
        (PROXY_REFUSES, Trouble::ProxyRefuses),
        (UNKNOWN_NAME, Trouble::UnknownName),
    ]
    .into_iter()
    .find_map(|(words, trouble)| text.contains(words).then_some(trouble))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::{
        client::{self, ClientOptions, Trust},
        network::Network,
    };
    use tokio::{
        io::{AsyncReadExt as _, AsyncWriteExt as _},
        net::TcpListener,
    };

    async fn asked(url: &str, proxy: Option<&str>) -> Option<Trouble> {
        let network =
            proxy.map_or_else(Network::default, |proxy| Network::default().through(proxy, "").unwrap());
        let client = client::build(&ClientOptions { network, ..ClientOptions::new(Trust::Nobody) }).unwrap();
        Trouble::of(&client.get(url).send().await.unwrap_err())
    }

    /// Answers every connection with this.
    async fn answering(text: &'static str) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            loop {
                let (mut stream, _) = listener.accept().await.unwrap();
                let mut head = [0; 1024];
                let _ = stream.read(&mut head).await;
                let _ = stream.write_all(text.as_bytes()).await;
            }
        });
        address.to_string()
    }

    #[tokio::test]
    async fn what_a_proxy_does_is_told_apart() {
        for (answer, expected) in [
            (
                "HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n",
                Trouble::ProxyPassword,
            ),
            ("HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n", Trouble::ProxyRefuses),
            ("HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n", Trouble::ProxyRefuses),
            ("SSH-2.0-OpenSSH_9\r\n", Trouble::ProxyRefuses),
        ] {
            let proxy = format!("http://{}", answering(answer).await);
            let trouble = asked("https://jira.harbor.example/", Some(&proxy)).await;
            assert_eq!(trouble, Some(expected), "{answer}");
        }
        let nobody = Some("http://127.0.0.1:9");
        assert_eq!(asked("https://jira.harbor.example/", nobody).await, Some(Trouble::ProxyAway));
        let unknown = Some("http://proxy.harbor.invalid:3128");
        assert_eq!(asked("https://jira.harbor.example/", unknown).await, Some(Trouble::UnknownProxy));
        assert_eq!(asked("https://jira.harbor.invalid/", None).await, Some(Trouble::UnknownName));
    }

    #[tokio::test]
    async fn what_isnt_tls_and_what_isnt_there_are_told_apart() {
        let address = answering("HTTP/1.1 400 Bad Request\r\n\r\n").await;
        assert_eq!(asked(&format!("https://{address}/"), None).await, Some(Trouble::NotTls));
        assert_eq!(asked("http://127.0.0.1:9/", None).await, None);
        // What servers say that speak TLS 1.1 alone, and those with no cipher in common.
        for (alert, expected) in [("\u{46}", Trouble::OldTls), ("\u{28}", Trouble::NoHandshake)] {
            let alert: &'static str = format!("\u{15}\u{3}\u{3}\u{0}\u{2}\u{2}{alert}").leak();
            let address = answering(alert).await;
            assert_eq!(asked(&format!("https://{address}/"), None).await, Some(expected));
        }
    }
}
