//! The hosts that an operator lists in `[http] hosts`.

use serde::Deserialize;
use url::{Host, Url};

use maro_tickets::texts;

/// The port of https.
const HTTPS_PORT: u16 = 443;

/// An entry of the list: `api.example.com`, or `*.example.com` for every name below it but not itself, with
/// or without `:port`. Without a port, it is that of https.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct AllowedHost {
    /// In lower case. After a `*`, it begins with the dot.
    name: String,
    with_subdomains: bool,
    port: u16,
}

impl AllowedHost {
    /// Whether a URL leads to this host. A URL with an address instead of a name never does.
    pub fn allows(&self, url: &Url) -> bool {
        let Some(Host::Domain(name)) = url.host() else { return false };
        let same_name = if self.with_subdomains {
            name.len() > self.name.len() && name.ends_with(&self.name)
        } else {
            name == self.name
        };
        same_name && url.port_or_known_default() == Some(self.port)
    }
}

impl TryFrom<String> for AllowedHost {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        parse(&text).ok_or_else(|| texts::manifests::not_a_host(&text))
    }
}

fn parse(text: &str) -> Option<AllowedHost> {
    let (host, port) = match text.rsplit_once(':') {
        Some((host, port)) => (host, port.parse().ok().filter(|port| *port != 0)?),
        None => (text, HTTPS_PORT),
    };
    let (below, with_subdomains) = match host.strip_prefix("*.") {
        Some(below) => (below, true),
        None => (host, false),
    };
    let Ok(Host::Domain(name)) = Host::parse(below) else { return None };
    let well_formed = name.split('.').all(|label| {
        !label.is_empty() && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
    });
    // Nobody means everything below "com".
    if !well_formed || (with_subdomains && !name.contains('.')) {
        return None;
    }
    let name = if with_subdomains { format!(".{name}") } else { name };
    Some(AllowedHost { name, with_subdomains, port })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allows(host: &str, url: &str) -> bool {
        AllowedHost::try_from(host.to_owned()).unwrap().allows(&Url::parse(url).unwrap())
    }

    #[test]
    fn a_name_is_that_name_on_the_port_of_https() {
        assert!(allows("api.example.com", "https://api.example.com/a?b"));
        assert!(allows("API.Example.com", "https://api.EXAMPLE.com:443/"));
        for other in [
            "https://example.com/",
            "https://x.api.example.com/",
            "https://api.example.com.evil.org/",
            "https://api.example.com./",
            "https://api.example.com:8443/",
            "https://evilapi.example.com/",
            "https://user@evil.org/api.example.com",
        ] {
            assert!(!allows("api.example.com", other), "{other}");
        }
        assert!(allows("api.example.com:8443", "https://api.example.com:8443/"));
        assert!(!allows("api.example.com:8443", "https://api.example.com/"));
    }

    #[test]
    fn a_star_is_every_name_below_and_not_the_name_itself() {
        assert!(allows("*.example.org", "https://a.example.org/"));
        assert!(allows("*.example.org", "https://a.b.example.org/"));
        for other in ["https://example.org/", "https://badexample.org/", "https://.example.org/"] {
            let Ok(url) = Url::parse(other) else { continue };
            let host = AllowedHost::try_from("*.example.org".to_owned()).unwrap();
            assert!(!host.allows(&url), "{other}");
        }
    }

    #[test]
    fn what_is_no_host_name_cannot_be_listed() {
        for text in [
            "",
            "*",
            "*.",
            "*.com",
            "a b",
            "a/b",
            "https://a.example",
            "a.example/",
            "user@a.example",
            "127.0.0.1",
            "[::1]",
            "::1",
            "0x7f000001",
            "2130706433",
            "a..b",
            ".a.example",
            "a.example.",
            "*.*.a.example",
            "a.example:0",
            "a.example:99999",
            "a.example:",
            "a.*.example",
        ] {
            assert!(AllowedHost::try_from(text.to_owned()).is_err(), "{text}");
        }
    }
}
