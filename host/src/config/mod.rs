//! The settings: read once, from the environment over `maro.toml`, into one typed value.
//!
//! The only module that reads the environment. Every problem is reported at once, each in a sentence
//! that names its setting.

mod parse;
mod sources;

use std::{
    collections::BTreeMap,
    fmt,
    net::SocketAddr,
    path::{Path, PathBuf},
    time::Duration,
};

use url::Url;

use crate::{
    config::parse::Settings,
    domain::ids::{ChannelId, UserId},
};

/// The file in the working folder that may hold the same keys as the environment.
const FILE: &str = "maro.toml";

/// A token or secret. It never shows: `Debug` is redacted and there is no `Display`.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    pub fn new(secret: impl Into<String>) -> Self {
        Self(secret.into())
    }

    /// The secret itself, for the one place that sends or compares it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("[redacted]")
    }
}

/// All settings of one running bot.
#[derive(Debug, Clone)]
pub struct Config {
    /// `MARO_LISTEN`, default `127.0.0.1:3000`: the address for HTTP.
    pub listen: SocketAddr,
    pub database: DatabaseConfig,
    pub plugins: PluginsConfig,
    /// `MARO_ADMINS`, default none: Slack user ids, separated by commas or spaces.
    pub admins: Vec<UserId>,
    pub slack: SlackConfig,
    pub jira: JiraConfig,
    /// `MARO_SYNC_INTERVAL_SECS`, default 300: how old a stored status may get before it is refreshed.
    pub sync_interval: Duration,
    /// `MARO_LOG`, default `info`: what to log, in the syntax of `tracing`'s `EnvFilter`.
    pub log: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DatabaseConfig {
    /// `DATABASE_URL=sqlite://PATH`, default `sqlite://maro.db`: one file, made if absent.
    Sqlite { path: PathBuf },
    /// `DATABASE_URL=postgres://…`. The URL holds a password.
    Postgres { url: Secret },
}

#[derive(Debug, Clone)]
pub struct PluginsConfig {
    /// `MARO_PLUGINS_DIR`, default `plugins`: the folder of `NAME.wasm` with their `NAME.toml`.
    pub dir: PathBuf,
    /// `MARO_HOT_RELOAD`, default `false`: whether to watch that folder.
    pub hot_reload: bool,
    /// `MARO_PLUGIN_CHANNEL`, default none: the Slack channel that is told of plugins that do not serve.
    pub channel: Option<ChannelId>,
    /// `MARO_CACHE_DIR`, default `maro` in the user's cache folder: compiled plugins. `None` if there is
    /// no such folder; then every start compiles anew.
    pub cache_dir: Option<PathBuf>,
}

#[derive(Debug, Clone)]
pub struct SlackConfig {
    /// `SLACK_SIGNING_SECRET`: required unless `SLACK_APP_TOKEN` is set.
    pub signing_secret: Option<Secret>,
    /// `SLACK_BOT_TOKEN`: required.
    pub bot_token: Secret,
    /// `SLACK_APP_TOKEN`: Socket Mode instead of public URLs.
    pub app_token: Option<Secret>,
    /// `SLACK_API_URL`, default `https://slack.com/api`: base of the Web API, without a final slash.
    pub api_url: Url,
}

#[derive(Debug, Clone)]
pub struct JiraConfig {
    /// `JIRA_BASE_URL`: the site, also for browse links, without a final slash. Required.
    pub base_url: Url,
    pub credentials: JiraCredentials,
    /// `JIRA_DEFAULT_PROJECT`: the project that the create modal preselects.
    pub default_project: Option<String>,
    /// `JIRA_WEBHOOK_SECRET`: signs `/jira/webhook`; without it that address answers 404.
    pub webhook_secret: Option<Secret>,
}

#[derive(Debug, Clone)]
pub enum JiraCredentials {
    /// `JIRA_EMAIL` and `JIRA_API_TOKEN`: Jira Cloud, REST API v3.
    Cloud { email: String, api_token: Secret },
    /// `JIRA_PAT`: Jira Data Center, REST API v2.
    DataCenter { token: Secret },
}

/// Everything that is wrong with the settings, a sentence each.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("{}", .0.join("\n"))]
pub struct ConfigError(pub Vec<String>);

impl Config {
    /// Reads the environment and `maro.toml` in the working folder.
    ///
    /// # Errors
    /// Every unknown key and every missing or malformed value, together.
    pub fn load() -> Result<Self, ConfigError> {
        Self::from_sources(&environment(), Path::new(FILE))
    }

    /// As [`Config::load`], from an environment given as a value.
    ///
    /// # Errors
    /// As [`Config::load`].
    pub fn from_sources(environment: &BTreeMap<String, String>, file: &Path) -> Result<Self, ConfigError> {
        let (values, problems) = sources::read(environment, file);
        let mut settings = Settings::new(values, problems);
        let config = settings.build(environment);
        match config {
            Some(config) if settings.problems.is_empty() => Ok(config),
            _ => Err(ConfigError(settings.problems)),
        }
    }
}

/// The folder that commands which need no other setting keep things in: `MARO_CACHE_DIR`, or `maro` in the
/// user's cache folder.
pub fn cache_dir() -> Option<PathBuf> {
    let environment = environment();
    let named = environment.get("MARO_CACHE_DIR").filter(|dir| !dir.trim().is_empty());
    named.map(PathBuf::from).or_else(|| parse::user_cache(&environment))
}

fn environment() -> BTreeMap<String, String> {
    #[expect(clippy::disallowed_methods, reason = "this is the one owner of the environment")]
    std::env::vars_os()
        .filter_map(|(key, value)| Some((key.into_string().ok()?, value.to_string_lossy().into_owned())))
        .collect()
}

#[cfg(test)]
mod tests;
