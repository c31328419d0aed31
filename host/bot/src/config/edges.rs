//! What files of variables and editors add to a value: quotation marks, the setting's own name, further lines.

use crate::config::settings_table::is_secret;

/// Secrets that may well begin and end with a quotation mark.
const OF_ANY_CHARACTERS: [&str; 2] = ["JIRA_PASSWORD", "JIRA_WEBHOOK_SECRET"];

/// The secret that is a list.
const OF_MANY_LINES: &str = "JIRA_HEADERS";

/// What is around a value that doesn't belong to it, each as the end of a sentence about the value, and what is left.
pub(super) fn check<'a>(key: &str, value: &'a str) -> (Vec<String>, &'a str) {
    let (mut flaws, mut value) = (Vec::new(), value);
    if let Some(rest) = after_name(key, value) {
        flaws.push(format!("begins with its own name: leave out {key}=."));
        value = rest;
    }
    if is_quoted(value) && !OF_ANY_CHARACTERS.contains(&key) {
        flaws.push(
            "begins and ends with a quotation mark, which is taken for a part of it here: remove both."
                .to_owned(),
        );
        value = &value[1..value.len() - 1];
    }
    if is_secret(key) && key != OF_MANY_LINES && value.trim().contains(['\n', '\r']) {
        flaws.push("has more than one line.".to_owned());
    }
    (flaws, value)
}

/// A line of a file of variables, instead of the value in it.
fn after_name<'a>(key: &str, value: &'a str) -> Option<&'a str> {
    let line = value.strip_prefix("export ").unwrap_or(value).trim_start();
    line.strip_prefix(key)?.trim_start().strip_prefix('=').map(str::trim_start)
}

/// Whether a value is in quotation marks, as where something that reads files of variables keeps them.
pub(super) fn is_quoted(value: &str) -> bool {
    let is_within = |mark: char| value.len() > 1 && value.starts_with(mark) && value.ends_with(mark);
    is_within('"') || is_within('\'')
}
