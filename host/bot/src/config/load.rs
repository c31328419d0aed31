//! Reads the settings, once.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use crate::config::{
    Config, ConfigError,
    parse::{self, Settings},
    risky_settings::{self, Exposure},
    sources::{self, IgnoredVariable},
};
use maro_store::{config::DatabaseConfig, database};

/// The file in the working folder that may contain the same keys as the environment.
pub(super) const FILE: &str = "maro.toml";

/// What sends other programs through a proxy. MARO has settings of its own for that.
const FOREIGN_PROXIES: [&str; 2] = ["ALL_PROXY", "HTTPS_PROXY"];

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
        let mut settings = Settings::new(sources::read(environment, file));
        let config = settings.build(environment);
        match config {
            Some(config) if settings.problems.is_empty() => Ok(config),
            _ => Err(ConfigError(settings.problems)),
        }
    }

    /// What these settings, read with [`Config::load`], let others read.
    pub fn exposures(&self) -> Vec<Exposure> {
        self.exposures_with(Path::new(FILE))
    }

    /// The secrets that are still what MARO's example has in their place.
    pub fn placeholders(&self) -> Vec<&'static str> {
        risky_settings::placeholders(self)
    }

    pub(super) fn exposures_with(&self, file: &Path) -> Vec<Exposure> {
        risky_settings::exposures(self, file)
    }
}

/// The database, for commands that need no other setting.
///
/// # Errors
/// What is wrong with `DATABASE_URL`. Also whatever might hide it, such as a key that is misspelt.
pub fn database() -> Result<DatabaseConfig, ConfigError> {
    let mut settings = Settings::new(sources::read(&environment(), Path::new(FILE)));
    match settings.database() {
        Some(database) if settings.problems.is_empty() => Ok(database),
        _ => Err(ConfigError(settings.problems)),
    }
}

/// How `DATABASE_URL` is written in a shell that has the bot's environment. It isn't there if it stands in a file.
pub fn database_url_in_shell() -> String {
    let environment = environment();
    let is_set = environment.get("DATABASE_URL").is_some_and(|url| !url.trim().is_empty());
    let sources = sources::read(&environment, Path::new(FILE));
    match sources.values.get("DATABASE_URL_FILE") {
        _ if is_set => "\"$DATABASE_URL\"".to_owned(),
        Some(file) => format!("\"$(cat {})\"", database::in_shell(Path::new(file))),
        None => "'the DATABASE_URL of maro.toml'".to_owned(),
    }
}

/// The cache folder, for commands that need no other setting: `MARO_CACHE_DIR`, or `maro` in the user's
/// cache folder.
pub fn cache_dir() -> Option<PathBuf> {
    let environment = environment();
    let named = environment.get("MARO_CACHE_DIR").filter(|dir| !dir.trim().is_empty());
    named.map(PathBuf::from).or_else(|| parse::user_cache(&environment))
}

/// The variables of the environment that look like settings of MARO and are none, for a warning: others may have set
/// them for purposes of their own.
pub fn ignored_variables() -> Vec<IgnoredVariable> {
    sources::ignored(&environment())
}

/// Whether there is a `maro.toml` in the working folder.
pub fn has_file() -> bool {
    Path::new(FILE).exists()
}

/// The keys of `maro.toml` whose values have no effect, since the environment has others.
pub fn overridden() -> Vec<String> {
    sources::read(&environment(), Path::new(FILE)).overridden
}

/// The variables that are set to send other programs through a proxy, and MARO not.
pub fn foreign_proxies() -> Vec<String> {
    let environment = environment();
    let is_proxy = |key: &str| FOREIGN_PROXIES.iter().any(|known| known.eq_ignore_ascii_case(key));
    let set = environment.iter().filter(|(key, value)| is_proxy(key) && !value.trim().is_empty());
    set.map(|(key, _)| key.clone()).collect()
}

pub(super) fn environment() -> BTreeMap<String, String> {
    #[expect(clippy::disallowed_methods, reason = "this is the one owner of the environment")]
    std::env::vars_os()
        .filter_map(|(key, value)| Some((key.into_string().ok()?, value.to_string_lossy().into_owned())))
        .collect()
}
