//! Reads values from the environment and `maro.toml`. The environment wins. Unknown keys in the file are errors; in the
//! environment, which others fill, too, only those that are near a setting.

use std::{collections::BTreeMap, path::Path};

use crate::config::{
    secret_files,
    settings_table::{KEYS, LISTS, TABLES, is_table},
    unknown,
};
use maro_process::{
    bounded_file::read_text_bounded,
    toml_depth::{self, MAX_DEPTH},
};

/// The largest `maro.toml`, in bytes.
const MAX_FILE_BYTES: u64 = 4 * 1024 * 1024;

/// The one list whose entries are lines: a comma may be in one.
const HEADERS: &str = "JIRA_HEADERS";

/// What the TOML parser says that holds nothing of the file.
const REASONS: [&str; 6] = [
    "duplicate key",
    "unclosed array",
    "unclosed inline table",
    "unclosed table",
    "string values must be quoted",
    "key with no value",
];

/// What the sources say.
#[derive(Clone, Default)]
pub(super) struct Sources {
    /// The value of each key that is set.
    pub(super) values: BTreeMap<String, String>,
    /// Those of [`TABLES`] that there are.
    pub(super) tables: toml::Table,
    /// What is wrong with the sources themselves.
    pub(super) problems: Vec<String>,
    /// Whether nobody knows what the file says, so that nothing can be said to be missing.
    pub(super) is_file_unread: bool,
    /// The secrets whose files give none, each with what is wrong.
    pub(super) unread: BTreeMap<String, String>,
    /// Keys that the file has with a value that the environment's takes the place of.
    pub(super) overridden: Vec<String>,
}

impl Sources {
    /// Whether nothing is set, which is no mistake either.
    pub(super) fn is_blank(&self) -> bool {
        self.values.is_empty() && self.tables.is_empty() && self.problems.is_empty()
    }
}

pub(super) fn read(environment: &BTreeMap<String, String>, file: &Path) -> Sources {
    merge(environment, read_file(file))
}

/// The environment over what the file says.
pub(super) fn merge(environment: &BTreeMap<String, String>, from_file: Sources) -> Sources {
    let Sources { mut values, tables, mut problems, is_file_unread, mut unread, mut overridden } = from_file;
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
        } else if key.starts_with(unknown::PREFIX)
            && !value.trim().is_empty()
            && unknown::is_slip(key, value, &KEYS)
        {
            problems.push(unknown::problem(key, "the environment", &KEYS));
        }
    }
    secret_files::read(&mut values, &mut problems, &mut unread);
    Sources { values, tables, problems, is_file_unread, unread, overridden }
}

/// The other key for the same value.
fn other(key: &str) -> Option<String> {
    match key {
        "DATABASE_URL" => Some("DATABASE_URL_FILE".to_owned()),
        "DATABASE_URL_FILE" => Some("DATABASE_URL".to_owned()),
        _ => secret_files::other(key),
    }
}

/// A variable of the environment that looks like a setting but isn't one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IgnoredVariable {
    pub name: String,
    /// What to do about it, in a sentence.
    pub fix: String,
}

/// The variables of the environment that look like settings, and are none.
pub(super) fn ignored(environment: &BTreeMap<String, String>) -> Vec<IgnoredVariable> {
    let files: Vec<String> = secret_files::keys().collect();
    let known: Vec<&str> = KEYS.into_iter().chain(files.iter().map(String::as_str)).collect();
    let ignored = |(key, value): (&String, &String)| {
        if let Some(fix) = unheard(key, value) {
            return Some(IgnoredVariable { name: key.clone(), fix: fix.to_owned() });
        }
        let is_set = !value.trim().is_empty();
        let capitals = key.to_ascii_uppercase();
        if is_set && capitals != *key && is_known(&capitals) {
            let fix = format!("Names of variables are in capitals: {capitals}.");
            return Some(IgnoredVariable { name: key.clone(), fix });
        }
        if !is_set || is_known(key) || unknown::is_service_link(key, value) {
            return None;
        }
        let fix = if !key.starts_with(unknown::PREFIX) {
            let meant = unknown::nearly(key, &known)?;
            format!(
                "If it was meant to be {meant}, correct its name. Otherwise leave it to the program that needs it."
            )
        } else if let Some(table) =
            TABLES.iter().map(|(table, _)| table).find(|table| is_named_after(key, table))
        {
            format!("[{table}] is a table of maro.toml: write it there.")
        } else if unknown::is_slip(key, value, &KEYS) {
            return None;
        } else {
            "Remove it, unless another program needs it.".to_owned()
        };
        Some(IgnoredVariable { name: key.clone(), fix })
    };
    environment.iter().filter_map(ignored).collect()
}

