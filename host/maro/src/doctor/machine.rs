//! What `maro doctor` says of the machine: its addresses, its clock, and the folder for compiled plugins.

use std::{io::ErrorKind, net::SocketAddr, time::Duration};

use jiff::{SignedDuration, fmt::rfc2822};
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
    let slack = off(&config.slack.api_url, config.network()).await;
    let jira = off(&config.jira.base_url, config.network()).await;
    let is_timed = config.slack.signing_secret.is_some();
    findings.extend(judge(slack, jira, is_timed));
    findings
}

/// Binds the address for a moment.
fn address(setting: &str, address: SocketAddr) -> Finding {
    match std::net::TcpListener::bind(address) {
        Ok(_) => Finding::Fine(format!("MARO can listen on {address} ({setting}).")),
        Err(error) if error.kind() == ErrorKind::AddrInUse => Finding::Risky {
            what: format!("Something is already listening on {address} ({setting})."),
            fix: "That's expected if MARO is running. Otherwise choose another address.".to_owned(),
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
    let (problem, fix) = match loading::try_cache(dir) {
        Ok(true) => return None,
        Ok(false) => (
            "it's empty, and MARO may not write to it".to_owned(),
            format!("Make the user that MARO runs as its owner: `chown USER {}`.", dir.display()),
        ),
        Err(problem) => {
            (problem.to_string(), "Set MARO_CACHE_DIR to a folder that MARO can write to.".to_owned())
        }
    };
    Some(Finding::Risky {
        what: format!(
            "Compiled plugins can't be kept in {} (MARO_CACHE_DIR), so each start compiles them again: {problem}.",
            dir.display()
        ),
        fix,
    })
}

/// How far this machine's clock is from the one of a service, by the `Date` of its answer. Nothing if it doesn't
/// answer, which others find.
async fn off(url: &Url, network: &Network) -> Option<SignedDuration> {
    let options = ClientOptions {
        timeout: Some(PATIENCE),
        network: network.clone(),
        ..ClientOptions::new(Trust::for_url(url))
    };
    let client = tokio::task::spawn_blocking(move || client::build(&options)).await.ok()?.ok()?;
    let answer = client.head(url.clone()).send().await.ok()?;
    let now = Clock::system().now();
    let told = answer.headers().get(header::DATE)?.to_str().ok()?;
    Some(now.duration_since(rfc2822::parse(told).ok()?.timestamp()).abs())
}

/// Where the clocks of the two services tell this machine's from theirs. `is_timed`: Slack's requests come signed with
/// a time.
fn judge(slack: Option<SignedDuration>, jira: Option<SignedDuration>, is_timed: bool) -> Option<Finding> {
    let is_off = |off: &SignedDuration| *off > TOLERANCE;
    let differ = |service: &str, off: SignedDuration| {
        format!("This machine's clock and {service}'s differ by {} s.", off.as_secs())
    };
    let set = "Set the clock, and keep it right with NTP.";
    match (slack.filter(is_off), jira.filter(is_off)) {
        (Some(off), _) if off > MOST && is_timed => {
            Some(Finding::ill(format!("{} MARO rejects Slack's requests.", differ("Slack", off)), set))
        }
        (Some(off), _) => Some(Finding::Risky { what: differ("Slack", off), fix: set.to_owned() }),
        (None, Some(off)) => {
            let fix = match slack {
                Some(_) => "Slack's agrees with this machine's, so set Jira's.",
                None => "Find out which of the two is wrong, and keep it right with NTP.",
            };
            Some(Finding::Risky { what: differ("Jira", off), fix: fix.to_owned() })
        }
        (None, None) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_is_judged_by_how_far_it_is_off_and_from_whose() {
        let seconds = |seconds| Some(SignedDuration::from_secs(seconds));
        let said = |slack, jira, is_timed| match judge(slack, jira, is_timed) {
            None => String::new(),
            Some(Finding::Ill { what, fix }) => format!("FAIL {what} {fix}"),
            Some(Finding::Risky { what, fix }) => format!("WARN {what} {fix}"),
            Some(Finding::Fine(text)) => panic!("{text}"),
        };
        let set = "Set the clock, and keep it right with NTP.";
        assert_eq!(said(seconds(20), seconds(20), true), "");
        let slightly = format!("WARN This machine's clock and Slack's differ by 120 s. {set}");
        assert_eq!(said(seconds(120), seconds(120), true), slightly);
        let much = format!(
            "FAIL This machine's clock and Slack's differ by 3600 s. MARO rejects Slack's requests. {set}"
        );
        assert_eq!(said(seconds(3_600), seconds(3_600), true), much);
        // Over a socket nothing is timed.
        let socket = format!("WARN This machine's clock and Slack's differ by 3600 s. {set}");
        assert_eq!(said(seconds(3_600), None, false), socket);
        assert_eq!(
            said(seconds(1), seconds(3_600), true),
            "WARN This machine's clock and Jira's differ by 3600 s. Slack's agrees with this machine's, so set Jira's."
        );
        assert!(
            said(None, seconds(3_600), true)
                .ends_with("Find out which of the two is wrong, and keep it right with NTP.")
        );
    }
}
