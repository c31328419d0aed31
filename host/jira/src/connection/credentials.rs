//! The client's credentials while it lives: replaced, taken or refused, and how long they last.

use std::time::Duration;

use tokio::sync::watch;

use crate::{client::JiraClient, config::JiraConfig};

impl JiraClient {
    /// Has every later request carry the credentials and headers of these settings. All else stays as it is.
    pub fn replace_credentials(&self, config: &JiraConfig) {
        if config.is_cloud() == self.site.is_cloud() {
            self.site.replace_credentials(config);
        } else {
            tracing::warn!("credentials for the other edition of Jira need a restart");
        }
    }

    /// Whether Jira took the credentials when it was last asked.
    pub fn acceptance(&self) -> watch::Receiver<bool> {
        self.site.acceptance()
    }

    /// Whether Jira refuses the account, whatever its password, until somebody signs in as it and solves a CAPTCHA.
    pub fn wants_captcha(&self) -> bool {
        self.site.wants_captcha()
    }

    /// How long the token of a service account lasts, if there is one.
    pub fn token_lasts(&self) -> Option<Duration> {
        self.site.authorization().lasts()
    }
}
