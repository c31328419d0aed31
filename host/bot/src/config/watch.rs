//! Watches `maro.toml` and the files that settings name, as the plugins folder is watched: by looking at them.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
    time::Duration,
};

use maro_process::bounded_file::{MAX_CERTIFICATES_BYTES, read_bounded};

use crate::config::{
    Config, ConfigError,
    every_setting::is_live,
    load,
    parse::Settings,
    sources::{self, Sources},
};

/// How often the files are looked at.
const PERIOD: Duration = Duration::from_secs(1);

/// What takes effect without a restart if it's replaced, but not if it's added or removed: the way by which Slack reaches
/// MARO hangs on it.
const ONLY_REPLACED: [&str; 2] = ["SLACK_APP_TOKEN", "SLACK_SIGNING_SECRET"];

/// Files that are read at the start alone.
const READ_ONCE: [&str; 2] = ["JIRA_CLIENT_CERT_FILE", "MARO_CA_FILE"];

/// What a file looked like, whatever links lead to it: inode, time and length. None if there was none.
type Seen = Option<(u64, i64, i64, u64)>;

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
    look: Vec<Seen>,
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
            look: Vec::new(),
        };
        let sources = sources::read(&watch.environment, &watch.file);
        watch.texts = texts(&sources);
        watch.files = watch.named(&sources);
        watch.look = look_at(&watch.files);
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
                        tracing::error!("ignoring changed settings: {problem}");
                    }
                }
                None => {}
            }
        }
    }

    /// What is different since the last look, if anything.
    fn look_again(&mut self) -> Option<Result<Change, ConfigError>> {
        let look = look_at(&self.files);
        if look == self.look {
            return None;
        }
        let seen: BTreeMap<PathBuf, Seen> = std::mem::take(&mut self.files).into_iter().zip(look).collect();
        let sources = sources::read(&self.environment, &self.file);
        let (texts, files) = (texts(&sources), self.named(&sources));
        let mut settings = Settings::new(sources);
        let config = settings.build(&self.environment).filter(|_| settings.problems.is_empty());
        // What is written while they're read is seen next time, and so is what wasn't watched before.
        self.look = files.iter().map(|file| seen.get(file).copied().flatten()).collect();
        self.files = files;
        let Some(config) = config else { return Some(Err(ConfigError(settings.problems))) };
        let keys: BTreeSet<&String> = self.texts.keys().chain(texts.keys()).collect();
        let differs = |key: &&String| self.texts.get(*key) != texts.get(*key);
        let (live, restart): (Vec<String>, Vec<String>) =
            keys.into_iter().filter(differs).cloned().partition(|key| {
                let is_replaced = self.texts.contains_key(key) && texts.contains_key(key);
                is_live(key) && (is_replaced || !ONLY_REPLACED.contains(&key.as_str()))
            });
        self.texts = texts;
        (!live.is_empty() || !restart.is_empty()).then_some(Ok(Change { config, live, restart }))
    }

    fn named(&self, sources: &Sources) -> Vec<PathBuf> {
        let named = sources.values.iter().filter(|(key, path)| key.ends_with("_FILE") && !path.is_empty());
        [self.file.clone()].into_iter().chain(named.map(|(_, path)| PathBuf::from(path))).collect()
    }
}

fn look_at(files: &[PathBuf]) -> Vec<Seen> {
    let look = |path: &PathBuf| {
        let found = fs::metadata(path).ok()?;
        Some((found.ino(), found.mtime(), found.mtime_nsec(), found.len()))
    };
    files.iter().map(look).collect()
}

fn texts(sources: &Sources) -> BTreeMap<String, String> {
    let mut texts = sources.values.clone();
    // Where a secret is doesn't matter, if it's the same.
    texts.retain(|key, _| !sources::is_secret_file(key));
    texts.extend(sources.tables.iter().map(|(name, table)| (format!("[{name}]"), table.to_string())));
    for key in READ_ONCE {
        let Some(path) = sources.values.get(key) else { continue };
        let text = read_bounded(Path::new(path), MAX_CERTIFICATES_BYTES)
            .map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
        texts.insert(format!("the content of {key}"), text.unwrap_or_default());
    }
    texts
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::tests::REQUIRED;

    #[tokio::test]
    async fn the_way_to_slack_changes_with_a_restart_alone() {
        let environment = REQUIRED.map(|(key, value)| (key.to_owned(), value.to_owned())).into();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("maro.toml");
        let mut watch = ConfigWatch::over(environment, &path);
        for (text, live, restart) in [
            (
                "SLACK_APP_TOKEN = \"xapp-1\"\nMARO_ADMINS = [\"U1\"]",
                &["MARO_ADMINS"][..],
                &["SLACK_APP_TOKEN"][..],
            ),
            ("SLACK_APP_TOKEN = \"xapp-12\"\nMARO_ADMINS = [\"U1\"]", &["SLACK_APP_TOKEN"], &[]),
            ("MARO_ADMINS = [\"U1\"]", &[], &["SLACK_APP_TOKEN"]),
        ] {
            fs::write(&path, text).unwrap();
            let change = watch.changed().await;
            assert_eq!(change.live, live);
            assert_eq!(change.restart, restart);
        }
    }
}
