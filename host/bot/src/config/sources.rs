//! Reads values from the environment and `maro.toml`. The environment wins. Unknown keys in the file are errors; in the
//! environment, which others fill, too, only those that are near a setting.

use std::{collections::BTreeMap, path::Path};

use crate::config::{every_setting::KEYS, secret_files, unknown};
use maro_process::{
    bounded_file::read_text_bounded,
    toml_depth::{self, MAX_DEPTH},
};

/// The largest `maro.toml`, in bytes.
const MAX_FILE_BYTES: u64 = 4 * 1024 * 1024;

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
    /// Keys that the file has with a value that the environment's takes the place of.
    pub(super) overridden: Vec<String>,
}

pub(super) fn read(environment: &BTreeMap<String, String>, file: &Path) -> Sources {
    let Sources { mut values, tables, mut problems, mut overridden } = read_file(file);
    for (key, value) in environment {
        if is_known(key) {
            if value.contains(char::REPLACEMENT_CHARACTER) {
                problems.push(format!("{key} in the environment isn't valid UTF-8."));
                continue;
            }
            // Many process managers use an empty variable to mean "not set".
            if !value.trim().is_empty() {
                if let Some(other) = other(key).filter(|other| !is_set(environment, other)) {
                    overridden.extend(values.remove(&other).map(|_| other));
                }
                let value = value.trim();
                let replaced = values.insert(key.clone(), value.to_owned());
                overridden.extend(replaced.filter(|replaced| replaced != value).map(|_| key.clone()));
            }
        } else if key.starts_with(unknown::PREFIX) && unknown::is_slip(key, value, &KEYS) {
            problems.push(unknown::problem(key, "the environment", &KEYS));
        }
    }
    secret_files::read(&mut values, &mut problems);
    Sources { values, tables, problems, overridden }
}

/// The other key for the same value.
fn other(key: &str) -> Option<String> {
    match key {
        "DATABASE_URL" => Some("DATABASE_URL_FILE".to_owned()),
        "DATABASE_URL_FILE" => Some("DATABASE_URL".to_owned()),
        _ => secret_files::other(key),
    }
}

/// The variables of the environment that look like settings, and are none.
pub(super) fn ignored(environment: &BTreeMap<String, String>) -> Vec<String> {
    let is_ignored = |(key, value): &(&String, &String)| {
        key.starts_with(unknown::PREFIX)
            && !is_known(key)
            && !unknown::is_service_link(key, value)
            && !unknown::is_slip(key, value, &KEYS)
    };
    environment.iter().filter(is_ignored).map(|(key, _)| key.clone()).collect()
}

fn is_known(key: &str) -> bool {
    KEYS.contains(&key) || secret_files::is_file_key(key)
}

/// Whether this names the file of a secret.
pub(super) fn is_secret_file(key: &str) -> bool {
    secret_files::is_file_key(key)
}

fn is_set(environment: &BTreeMap<String, String>, key: &str) -> bool {
    environment.get(key).is_some_and(|value| !value.trim().is_empty())
}

/// Every key there is, for what has to name them all. Each secret may also be in a file.
pub fn keys() -> &'static [&'static str] {
    &KEYS
}

fn read_file(file: &Path) -> Sources {
    let name = file.display();
    let failed = |problem: String| Sources { problems: vec![problem], ..Sources::default() };
    let text = match read_text_bounded(file, MAX_FILE_BYTES) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Sources::default(),
        Err(error) => return failed(format!("{name} can't be read: {error}.")),
    };
    let line = |place: usize| text[..place.min(text.len())].lines().count().max(1);
    if let Some(place) = toml_depth::too_deep_at(&text) {
        return failed(format!("{name} nests more than {MAX_DEPTH} levels near line {}.", line(place)));
    }
    let table = match text.parse::<toml::Table>() {
        Ok(table) => table,
        Err(error) => {
            // The library's own message quotes the line, which may contain a secret.
            let line = error.span().map_or(1, |span| line(span.start));
            return failed(format!("{name} isn't valid TOML near line {line}."));
        }
    };
    let Sources { mut values, mut tables, mut problems, overridden } = Sources::default();
    for (key, value) in table {
        if TABLES.contains(&key.as_str()) {
            tables.insert(key, value);
            continue;
        }
        if !is_known(&key) {
            problems.push(unknown::problem(&key, &name.to_string(), &KEYS));
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
    Sources { values, tables, problems, overridden }
}
