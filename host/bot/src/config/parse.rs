//! Turns text into typed settings, with a sentence about each invalid one.

mod jira;
mod log;
mod network;
mod people;
mod slack;
mod tables;

use std::{
    collections::BTreeMap,
    net::{IpAddr, SocketAddr},
    num::NonZeroUsize,
    ops::RangeInclusive,
    path::PathBuf,
    time::Duration,
};

use url::Url;

use crate::config::{Config, ConnectionsConfig, PluginsConfig, edges, sources::Sources};
use maro_access::JiraAs;
use maro_domain::ids::ChannelId;
use maro_process::secret::Secret;
use maro_runtime::engine::Effort;
use maro_store::{
    config::{DEFAULT_CONNECTIONS, DatabaseConfig, PostgresConfig, UrlSource},
    database::postgres::address::Address,
};

/// The most that MARO_DATABASE_CONNECTIONS can be. PostgreSQL allows 100 in total by default.
const MOST_CONNECTIONS: usize = 1000;

/// The bounds of `MARO_PLUGIN_MEMORY_MIB`: MARO's own plugins work with the least, and no machine has the most.
const LEAST_PLUGIN_MEMORY_MIB: u32 = 32;
const MOST_PLUGIN_MEMORY_MIB: u32 = 1_048_576;

/// The raw values while they are turned into a [`Config`], and the problems found so far.
pub(super) struct Settings {
    values: BTreeMap<String, String>,
    tables: toml::Table,
    pub(super) problems: Vec<String>,
    /// As in [`Sources`].
    is_file_unread: bool,
}

impl Settings {
    pub(super) fn new(sources: Sources) -> Self {
        let Sources { values, tables, mut problems, is_file_unread, unread, overridden: _ } = sources;
        problems.extend(unread.into_values());
        let mut settings = Self { values, tables, problems, is_file_unread };
        settings.check_edges();
        settings
    }

    /// What files of variables and editors may have added to values.
    fn check_edges(&mut self) {
        for (key, value) in &mut self.values {
            let (flaws, rest) = edges::check(key, value);
            if !flaws.is_empty() {
                self.problems.extend(flaws.iter().map(|flaw| format!("{key} {flaw}")));
                // There may be more to say of it.
                *value = rest.to_owned();
            }
        }
    }

    /// The settings, if all of them are valid. Otherwise `problems` says what is wrong.
    pub(super) fn build(&mut self, environment: &BTreeMap<String, String>) -> Option<Config> {
        let listen = self.listen();
        let operator_listen = self.operator_listen();
        if let (Some(listen), Some(Some(operator_listen))) = (listen, operator_listen) {
            self.check_apart(listen, operator_listen);
        }
        let connections = self.connections_config();
        let database = self.database();
        let plugins = self.plugins(environment);
        let admins = self.admins();
        let jira_as = self.jira_as();
        let access = self.table("access");
        let roles = self.table("roles");
        let network = self.network();
        let slack = self.slack(network.clone());
        let allowed_teams = self.allowed_teams();
        let jira = self.jira(network);
        let sync_interval = self.seconds("MARO_SYNC_INTERVAL_SECS", "300", 1..=604_800);
        let audit_days = self.audit_days();
        let log = self.log();
        let traces = self.traces(environment);
        Some(Config {
            listen: listen?,
            operator_listen: operator_listen?,
            connections: connections?,
            database: database?,
            plugins: plugins?,
            admins,
            jira_as: jira_as?,
            access: access?,
            roles: roles?,
            slack: slack?,
            allowed_teams,
            jira: jira?,
            sync_interval: sync_interval?,
            audit_days: audit_days?,
            log: log?,
            traces: traces?,
        })
    }

    fn get(&self, key: &str) -> Option<&str> {
        self.values.get(key).map(String::as_str).filter(|value| !value.is_empty())
    }

    fn or(&self, key: &str, default: &str) -> String {
        self.get(key).unwrap_or(default).to_owned()
    }

    fn problem<T>(&mut self, problem: impl Into<String>) -> Option<T> {
        self.problems.push(problem.into());
        None
    }

    fn required(&mut self, key: &str, what: &str) -> Option<String> {
        match self.get(key) {
            Some(value) => Some(value.to_owned()),
            None if self.has_unread_file(key) => None,
            None => self.problem(format!("{key} is missing: {what}.")),
        }
    }

    /// Whether a secret's file gave no secret, or the file of settings nothing at all. What is wrong with it has been said.
    fn has_unread_file(&self, key: &str) -> bool {
        self.get(key).is_none() && (self.is_file_unread || self.get(&format!("{key}_FILE")).is_some())
    }

    fn listen(&mut self) -> Option<SocketAddr> {
        let value = self.or("MARO_LISTEN", "127.0.0.1:3000");
        match value.parse() {
            Ok(address) => Some(address),
            Err(_) => self.problem(format!(
                "MARO_LISTEN must be an IP address and a port, such as 127.0.0.1:3000, not {value:?}."
            )),
        }
    }

