//! How to connect to Slack.

use std::time::Duration;

use url::Url;

use maro_process::{
    http::{network::Network, retry::Backoff},
    secret::Secret,
};

/// The pauses in which Slack is asked whether Socket Mode is turned on again: from one to five minutes.
pub const SOCKET_MODE_OFF: Backoff =
    Backoff { first: Duration::from_secs(75), longest: Duration::from_secs(300), certain: 0.8 };

#[derive(Debug, Clone)]
pub struct SlackConfig {
    /// `SLACK_SIGNING_SECRET`: required unless `SLACK_APP_TOKEN` is set.
    pub signing_secret: Option<Secret>,
    /// `SLACK_SIGNING_SECRET_PREVIOUS`: also accepted, while `SLACK_SIGNING_SECRET` is being replaced.
    pub previous_signing_secret: Option<Secret>,
    /// `SLACK_BOT_TOKEN`: required.
    pub bot_token: Secret,
    /// Whether `SLACK_BOT_TOKEN_FILE` has it, where another program may renew it.
    pub is_token_in_file: bool,
    /// `SLACK_APP_TOKEN`: if set, MARO uses Socket Mode instead of public URLs.
    pub app_token: Option<Secret>,
    /// [`SOCKET_MODE_OFF`], but in tests.
    pub socket_mode_off: Backoff,
    /// `SLACK_API_URL`, default `https://slack.com/api`: the base of the Web API, without a trailing slash.
    pub api_url: Url,
    /// The way to Slack.
    pub network: Network,
}

impl SlackConfig {
    /// A bot at a Web API, with the defaults for all else.
    pub fn new(api_url: Url, bot_token: Secret) -> Self {
        Self {
            signing_secret: None,
            previous_signing_secret: None,
            bot_token,
            is_token_in_file: false,
            app_token: None,
            socket_mode_off: SOCKET_MODE_OFF,
            api_url,
            network: Network::default(),
        }
    }
}
