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
    settings_table::{KEYS, is_live},
    sources::{self, Sources},
};

/// How often the files are looked at. What is different counts once two looks find it the same: a file that is being
/// written may end in the middle of a table, and the limits below it would be lifted.
const PERIOD: Duration = Duration::from_millis(500);

/// What takes effect without a restart if it's replaced, but not if it's added or removed: the way by which Slack reaches
/// MARO hangs on it.
const ONLY_REPLACED: [&str; 2] = ["SLACK_APP_TOKEN", SIGNING_SECRET];

/// The settings that say where credentials go. While one waits for a restart, so do the settings of its service: new
/// credentials must not go to the old address.
const ADDRESSES: [(&str, &[&str]); 2] =
    [("JIRA_", &["JIRA_BASE_URL", "JIRA_API_URL"]), ("SLACK_", &["SLACK_API_URL"])];

const SIGNING_SECRET: &str = "SLACK_SIGNING_SECRET";

/// Of its own, it means nothing.
const PREVIOUS: &str = "SLACK_SIGNING_SECRET_PREVIOUS";

/// Files that are read at the start alone.
const READ_ONCE: [&str; 2] = ["JIRA_CLIENT_CERT_FILE", "MARO_CA_FILE"];

/// What a file looked like, whatever links lead to it: inode, time and length. None if there was none.
type Seen = Option<(u64, i64, i64, u64)>;

/// What the file of settings doesn't have any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Lost {
    Tables,
    All,
}

