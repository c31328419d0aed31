//! The tables of `maro.toml`, and what is wrong with them.

use maro_process::toml_problem;
use serde::de::DeserializeOwned;

use crate::config::{parse::Settings, settings_table::KEYS};

impl Settings {
    /// A table of `maro.toml`, or its default.
    pub(super) fn table<T: DeserializeOwned + Default>(&mut self, name: &str) -> Option<T> {
        let Some(table) = self.tables.remove(name) else { return Some(T::default()) };
        if !table.is_table() {
            return self.problem(format!(
                "{name} in maro.toml must be one table: a line [{name}], and its settings below."
            ));
        }
        if let Some(channel) = list_for_channel(&table) {
            return self.problem(format!(
                "[{name}] in maro.toml: expected a table, not a list: a line [{name}.channel.{channel}], and its settings \
                 below."
            ));
        }
        match table.try_into() {
            Ok(value) => Some(value),
            Err(error) => self.problem(table_problem(name, &error)),
        }
    }
}

/// A channel that has a list, whose entries would be taken for the settings of its table, one after the other.
fn list_for_channel(table: &toml::Value) -> Option<&str> {
    let channels = table.get("channel")?.as_table()?;
    channels.iter().find(|(_, policy)| policy.is_array()).map(|(channel, _)| channel.as_str())
}

/// What is wrong with a table, without the reader's own words for types.
fn table_problem(name: &str, error: &toml::de::Error) -> String {
    let text = error.to_string();
    let place =
        text.lines().skip(1).find(|line| line.starts_with("in `")).map(|line| format!(", {}", line.trim()));
    let message = error.message().trim_end_matches('.');
    let misplaced = message.strip_prefix("unknown field `").and_then(|rest| rest.split('`').next());
    if let Some(key) = misplaced.filter(|key| KEYS.contains(key)) {
        return format!(
            "{key} in maro.toml belongs to the table [{name}] where it is: move it above the tables."
        );
    }
    let message = toml_problem::without_value(message);
    format!("[{name}] in maro.toml: {message}{}.", place.unwrap_or_default())
}