    fn operator_listen(&mut self) -> Option<Option<SocketAddr>> {
        match self.get("MARO_OPERATOR_LISTEN").map(str::to_owned) {
            None => Some(None),
            Some(value) => match value.parse() {
                Ok(address) => Some(Some(address)),
                Err(_) => self.problem(format!(
                    "MARO_OPERATOR_LISTEN must be an IP address and a port, such as 127.0.0.1:3001, not {value:?}."
                )),
            },
        }
    }

    /// Two addresses that can't both be listened on.
    fn check_apart(&mut self, one: SocketAddr, other: SocketAddr) {
        let is_same_address =
            one.ip() == other.ip() || takes(one.ip(), other.ip()) || takes(other.ip(), one.ip());
        if one.port() != 0 && one.port() == other.port() && is_same_address {
            self.problems.push(format!(
                "MARO_OPERATOR_LISTEN has port {}, on which MARO_LISTEN listens, too: give it another one.",
                other.port()
            ));
        }
    }

    fn connections_config(&mut self) -> Option<ConnectionsConfig> {
        let keep_alive = self.seconds("MARO_KEEP_ALIVE_SECS", "620", 1..=86_400);
        let drain = self.seconds("MARO_DRAIN_SECS", "5", 0..=600);
        Some(ConnectionsConfig { keep_alive: keep_alive?, drain: drain? })
    }

    pub(super) fn database(&mut self) -> Option<DatabaseConfig> {
        let url = match (self.get("DATABASE_URL"), self.get("DATABASE_URL_FILE")) {
            (Some(_), Some(_)) => {
                return self.problem("DATABASE_URL and DATABASE_URL_FILE are both set: remove one of them.");
            }
            (None, Some(file)) => UrlSource::File(PathBuf::from(file)),
            (url, None) => UrlSource::Given(Secret::new(url.unwrap_or("sqlite://maro.db"))),
        };
        let connections = self.connections();
        let is_pooled = match self.get("MARO_DATABASE_POOLER") {
            None => Some(false),
            Some("transaction") => Some(true),
            Some(_) => self.problem("MARO_DATABASE_POOLER must be transaction, or not be set."),
        };
        let value = match url.read() {
            Ok(value) => value,
            Err(problem) => return self.problem(problem),
        };
        if let UrlSource::File(file) = &url
            && let Some(flaw) = edges::check("DATABASE_URL", value.expose()).0.first()
        {
            return self.problem(format!(
                "DATABASE_URL_FILE names the file {}, whose content {flaw}",
                file.display()
            ));
        }
        // The value may contain a password, so no message repeats it.
        let text = value.expose().trim();
        if text.starts_with("postgres://") || text.starts_with("postgresql://") {
            return match Address::parse(&value) {
                Ok(_) => Some(DatabaseConfig::Postgres(PostgresConfig {
                    url,
                    connections: connections?,
                    is_pooled: is_pooled?,
                })),
                Err(problem) => self.problem(problem),
            };
        }
        let path = text.strip_prefix("sqlite://").or_else(|| text.strip_prefix("sqlite:"));
        match path.map(|path| path.split_once('?').unwrap_or((path, ""))) {
            Some(("" | ":memory:", _) | (_, "mode=memory")) => {
                self.problem("DATABASE_URL must name a file; an in-memory database would lose everything.")
            }
            // What other programs want to be told, and what happens anyway.
            Some((path, "" | "mode=rwc" | "mode=rw")) => {
                Some(DatabaseConfig::Sqlite { path: PathBuf::from(path) })
            }
            Some(_) => self.problem(
                "DATABASE_URL has parameters behind a question mark, which MARO can't use for SQLite: leave them out.",
            ),
            None => self.problem("DATABASE_URL must start with sqlite:// or postgres://."),
        }
    }

    fn connections(&mut self) -> Option<NonZeroUsize> {
        let Some(value) = self.get("MARO_DATABASE_CONNECTIONS") else { return Some(DEFAULT_CONNECTIONS) };
        match value.parse().ok().filter(|connections: &NonZeroUsize| connections.get() <= MOST_CONNECTIONS) {
            Some(connections) => Some(connections),
            None => self
                .problem(format!("MARO_DATABASE_CONNECTIONS must be a number from 1 to {MOST_CONNECTIONS}.")),
        }
    }

    fn plugins(&mut self, environment: &BTreeMap<String, String>) -> Option<PluginsConfig> {
        let hot_reload = match self.or("MARO_HOT_RELOAD", "false").to_ascii_lowercase().as_str() {
            "true" | "1" | "yes" | "on" => Some(true),
            "false" | "0" | "no" | "off" => Some(false),
            _ => self.problem("MARO_HOT_RELOAD must be true or false."),
        };
        let channel = match self.get("MARO_PLUGIN_CHANNEL").map(ChannelId::parse) {
            None => Some(None),
            Some(Ok(channel)) if channel.as_str().starts_with(['C', 'G']) => Some(Some(channel)),
            Some(_) => self.problem("MARO_PLUGIN_CHANNEL must be a Slack channel id, such as C024BE91L."),
        };
        let cache_dir = match self.get("MARO_CACHE_DIR") {
            Some(dir) => Some(PathBuf::from(dir)),
            None => user_cache(environment),
        };
        let memory_mib = self.plugin_memory();
        Some(PluginsConfig {
            memory_mib: memory_mib?,
            effort: Effort::Full,
            dir: PathBuf::from(self.or("MARO_PLUGINS_DIR", "plugins")),
            hot_reload: hot_reload?,
            channel: channel?,
            cache_dir,
        })
    }

