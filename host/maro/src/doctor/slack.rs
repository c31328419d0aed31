//! What `maro doctor` says of Slack.

use std::error::Error;

use crate::doctor::{finding::Finding, tokens, ways};
use maro_process::{
    http::client::{self, ClientOptions, Trust},
    telemetry::error_chain,
};
use maro_slack::{
    config::SlackConfig,
    socket::probe::{self, TrialError},
    web_api::{SlackWebApi, error::ApiError, identity::Identity},
};

/// The scopes that the bot can't work without, as in `manifest.yaml`.
const SCOPES: [&str; 2] = ["chat:write", "commands"];

/// Also returns whose the bot is, if Slack says so.
pub(super) async fn findings(config: &SlackConfig) -> (Vec<Finding>, Option<Identity>) {
    let api = SlackWebApi::new(config);
    let identity = match api.auth_test().await {
        Ok(identity) => identity,
        Err(error) => {
            let fix = match &error {
                ApiError::InvalidAuth => {
                    "Copy the bot token from OAuth & Permissions in your Slack app into SLACK_BOT_TOKEN."
                        .to_owned()
                }
                _ => ways::fix(&error, "Check SLACK_API_URL and this machine's connection to Slack."),
            };
            let mut findings = tokens::findings(config);
            findings.push(Finding::ill(format!("Slack: {}.", error_chain(&error)), fix));
            return (findings, None);
        }
    };
    let mut findings = vec![Finding::Fine(format!("Connected to Slack workspace {}.", identity.team))];
    findings.extend(tokens::findings(config));
    findings.extend(identity.expires_in.map(tokens::ending));
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
    const SETTINGS: &str = "Turn on Socket Mode in your Slack app, and copy an app token with connections:write into SLACK_APP_TOKEN.";
    Some(match probe::try_out(api, config.app_token.as_ref()?).await {
        Ok(host) => Finding::Fine(format!("Socket Mode works: connected to {host}.")),
        Err(error) => {
            let fix = match &error {
                TrialError::NoAddress(_) => SETTINGS.to_owned(),
                TrialError::NoConnection { .. } => ways::fix(
                    &error,
                    "Allow outgoing connections (wss://) to that host in the firewall or proxy.",
                ),
            };
            Finding::ill(format!("Socket Mode: {}.", error_chain(&error)), fix)
        }
    })
}

/// Whether a connection to where late replies go can be made, if that is somewhere else than the Web API.
async fn late_replies(config: &SlackConfig) -> Option<Finding> {
    let url = ways::late_replies(config)?;
    let options = ClientOptions {
        network: config.network.clone(),
        timeout: Some(ways::PATIENCE),
        ..ClientOptions::new(Trust::System)
    };
    let host = url.host_str().unwrap_or_default().to_owned();
    // Any answer will do.
    let answer = match client::build(&options) {
        Ok(client) => client.get(url).send().await.map(drop),
        Err(error) => Err(error),
    };
    let error = answer.err()?.without_url();
    let error: &(dyn Error + 'static) = &error;
    Some(Finding::ill(
        format!("MARO can't reach {host}, where late replies go: {}.", error_chain(error)),
        ways::fix(error, "Allow outgoing connections to that host in the firewall or proxy."),
    ))
}
