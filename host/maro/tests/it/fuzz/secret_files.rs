//! Secrets in files, as operators and their tools write them.

use std::{collections::BTreeMap, fs, path::Path};

use maro_bot::config::Config;

use crate::fuzz::fuzz;

#[test]
fn a_secret_in_a_file_is_what_is_in_it_or_refused_without_a_word_of_it() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("secret");
    let path = file.to_string_lossy().into_owned();
    let set = [
        ("SLACK_BOT_TOKEN", "xoxb-1"),
        ("SLACK_SIGNING_SECRET_FILE", &path),
        ("JIRA_BASE_URL", "https://example.atlassian.net"),
        ("JIRA_EMAIL", "bot@example.com"),
        ("JIRA_API_TOKEN_FILE", &path),
    ];
    let environment: BTreeMap<_, _> =
        set.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    fuzz("secret_files", |bytes| {
        fs::write(&file, bytes).unwrap();
        match Config::from_sources(&environment, Path::new("/no/such/maro.toml")) {
            Ok(config) => {
                let secret = config.slack.signing_secret.unwrap();
                assert_eq!(secret.expose(), std::str::from_utf8(bytes).unwrap().trim());
                assert!(!secret.expose().is_empty());
                assert!(!format!("{:?}", config.jira.credentials).contains("Hunter2"));
            }
            Err(problems) => {
                assert!(!problems.0.is_empty());
                assert!(problems.0.iter().all(|sentence| sentence.ends_with('.')), "{problems:?}");
                assert!(!problems.to_string().contains("Hunter2"), "{problems}");
            }
        }
    });
}
