//! Watches `maro.toml` and the files that settings name, as the plugins folder is watched: by looking at them.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
    time::Duration,
};

use maro_process::bounded_file::read_bounded;

use crate::config::{
    Config, ConfigError, load,
    parse::Settings,
    sources::{self, MAX_FILE_BYTES, Sources},
};

/// How often the files are looked at.
const PERIOD: Duration = Duration::from_secs(1);

/// What takes effect without a restart.
const LIVE: [&str; 18] = [
    "JIRA_API_TOKEN",
    "JIRA_CLIENT_ID",
    "JIRA_CLIENT_SECRET",
    "JIRA_EMAIL",
    "JIRA_HEADERS",
    "JIRA_PASSWORD",
    "JIRA_PAT",
    "JIRA_USER",
    "JIRA_WEBHOOK_SECRET",
    "MARO_ADMINS",
    "MARO_LOG",
    "MARO_SYNC_INTERVAL_SECS",
    "SLACK_APP_TOKEN",
    "SLACK_BOT_TOKEN",
    "SLACK_SIGNING_SECRET",
    "SLACK_SIGNING_SECRET_PREVIOUS",
    "[access]",
    "[roles]",
];

/// Files that are read at the start alone.
const READ_ONCE: [&str; 2] = ["JIRA_CLIENT_CERT_FILE", "MARO_CA_FILE"];

/// What the files looked like, whatever links lead to them.
type Look = Vec<Option<(u64, i64, i64, u64)>>;

/// Changed settings.
pub struct Change {
    pub config: Config,
    /// What takes effect now.
    pub live: Vec<String>,
    /// What doesn't before a restart.
    pub restart: Vec<String>,
}

/// Watches the files that settings came from.
pub struct ConfigWatch {
    environment: BTreeMap<String, String>,
    file: PathBuf,
    /// The text of each key and table, and of the files that are read once.
    texts: BTreeMap<String, String>,
    files: Vec<PathBuf>,
    look: Look,
}

impl ConfigWatch {
    /// Watches what [`Config::load`] reads.
    pub fn start() -> Self {
        Self::over(load::environment(), Path::new(load::FILE))
    }

    /// As [`ConfigWatch::start`], but takes the environment as an argument.
    pub fn over(environment: BTreeMap<String, String>, file: &Path) -> Self {
        let mut watch = Self {
            environment,
            file: file.to_owned(),
            texts: BTreeMap::new(),
            files: Vec::new(),
            look: Look::new(),
        };
        let sources = sources::read(&watch.environment, &watch.file);
        watch.texts = texts(&sources);
        watch.files = watch.named(&sources);
        watch.look = watch.look();
        watch
    }

    /// Waits until settings change. Those that are wrong are logged, once, and change nothing.
    pub async fn changed(&mut self) -> Change {
        loop {
            tokio::time::sleep(PERIOD).await;
            match self.look_again() {
                Some(Ok(change)) => return change,
                Some(Err(ConfigError(problems))) => {
                    for problem in problems {
                        tracing::error!("changed settings are left alone: {problem}");
                    }
                }
                None => {}
            }
        }
    }

    /// What is different since the last look, if anything.
    fn look_again(&mut self) -> Option<Result<Change, ConfigError>> {
        let look = self.look();
        if look == self.look {
            return None;
        }
        let sources = sources::read(&self.environment, &self.file);
        let (texts, files) = (texts(&sources), self.named(&sources));
        let mut settings = Settings::new(sources);
        let config = settings.build(&self.environment).filter(|_| settings.problems.is_empty());
        self.files = files;
        self.look = self.look();
        let Some(config) = config else { return Some(Err(ConfigError(settings.problems))) };
        let keys: BTreeSet<&String> = self.texts.keys().chain(texts.keys()).collect();
        let differs = |key: &&String| self.texts.get(*key) != texts.get(*key);
        let (live, restart): (Vec<String>, Vec<String>) =
            keys.into_iter().filter(differs).cloned().partition(|key| LIVE.contains(&key.as_str()));
        self.texts = texts;
        (!live.is_empty() || !restart.is_empty()).then_some(Ok(Change { config, live, restart }))
    }

    fn look(&self) -> Look {
        let look = |path: &PathBuf| {
            let found = fs::metadata(path).ok()?;
            Some((found.ino(), found.mtime(), found.mtime_nsec(), found.len()))
        };
        self.files.iter().map(look).collect()
    }

    fn named(&self, sources: &Sources) -> Vec<PathBuf> {
        let named = sources.values.iter().filter(|(key, path)| key.ends_with("_FILE") && !path.is_empty());
        [self.file.clone()].into_iter().chain(named.map(|(_, path)| PathBuf::from(path))).collect()
    }
}

fn texts(sources: &Sources) -> BTreeMap<String, String> {
    let mut texts = sources.values.clone();
    // Where a secret is doesn't matter, if it's the same.
    texts.retain(|key, _| !sources::is_secret_file(key));
    texts.extend(sources.tables.iter().map(|(name, table)| (format!("[{name}]"), table.to_string())));
    for key in READ_ONCE {
        let Some(path) = sources.values.get(key) else { continue };
        let text = read_bounded(Path::new(path), MAX_FILE_BYTES)
            .map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
        texts.insert(format!("the content of {key}"), text.unwrap_or_default());
    }
    texts
}
