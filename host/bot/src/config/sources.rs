//! Reads values from the environment and `maro.toml`. The environment wins; unknown keys are errors.

use std::{collections::BTreeMap, path::Path};

/// Every known key. The environment may contain other variables, but no other `MARO_…`.
const KEYS: [&str; 27] = [
    "DATABASE_URL",
    "DATABASE_URL_FILE",
    "JIRA_API_TOKEN",
    "JIRA_BASE_URL",
    "JIRA_DEFAULT_PROJECT",
    "JIRA_EMAIL",
    "JIRA_PAT",
    "JIRA_WEBHOOK_SECRET",
    "MARO_ADMINS",
    "MARO_AUDIT_DAYS",
    "MARO_CACHE_DIR",
    "MARO_DATABASE_CONNECTIONS",
    "MARO_DATABASE_POOLER",
    "MARO_HOT_RELOAD",
    "MARO_JIRA_AS",
    "MARO_LISTEN",
    "MARO_LOG",
    "MARO_OPERATOR_LISTEN",
    "MARO_PLUGINS_DIR",
    "MARO_PLUGIN_CHANNEL",
    "MARO_PLUGIN_MEMORY_MIB",
    "MARO_SYNC_INTERVAL_SECS",
    "SLACK_ALLOWED_TEAMS",
    "SLACK_API_URL",
    "SLACK_APP_TOKEN",
    "SLACK_BOT_TOKEN",
    "SLACK_SIGNING_SECRET",
];

/// How similar two names must be for one to be suggested for the other, from 0 to 1.
const MIN_SIMILARITY: f64 = 0.8;

/// The tables of `maro.toml`. The environment can't have them.
const TABLES: [&str; 2] = ["access", "roles"];

/// What the sources say.
#[derive(Default)]
pub(super) struct Sources {
    /// The value of each key that is set.
    pub(super) values: BTreeMap<String, String>,
    /// Those of [`TABLES`] that there are.
    pub(super) tables: toml::Table,
    /// What is wrong with the sources themselves.
    pub(super) problems: Vec<String>,
}

pub(super) fn read(environment: &BTreeMap<String, String>, file: &Path) -> Sources {
    let Sources { mut values, tables, mut problems } = read_file(file);
    for (key, value) in environment {
        if KEYS.contains(&key.as_str()) {
            if value.contains(char::REPLACEMENT_CHARACTER) {
                problems.push(format!("{key} in the environment isn't valid UTF-8."));
                continue;
            }
            // Many process managers use an empty variable to mean "not set".
            if !value.trim().is_empty() {
                values.insert(key.clone(), value.trim().to_owned());
            }
        } else if key.starts_with("MARO_") {
            problems.push(unknown_key(key, "the environment"));
        }
    }
    Sources { values, tables, problems }
}

/// Every key there is, for what has to name them all.
pub fn keys() -> &'static [&'static str] {
    &KEYS
}

fn read_file(file: &Path) -> Sources {
    let name = file.display();
    let failed = |problem: String| Sources { problems: vec![problem], ..Sources::default() };
    let text = match std::fs::read_to_string(file) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Sources::default(),
        Err(error) => return failed(format!("{name} can't be read: {error}.")),
    };
    let table = match text.parse::<toml::Table>() {
        Ok(table) => table,
        Err(error) => {
            // The library's own message quotes the line, which may contain a secret.
            let line =
                error.span().map_or(1, |span| text[..span.start.min(text.len())].lines().count().max(1));
            return failed(format!("{name} isn't valid TOML near line {line}."));
        }
    };
    let Sources { mut values, mut tables, mut problems } = Sources::default();
    for (key, value) in table {
        if TABLES.contains(&key.as_str()) {
            tables.insert(key, value);
            continue;
        }
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
                problems.push(format!("{key} in {name} must be a string, a number, true or false."));
                continue;
            }
        };
        values.insert(key, value.trim().to_owned());
    }
    Sources { values, tables, problems }
}

fn unknown_key(key: &str, place: &str) -> String {
    let similarity = |known: &&&str| strsim::jaro_winkler(key, known);
    let nearest = KEYS
        .iter()
        .filter(|known| is_near(key, known))
        .max_by(|a, b| similarity(a).total_cmp(&similarity(b)));
    match nearest {
        Some(nearest) => format!("{key} in {place} isn't a MARO setting. Did you mean {nearest}?"),
        None => format!("{key} in {place} isn't a MARO setting."),
    }
}

/// Whether `known` may be what was meant: what follows the first `_` is similar, or shares a word.
fn is_near(key: &str, known: &str) -> bool {
    let name = |key| str::split_once(key, '_').map_or(key, |(_, name)| name);
    let (name, known) = (name(key), name(known));
    strsim::jaro_winkler(name, known) >= MIN_SIMILARITY
        || name.split('_').any(|word| known.split('_').any(|other| word == other))
}
