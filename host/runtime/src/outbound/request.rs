//! A plugin's request, checked before anything is sent.

use reqwest::{
    Method, Request,
    header::{HeaderMap, HeaderName, HeaderValue},
};
use url::{Host, Url};

use crate::{
    outbound::addresses::Reach,
    policy::{
        hosts::{AllowedHost, PrivateHost},
        secrets::{HeldSecrets, Unfilled, UsedSecret},
    },
};
use maro_texts as texts;

/// The longest URL, in bytes.
const MAX_URL_BYTES: usize = 8 * 1024;

const MAX_HEADERS: usize = 50;

/// The largest headers, in bytes of names and values.
const MAX_HEADER_BYTES: usize = 16 * 1024;

/// The largest body, in bytes.
const MAX_BODY_BYTES: usize = 256 * 1024;

/// Headers about the host's connection, which plugins may not set.
const HOSTS_OWN: [&str; 13] = [
    "connection",
    "content-length",
    "expect",
    "host",
    "http2-settings",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// A request that can be sent.
#[derive(Debug)]
pub struct OutboundRequest {
    request: Request,
    is_to_private_host: bool,
    /// What the host has filled in.
    secrets: Vec<UsedSecret>,
}

/// What a plugin asks for, as it came.
pub struct Parts<'a> {
    /// One of `GET`, `HEAD`, `POST`, `PUT`, `PATCH`, `DELETE`.
    pub method: &'a str,
    pub url: &'a str,
    pub headers: &'a [(String, String)],
    pub body: Option<Vec<u8>>,
}

impl OutboundRequest {
    /// Checks a request in everything but the host's name.
    ///
    /// # Errors
    /// What is wrong with it, in a sentence for the person.
    pub fn new(parts: Parts<'_>, reach: Reach) -> Result<Self, String> {
        let method = Method::from_bytes(parts.method.as_bytes())
            .map_err(|_| texts::plugins::requests::unknown_method())?;
        let mut request = Request::new(method, url(parts.url, reach)?);
        *request.headers_mut() = headers(parts.headers)?;
        if let Some(body) = parts.body {
            if body.len() > MAX_BODY_BYTES {
                return Err(texts::plugins::requests::body_too_large(MAX_BODY_BYTES / 1024));
            }
            *request.body_mut() = Some(body.into());
        }
        Ok(Self { request, is_to_private_host: false, secrets: Vec::new() })
    }

    /// The host as the operator would list it: with its port, unless that is the one of https.
    pub fn host(&self) -> String {
        let url = self.request.url();
        let host = url.host_str().unwrap_or_default();
        match url.port_or_known_default() {
            Some(443) | None => host.to_owned(),
            Some(port) => format!("{host}:{port}"),
        }
    }

    /// Whether its host is one of those listed. If it is a private one, the request may go there.
    pub fn is_allowed(&mut self, hosts: &[AllowedHost], private_hosts: &[PrivateHost]) -> bool {
        let url = self.request.url();
        self.is_to_private_host = private_hosts.iter().any(|host| host.allows(url));
        self.is_to_private_host || hosts.iter().any(|host| host.allows(url))
    }

    /// Fills in the secrets that headers name.
    ///
    /// # Errors
    /// A secret is unknown, not for this host, or can't be read.
    pub(crate) fn fill_in(&mut self, secrets: &HeldSecrets) -> Result<(), Unfilled> {
        let url = self.request.url().clone();
        for value in self.request.headers_mut().values_mut() {
            let Ok(text) = value.to_str() else { continue };
            let Some(filled) = secrets.fill(text, &url)? else { continue };
            let mut new = HeaderValue::from_str(filled.value.expose()).map_err(|_| Unfilled::TooLarge)?;
            new.set_sensitive(true);
            *value = new;
            self.secrets.extend(filled.used);
        }
        Ok(())
    }

    pub(super) fn secrets(&self) -> Vec<UsedSecret> {
        self.secrets.clone()
    }

    pub(super) fn inner(&self) -> &Request {
        &self.request
    }

    pub(super) fn is_to_private_host(&self) -> bool {
        self.is_to_private_host
    }

    pub(super) fn into_inner(self) -> Request {
        self.request
    }
}

fn url(text: &str, reach: Reach) -> Result<Url, String> {
    if text.len() > MAX_URL_BYTES {
        return Err(texts::plugins::requests::url_too_long(MAX_URL_BYTES / 1024));
    }
    let url = Url::parse(text).map_err(|_| texts::plugins::requests::not_a_url())?;
    if url.scheme() != "https" && !(reach.plain_http && url.scheme() == "http") {
        return Err(texts::plugins::requests::not_https());
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(texts::plugins::requests::url_with_credentials());
    }
    // In any spelling: the parser has converted decimal, octal and hexadecimal to the usual form.
    match url.host() {
        Some(Host::Domain(_)) => Ok(url),
        _ => Err(texts::plugins::requests::url_without_host_name()),
    }
}

