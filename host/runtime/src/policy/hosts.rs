//! The hosts that an operator lists in `[http]`: `hosts` on the public internet, and `private-hosts` closer than that.

use std::fmt;

use serde::Deserialize;
use url::{Host, Url};

use maro_texts as texts;

/// The port of https.
const HTTPS_PORT: u16 = 443;

/// Domains that lead to the same machine or a private network wherever they lead anywhere: RFC 6761, RFC 6762, RFC 8375,
/// and what ICANN has set aside or doesn't delegate.
const PRIVATE_DOMAINS: [&str; 10] = [
    "localhost",
    "localdomain",
    "local",
    "internal",
    "intranet",
    "private",
    "corp",
    "home",
    "lan",
    "home.arpa",
];

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

    /// Whether some URL leads to both.
    fn meets(&self, other: &Self) -> bool {
        let is_below = |host: &Self, above: &Self| above.with_subdomains && host.name.ends_with(&above.name);
        self.port == other.port && (self == other || is_below(self, other) || is_below(other, self))
    }

    /// Whether the name alone says that it leads to this machine or a private network.
    fn is_private_by_name(&self) -> bool {
        let name = self.name.trim_start_matches('.');
        let lies_in = |domain: &&str| {
            name.strip_suffix(*domain).is_some_and(|before| before.is_empty() || before.ends_with('.'))
        };
        !name.contains('.') || PRIVATE_DOMAINS.iter().any(lies_in)
    }
}

impl fmt::Display for AllowedHost {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, with_subdomains, port } = self;
        write!(formatter, "{}{name}", if *with_subdomains { "*" } else { "" })?;
        if *port == HTTPS_PORT { Ok(()) } else { write!(formatter, ":{port}") }
    }
}

impl TryFrom<String> for AllowedHost {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let host = parse(&text).ok_or_else(|| texts::plugins::manifests::not_a_host(&text))?;
        if host.is_private_by_name() { Err(texts::plugins::manifests::private_host(&text)) } else { Ok(host) }
    }
}

/// A host that a secret is tied to: as in `hosts` or as in `private-hosts`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct TiedHost(AllowedHost);

impl TiedHost {
    /// As [`AllowedHost::allows`].
    pub fn allows(&self, url: &Url) -> bool {
        self.0.allows(url)
    }

    /// Whether requests may go to it.
    pub(super) fn is_among(&self, hosts: &[AllowedHost], private_hosts: &[PrivateHost]) -> bool {
        hosts.iter().chain(private_hosts.iter().map(|host| &host.0)).any(|host| host.meets(&self.0))
    }
}

impl fmt::Display for TiedHost {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

impl TryFrom<String> for TiedHost {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        parse(&text).map(Self).ok_or_else(|| texts::plugins::manifests::not_a_host(&text))
    }
}

/// An entry of `private-hosts`: one name, which may lead to this machine or a private network.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct PrivateHost(AllowedHost);

impl PrivateHost {
    /// As [`AllowedHost::allows`].
    pub fn allows(&self, url: &Url) -> bool {
        self.0.allows(url)
    }
}

impl fmt::Display for PrivateHost {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

impl TryFrom<String> for PrivateHost {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let host = parse(&text).filter(|host| !host.with_subdomains);
        host.map(Self).ok_or_else(|| texts::plugins::manifests::not_a_private_host(&text))
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
    fn a_secret_needs_a_host_that_requests_may_go_to() {
        let hosts =
            ["api.example.com", "*.example.org"].map(|host| AllowedHost::try_from(host.to_owned()).unwrap());
        let private = [PrivateHost::try_from("localhost:8443".to_owned()).unwrap()];
        for (host, expected) in [
            ("api.example.com", true),
            ("*.example.com", true),
            ("*.a.example.org", true),
            ("b.example.org", true),
            ("localhost:8443", true),
            ("localhost", false),
            ("api.example.com:8443", false),
            ("example.org", false),
            ("other.example", false),
        ] {
            let tied = TiedHost::try_from(host.to_owned()).unwrap();
            assert_eq!(tied.is_among(&hosts, &private), expected, "{host}");
        }
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
    fn a_name_that_only_leads_nearby_is_listed_as_private_or_not_at_all() {
        for text in [
            "localhost",
            "LOCALHOST:8443",
            "api.localhost",
            "gitlab",
            "gitlab:8443",
            "rota.svc.cluster.local:8443",
            "vault.internal",
            "nas.home.arpa",
            "git.corp",
        ] {
            let problem = AllowedHost::try_from(text.to_owned()).unwrap_err();
            assert_eq!(problem, texts::plugins::manifests::private_host(text));
            assert!(PrivateHost::try_from(text.to_owned()).is_ok(), "{text}");
        }
        assert!(AllowedHost::try_from("*.svc.cluster.local".to_owned()).is_err());
        for text in ["local.example.com", "internal.example", "mylocal.net", "arpa.example", "a.homes"] {
            assert!(AllowedHost::try_from(text.to_owned()).is_ok(), "{text}");
        }
        for text in ["*.internal.example", "10.0.0.1", "[::1]", "gitlab/", "https://gitlab"] {
            assert!(PrivateHost::try_from(text.to_owned()).is_err(), "{text}");
        }
        let gitlab = PrivateHost::try_from("gitlab:8443".to_owned()).unwrap();
        assert!(gitlab.allows(&Url::parse("https://gitlab:8443/api").unwrap()));
        assert!(!gitlab.allows(&Url::parse("https://gitlab/api").unwrap()));
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
