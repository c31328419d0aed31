//! The settings, read once into one typed value. The environment wins over `maro.toml`.
//!
//! This is the only module that reads the environment. All problems are reported together, each in a sentence
//! that names the setting.

mod parse;
mod sources;

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    path::{Path, PathBuf},
    time::Duration,
};

pub use self::sources::keys;
use crate::config::parse::Settings;
use maro_domain::ids::{ChannelId, UserId};
use maro_jira::config::JiraConfig;
use maro_slack::config::SlackConfig;
use maro_store::config::DatabaseConfig;

/// The file in the working folder that may contain the same keys as the environment.
const FILE: &str = "maro.toml";

/// All settings of a bot.
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

#[derive(Debug, Clone)]
pub struct PluginsConfig {
    /// `MARO_PLUGINS_DIR`, default `plugins`: the folder of `NAME.wasm` with their `NAME.toml`.
    pub dir: PathBuf,
    /// `MARO_HOT_RELOAD`, default `false`: whether to watch that folder.
    pub hot_reload: bool,
    /// `MARO_PLUGIN_CHANNEL`, default none: the Slack channel to notify when a plugin can't be loaded.
    pub channel: Option<ChannelId>,
    /// `MARO_CACHE_DIR`, default `maro` in the user's cache folder: compiled plugins. `None` if there is no
    /// such folder. Then every start compiles the plugins again.
    pub cache_dir: Option<PathBuf>,
}

/// Everything that is wrong with the settings, one sentence each.
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

    /// As [`Config::load`], but takes the environment as an argument.
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

/// The cache folder, for commands that need no other setting: `MARO_CACHE_DIR`, or `maro` in the user's
/// cache folder.
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
