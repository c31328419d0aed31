//! What `maro doctor` says of the machine: its addresses, its clock, and the folder for compiled plugins.

use std::{io::ErrorKind, net::SocketAddr, time::Duration};

use jiff::{SignedDuration, Timestamp, fmt::rfc2822};
use reqwest::header;
use url::Url;

use crate::doctor::finding::Finding;
use maro_bot::config::Config;
use maro_process::{
    clock::Clock,
    http::{
        client::{self, ClientOptions, Trust},
        network::Network,
    },
};
use maro_runtime::loading;

/// How long to wait for the time of a service.
const PATIENCE: Duration = Duration::from_secs(10);

/// How far two clocks may be apart: the answers of others tell whole seconds, and take a while.
const TOLERANCE: SignedDuration = SignedDuration::from_secs(30);

/// Slack's requests are refused if they are older, or seem to be.
const MOST: SignedDuration = SignedDuration::from_secs(300);

pub(super) async fn findings(config: &Config) -> Vec<Finding> {
    let mut findings = vec![address("MARO_LISTEN", config.listen)];
    findings.extend(config.operator_listen.map(|listen| address("MARO_OPERATOR_LISTEN", listen)));
    findings.extend(cache(config));
    for (service, url) in [("Slack", &config.slack.api_url), ("Jira", &config.jira.base_url)] {
        findings.extend(clock(service, url, config.network()).await);
    }
    findings
}

/// Binds the address for a moment.
fn address(setting: &str, address: SocketAddr) -> Finding {
    match std::net::TcpListener::bind(address) {
        Ok(_) => Finding::Fine(format!("MARO can listen on {address} ({setting}).")),
        Err(error) if error.kind() == ErrorKind::AddrInUse => Finding::Risky {
            what: format!("Something is already listening on {address} ({setting})."),
            fix: "That's as it should be if MARO is running. Otherwise choose another address.".to_owned(),
        },
        Err(error) => Finding::ill(
            format!("MARO can't listen on {address} ({setting}): {error}."),
            "Choose an address of this machine, or 0.0.0.0 for all of them, and a port that MARO may use.",
        ),
    }
}

fn cache(config: &Config) -> Option<Finding> {
    let Some(dir) = &config.plugins.cache_dir else {
        return Some(Finding::Risky {
            what: "There's no folder for compiled plugins, so each start compiles them again.".to_owned(),
            fix: "Set MARO_CACHE_DIR to a folder that MARO can write to.".to_owned(),
        });
    };
    let problem = loading::try_cache(dir).err()?;
    Some(Finding::Risky {
        what: format!(
            "Compiled plugins can't be kept in {} (MARO_CACHE_DIR), so each start compiles them again: {problem}.",
            dir.display()
        ),
        fix: "Set MARO_CACHE_DIR to a folder that MARO can write to.".to_owned(),
    })
}

/// Compares this machine's clock with the one of a service, by the `Date` of its answer. Nothing if it doesn't answer,
/// which others find.
async fn clock(service: &str, url: &Url, network: &Network) -> Option<Finding> {
    let options = ClientOptions {
        timeout: Some(PATIENCE),
        network: network.clone(),
        ..ClientOptions::new(Trust::for_url(url))
    };
    let client = tokio::task::spawn_blocking(move || client::build(&options)).await.ok()?.ok()?;
    let answer = client.head(url.clone()).send().await.ok()?;
    let now = Clock::system().now();
    let told = answer.headers().get(header::DATE)?.to_str().ok()?;
    judge(service, now, rfc2822::parse(told).ok()?.timestamp())
}

fn judge(service: &str, now: Timestamp, told: Timestamp) -> Option<Finding> {
    let off = now.duration_since(told).abs();
    let what = || format!("This machine's clock and {service}'s differ by {} s.", off.as_secs());
    if off <= TOLERANCE {
        return None;
    }
    let fix = "Set the clock, and keep it right with NTP.";
    Some(match off > MOST {
        true => Finding::ill(format!("{} MARO rejects Slack's requests.", what()), fix),
        false => Finding::Risky { what: what(), fix: fix.to_owned() },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_is_judged_by_how_far_it_is_off() {
        let now: Timestamp = "2026-01-31T09:30:00Z".parse().unwrap();
        for (told, expected) in [
            ("Sat, 31 Jan 2026 09:30:20 GMT", None),
            ("Sat, 31 Jan 2026 09:28:00 GMT", Some("This machine's clock and Slack's differ by 120 s.")),
            (
                "Sat, 31 Jan 2026 10:30:00 GMT",
                Some("This machine's clock and Slack's differ by 3600 s. MARO rejects Slack's requests."),
            ),
        ] {
            let finding = judge("Slack", now, rfc2822::parse(told).unwrap().timestamp());
            let what = match &finding {
                None => None,
                Some(Finding::Ill { what, .. } | Finding::Risky { what, .. }) => Some(what.as_str()),
                Some(Finding::Fine(_)) => panic!("{told}"),
            };
            assert_eq!(what, expected);
        }
    }
}
