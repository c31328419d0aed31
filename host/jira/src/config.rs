//! Which Jira site to use, and as whom.

use reqwest::{
    Identity,
    header::{HeaderMap, HeaderName, HeaderValue},
};
use url::{Host, Url};

use maro_process::{http::network::Network, secret::Secret};

/// Under which all of Atlassian's own sites are.
const ATLASSIAN_SITES: &str = ".atlassian.net";

/// Where Atlassian's gateway to all of its sites is. A site is below `/ex/jira/` and its cloud id.
pub(super) const GATEWAY: &str = "https://api.atlassian.com";
pub(super) const GATEWAY_PATH: &str = "/ex/jira/";

#[derive(Debug, Clone)]
pub struct JiraConfig {
    /// `JIRA_BASE_URL`: the site, also used for browse links, without a trailing slash. Required.
    pub base_url: Url,
    /// `JIRA_API_URL`, default the site: where the API is. For sites of Atlassian's it is found out, if need be.
    pub api_url: Option<Url>,
    pub credentials: JiraCredentials,
    /// `JIRA_HEADERS`: sent with each request, for gates in front of Jira. They may be secrets.
    pub headers: ExtraHeaders,
    /// `JIRA_CLIENT_CERT_FILE`: shown to gates that ask for a certificate.
    pub client_certificate: Option<Identity>,
    /// `JIRA_DEFAULT_PROJECT`: the project that is preselected in the create modal.
    pub default_project: Option<String>,
    /// `JIRA_WEBHOOK_SECRET`: signs requests to `/jira/webhook`. Without it, that address answers 404.
    pub webhook_secret: Option<Secret>,
    /// The way to Jira.
    pub network: Network,
}

#[derive(Debug, Clone)]
pub enum JiraCredentials {
    /// `JIRA_EMAIL` and `JIRA_API_TOKEN`: Jira Cloud, REST API v3.
    Cloud { email: String, api_token: Secret },
    /// `JIRA_PAT`: Jira Data Center, REST API v2.
    DataCenter { token: Secret },
    /// `JIRA_CLIENT_ID` and `JIRA_CLIENT_SECRET`: a service account of either edition.
    ServiceAccount { client_id: String, client_secret: Secret },
    /// `JIRA_USER` and `JIRA_PASSWORD`: Jira Data Center before 8.14, which has no tokens.
    Password { user: String, password: Secret },
}

/// Headers beside MARO's own. Their values are marked sensitive, so that they don't show.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ExtraHeaders(HeaderMap);

impl JiraConfig {
    /// A site and credentials for it, with the defaults for all else.
    pub fn new(base_url: Url, credentials: JiraCredentials) -> Self {
        Self {
            base_url,
            api_url: None,
            credentials,
            headers: ExtraHeaders::default(),
            client_certificate: None,
            default_project: None,
            webhook_secret: None,
            network: Network::default(),
        }
    }

    /// Whether this is Jira Cloud. A service account's edition shows in the addresses.
    pub fn is_cloud(&self) -> bool {
        match self.credentials {
            JiraCredentials::Cloud { .. } => true,
            JiraCredentials::DataCenter { .. } | JiraCredentials::Password { .. } => false,
            JiraCredentials::ServiceAccount { .. } => {
                self.is_atlassians() || self.api_url.as_ref().is_some_and(is_gateway)
            }
        }
    }

    /// Whether the site is one of Atlassian's own, whose API may also be at the gateway.
    pub(super) fn is_atlassians(&self) -> bool {
        let Some(Host::Domain(name)) = self.base_url.host() else { return false };
        self.base_url.scheme() == "https" && self.base_url.port().is_none() && name.ends_with(ATLASSIAN_SITES)
    }

    /// Whether `JIRA_BASE_URL` is Atlassian's gateway, where no browser finds an issue.
    pub fn has_gateway_for_site(&self) -> bool {
        is_gateway(&self.base_url)
    }

    /// The settings with the credentials, for sentences.
    pub fn credential_keys(&self) -> &'static str {
        match self.credentials {
            JiraCredentials::Cloud { .. } => "JIRA_EMAIL and JIRA_API_TOKEN",
            JiraCredentials::DataCenter { .. } => "JIRA_PAT",
            JiraCredentials::ServiceAccount { .. } => "JIRA_CLIENT_ID and JIRA_CLIENT_SECRET",
            JiraCredentials::Password { .. } => "JIRA_USER and JIRA_PASSWORD",
        }
    }
}

fn is_gateway(url: &Url) -> bool {
    url.path().starts_with(GATEWAY_PATH)
}

impl ExtraHeaders {
    /// Reads `Name: value`, one on each line.
    ///
    /// # Errors
    /// The number of the line that isn't such a one, from 1, or of one that MARO sends itself.
    pub fn parse(text: &str) -> Result<Self, usize> {
        let mut headers = HeaderMap::new();
        let text = with_line_breaks(text);
        let lines = text.lines().enumerate().map(|(number, line)| (number + 1, line.trim()));
        for (number, line) in lines.filter(|(_, line)| !line.is_empty()) {
            let (name, value) = line.split_once(':').ok_or(number)?;
            let name = HeaderName::from_bytes(name.trim().as_bytes()).map_err(|_| number)?;
            let mut value = HeaderValue::from_str(value.trim()).map_err(|_| number)?;
            if value.is_empty() || OWN_HEADERS.contains(&name.as_str()) {
                return Err(number);
            }
            value.set_sensitive(true);
            headers.append(name, value);
        }
        Ok(Self(headers))
    }

