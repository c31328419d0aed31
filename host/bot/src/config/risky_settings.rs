//! Settings with which others could read secrets or what is sent, or that can hardly be meant. They keep nobody from
//! starting: who runs the bot is warned, as there may be reasons that can't be seen from here.

use std::{os::unix::fs::PermissionsExt as _, path::Path};

use url::{Host, Url};

use crate::config::{Config, edges::is_quoted, settings_table::is_secret};
use maro_jira::config::JiraCredentials;
use maro_process::secret::Secret;
use maro_store::{config::DatabaseConfig, database::postgres::address::Address};

/// What the permissions of a file say of people who are neither its owner nor in its group.
const READABLE_BY_OTHERS: u32 = 0o004;

/// What stands for a secret in `maro.example.toml`.
const PLACEHOLDER: &str = "replace-me";

/// Something that others could read, or that can hardly be meant, and what to do about it. Each is a sentence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exposure {
    pub what: String,
    pub fix: &'static str,
}

/// What these settings expose; `file` is where they may have come from.
pub(super) fn exposures(config: &Config, file: &Path) -> Vec<Exposure> {
    let addresses =
        [("JIRA_BASE_URL", &config.jira.base_url, "Jira"), ("SLACK_API_URL", &config.slack.api_url, "Slack")];
    let api = config.jira.api_url.as_ref().map(|url| ("JIRA_API_URL", url, "Jira"));
    let unencrypted = addresses.into_iter().chain(api).filter(|(_, url, _)| is_unencrypted(url)).map(
        |(key, _, service)| {
            let what = format!(
                "{key} starts with http://: anyone on the network path to {service} can read MARO's token."
            );
            Exposure { what, fix: "Use https://." }
        },
    );
    let found = [open_file(file), open_database(&config.database), gateway(config)].into_iter().flatten();
    found.chain(unencrypted).chain(quoted(config)).collect()
}

/// The gateway as the site, where no browser finds an issue.
fn gateway(config: &Config) -> Option<Exposure> {
    config.jira.has_gateway_for_site().then(|| Exposure {
        what: "JIRA_BASE_URL is the address of Atlassian's gateway, so MARO's links don't work.".to_owned(),
        fix: "Set JIRA_BASE_URL to the site, and JIRA_API_URL to that address.",
    })
}

/// Secrets of any characters that are in quotation marks. Of others, which can't have any, that is an error.
fn quoted(config: &Config) -> impl Iterator<Item = Exposure> {
    let password = match &config.jira.credentials {
        JiraCredentials::Password { password, .. } => Some(password),
        _ => None,
    };
    let secrets = [("JIRA_PASSWORD", password), ("JIRA_WEBHOOK_SECRET", config.jira.webhook_secret.as_ref())];
    let quoted =
        secrets.into_iter().filter(|(_, secret)| secret.is_some_and(|secret| is_quoted(secret.expose())));
    quoted.map(|(key, _)| Exposure {
        what: format!("{key} begins and ends with a quotation mark, which is taken for a part of it here."),
        fix: "Remove both, unless they do belong to it.",
    })
}

/// The secrets that are still what MARO's example has in their place.
pub(super) fn placeholders(config: &Config) -> Vec<&'static str> {
    let slack = &config.slack;
    let mut secrets = vec![
        ("SLACK_SIGNING_SECRET", slack.signing_secret.as_ref()),
        ("SLACK_SIGNING_SECRET_PREVIOUS", slack.previous_signing_secret.as_ref()),
        ("SLACK_BOT_TOKEN", Some(&slack.bot_token)),
        ("SLACK_APP_TOKEN", slack.app_token.as_ref()),
        ("JIRA_WEBHOOK_SECRET", config.jira.webhook_secret.as_ref()),
    ];
    secrets.push(match &config.jira.credentials {
        JiraCredentials::Cloud { api_token, .. } => ("JIRA_API_TOKEN", Some(api_token)),
        JiraCredentials::DataCenter { token } => ("JIRA_PAT", Some(token)),
        JiraCredentials::ServiceAccount { client_secret, .. } => ("JIRA_CLIENT_SECRET", Some(client_secret)),
        JiraCredentials::Password { password, .. } => ("JIRA_PASSWORD", Some(password)),
    });
    let is_placeholder = |secret: &Secret| secret.expose().ends_with(PLACEHOLDER);
    secrets.into_iter().filter(|(_, secret)| secret.is_some_and(is_placeholder)).map(|(key, _)| key).collect()
}

fn open_file(file: &Path) -> Option<Exposure> {
    let mode = std::fs::metadata(file).ok()?.permissions().mode();
    let is_open = mode & READABLE_BY_OTHERS != 0;
    // Without secrets in it, as where each is in a file of its own, others may read it.
    (is_open && has_secrets(file)).then(|| Exposure {
        what: format!("Anyone on this machine can read {} and the secrets in it.", file.display()),
        fix: "Run `chmod o= maro.toml`.",
    })
}

fn has_secrets(file: &Path) -> bool {
    let Ok(text) = std::fs::read_to_string(file) else { return true };
    let Ok(settings) = text.parse::<toml::Table>() else { return true };
    settings.iter().any(|(key, value)| {
        // A URL may have a password.
        key == "DATABASE_URL" && value.as_str().is_some_and(|url| url.contains('@')) || is_secret(key)
    })
}

fn open_database(database: &DatabaseConfig) -> Option<Exposure> {
    let DatabaseConfig::Postgres(config) = database else { return None };
    let address = Address::parse(&config.url.read().ok()?).ok()?;
    address.is_exposed().then(|| Exposure {
        what: "DATABASE_URL doesn't demand TLS, and PostgreSQL isn't on this machine: anyone on the network \
        path can read \
               what is stored."
            .to_owned(),
        fix: "Add sslmode=verify-full to it, or at least sslmode=require.",
    })
}

/// Whether what is sent to an address leaves this machine as plain text.
fn is_unencrypted(url: &Url) -> bool {
    let is_loopback = match url.host() {
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.to_canonical().is_loopback(),
        None => false,
    };
    url.scheme() == "http" && !is_loopback
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_has_secrets_if_one_stands_in_it_itself() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("maro.toml");
        for (text, expected) in [
            ("MARO_SYNC_INTERVAL_SECS = 300", false),
            ("SLACK_BOT_TOKEN_FILE = \"/run/secrets/slack\"", false),
            ("DATABASE_URL = \"postgres://db.corp.example/maro\"", false),
            ("DATABASE_URL = \"postgres://maro:secret@db.corp.example/maro\"", true),
            ("SLACK_BOT_TOKEN = \"xoxb-1\"", true),
            ("JIRA_API_TOKEN = \"ATATT\"", true),
            ("this = is not TOML", true),
        ] {
            std::fs::write(&file, text).unwrap();
            assert_eq!(has_secrets(&file), expected, "{text}");
        }
        assert!(has_secrets(&folder.path().join("none.toml")), "who can't read it doesn't know");
    }
}
