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
    Config, ConfigError, load,
    parse::Settings,
    settings_table::is_live,
    sources::{self, Sources},
};

/// How often the files are looked at. What is different counts once two looks find it the same: a file that is being
/// written may end in the middle of a table, and the limits below it would be lifted.
const PERIOD: Duration = Duration::from_millis(500);

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
    /// What `maro.toml` said when it last said anything.
    from_file: Sources,
    /// Whether that has vanished since.
    is_lost: bool,
    /// The text of each key and table, and of the files that are read once.
    texts: BTreeMap<String, String>,
    files: Vec<PathBuf>,
    /// The files as their settings were read.
    look: Vec<Seen>,
    /// The files at the last look.
    last_look: Vec<Seen>,
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
            from_file: sources::read_file(file),
            is_lost: false,
            texts: BTreeMap::new(),
            files: Vec::new(),
            look: Vec::new(),
            last_look: Vec::new(),
        };
        let sources = sources::merge(&watch.environment, watch.from_file.clone());
        watch.texts = texts(&sources);
        watch.files = watch.named(&sources);
        watch.look = look_at(&watch.files);
        watch
    }

    /// Waits until settings change. Those that are wrong are logged, once, and change nothing.
    pub async fn changed(&mut self) -> Change {
        loop {
            tokio::time::sleep(PERIOD).await;
            if !self.has_changed_and_settled() {
                continue;
            }
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

    /// Whether something is different since the settings were read, and nothing since the last look.
    fn has_changed_and_settled(&mut self) -> bool {
        let look = look_at(&self.files);
        let is_it = look != self.look && look == self.last_look;
        self.last_look = look;
        is_it
    }

    /// What is different since the settings were read, if anything.
    fn look_again(&mut self) -> Option<Result<Change, ConfigError>> {
        let look = look_at(&self.files);
        if look == self.look {
            return None;
        }
        let seen: BTreeMap<PathBuf, Seen> = std::mem::take(&mut self.files).into_iter().zip(look).collect();
        let found = self.found(sources::read_file(&self.file));
        let mut sources = sources::merge(&self.environment, found.clone());
        // What can't be read says nothing.
        if found.problems.is_empty() {
            self.from_file = found;
        }
        self.hold_back(&mut sources);
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

    /// What the file says now. If it has lost everything, or every table, that is no wish: the limits that it sets would be
    /// gone with it.
    fn found(&mut self, found: Sources) -> Sources {
        let Sources { values, tables, .. } = &self.from_file;
        let has_lost_all = found.is_blank() && !(values.is_empty() && tables.is_empty());
        let has_lost_tables = found.problems.is_empty() && found.tables.is_empty() && !tables.is_empty();
        let was_lost = std::mem::replace(&mut self.is_lost, has_lost_all || has_lost_tables);
        let name = self.file.display();
        if has_lost_all {
            if !was_lost {
                tracing::error!(
                    "{name} is gone or empty: its settings stay in effect until it's there again, or until a restart"
                );
            }
            return self.from_file.clone();
        }
        if has_lost_tables {
            if !was_lost {
                tracing::error!(
                    "{name} has no table any more: [access] and [roles] stay in effect as they were until a restart; to \
                     lift their limits now, leave the tables in it, without entries"
                );
            }
            return Sources { tables: tables.clone(), ..found };
        }
        found
    }

    /// A secret whose file gives none keeps its value, and holds up no other.
    fn hold_back(&self, sources: &mut Sources) {
        let Sources { values, unread, .. } = sources;
        unread.retain(|key, problem| {
            let Some(known) = self.texts.get(key) else { return true };
            tracing::error!("ignoring changed settings: {problem}");
            values.insert(key.clone(), known.clone());
            false
        });
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
    use maro_access::{policy_settings::AccessPolicy, role_settings::Roles};

    fn watching(file: &Path) -> ConfigWatch {
        ConfigWatch::over(REQUIRED.map(|(key, value)| (key.to_owned(), value.to_owned())).into(), file)
    }

    #[test]
    fn a_file_that_vanishes_or_is_emptied_opens_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("maro.toml");
        let whole = "MARO_AUDIT_DAYS = 7\n[access]\nprojects = [\"OPS\"]\n[roles]\ntrack = [\"admins\"]\n";
        fs::write(&path, whole).unwrap();
        let mut watch = watching(&path);
        fs::write(&path, "[access").unwrap();
        assert!(watch.look_again().is_some_and(|change| change.is_err()));
        fs::remove_file(&path).unwrap();
        assert!(watch.look_again().is_none() && watch.is_lost);
        fs::write(&path, "").unwrap();
        assert!(watch.look_again().is_none() && watch.is_lost);
        // The tables alone.
        fs::write(&path, "MARO_ADMINS = [\"U1\"]\n").unwrap();
        let change = watch.look_again().unwrap().unwrap();
        assert_eq!(change.live, ["MARO_ADMINS"]);
        assert!(change.config.access.projects.is_some() && change.config.roles != Roles::default());
        // What is said to be open is.
        fs::write(&path, "[access]\n[roles]\n").unwrap();
        let change = watch.look_again().unwrap().unwrap();
        assert!(change.config.access == AccessPolicy::default() && !watch.is_lost);
        fs::write(&path, whole).unwrap();
        assert!(watch.look_again().unwrap().unwrap().config.access.projects.is_some());
    }

    #[test]
    fn an_empty_file_of_one_secret_holds_up_no_other() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        let mut environment: BTreeMap<String, String> =
            REQUIRED.map(|(key, value)| (key.to_owned(), value.to_owned())).into();
        for key in ["SLACK_BOT_TOKEN", "JIRA_API_TOKEN"] {
            fs::write(path(key), "first").unwrap();
            environment.remove(key);
            environment.insert(format!("{key}_FILE"), path(key).display().to_string());
        }
        let mut watch = ConfigWatch::over(environment, &path("maro.toml"));
        fs::write(path("SLACK_BOT_TOKEN"), "").unwrap();
        fs::write(path("JIRA_API_TOKEN"), "second").unwrap();
        let change = watch.look_again().unwrap().unwrap();
        assert_eq!(change.live, ["JIRA_API_TOKEN"]);
        assert_eq!(change.config.slack.bot_token.expose(), "first");
    }

    #[tokio::test]
    async fn a_file_counts_once_it_is_written_to_its_end() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("maro.toml");
        let whole = "[access]\nsecurity-levels = \"deny\"\nprojects = [\"OPS\"]\n";
        fs::write(&path, whole).unwrap();
        let mut watch = watching(&path);
        let writer = async {
            tokio::time::sleep(PERIOD * 3 + PERIOD / 2).await;
            fs::write(&path, whole.split_once("projects").unwrap().0).unwrap();
            tokio::time::sleep(PERIOD).await;
            fs::write(&path, whole).unwrap();
        };
        let watching = tokio::time::timeout(PERIOD * 8, watch.changed());
        let ((), change) = tokio::join!(writer, watching);
        assert!(change.is_err(), "the policy was lifted in between");
    }

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