    /// The name of one whose value has a comma and what may be another header in it.
    pub fn with_another_inside(&self) -> Option<&str> {
        let is_header = |part: &str| {
            let name = part.trim_start().split_once(": ").map(|(name, _)| name);
            name.is_some_and(|name| HeaderName::from_bytes(name.as_bytes()).is_ok())
        };
        let goes_on =
            |value: &HeaderValue| value.to_str().is_ok_and(|text| text.split(',').skip(1).any(is_header));
        self.0.iter().find(|(_, value)| goes_on(value)).map(|(name, _)| name.as_str())
    }

    pub(super) fn as_map(&self) -> &HeaderMap {
        &self.0
    }
}

/// Files of variables have no line breaks in a value, so people write `\n`. It is one where a header follows.
fn with_line_breaks(text: &str) -> String {
    let is_header = |part: &str| {
        part.split_once(':').is_some_and(|(name, _)| HeaderName::from_bytes(name.trim().as_bytes()).is_ok())
    };
    let mut parts = text.split("\\n");
    let mut lines = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        lines.push_str(if is_header(part) { "\n" } else { "\\n" });
        lines.push_str(part);
    }
    lines
}

/// What is about MARO's own request, and not for a gate.
const OWN_HEADERS: [&str; 9] = [
    "accept",
    "authorization",
    "connection",
    "content-length",
    "content-type",
    "host",
    "te",
    "transfer-encoding",
    "upgrade",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_behind_a_comma_is_noticed() {
        let inside = |text: &str| ExtraHeaders::parse(text).unwrap().with_another_inside().map(str::to_owned);
        assert_eq!(inside("CF-Id: a, CF-Secret: b"), Some("cf-id".to_owned()));
        for text in
            ["CF-Id: a\nCF-Secret: b", "X-A: a, b", "Cookie: a=b, c", "X-At: Sat, 28 Nov 2026 12:00:00 GMT"]
        {
            assert_eq!(inside(text), None, "{text}");
        }
    }

    fn config(base_url: &str, api_url: Option<&str>) -> JiraConfig {
        let credentials =
            JiraCredentials::ServiceAccount { client_id: "id".to_owned(), client_secret: Secret::new("s") };
        let api_url = api_url.map(|url| url.parse().unwrap());
        JiraConfig { api_url, ..JiraConfig::new(base_url.parse().unwrap(), credentials) }
    }

    #[test]
    fn a_service_accounts_edition_shows_in_the_addresses() {
        for (base_url, api_url, is_cloud) in [
            ("https://harbor.atlassian.net", None, true),
            ("https://jira.harbor.example", None, false),
            ("https://jira.harbor.example", Some("https://api.atlassian.com/ex/jira/7c1f"), true),
            ("https://jira.harbor.example", Some("https://gate.harbor.example/jira"), false),
        ] {
            assert_eq!(config(base_url, api_url).is_cloud(), is_cloud, "{base_url} {api_url:?}");
        }
    }

    #[test]
    fn only_atlassians_own_sites_have_a_gateway() {
        for (base_url, expected) in [
            ("https://harbor.atlassian.net", true),
            ("http://harbor.atlassian.net", false),
            ("https://harbor.atlassian.net:8443", false),
            ("https://atlassian.net", false),
            ("https://harbor.atlassian.net.evil.example", false),
            ("https://harboratlassian.net", false),
        ] {
            assert_eq!(config(base_url, None).is_atlassians(), expected, "{base_url}");
        }
    }

    #[test]
    fn headers_are_read_one_a_line_and_do_not_show() {
        let headers = ExtraHeaders::parse("CF-Access-Client-Id: abc\n\n X-Gate : s3cret: x \n").unwrap();
        assert_eq!(headers.as_map()["cf-access-client-id"], "abc");
        assert_eq!(headers.as_map()["x-gate"], "s3cret: x");
        assert!(!format!("{headers:?}").contains("s3cret"), "{headers:?}");
        let headers = ExtraHeaders::parse(r"CF-Access-Client-Id: a\nb\nX-Gate: s3cret").unwrap();
        assert_eq!(headers.as_map()["cf-access-client-id"], r"a\nb");
        assert_eq!(headers.as_map()["x-gate"], "s3cret");
        for (text, line) in [
            ("nonsense", 1),
            ("a: b\nx y: z", 2),
            ("Authorization: Basic x", 1),
            ("a: b\n\nhost: x", 3),
            ("a:", 1),
            ("a: \u{1}", 1),
        ] {
            assert_eq!(ExtraHeaders::parse(text), Err(line), "{text}");
        }
    }
}
