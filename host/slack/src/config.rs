//! How to connect to Slack.

use url::Url;

use maro_process::secret::Secret;

#[derive(Debug, Clone)]
pub struct SlackConfig {
    /// `SLACK_SIGNING_SECRET`: required unless `SLACK_APP_TOKEN` is set.
    pub signing_secret: Option<Secret>,
    /// `SLACK_BOT_TOKEN`: required.
    pub bot_token: Secret,
    /// `SLACK_APP_TOKEN`: if set, MARO uses Socket Mode instead of public URLs.
    pub app_token: Option<Secret>,
    /// `SLACK_API_URL`, default `https://slack.com/api`: the base of the Web API, without a trailing slash.
    pub api_url: Url,
}
