//! The settings, read once into one typed value. The environment wins over `maro.toml`.
//!
//! This is the only module that reads the environment. All problems are reported together, each in a sentence
//! that names the setting.

pub mod changed_files;
mod edges;
pub mod load;
mod parse;
pub mod risky_settings;
mod secret_files;
mod settings_table;
pub mod sources;
mod unknown;

use std::{
    net::{Ipv4Addr, SocketAddr},
    path::PathBuf,
    time::Duration,
};

use url::Url;

use maro_access::{JiraAs, policy_settings::AccessPolicy, role_settings::Roles};
use maro_domain::{
    caller::Person,
    ids::{ChannelId, TeamId},
};
use maro_jira::config::JiraConfig;
use maro_process::http::network::Network;
use maro_runtime::engine::Effort;
use maro_slack::config::SlackConfig;
use maro_store::config::DatabaseConfig;

/// All settings of a bot.
#[derive(Debug, Clone)]
pub struct Config {
    /// `MARO_LISTEN`, default `127.0.0.1:3000`: the address for HTTP.
    pub listen: SocketAddr,
    /// `MARO_OPERATOR_LISTEN`, default none: the address for `/metrics`, `/readyz` and `/healthz`, which are then not at
    /// `listen`.
    pub operator_listen: Option<SocketAddr>,
    pub connections: ConnectionsConfig,
    pub database: DatabaseConfig,
    pub plugins: PluginsConfig,
    /// `MARO_ADMINS`, default none: Slack user ids, separated by commas or spaces. Somebody in another workspace
    /// than the bot's own has its id before theirs: `T1/U1`.
    pub admins: Vec<Person>,
    /// `MARO_JIRA_AS`, default `bot`: whose permissions in Jira decide what a person may see.
    pub jira_as: JiraAs,
    /// `[access]`: what may be shown, tracked and created.
    pub access: AccessPolicy,
    /// `[roles]`: who may do what.
    pub roles: Roles,
    pub slack: SlackConfig,
    /// `SLACK_ALLOWED_TEAMS`, default none: workspaces and organizations whose people may use the bot, beside its
    /// own.
    pub allowed_teams: Vec<TeamId>,
    pub jira: JiraConfig,
    /// `MARO_SYNC_INTERVAL_SECS`, default 300: how old a stored status may get before it is refreshed.
    pub sync_interval: Duration,
    /// `MARO_AUDIT_DAYS`, default 365: how long entries of the audit log are kept.
    pub audit_days: u16,
    /// `MARO_LOG`, default `info`: what to log, in the syntax of `tracing_subscriber`'s `Targets`.
    pub log: String,
    /// `OTEL_EXPORTER_OTLP_ENDPOINT`, default none: the collector that traces are sent to, by OTLP over HTTP.
    pub traces: Option<Url>,
}

/// How connections to the bot end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ConnectionsConfig {
    /// `MARO_KEEP_ALIVE_SECS`, default 620: how long a connection may be silent between two requests. Longer than a
    /// balancer's own limit, or it sends requests to connections that are being closed.
    pub keep_alive: Duration,
    /// `MARO_DRAIN_SECS`, default 5: how long requests are accepted after SIGTERM, while `/readyz` already says 503.
    pub drain: Duration,
}

impl ConnectionsConfig {
    /// For a bot that no balancer stands before.
    pub const ALONE: Self = Self { keep_alive: Duration::from_secs(620), drain: Duration::ZERO };
}

impl Config {
    /// A bot at a free port of this machine, with the defaults of everything else.
    pub fn on_loopback(
        database: DatabaseConfig,
        plugins: PluginsConfig,
        slack: SlackConfig,
        jira: JiraConfig,
    ) -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            operator_listen: None,
            connections: ConnectionsConfig::ALONE,
            database,
            plugins,
            admins: Vec::new(),
            jira_as: JiraAs::default(),
            access: AccessPolicy::default(),
            roles: Roles::default(),
            slack,
            allowed_teams: Vec::new(),
            jira,
            sync_interval: Duration::from_secs(300),
            audit_days: 365,
            log: "info".to_owned(),
            traces: None,
        }
    }

    /// `MARO_HTTPS_PROXY`, `MARO_NO_PROXY` and `MARO_CA_FILE`: the way out, which is the same for all.
    pub fn network(&self) -> &Network {
        &self.slack.network
    }
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
    /// `MARO_PLUGIN_MEMORY_MIB`, default half of the container's limit, or of the machine's memory: the memory of
    /// all plugins together, with that of the compiler.
    pub memory_mib: Option<u32>,
    /// No setting: how well plugins are compiled. Authors who try theirs wait less.
    pub effort: Effort,
}

impl PluginsConfig {
    /// The plugins of a folder that nobody changes, without a cache.
    pub fn in_folder(dir: impl Into<PathBuf>) -> Self {
        Self {
            dir: dir.into(),
            hot_reload: false,
            channel: None,
            cache_dir: None,
            memory_mib: None,
            effort: Effort::Full,
        }
    }
}

/// Everything that is wrong with the settings, one sentence each.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("{}", .0.join("\n"))]
pub struct ConfigError(pub Vec<String>);

#[cfg(test)]
mod tests;
