//! Secrets in files of their own: `KEY_FILE` names the file that holds the value of `KEY`.

use std::{collections::BTreeMap, path::Path};

use crate::config::{edges, settings_table::secrets};
use maro_process::bounded_file::read_value;

const SUFFIX: &str = "_FILE";

/// The other key for the same secret: `KEY_FILE` of `KEY`, and the other way round.
pub(super) fn other(key: &str) -> Option<String> {
    match key.strip_suffix(SUFFIX) {
        Some(secret) => secrets().find(|known| *known == secret).map(str::to_owned),
        None => secrets().find(|known| *known == key).map(|key| format!("{key}{SUFFIX}")),
    }
}

/// Whether this names the file of a secret.
pub(super) fn is_file_key(key: &str) -> bool {
    key.ends_with(SUFFIX) && other(key).is_some()
}

/// The keys that name files of secrets.
pub(super) fn keys() -> impl Iterator<Item = String> {
    secrets().map(|key| format!("{key}{SUFFIX}"))
}

/// Reads the files that the settings name. `unread` gets the secrets that there are none in, with what is wrong.
pub(super) fn read(
    values: &mut BTreeMap<String, String>,
    problems: &mut Vec<String>,
    unread: &mut BTreeMap<String, String>,
) {
    for key in secrets() {
        let file_key = format!("{key}{SUFFIX}");
        let Some(file) = values.get(&file_key).filter(|file| !file.is_empty()) else { continue };
        if values.get(key).is_some_and(|value| !value.is_empty()) {
            problems.push(format!("{key} and {file_key} are both set: remove one of them."));
            continue;
        }
        match read_secret(key, file) {
            Ok(secret) => {
                values.insert(key.to_owned(), secret);
            }
            Err(problem) => {
                unread.insert(key.to_owned(), format!("{file_key} names the file {file}, {problem}"));
            }
        }
    }
}

/// # Errors
/// What is wrong, as the end of a sentence about the file.
fn read_secret(key: &str, file: &str) -> Result<String, String> {
    let secret = read_value(Path::new(file)).map_err(|error| format!("which can't be read: {error}."))?;
    if secret.is_empty() {
        return Err("which is empty.".to_owned());
    }
    match edges::check(key, &secret).0.first() {
        Some(flaw) => Err(format!("whose content {flaw}")),
        None => Ok(secret),
    }
}
