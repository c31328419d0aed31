//! The settings: read once, from the environment over `maro.toml`, into one typed value.
//!
//! The only module that reads the environment. Every problem is reported at once, each in a sentence
//! that names its setting.

use std::{
    collections::BTreeMap,
    fmt,
    net::SocketAddr,
    path::{Path, PathBuf},
    time::Duration,
};

use url::Url;

use crate::domain::ids::UserId;

/// The file in the working folder that may hold the same keys as the environment.
const FILE: &str = "maro.toml";

/// Every key there is. The environment may hold other variables, but no other `MARO_…`.
const KEYS: [&str; 18] = [
    "DATABASE_URL",
    "JIRA_API_TOKEN",
    "JIRA_BASE_URL",
    "JIRA_DEFAULT_PROJECT",
    "JIRA_EMAIL",
    "JIRA_PAT",
    "JIRA_WEBHOOK_SECRET",
    "MARO_ADMINS",
    "MARO_CACHE_DIR",
    "MARO_HOT_RELOAD",
    "MARO_LISTEN",
    "MARO_LOG",
    "MARO_PLUGINS_DIR",
    "MARO_SYNC_INTERVAL_SECS",
    "SLACK_API_URL",
    "SLACK_APP_TOKEN",
    "SLACK_BOT_TOKEN",
    "SLACK_SIGNING_SECRET",
];

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
        #[expect(clippy::disallowed_methods, reason = "this is the one owner of the environment")]
        let environment = std::env::vars_os()
            .filter_map(|(key, value)| {
                Some((key.into_string().ok()?, value.into_string().unwrap_or_default()))
            })
            .collect();
        Self::from_sources(&environment, Path::new(FILE))
    }

    /// As [`Config::load`], from an environment given as a value.
    ///
    /// # Errors
    /// As [`Config::load`].
    pub fn from_sources(environment: &BTreeMap<String, String>, file: &Path) -> Result<Self, ConfigError> {
        let mut problems = Vec::new();
        let mut values = read_file(file, &mut problems);
        for (key, value) in environment {
            if KEYS.contains(&key.as_str()) {
                // An empty variable is how many process managers spell "not set".
                if !value.trim().is_empty() {
                    values.insert(key.clone(), value.trim().to_owned());
                }
            } else if key.starts_with("MARO_") {
                problems.push(unknown_key(key, "the environment"));
            }
        }
        let mut settings = Settings { values, problems };
        let config = settings.build(environment);
        match config {
            Some(config) if settings.problems.is_empty() => Ok(config),
            _ => Err(ConfigError(settings.problems)),
        }
    }
}

fn read_file(file: &Path, problems: &mut Vec<String>) -> BTreeMap<String, String> {
    let name = file.display();
    let text = match std::fs::read_to_string(file) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return BTreeMap::new(),
        Err(error) => {
            problems.push(format!("{name} cannot be read: {error}."));
            return BTreeMap::new();
        }
    };
    let table = match text.parse::<toml::Table>() {
        Ok(table) => table,
        Err(error) => {
            // The library's own text quotes the line, which may hold a secret.
            let line =
                error.span().map_or(1, |span| text[..span.start.min(text.len())].lines().count().max(1));
            problems.push(format!("{name} is not valid TOML near line {line}."));
            return BTreeMap::new();
        }
    };
    let mut values = BTreeMap::new();
    for (key, value) in table {
        if !KEYS.contains(&key.as_str()) {
            problems.push(unknown_key(&key, &name.to_string()));
            continue;
        }
        let value = match value {
            toml::Value::String(text) => text,
            toml::Value::Integer(number) => number.to_string(),
            toml::Value::Boolean(answer) => answer.to_string(),
            toml::Value::Array(items) if items.iter().all(toml::Value::is_str) => {
                items.iter().filter_map(toml::Value::as_str).collect::<Vec<_>>().join(",")
            }
            _ => {
                problems.push(format!("{key} in {name} must be a text, a number, true or false."));
                continue;
            }
        };
        values.insert(key, value.trim().to_owned());
    }
    values
}

fn unknown_key(key: &str, place: &str) -> String {
    let nearest =
        KEYS.iter().max_by(|a, b| strsim::jaro_winkler(key, a).total_cmp(&strsim::jaro_winkler(key, b)));
    match nearest {
        Some(nearest) => format!("{key} in {place} is no setting of MARO. Did you mean {nearest}?"),
        None => format!("{key} in {place} is no setting of MARO."),
    }
}

