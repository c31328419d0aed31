//! What `/metrics` shows. Each value is counted where it happens; here are their names and meanings.

pub mod calls;
pub mod commands;
pub mod credentials;
pub mod plugins;
mod registering;

use std::time::Duration;

use prometheus_client::{
    encoding::{EncodeLabelSet, text::encode},
    metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram},
    registry::Registry,
};

use crate::metrics::{
    calls::{Breakers, Calls, JiraMetrics},
    commands::CommandMetrics,
    credentials::Credentials,
    plugins::PluginVersions,
    registering::{counter, family, gauge, registered, with_version},
};

/// The bounds of the histogram of compile times, in seconds: from a small guest in Rust to one in Python.
const COMPILE_BOUNDS: [f64; 8] = [0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 10.0];

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ReasonLabels {
    reason: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OutcomeLabels {
    outcome: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct SubcommandLabels {
    subcommand: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct IntentLabels {
    kind: &'static str,
    outcome: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct AgeLabels {
    age: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct StateLabels {
    state: &'static str,
}

/// All metrics of one running bot.
#[derive(Debug)]
pub struct Metrics {
    /// Commands, by subcommand.
    pub commands: CommandMetrics,
    rejected_requests: Family<ReasonLabels, Counter>,
    late_replies: Family<ReasonLabels, Counter>,
    plugins_loaded: Gauge,
    plugins_refused: Gauge,
    plugins_disabled: Gauge,
    plugin_reloads: Family<OutcomeLabels, Counter>,
    plugin_cache_hits: Counter,
    plugin_compile_seconds: Histogram,
    breakers_open: Family<SubcommandLabels, Gauge>,
    /// Which version of each plugin runs.
    pub plugin_versions: PluginVersions,
    stale_issues_synced: Counter,
    /// How old the oldest stored status is, in seconds.
    pub sync_lag: Gauge,
    /// How old the oldest stored status is once one in a hundred is left out, in seconds.
    pub sync_lag_99th: Gauge,
    intents: Family<IntentLabels, Counter>,
    open_intents: Family<AgeLabels, Gauge>,
    /// How long credentials last.
    pub credentials: Credentials,
    database_connections: Family<StateLabels, Gauge>,
    slack_sockets: Family<StateLabels, Gauge>,
    /// Calls of the database, by operation.
    pub database: Calls,
    /// Requests to Jira, by kind.
    pub jira: JiraMetrics,
    /// Calls of Slack's Web API, by method.
    pub slack: Calls,
    registry: Registry,
}

impl Metrics {
    pub fn new() -> Self {
        let mut registry = Registry::with_prefix("maro");
        let to = &mut registry;
        Self {
            commands: CommandMetrics::registered(to),
            rejected_requests: family(to, "rejected_requests", "Requests refused before anything was done"),
            late_replies: family(to, "late_replies", "Replies sent through response_url, by outcome"),
            stale_issues_synced: counter(to, "issues_synced", "Issues whose status was read from Jira again"),
            sync_lag: gauge(to, "sync_lag_seconds", "Age of the oldest stored status"),
            sync_lag_99th: gauge(
                to,
                "sync_lag_99th_seconds",
                "Age of the stored status of the 99th percentile",
            ),
            plugins_loaded: gauge(to, "plugins_loaded", "Loaded plugins"),
            plugins_refused: gauge(to, "plugins_refused", "Files in the plugins folder that weren't loaded"),
            plugins_disabled: gauge(to, "plugins_disabled", "Plugins turned off"),
            plugin_reloads: family(to, "plugin_reloads", "Changes in the plugins folder, by outcome"),
            plugin_cache_hits: counter(
                to,
                "plugin_cache_hits",
                "Plugins whose compiled code was found in the cache",
            ),
            plugin_compile_seconds: registered(
                to,
                "plugin_compile_seconds",
                "Time to compile a plugin that wasn't in the cache",
                Histogram::new(COMPILE_BOUNDS),
            ),
            plugin_versions: PluginVersions::registered(to),
            breakers_open: family(
                to,
                "plugin_breaker_open",
                "1 while a plugin is paused because it failed repeatedly",
            ),
            intents: family(to, "intents", "Tries to carry out what was asked of Jira, by kind and outcome"),
            open_intents: family(to, "open_intents", "What was asked of Jira and isn't finished, by age"),
            credentials: Credentials::registered(to),
            database_connections: family(to, "database_connections", "Connections to PostgreSQL, by state"),
            slack_sockets: family(to, "slack_sockets", "Connections of Socket Mode, by state"),
            database: Calls::registered(to, "database", "Calls of the database"),
            jira: JiraMetrics {
                calls: Calls::registered(to, "jira", "Requests to Jira"),
                breakers: Breakers {
                    open: family(
                        to,
                        "jira_breaker_open",
                        "1 while Jira isn't asked because it didn't answer",
                    ),
                },
            },
            slack: Calls::registered(to, "slack", "Calls of Slack's Web API"),
            registry: with_version(registry),
        }
    }

    pub fn request_rejected(&self, reason: &'static str) {
        self.rejected_requests.get_or_create(&ReasonLabels { reason }).inc();
    }

    /// `reason` is `delivered` or says why a late reply was not.
    pub fn late_reply(&self, reason: &'static str) {
        self.late_replies.get_or_create(&ReasonLabels { reason }).inc();
    }

    pub fn set_plugins(&self, loaded: usize, refused: usize, disabled: usize) {
        self.plugins_loaded.set(loaded as i64);
        self.plugins_refused.set(refused as i64);
        self.plugins_disabled.set(disabled as i64);
    }

    /// Whether the breaker of each subcommand is open. Others than these have none.
    pub fn set_breakers<'a>(&self, breakers: impl Iterator<Item = (&'a str, bool)>) {
        self.breakers_open.clear();
        for (name, is_open) in breakers {
            let labels = SubcommandLabels { subcommand: name.to_owned() };
            self.breakers_open.get_or_create(&labels).set(i64::from(is_open));
        }
    }

    /// `outcome` says what became of a changed file.
    pub fn plugin_reload(&self, outcome: &'static str) {
        self.plugin_reloads.get_or_create(&OutcomeLabels { outcome }).inc();
    }

    /// `compile_time` is `None` if the code was in the cache.
    pub fn plugin_code(&self, compile_time: Option<Duration>) {
        match compile_time {
            Some(time) => self.plugin_compile_seconds.observe(time.as_secs_f64()),
            None => drop(self.plugin_cache_hits.inc()),
        }
    }

    pub fn issues_synced(&self, count: usize) {
        self.stale_issues_synced.inc_by(count as u64);
    }

    /// How one try to carry out an intent ended.
    pub fn intent(&self, kind: &'static str, outcome: &'static str) {
        self.intents.get_or_create(&IntentLabels { kind, outcome }).inc();
    }

    /// How many intents are open, by age; `None` if nobody knows.
    pub fn set_open_intents(&self, by_age: Option<&[(&'static str, u64)]>) {
        self.open_intents.clear();
        for (age, count) in by_age.into_iter().flatten() {
            let count = i64::try_from(*count).unwrap_or(i64::MAX);
            self.open_intents.get_or_create(&AgeLabels { age }).set(count);
        }
    }

    /// How many connections to the database there are, by state.
    pub fn set_database_connections(&self, by_state: &[(&'static str, usize)]) {
        for (state, count) in by_state {
            self.database_connections.get_or_create(&StateLabels { state }).set(*count as i64);
        }
    }

    /// How many connections Slack's Socket Mode has, and how many it should have.
    pub fn set_slack_sockets(&self, connected: usize, wanted: usize) {
        for (state, count) in [("connected", connected), ("wanted", wanted)] {
            self.slack_sockets.get_or_create(&StateLabels { state }).set(count as i64);
        }
    }

    /// All values in the OpenMetrics text format.
    pub fn render(&self) -> String {
        let mut text = String::new();
        // Writing to a String cannot fail.
        let _ = encode(&mut text, &self.registry);
        text
    }
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}
