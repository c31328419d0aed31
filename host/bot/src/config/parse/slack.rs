//! The settings of Slack's side.

use crate::config::parse::Settings;
use maro_process::{http::network::Network, secret::Secret};
use maro_slack::config::{SOCKET_MODE_OFF, SlackConfig};

impl Settings {
    /// `network` is `None` if its settings are wrong.
    pub(super) fn slack(&mut self, network: Option<Network>) -> Option<SlackConfig> {
        let app_token = self.header_safe("SLACK_APP_TOKEN");
        let signing_secret = match self.get("SLACK_SIGNING_SECRET") {
            Some(secret) => Some(Some(Secret::new(secret))),
            None if self.has_unread_file("SLACK_SIGNING_SECRET") => None,
            None if self.get("SLACK_APP_TOKEN").is_some() => Some(None),
            None => self.problem(
                "SLACK_SIGNING_SECRET is missing: copy it from Basic Information in your Slack app, or set \
                 SLACK_APP_TOKEN to use Socket Mode.",
            ),
        };
        let bot_token = self
            .required("SLACK_BOT_TOKEN", "copy the xoxb-… token from OAuth & Permissions in your Slack app")
            .and_then(|_| self.header_safe("SLACK_BOT_TOKEN")?);
        let previous = self.get("SLACK_SIGNING_SECRET_PREVIOUS").map(Secret::new);
        let api_url = self.web_address("SLACK_API_URL", Some("https://slack.com/api"), "");
        Some(SlackConfig {
            signing_secret: signing_secret?,
            previous_signing_secret: previous,
            bot_token: bot_token?,
            is_token_in_file: self.get("SLACK_BOT_TOKEN_FILE").is_some(),
            app_token: app_token?,
            socket_mode_off: SOCKET_MODE_OFF,
            api_url: api_url?,
            network: network?,
        })
    }
}