/// The raw values while they are turned into a [`Config`], with what went wrong so far.
struct Settings {
    values: BTreeMap<String, String>,
    problems: Vec<String>,
}

impl Settings {
    fn build(&mut self, environment: &BTreeMap<String, String>) -> Option<Config> {
        let listen = self.listen();
        let database = self.database();
        let plugins = self.plugins(environment);
        let admins = self.admins();
        let slack = self.slack();
        let jira = self.jira();
        let sync_interval = self.sync_interval();
        let log = self.log();
        Some(Config {
            listen: listen?,
            database: database?,
            plugins: plugins?,
            admins,
            slack: slack?,
            jira: jira?,
            sync_interval: sync_interval?,
            log: log?,
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
            None => self.problem(format!("{key} is missing: {what}.")),
        }
    }

    fn listen(&mut self) -> Option<SocketAddr> {
        let value = self.or("MARO_LISTEN", "127.0.0.1:3000");
        match value.parse() {
            Ok(address) => Some(address),
            Err(_) => self.problem(format!(
                "MARO_LISTEN must be an IP address and a port such as 127.0.0.1:3000, not {value:?}."
            )),
        }
    }

    fn database(&mut self) -> Option<DatabaseConfig> {
        let value = self.or("DATABASE_URL", "sqlite://maro.db");
        // The value may hold a password, so no message repeats it.
        if value.starts_with("postgres://") || value.starts_with("postgresql://") {
            return match Url::parse(&value) {
                Ok(url) if url.host_str().is_some() || url.query().is_some() => {
                    Some(DatabaseConfig::Postgres { url: Secret(value) })
                }
                _ => self.problem("DATABASE_URL is not a valid postgres:// URL."),
            };
        }
        let path = value.strip_prefix("sqlite://").or_else(|| value.strip_prefix("sqlite:"));
        match path.map(|path| path.split_once('?').map_or(path, |(path, _)| path)) {
            Some("" | ":memory:") => {
                self.problem("DATABASE_URL names no file: a database in memory would forget everything.")
            }
            Some(path) => Some(DatabaseConfig::Sqlite { path: PathBuf::from(path) }),
            None => self.problem("DATABASE_URL must start with sqlite:// or postgres://."),
        }
    }

    fn plugins(&mut self, environment: &BTreeMap<String, String>) -> Option<PluginsConfig> {
        let hot_reload = match self.or("MARO_HOT_RELOAD", "false").to_ascii_lowercase().as_str() {
            "true" | "1" | "yes" | "on" => Some(true),
            "false" | "0" | "no" | "off" => Some(false),
            _ => self.problem("MARO_HOT_RELOAD must be true or false."),
        };
        let user_cache = || {
            let absolute = |key| environment.get(key).map(PathBuf::from).filter(|path| path.is_absolute());
            absolute("XDG_CACHE_HOME").or_else(|| Some(absolute("HOME")?.join(".cache")))
        };
        let cache_dir = match self.get("MARO_CACHE_DIR") {
            Some(dir) => Some(PathBuf::from(dir)),
            None => user_cache().map(|dir| dir.join("maro")),
        };
        Some(PluginsConfig {
            dir: PathBuf::from(self.or("MARO_PLUGINS_DIR", "plugins")),
            hot_reload: hot_reload?,
            cache_dir,
        })
    }

    fn admins(&mut self) -> Vec<UserId> {
        let value = self.or("MARO_ADMINS", "");
        let mut admins = Vec::new();
        for name in value.split([',', ' ', ';']).filter(|name| !name.is_empty()) {
            match UserId::parse(name) {
                Ok(user) if name.starts_with(['U', 'W']) => admins.push(user),
                _ => self.problems.push(format!(
                    "MARO_ADMINS must list Slack user ids such as U024BE7LH, and {name:?} is none."
                )),
            }
        }
        admins
    }

    fn slack(&mut self) -> Option<SlackConfig> {
        let app_token = self.header_safe("SLACK_APP_TOKEN");
        let signing_secret = match self.get("SLACK_SIGNING_SECRET") {
            Some(secret) => Some(Some(Secret::new(secret))),
            None if self.get("SLACK_APP_TOKEN").is_some() => Some(None),
            None => self.problem(
                "SLACK_SIGNING_SECRET is missing: copy it from your Slack app under Basic Information, \
                 or set SLACK_APP_TOKEN to use Socket Mode.",
            ),
        };
        let bot_token = self
            .required(
                "SLACK_BOT_TOKEN",
                "copy the xoxb-… token from your Slack app under OAuth & Permissions",
            )
            .and_then(|_| self.header_safe("SLACK_BOT_TOKEN")?);
        let api_url = self.web_address("SLACK_API_URL", Some("https://slack.com/api"), "");
        Some(SlackConfig {
            signing_secret: signing_secret?,
            bot_token: bot_token?,
            app_token: app_token?,
            api_url: api_url?,
        })
    }

    fn jira(&mut self) -> Option<JiraConfig> {
        let base_url = self.web_address(
            "JIRA_BASE_URL",
            None,
            "the address of your Jira site, such as https://example.atlassian.net",
        );
        let credentials = self.jira_credentials();
        let default_project = match self.get("JIRA_DEFAULT_PROJECT").map(str::to_owned) {
            None => Some(None),
            Some(key) if is_project_key(&key) => Some(Some(key)),
            Some(key) => self
                .problem(format!("JIRA_DEFAULT_PROJECT must be a project key such as SCRUM, not {key:?}.")),
        };
        let webhook_secret = self.get("JIRA_WEBHOOK_SECRET").map(Secret::new);
        Some(JiraConfig {
            base_url: base_url?,
            credentials: credentials?,
            default_project: default_project?,
            webhook_secret,
        })
    }

    fn jira_credentials(&mut self) -> Option<JiraCredentials> {
        let email = self.get("JIRA_EMAIL").map(str::to_owned);
        let api_token = self.header_safe("JIRA_API_TOKEN")?;
        let token = self.header_safe("JIRA_PAT")?;
        match (email, api_token, token) {
            (None, None, Some(token)) => Some(JiraCredentials::DataCenter { token }),
            (Some(email), Some(api_token), None) if email.contains('@') => {
                Some(JiraCredentials::Cloud { email, api_token })
            }
            (Some(_), Some(_), None) => self.problem("JIRA_EMAIL must be an e-mail address."),
            (Some(_), None, None) => self.problem("JIRA_API_TOKEN is missing: JIRA_EMAIL needs the account's API token."),
            (None, Some(_), None) => self.problem("JIRA_EMAIL is missing: JIRA_API_TOKEN needs the account's e-mail address."),
            (None, None, None) => self.problem(
                "JIRA_EMAIL and JIRA_API_TOKEN are missing (Jira Cloud), and so is JIRA_PAT (Jira Data Center): \
                 set one or the other.",
            ),
            (_, _, Some(_)) => self.problem(
                "JIRA_PAT is for Jira Data Center, JIRA_EMAIL and JIRA_API_TOKEN for Jira Cloud: set one or the other.",
            ),
        }
    }

    fn sync_interval(&mut self) -> Option<Duration> {
        let value = self.or("MARO_SYNC_INTERVAL_SECS", "300");
        match value.parse::<u64>() {
            Ok(seconds @ 1..=604_800) => Some(Duration::from_secs(seconds)),
            _ => self.problem(format!(
                "MARO_SYNC_INTERVAL_SECS must be a number of seconds from 1 to 604800, not {value:?}."
            )),
        }
    }

    fn log(&mut self) -> Option<String> {
        let value = self.or("MARO_LOG", "info");
        match tracing_subscriber::EnvFilter::builder().parse(&value) {
            Ok(_) => Some(value),
            Err(_) => self.problem(format!(
                "MARO_LOG must be a level (error, warn, info, debug, trace) or a list such as info,maro=debug, not {value:?}."
            )),
        }
    }

    /// A token that can stand in an HTTP header: visible ASCII. `Some(None)` if it is not set.
    fn header_safe(&mut self, key: &str) -> Option<Option<Secret>> {
        match self.get(key) {
            None => Some(None),
            Some(value) if value.bytes().all(|byte| byte.is_ascii_graphic()) => {
                Some(Some(Secret::new(value)))
            }
            Some(_) => self.problem(format!("{key} holds a space or a character that no token has.")),
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
                "{key} must be an address such as https://example.com, without user, query or fragment."
            )),
        }
    }
}

fn is_project_key(key: &str) -> bool {
    key.len() <= 50
        && key.starts_with(|first: char| first.is_ascii_uppercase())
        && key.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_')
}
