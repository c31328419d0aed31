//! By which way each service is reached, and what to do where there is none.

use std::{error::Error, time::Duration};

use url::Url;

use crate::doctor::finding::Finding;
use maro_bot::config::{Config, load};
use maro_process::http::{
    connection_failure::{Trouble, is_to_proxy},
    network::{Network, Way},
};
use maro_slack::config::SlackConfig;

/// How long to wait for one service.
pub(super) const PATIENCE: Duration = Duration::from_secs(15);

/// Where Slack wants late replies.
const LATE_REPLIES: &str = "https://hooks.slack.com/";

/// A host on the internet, such as plugins contact.
const ANY_SERVICE: &str = "https://any.example/";

/// Which services have answered.
#[derive(Clone, Copy)]
pub(super) struct Reached {
    pub(super) jira: bool,
    pub(super) slack: bool,
}

pub(super) fn findings(config: &Config, reached: Reached) -> Vec<Finding> {
    let network = config.network();
    let mut findings = Vec::new();
    let is_proxied = network.way_to(&url(ANY_SERVICE)) != Way::Straight;
    let foreign = load::foreign_proxies();
    if !is_proxied && !foreign.is_empty() {
        let (are, them) = if foreign.len() == 1 { ("is", "it") } else { ("are", "them") };
        findings.push(Finding::Risky {
            what: format!("{} {are} set for other programs; MARO ignores {them}.", foreign.join(", ")),
            fix: "If MARO has to use that proxy, set MARO_HTTPS_PROXY to its address, and MARO_NO_PROXY to what is \
                  reached without it."
                .to_owned(),
        });
    }
    // Of Jira's further places it isn't known whether they were needed.
    let places = config.jira.places().into_iter().enumerate();
    let mut ways: Vec<_> =
        places.map(|(place, (service, url))| (service, url, reached.jira && place == 0)).collect();
    ways.push(("Slack", config.slack.api_url.clone(), reached.slack));
    ways.extend(
        late_replies(&config.slack).map(|url| ("Slack's server for late replies", url, reached.slack)),
    );
    for (service, url, is_reached) in ways {
        let (host, way) = (url.host_str().unwrap_or_default(), network.way_to(&url));
        findings.push(Finding::Fine(if is_reached {
            format!("{service}, at {host}, is reached {way}.")
        } else {
            format!("Requests to {service}, at {host}, go {way}.")
        }));
    }
    if is_proxied {
        let way = network.way_to(&url(ANY_SERVICE));
        findings.push(Finding::Fine(format!("Plugins reach other services {way}.")));
    }
    findings
}

/// Where late replies go, if not to the Web API's own address.
pub(super) fn late_replies(config: &SlackConfig) -> Option<Url> {
    let is_slacks = config.api_url.scheme() == "https"
        && config.api_url.host_str().is_some_and(|host| host == "slack.com" || host.ends_with(".slack.com"));
    is_slacks.then(|| url(LATE_REPLIES))
}

/// What to do about a failed connection to this address.
pub(super) fn fix_at(network: &Network, url: &Url, error: &(dyn Error + 'static), otherwise: &str) -> String {
    let host = url.host_str().unwrap_or_default();
    match (Trouble::of(error), network.way_to(url)) {
        // Such as a proxy that answers nothing, or lets through nothing.
        (None, way @ Way::Proxy(_)) => format!(
            "Requests to {host} go {way}. Check that it connects to {host} and passes on what comes back, or name {host} in \
             MARO_NO_PROXY if it's reached without the proxy."
        ),
        (Some(Trouble::ProxyPassword), _) if network.has_password() => {
            "The proxy doesn't take the user and the password in MARO_HTTPS_PROXY. Correct them; special characters are \
             percent-encoded, as @ is %40."
                .to_owned()
        }
        (Some(trouble), Way::Proxy(place)) if trouble.is_tls() && is_to_proxy(error) => format!(
            "That is about the proxy itself, {place} in MARO_HTTPS_PROXY. {}",
            fix(error, otherwise).replace("that host", host)
        ),
        _ => fix(error, otherwise).replace("that host", host),
    }
}

/// What to do about a failed connection.
pub(super) fn fix(error: &(dyn Error + 'static), otherwise: &str) -> String {
    match Trouble::of(error) {
        Some(Trouble::Untrusted) => {
            "The certificate isn't trusted. If your company's own authority issued it, set MARO_CA_FILE to a file with \
             that authority's certificate, and with those of authorities in between that the server leaves out."
        }
        Some(Trouble::OutOfDate) => {
            "The certificate isn't valid now. Renew it, unless this machine's clock is wrong."
        }
        Some(Trouble::OtherName) => {
            "The certificate is for another name. Correct the address in the settings, or the certificate."
        }
        Some(Trouble::NoServers) => {
            "The certificate isn't one that a server may have: it's an authority's own (CA:TRUE), or of version 1 of X.509. \
             Have one issued for the server, with its name in it."
        }
        Some(Trouble::OwnCertificate) => {
            "The other side requires a client certificate. For a gate in front of Jira, set JIRA_CLIENT_CERT_FILE."
        }
        Some(Trouble::NotTls) => {
            "The server there doesn't speak TLS. Check the port, and whether the address begins with http://."
        }
        Some(Trouble::OldTls) => {
            "The server there speaks only outdated TLS, such as 1.0 or 1.1, or outdated ciphers. MARO needs TLS 1.2 or later: \
             have it turned on there, or in what stands in front of it."
        }
        Some(Trouble::NoHandshake) => {
            "The server there and MARO have no way to encrypt in common, or it requires a client certificate. MARO needs TLS \
             1.2 or later with ciphers that have forward secrecy. For a gate in front of Jira that asks for a certificate, \
             set JIRA_CLIENT_CERT_FILE."
        }
        Some(Trouble::ProxyPassword) => {
            "The proxy wants a user and a password: MARO_HTTPS_PROXY can be http://USER:PASSWORD@HOST:PORT. MARO knows no \
             other way to sign in there, such as NTLM or Kerberos."
        }
        Some(Trouble::ProxyRefuses) => {
            "The proxy in MARO_HTTPS_PROXY won't connect to that host, or rejects the password. Have the host allowed \
             there, or name it in MARO_NO_PROXY if it's reached without the proxy."
        }
        Some(Trouble::ProxyAway) => "MARO can't reach the proxy itself. Check MARO_HTTPS_PROXY.",
        Some(Trouble::UnknownProxy) => {
            "This machine can't look up the name of the proxy. Check the name in MARO_HTTPS_PROXY."
        }
        Some(Trouble::NoRoots) => {
            "This machine has no root certificates. Install them: most systems have the package ca-certificates."
        }
        Some(Trouble::UnknownName) => {
            "This machine can't look up that name. Check the address; if only a proxy knows the name, set \
             MARO_HTTPS_PROXY."
        }
        None => otherwise,
    }
    .to_owned()
}

fn url(text: &str) -> Url {
    text.parse().expect("it is an address")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proxy_that_does_nothing_is_named_with_the_host() {
        let network = Network::default().through("http://proxy.harbor.example:3128", "").unwrap();
        let error = std::io::Error::from(std::io::ErrorKind::TimedOut);
        let said = fix_at(&network, &url("wss://wss-primary.slack.com/"), &error, "Check the address.");
        assert!(said.starts_with(
            "Requests to wss-primary.slack.com go through the proxy proxy.harbor.example:3128."
        ));
        let said = fix_at(&Network::default(), &url("https://slack.com/"), &error, "Check the address.");
        assert_eq!(said, "Check the address.");
    }
}
