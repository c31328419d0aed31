//! Every setting: whether its value is a secret, and whether a change takes effect without a restart.

use Kind::{AtStart, Live, LiveSecret, SecretAtStart};

/// What kind of setting it is. A secret can be in a file of its own, which the key with `_FILE` at its end names.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// It's read once.
    AtStart,
    /// A change takes effect while MARO runs.
    Live,
    LiveSecret,
    SecretAtStart,
}

/// `DATABASE_URL` may hold a secret, and may be in a file, too: it's read where connections are made.
const SETTINGS: [(&str, Kind); 41] = [
    ("DATABASE_URL", AtStart),
    ("DATABASE_URL_FILE", AtStart),
    ("JIRA_API_TOKEN", LiveSecret),
    ("JIRA_API_URL", AtStart),
    ("JIRA_BASE_URL", AtStart),
    ("JIRA_CLIENT_CERT_FILE", AtStart),
    ("JIRA_CLIENT_ID", Live),
    ("JIRA_CLIENT_SECRET", LiveSecret),
    ("JIRA_DEFAULT_PROJECT", AtStart),
    ("JIRA_EMAIL", Live),
    ("JIRA_HEADERS", LiveSecret),
    ("JIRA_PASSWORD", LiveSecret),
    ("JIRA_PAT", LiveSecret),
    ("JIRA_USER", Live),
    ("JIRA_WEBHOOK_SECRET", LiveSecret),
    ("MARO_ADMINS", Live),
    ("MARO_AUDIT_DAYS", AtStart),
    ("MARO_CACHE_DIR", AtStart),
    ("MARO_CA_FILE", AtStart),
    ("MARO_DATABASE_CONNECTIONS", AtStart),
    ("MARO_DATABASE_POOLER", AtStart),
    ("MARO_DRAIN_SECS", AtStart),
    ("MARO_HOT_RELOAD", AtStart),
    ("MARO_HTTPS_PROXY", SecretAtStart),
    ("MARO_JIRA_AS", AtStart),
    ("MARO_KEEP_ALIVE_SECS", AtStart),
    ("MARO_LISTEN", AtStart),
    ("MARO_LOG", Live),
    ("MARO_NO_PROXY", AtStart),
    ("MARO_OPERATOR_LISTEN", AtStart),
    ("MARO_PLUGINS_DIR", AtStart),
    ("MARO_PLUGIN_CHANNEL", AtStart),
    ("MARO_PLUGIN_MEMORY_MIB", AtStart),
    ("MARO_SYNC_INTERVAL_SECS", Live),
    ("OTEL_EXPORTER_OTLP_ENDPOINT", AtStart),
    ("SLACK_ALLOWED_TEAMS", AtStart),
    ("SLACK_API_URL", AtStart),
    ("SLACK_APP_TOKEN", LiveSecret),
    ("SLACK_BOT_TOKEN", LiveSecret),
    ("SLACK_SIGNING_SECRET", LiveSecret),
    ("SLACK_SIGNING_SECRET_PREVIOUS", LiveSecret),
];

/// The tables of `maro.toml`, each with what may stand in it. The environment can't have them, and their changes take
/// effect while MARO runs.
pub(super) const TABLES: [(&str, &[&str]); 2] = [
    ("access", &["projects", "shared-channels", "security-levels", "channel"]),
    ("roles", &["track", "create", "notify", "plugins"]),
];

/// The settings that are lists of several values.
pub(super) const LISTS: [&str; 4] = ["JIRA_HEADERS", "MARO_ADMINS", "MARO_NO_PROXY", "SLACK_ALLOWED_TEAMS"];

pub(super) const KEYS: [&str; SETTINGS.len()] = {
    let mut keys = [""; SETTINGS.len()];
    let mut number = 0;
    while number < keys.len() {
        keys[number] = SETTINGS[number].0;
        number += 1;
    }
    keys
};

/// Those whose values are secrets.
pub(super) fn secrets() -> impl Iterator<Item = &'static str> {
    SETTINGS.into_iter().filter(|(_, kind)| matches!(kind, LiveSecret | SecretAtStart)).map(|(key, _)| key)
}

/// Whether the values of this key are secrets.
pub(super) fn is_secret(key: &str) -> bool {
    secrets().any(|secret| secret == key)
}

/// Whether this is one of [`TABLES`].
pub(super) fn is_table(key: &str) -> bool {
    TABLES.iter().any(|(table, _)| *table == key)
}

/// Whether a change of this key, or of this table in brackets, takes effect while MARO runs.
pub(super) fn is_live(key: &str) -> bool {
    let table = key.strip_prefix('[').and_then(|key| key.strip_suffix(']'));
    table.is_some_and(is_table) || SETTINGS.contains(&(key, Live)) || SETTINGS.contains(&(key, LiveSecret))
}