fn headers(given: &[(String, String)]) -> Result<HeaderMap, String> {
    if given.len() > MAX_HEADERS {
        return Err(texts::plugins::requests::too_many_headers(MAX_HEADERS));
    }
    if given.iter().map(|(name, value)| name.len() + value.len()).sum::<usize>() > MAX_HEADER_BYTES {
        return Err(texts::plugins::requests::headers_too_large(MAX_HEADER_BYTES / 1024));
    }
    let mut headers = HeaderMap::with_capacity(given.len());
    for (name, value) in given {
        let Ok(name) = HeaderName::from_bytes(name.as_bytes()) else {
            return Err(texts::plugins::requests::header_name());
        };
        if HOSTS_OWN.contains(&name.as_str()) {
            return Err(texts::plugins::requests::reserved_header(&name));
        }
        let Ok(value) = HeaderValue::from_bytes(value.as_bytes()) else {
            return Err(texts::plugins::requests::header_value(&name));
        };
        headers.append(name, value);
    }
    Ok(headers)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(url: &str, headers: &[(&str, &str)], body: Option<Vec<u8>>) -> Option<String> {
        let headers: Vec<_> =
            headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let parts = Parts { method: "POST", url, headers: &headers, body };
        OutboundRequest::new(parts, Reach::INTERNET).err()
    }

    #[test]
    fn an_address_is_no_host_however_it_is_spelled() {
        for host in [
            "127.0.0.1",
            "127.1",
            "2130706433",
            "0x7f000001",
            "0x7f.1",
            "017700000001",
            "0177.0.0.1",
            "127.0.0.1.",
            "[::1]",
            "[::ffff:127.0.0.1]",
            "[fe80::1]",
            "8.8.8.8",
            "%31%32%37.0.0.1",
            "１２７.0.0.1",
            "0",
        ] {
            let problem = problem(&format!("https://{host}/"), &[], None).unwrap();
            assert_eq!(problem, texts::plugins::requests::url_without_host_name(), "{host}");
        }
    }

    #[test]
    fn only_https_without_credentials_is_sent() {
        assert_eq!(problem("https://api.example.com/a?b=c#d", &[("Accept", "*/*")], Some(vec![0])), None);
        for (url, expected) in [
            ("http://a.example/", texts::plugins::requests::not_https()),
            ("ftp://a.example/", texts::plugins::requests::not_https()),
            ("file:///etc/passwd", texts::plugins::requests::not_https()),
            ("https://user@a.example/", texts::plugins::requests::url_with_credentials()),
            ("https://:secret@a.example/", texts::plugins::requests::url_with_credentials()),
            ("a.example", texts::plugins::requests::not_a_url()),
            ("", texts::plugins::requests::not_a_url()),
            ("https://", texts::plugins::requests::not_a_url()),
        ] {
            assert_eq!(problem(url, &[], None), Some(expected), "{url}");
        }
        let long = format!("https://a.example/{}", "x".repeat(MAX_URL_BYTES));
        assert!(problem(&long, &[], None).is_some());
    }

    #[test]
    fn headers_and_bodies_are_bounded_and_the_connection_is_the_hosts() {
        let url = "https://a.example/";
        for name in
            ["Host", "content-length", "Transfer-Encoding", "CONNECTION", "Upgrade", "Proxy-Authorization"]
        {
            assert!(problem(url, &[(name, "x")], None).unwrap().contains("only MARO can set"), "{name}");
        }
        for (name, value) in [("a b", "x"), ("", "x"), ("a", "x\r\nHost: evil"), ("a", "x\0")] {
            assert!(problem(url, &[(name, value)], None).is_some(), "{name:?} {value:?}");
        }
        assert!(problem(url, &[("a", "x"); 51], None).is_some());
        assert!(problem(url, &[("a", &"x".repeat(MAX_HEADER_BYTES))], None).is_some());
        assert!(problem(url, &[], Some(vec![0; MAX_BODY_BYTES])).is_none());
        assert!(problem(url, &[], Some(vec![0; MAX_BODY_BYTES + 1])).is_some());
    }

    #[test]
    fn a_host_is_named_as_it_would_be_listed() {
        for (url, expected) in
            [("https://A.example/x", "a.example"), ("https://a.example:8443/", "a.example:8443")]
        {
            let parts = Parts { method: "GET", url, headers: &[], body: None };
            assert_eq!(OutboundRequest::new(parts, Reach::INTERNET).unwrap().host(), expected);
        }
    }
}
