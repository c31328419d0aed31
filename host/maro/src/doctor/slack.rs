//! What `maro doctor` says of Slack.

use std::error::Error;

use crate::doctor::{finding::Finding, network, slack_token_kinds};
use maro_process::{
    http::client::{self, ClientOptions, Trust},
    telemetry::error_chain,
};
use maro_slack::{
    config::SlackConfig,
    socket::probe::{self, TrialError},
    web_api::{
        SlackWebApi,
        error::{ApiError, SlackOutage},
        identity::Identity,
    },
};

/// The scopes that the bot can't work without, as in `manifest.yaml`.
const SCOPES: [&str; 2] = ["chat:write", "commands"];

/// Also returns whose the bot is, if Slack says so.
pub(super) async fn findings(config: &SlackConfig) -> (Vec<Finding>, Option<Identity>) {
    let api = SlackWebApi::new(config);
    let identity = match api.auth_test().await {
        Ok(identity) => identity,
        Err(error) => {
            let otherwise = "Check SLACK_API_URL and this machine's connection to Slack.";
            let fix = match &error {
                ApiError::InvalidAuth => {
                    "Copy the bot token from OAuth & Permissions in your Slack app into SLACK_BOT_TOKEN."
                        .to_owned()
                }
                error => fix(config, error).unwrap_or_else(|| match error {
                    ApiError::MissingScope { .. } => {
                        "Add it under OAuth & Permissions in your Slack app, and reinstall the app."
                            .to_owned()
                    }
                    ApiError::Refused { .. } => {
                        "Slack answers, and that is its word for why it refuses: look it up at \
                         https://docs.slack.dev/reference/methods/auth.test."
                            .to_owned()
                    }
                    _ => otherwise.to_owned(),
                }),
            };
            let mut findings = slack_token_kinds::findings(config);
            findings.push(Finding::ill(format!("Slack: {}.", error_chain(&error)), fix));
            return (findings, None);
        }
    };
    let mut findings = vec![Finding::Fine(format!("Connected to Slack workspace {}.", identity.team))];
    findings.extend(slack_token_kinds::findings(config));
    findings.extend(identity.expires_in.map(slack_token_kinds::ending));
    findings.extend(socket_mode(config, &api).await);
    findings.extend(late_replies(config).await);
    let missing: Vec<_> = SCOPES
        .into_iter()
        .filter(|scope| !identity.scopes.is_empty() && !identity.scopes.iter().any(|other| other == scope))
        .collect();
    if !missing.is_empty() {
        findings.push(Finding::ill(
            format!("The Slack app is missing these scopes: {}.", missing.join(", ")),
            "Add them under OAuth & Permissions, and reinstall the app.",
        ));
    }
    (findings, Some(identity))
}

async fn socket_mode(config: &SlackConfig, api: &SlackWebApi) -> Option<Finding> {
    const APP_TOKEN: &str = "Turn on Socket Mode in your Slack app, and copy an app token with connections:write into SLACK_APP_TOKEN.";
    const TURN_ON: &str =
        "Turn on Socket Mode in your Slack app. To be reached over HTTP instead, unset SLACK_APP_TOKEN.";
    const TOO_MANY: &str = "Stop other bots and replicas that use the same SLACK_APP_TOKEN, or wait a minute for connections \
                            that were lost.";
    Some(match probe::try_out(api, config.app_token.as_ref()?).await {
        Ok(host) => Finding::Fine(format!("Socket Mode works: connected to {host}.")),
        Err(error) => {
            let fix = match &error {
                TrialError::NoAddress(error) => fix(config, error).unwrap_or_else(|| APP_TOKEN.to_owned()),
                TrialError::TurnedOff => TURN_ON.to_owned(),
                TrialError::TooMany => TOO_MANY.to_owned(),
                TrialError::NoConnection { address, .. } => network::fix_at(
                    &config.network,
                    address,
                    &error,
                    "Allow outgoing connections (wss://) to that host in the firewall or proxy.",
                ),
            };
            Finding::ill(format!("Socket Mode: {}.", error_chain(&error)), fix)
        }
    })
}