/// Changed settings.
pub struct Change {
    /// What is in effect now: what needs a restart is as it was.
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
    /// What of that has vanished since.
    lost: Option<Lost>,
    /// The text of each key and table, and of the files that are read once.
    texts: BTreeMap<String, String>,
    /// The same of what is in effect.
    running: BTreeMap<String, String>,
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
            lost: None,
            texts: BTreeMap::new(),
            running: BTreeMap::new(),
            files: Vec::new(),
            look: Vec::new(),
            last_look: Vec::new(),
        };
        let sources = sources::merge(&watch.environment, watch.from_file.clone());
        watch.texts = texts(&sources);
        watch.running = watch.texts.clone();
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
        let wanted = self.build(sources.clone());
        // What is written while they're read is seen next time, and so is what wasn't watched before.
        self.look = files.iter().map(|file| seen.get(file).copied().flatten()).collect();
        self.files = files;
        if let Err(problems) = wanted {
            return Some(Err(problems));
        }
        let keys: BTreeSet<&String> = self.running.keys().chain(texts.keys()).collect();
        let changed = keys.into_iter().filter(|key| self.running.get(*key) != texts.get(*key));
        let (held, live): (Vec<String>, Vec<String>) =
            changed.cloned().partition(|key| self.is_held(key, &texts));
        let config = match self.build(self.with_running(sources, &held)) {
            Ok(config) => config,
            Err(problems) => return Some(Err(problems)),
        };
        self.running.retain(|key, _| held.contains(key) || texts.contains_key(key));
        let in_effect = texts.iter().filter(|(key, _)| !held.contains(key));
        self.running.extend(in_effect.map(|(key, text)| (key.clone(), text.clone())));
        // Each is told of once.
        let restart: Vec<String> =
            held.into_iter().filter(|key| self.texts.get(key) != texts.get(key)).collect();
        self.texts = texts;
        (!live.is_empty() || !restart.is_empty()).then_some(Ok(Change { config, live, restart }))
    }

    fn build(&self, sources: Sources) -> Result<Config, ConfigError> {
        let mut settings = Settings::new(sources);
        let config = settings.build(&self.environment).filter(|_| settings.problems.is_empty());
        config.ok_or(ConfigError(settings.problems))
    }

    /// Whether what the sources say of a key now waits for a restart.
    fn is_held(&self, key: &str, texts: &BTreeMap<String, String>) -> bool {
        let differs = |key: &&str| self.running.get(*key) != texts.get(*key);
        let is_set = |texts: &BTreeMap<String, String>| texts.get(key).is_some_and(|text| !text.is_empty());
        let is_added_or_removed = is_set(&self.running) != is_set(texts);
        let is_bound =
            |(prefix, addresses): &(&str, &[&str])| key.starts_with(prefix) && addresses.iter().any(differs);
        !is_live(key)
            || ONLY_REPLACED.contains(&key) && is_added_or_removed
            || ADDRESSES.iter().any(is_bound)
            || key == PREVIOUS && self.is_held(SIGNING_SECRET, texts)
    }

    /// The sources, but with what is in effect of the keys that are held.
    fn with_running(&self, mut sources: Sources, held: &[String]) -> Sources {
        for key in held.iter().filter(|key| KEYS.contains(&key.as_str())) {
            match self.running.get(key) {
                Some(text) => sources.values.insert(key.clone(), text.clone()),
                None => {
                    // A file that it's in isn't read either.
                    sources.values.retain(|other, _| other.strip_suffix("_FILE") != Some(key.as_str()));
                    sources.values.remove(key)
                }
            };
        }
        sources
    }

    /// What the file says now. If it has lost everything, or every table, that is no wish: the limits that it sets would be
    /// gone with it.
    fn found(&mut self, found: Sources) -> Sources {
        let Sources { values, tables, .. } = &self.from_file;
        let has_lost_all = found.is_blank() && !(values.is_empty() && tables.is_empty());
        let has_lost_tables = found.problems.is_empty() && found.tables.is_empty() && !tables.is_empty();
        let lost = if has_lost_all { Some(Lost::All) } else { has_lost_tables.then_some(Lost::Tables) };
        let is_news = std::mem::replace(&mut self.lost, lost) != lost;
        let name = self.file.display();
        if has_lost_all {
            if is_news {
                tracing::error!(
                    "{name} is gone or empty: its settings stay in effect until it's there again, or until a restart"
                );
            }
            return self.from_file.clone();
        }
        if has_lost_tables {
            if is_news {
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
    use maro_jira::config::JiraCredentials;

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
        assert!(watch.look_again().is_none() && watch.lost == Some(Lost::All));
        fs::write(&path, "").unwrap();
        assert!(watch.look_again().is_none() && watch.lost == Some(Lost::All));
        // The tables alone.
        fs::write(&path, "MARO_ADMINS = [\"U1\"]\n").unwrap();
        let change = watch.look_again().unwrap().unwrap();
        assert_eq!(change.live, ["MARO_ADMINS"]);
        assert!(change.config.access.projects.is_some() && change.config.roles != Roles::default());
        // One loss after the other.
        fs::remove_file(&path).unwrap();
        assert!(watch.look_again().is_none() && watch.lost == Some(Lost::All));
        // What is said to be open is.
        fs::write(&path, "[access]\n[roles]\n").unwrap();
        let change = watch.look_again().unwrap().unwrap();
        assert!(change.config.access == AccessPolicy::default() && watch.lost.is_none());
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

    #[test]
    fn a_secret_that_cannot_be_meant_replaces_none_and_holds_up_no_other() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        let mut environment: BTreeMap<String, String> =
            REQUIRED.map(|(key, value)| (key.to_owned(), value.to_owned())).into();
        for key in [SIGNING_SECRET, "JIRA_API_TOKEN"] {
            fs::write(path(key), "first").unwrap();
            environment.remove(key);
            environment.insert(format!("{key}_FILE"), path(key).display().to_string());
        }
        let mut watch = ConfigWatch::over(environment, &path("maro.toml"));
        for (round, written) in
            ["SLACK_SIGNING_SECRET=second", "\"second\"", "one\ntwo"].into_iter().enumerate()
        {
            fs::write(path(SIGNING_SECRET), written).unwrap();
            fs::write(path("JIRA_API_TOKEN"), format!("next{}", "x".repeat(round))).unwrap();
            let change = watch.look_again().unwrap().unwrap();
            assert_eq!(change.live, ["JIRA_API_TOKEN"], "{written}");
            assert_eq!(change.config.slack.signing_secret.unwrap().expose(), "first");
        }
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
            ("SLACK_APP_TOKEN = \"xapp-12\"\nMARO_ADMINS = [\"U1\"]", &[], &["SLACK_APP_TOKEN"]),
            // It has never been in effect.
            ("MARO_ADMINS = [\"U2\"]", &["MARO_ADMINS"], &[]),
        ] {
            fs::write(&path, text).unwrap();
            let change = watch.changed().await;
            assert_eq!(change.live, live);
            assert_eq!(change.restart, restart);
            assert!(change.config.slack.app_token.is_none());
        }
    }

    /// What a change of the file brings: what is live, and what waits.
    fn changed(watch: &mut ConfigWatch, file: &Path, text: &str) -> (Config, Vec<String>, Vec<String>) {
        fs::write(file, text).unwrap();
        let Change { config, live, restart } = watch.look_again().unwrap().unwrap();
        (config, live, restart)
    }

    #[test]
    fn what_has_been_there_from_the_start_is_replaced_at_once() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("maro.toml");
        fs::write(&path, "SLACK_APP_TOKEN = \"xapp-1\"").unwrap();
        let mut watch = watching(&path);
        let (config, live, _) = changed(&mut watch, &path, "SLACK_APP_TOKEN = \"xapp-12\"");
        assert_eq!(
            (live, config.slack.app_token.unwrap().expose()),
            (vec!["SLACK_APP_TOKEN".to_owned()], "xapp-12")
        );
        let (config, live, restart) = changed(&mut watch, &path, "MARO_ADMINS = [\"U1\"]");
        assert_eq!((live, restart), (vec!["MARO_ADMINS".to_owned()], vec!["SLACK_APP_TOKEN".to_owned()]));
        assert_eq!(config.slack.app_token.unwrap().expose(), "xapp-12");
    }

    #[test]
    fn credentials_wait_for_the_restart_that_brings_their_address() {
        let mut environment: BTreeMap<String, String> =
            REQUIRED.map(|(key, value)| (key.to_owned(), value.to_owned())).into();
        environment.retain(|key, _| !key.starts_with("JIRA_"));
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("maro.toml");
        let text = |site: &str, token: &str, admin: &str| {
            format!(
                "JIRA_BASE_URL = \"https://{site}.example\"\nJIRA_EMAIL = \"bot@example.com\"\n\
                 JIRA_API_TOKEN = \"{token}\"\nMARO_ADMINS = [\"{admin}\"]"
            )
        };
        fs::write(&path, text("one", "first", "U1")).unwrap();
        let mut watch = ConfigWatch::over(environment, &path);
        let token = |config: &Config| match &config.jira.credentials {
            JiraCredentials::Cloud { api_token, .. } => api_token.expose().to_owned(),
            other => panic!("{other:?}"),
        };
        let (config, live, restart) = changed(&mut watch, &path, &text("other", "second", "U2"));
        assert_eq!(
            (live, restart),
            (vec!["MARO_ADMINS".to_owned()], vec!["JIRA_API_TOKEN".to_owned(), "JIRA_BASE_URL".to_owned()])
        );
        assert_eq!(
            (token(&config), config.jira.base_url.as_str()),
            ("first".to_owned(), "https://one.example/")
        );
        // Nor does the next change bring it.
        let (config, live, restart) = changed(&mut watch, &path, &text("other", "second", "U34"));
        assert_eq!(
            (live, restart, token(&config)),
            (vec!["MARO_ADMINS".to_owned()], vec![], "first".to_owned())
        );
        // With the address as it was, it's for the site that is asked.
        let (config, live, restart) = changed(&mut watch, &path, &text("one", "second", "U34"));
        assert_eq!(
            (live, restart, token(&config)),
            (vec!["JIRA_API_TOKEN".to_owned()], vec![], "second".to_owned())
        );
    }

    #[test]
    fn a_signing_secret_that_waits_for_a_restart_is_in_no_other_change() {
        let environment = REQUIRED.iter().filter(|(key, _)| *key != SIGNING_SECRET);
        let mut environment: BTreeMap<String, String> =
            environment.map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        environment.insert("SLACK_APP_TOKEN".to_owned(), "xapp-1".to_owned());
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("maro.toml");
        let mut watch = ConfigWatch::over(environment, &path);
        for (number, held) in [(1, vec![SIGNING_SECRET.to_owned(), PREVIOUS.to_owned()]), (22, vec![])] {
            let text =
                format!("{SIGNING_SECRET} = \"s3cret\"\n{PREVIOUS} = \"0ld\"\nMARO_ADMINS = [\"U{number}\"]");
            let (config, live, restart) = changed(&mut watch, &path, &text);
            assert_eq!((live, restart), (vec!["MARO_ADMINS".to_owned()], held));
            assert!(config.slack.signing_secret.is_none() && config.slack.previous_signing_secret.is_none());
        }
    }
}
