//! Settings with which others could read secrets or what is sent. They keep nobody from starting: who runs the bot
//! is warned, as there may be reasons that can't be seen from here.

use std::{os::unix::fs::PermissionsExt as _, path::Path};

use url::{Host, Url};

use crate::config::{Config, every_setting::is_secret};
use maro_store::{config::DatabaseConfig, database::postgres::address::Address};

/// What the permissions of a file say of people who are neither its owner nor in its group.
const READABLE_BY_OTHERS: u32 = 0o004;

/// Something that others could read, and what to do about it. Each is a sentence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exposure {
    pub what: String,
    pub fix: &'static str,
}

/// What these settings expose; `file` is where they may have come from.
pub(super) fn exposures(config: &Config, file: &Path) -> Vec<Exposure> {
    let addresses =
        [("JIRA_BASE_URL", &config.jira.base_url, "Jira"), ("SLACK_API_URL", &config.slack.api_url, "Slack")];
    let unencrypted =
        addresses.into_iter().filter(|(_, url, _)| is_unencrypted(url)).map(|(key, _, service)| {
            let what = format!(
                "{key} starts with http://: anyone on the network path to {service} can read MARO's token."
            );
            Exposure { what, fix: "Use https://." }
        });
    [open_file(file), open_database(&config.database)].into_iter().flatten().chain(unencrypted).collect()
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