/// What to do about an answer of the Web API that isn't about the token itself.
fn fix(config: &SlackConfig, error: &ApiError) -> Option<String> {
    let text = match error {
        ApiError::RateLimited { .. } => "MARO has asked Slack too often lately. Run it again in a minute.",
        ApiError::Unreachable(SlackOutage::Status(_) | SlackOutage::Failure(_)) => {
            "Slack, or something in front of it, is having trouble. See https://slack-status.com, and try again later."
        }
        ApiError::Refused { error, .. } => match error.as_str() {
            "forbidden_team"
            | "access_denied"
            | "ekm_access_denied"
            | "team_access_not_granted"
            | "no_permission" => {
                "The workspace or organization doesn't let this app do that. Ask an admin of Slack to approve and install it \
                 there."
            }
            "enterprise_is_restricted" | "team_added_to_org" => {
                "The app doesn't fit the organization. Ask its admin to install it for the organization, and copy the new \
                 tokens."
            }
            "org_login_required" => {
                "The workspace is being moved to an organization. Wait until that's over, install the app there, and copy \
                 the new tokens."
            }
            "two_factor_setup_required" => {
                "The person who installed the app has to set up two-factor authentication in Slack first."
            }
            _ => return None,
        },
        ApiError::TimedOut | ApiError::Unreachable(SlackOutage::Connection(_) | SlackOutage::HeldBack) => {
            let otherwise = "Check SLACK_API_URL and this machine's connection to Slack.";
            return Some(network::fix_at(&config.network, &config.api_url, error, otherwise));
        }
        _ => return None,
    };
    Some(text.to_owned())
}

/// Whether a connection to where late replies go can be made, if that is somewhere else than the Web API.
async fn late_replies(config: &SlackConfig) -> Option<Finding> {
    let url = network::late_replies(config)?;
    let options = ClientOptions {
        network: config.network.clone(),
        timeout: Some(network::PATIENCE),
        ..ClientOptions::new(Trust::System)
    };
    let host = url.host_str().unwrap_or_default().to_owned();
    // Any answer will do.
    let answer = match client::build(&options) {
        Ok(client) => client.get(url.clone()).send().await.map(drop),
        Err(error) => Err(error),
    };
    let error = answer.err()?.without_url();
    let error: &(dyn Error + 'static) = &error;
    Some(Finding::ill(
        format!("MARO can't reach {host}, where late replies go: {}.", error_chain(error)),
        network::fix_at(
            &config.network,
            &url,
            error,
            "Allow outgoing connections to that host in the firewall or proxy.",
        ),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use maro_process::secret::Secret;
    use std::time::Duration;

    #[test]
    fn what_slack_says_has_its_own_fix() {
        let config = SlackConfig::new("https://slack.com/api".parse().unwrap(), Secret::new("xoxb-1"));
        let refused = |name: &str| ApiError::Refused { error: name.to_owned(), details: Vec::new() };
        for (error, expected) in [
            (
                ApiError::RateLimited { retry_after: Duration::from_secs(30) },
                Some("Run it again in a minute"),
            ),
            (
                ApiError::Unreachable(SlackOutage::Failure("internal_error".to_owned())),
                Some("slack-status.com"),
            ),
            (ApiError::Unreachable(SlackOutage::Status(503)), Some("slack-status.com")),
            (refused("forbidden_team"), Some("Ask an admin of Slack")),
            (refused("access_denied"), Some("Ask an admin of Slack")),
            (refused("org_login_required"), Some("moved to an organization")),
            (ApiError::TimedOut, Some("this machine's connection")),
            (ApiError::InvalidAuth, None),
            (ApiError::MissingScope { needed: "connections:write".to_owned() }, None),
        ] {
            let fix = fix(&config, &error);
            match expected {
                Some(expected) => {
                    assert!(fix.as_ref().is_some_and(|fix| fix.contains(expected)), "{error}: {fix:?}")
                }
                None => assert_eq!(fix, None, "{error}"),
            }
        }
    }
}