/// Variables of OpenTelemetry's that say what MARO can't do, each with what to do instead.
fn unheard(key: &str, value: &str) -> Option<&'static str> {
    match key {
        "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT" if !value.trim().is_empty() => {
            Some("MARO sends traces to OTEL_EXPORTER_OTLP_ENDPOINT alone: set that.")
        }
        "OTEL_EXPORTER_OTLP_PROTOCOL" | "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL"
            if !matches!(value.trim(), "" | "http/protobuf") =>
        {
            Some(
                "MARO sends traces by http/protobuf alone: name the collector's port for that in \
                 OTEL_EXPORTER_OTLP_ENDPOINT, which is mostly 4318.",
            )
        }
        _ => None,
    }
}

/// Whether a variable is named after a table, or after something in it.
fn is_named_after(key: &str, table: &str) -> bool {
    let name = key.strip_prefix(unknown::PREFIX).unwrap_or(key).to_ascii_lowercase();
    name == table || name.strip_prefix(table).is_some_and(|rest| rest.starts_with('_'))
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

/// What the file alone says: nothing if there is none.
pub(super) fn read_file(file: &Path) -> Sources {
    let name = file.display();
    let failed =
        |problem: String| Sources { problems: vec![problem], is_file_unread: true, ..Sources::default() };
    let text = match read_text_bounded(file, MAX_FILE_BYTES) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Sources::default(),
        Err(error) => return failed(format!("{name} can't be read: {error}.")),
    };
    let line = |place: usize| text[..place.min(text.len())].matches('\n').count() + 1;
    if let Some(place) = toml_depth::too_deep_at(&text) {
        return failed(format!("{name} nests more than {MAX_DEPTH} levels near line {}.", line(place)));
    }
    let table = match text.parse::<toml::Table>() {
        Ok(table) => table,
        Err(error) => {
            // The library's own message quotes the line, which may contain a secret.
            let line = error.span().map_or(1, |span| line(span.start));
            let reason = REASONS.iter().find(|reason| error.message().starts_with(*reason));
            let reason = reason.map(|reason| format!(": {reason}")).unwrap_or_default();
            return failed(format!("{name} isn't valid TOML near line {line}{reason}."));
        }
    };
    let Sources { mut values, mut tables, mut problems, .. } = Sources::default();
    for (key, value) in table {
        if is_table(&key) {
            tables.insert(key, value);
            continue;
        }
        if !is_known(&key) {
            problems.push(unknown::problem_in_file(&key, value.is_table(), &name.to_string(), &KEYS));
            continue;
        }
        let value = match value {
            toml::Value::String(text) => text,
            toml::Value::Integer(number) => number.to_string(),
            toml::Value::Boolean(answer) => answer.to_string(),
            toml::Value::Array(items) if items.iter().all(toml::Value::is_str) => {
                let separator = if key == HEADERS { "\n" } else { "," };
                items.iter().filter_map(toml::Value::as_str).collect::<Vec<_>>().join(separator)
            }
            toml::Value::Float(_) => {
                problems
                    .push(format!("{key} in {name} can't have a fraction: use a whole number, or a string."));
                continue;
            }
            _ if LISTS.contains(&key.as_str()) => {
                problems.push(format!("{key} in {name} must be a list of strings, each in quotation marks."));
                continue;
            }
            _ => {
                problems.push(format!("{key} in {name} must be a string, a whole number, true or false."));
                continue;
            }
        };
        values.insert(key, value.trim().to_owned());
    }
    Sources { values, tables, problems, ..Sources::default() }
}