    fn plugin_memory(&mut self) -> Option<Option<u32>> {
        let Some(value) = self.get("MARO_PLUGIN_MEMORY_MIB") else { return Some(None) };
        match value
            .parse()
            .ok()
            .filter(|mib| (LEAST_PLUGIN_MEMORY_MIB..=MOST_PLUGIN_MEMORY_MIB).contains(mib))
        {
            Some(mib) => Some(Some(mib)),
            None => self.problem(format!(
                "MARO_PLUGIN_MEMORY_MIB must be a number of MiB from {LEAST_PLUGIN_MEMORY_MIB} to \
                 {MOST_PLUGIN_MEMORY_MIB}."
            )),
        }
    }

    fn jira_as(&mut self) -> Option<JiraAs> {
        match self.or("MARO_JIRA_AS", "bot").as_str() {
            "bot" => Some(JiraAs::Bot),
            "person" => Some(JiraAs::Person),
            _ => self.problem("MARO_JIRA_AS must be bot or person."),
        }
    }

    fn seconds(&mut self, key: &str, default: &str, range: RangeInclusive<u64>) -> Option<Duration> {
        let value = self.or(key, default);
        match value.parse::<u64>() {
            Ok(seconds) if range.contains(&seconds) => Some(Duration::from_secs(seconds)),
            _ => self.problem(format!(
                "{key} must be a number of seconds from {} to {}, not {value:?}.",
                range.start(),
                range.end()
            )),
        }
    }

    fn audit_days(&mut self) -> Option<u16> {
        match self.or("MARO_AUDIT_DAYS", "365").parse() {
            Ok(days @ 1..=36_500) => Some(days),
            _ => self.problem("MARO_AUDIT_DAYS must be a number of days from 1 to 36500."),
        }
    }

    /// `Some(None)` if no traces are wanted.
    fn traces(&mut self, environment: &BTreeMap<String, String>) -> Option<Option<Url>> {
        // A variable of OpenTelemetry's own.
        let is_off = environment.get("OTEL_SDK_DISABLED").is_some_and(|off| off.eq_ignore_ascii_case("true"));
        let Some(value) = self.get("OTEL_EXPORTER_OTLP_ENDPOINT").filter(|_| !is_off).map(str::to_owned)
        else {
            return Some(None);
        };
        let url = Url::parse(&value).ok().filter(|url| {
            matches!(url.scheme(), "http" | "https")
                && url.has_host()
                && url.query().is_none()
                && url.fragment().is_none()
        });
        match url {
            Some(url) => Some(Some(url)),
            None => self.problem(
                "OTEL_EXPORTER_OTLP_ENDPOINT must be the address of a collector that takes OTLP over HTTP, such as \
                 http://collector:4318.",
            ),
        }
    }

    /// A token that fits into an HTTP header: visible ASCII. `Some(None)` if it isn't set.
    fn header_safe(&mut self, key: &str) -> Option<Option<Secret>> {
        match self.get(key) {
            None => Some(None),
            Some(value) if value.bytes().all(|byte| byte.is_ascii_graphic()) => {
                Some(Some(Secret::new(value)))
            }
            Some(_) => self.problem(format!(
                "{key} contains a space or another character that isn't allowed in a token."
            )),
        }
    }

    fn web_address(&mut self, key: &str, default: Option<&str>, what: &str) -> Option<Url> {
        let value = match (self.get(key), default) {
            (Some(value), _) => value.to_owned(),
            (None, Some(default)) => default.to_owned(),
            (None, None) => return self.required(key, what).and(None),
        };
        match Url::parse(value.trim_end_matches('/')) {
            Ok(url)
                if matches!(url.scheme(), "http" | "https")
                    && url.has_host()
                    && url.username().is_empty()
                    && url.password().is_none()
                    && url.query().is_none()
                    && url.fragment().is_none() =>
            {
                Some(url)
            }
            _ => self.problem(format!(
                "{key} must be an address, such as https://example.com, without a user name, query or fragment."
            )),
        }
    }
}

/// Whether who listens on one address gets what comes to another, too. `[::]` takes both families.
fn takes(one: IpAddr, other: IpAddr) -> bool {
    one.is_unspecified() && (one.is_ipv6() || other.is_ipv4())
}

/// `maro` in the user's cache folder, if the environment says where that is.
pub(super) fn user_cache(environment: &BTreeMap<String, String>) -> Option<PathBuf> {
    let absolute = |key| environment.get(key).map(PathBuf::from).filter(|path| path.is_absolute());
    let folder = absolute("XDG_CACHE_HOME").or_else(|| Some(absolute("HOME")?.join(".cache")));
    folder.map(|folder| folder.join("maro"))
}
