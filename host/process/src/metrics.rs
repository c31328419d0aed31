//! What `/metrics` shows. Each value is counted where it happens; here are their names and meanings.

pub mod calls;
pub mod credentials;
pub mod plugins;
mod registering;

use std::{
    hash::Hash,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use prometheus_client::{
    encoding::{EncodeLabelSet, text::encode},
    metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram},
    registry::Registry,
};

use crate::metrics::{
    calls::{Breakers, Calls, JiraMetrics},
    credentials::Credentials,
    plugins::PluginVersions,
    registering::{counter, family, gauge, registered, with_version},
};

/// The bounds of the latency histograms, in seconds: from a bare sandboxed call to Slack's patience.
const LATENCY_BOUNDS: [f64; 14] =
    [25e-6, 50e-6, 100e-6, 250e-6, 500e-6, 1e-3, 2.5e-3, 5e-3, 10e-3, 50e-3, 250e-3, 1.0, 2.5, 10.0];

/// The bounds of the histogram of compile times, in seconds: from a small guest in Rust to one in Python.
const COMPILE_BOUNDS: [f64; 8] = [0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 10.0];

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct CommandLabels {
    subcommand: String,
    outcome: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct PhaseLabels {
    subcommand: String,
    phase: &'static str,
}

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
    commands: Family<CommandLabels, Counter>,
    phases: Family<PhaseLabels, Histogram, fn() -> Histogram>,
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

/// The metrics of one subcommand, looked up once so that counting costs no search.
#[derive(Debug, Clone)]
pub struct SubcommandMetrics {
    outcomes: [Counter; Outcome::ALL.len()],
    instantiate: Histogram,
    guest: Histogram,
    host: Histogram,
    /// What these metrics were told; a histogram does not tell its sum.
    measured: Arc<Mutex<Measured>>,
}

/// Latencies added up.
#[derive(Debug, Clone, Copy, Default)]
struct Measured {
    count: u64,
    latency: Latency,
}

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It was answered.
    Replied,
    /// Its arguments could not be used.
    Usage,
    /// It said that it could not be done.
    Failed,
    /// The plugin trapped, broke a limit or answered nonsense.
    Fault,
    /// It ran out of time.
    TimedOut,
    /// It never began, for lack of a place.
    Busy,
    /// It never began, because the plugin failed repeatedly.
    CircuitOpen,
}

impl Outcome {
    const ALL: [Self; 7] = [
        Self::Replied,
        Self::Usage,
        Self::Failed,
        Self::Fault,
        Self::TimedOut,
        Self::Busy,
        Self::CircuitOpen,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Replied => "replied",
            Self::Usage => "usage",
            Self::Failed => "failed",
            Self::Fault => "fault",
            Self::TimedOut => "timed_out",
            Self::Busy => "busy",
            Self::CircuitOpen => "circuit_open",
        }
    }
}

/// Where the time of one invocation went.
#[derive(Debug, Clone, Copy, Default)]
pub struct Latency {
    pub instantiate: Duration,
    /// In guest code, and moving values in and out of it.
    pub guest: Duration,
    /// In capabilities: Jira, the database.
    pub host: Duration,
}

/// What became of the invocations of one subcommand.
#[derive(Debug, Clone, Copy)]
pub struct Usage {
    /// Since the start of the bot.
    pub outcomes: [(Outcome, u64); Outcome::ALL.len()],
    /// How many have a latency, of those that this very [`SubcommandMetrics`] and its clones observed:
    /// of a plugin, the version that serves.
    pub measured: u64,
    /// Of all those together.
    pub latency: Latency,
}

impl Metrics {
    pub fn new() -> Self {
        let mut registry = Registry::with_prefix("maro");
        let to = &mut registry;
        Self {
            commands: family(to, "commands", "Commands by subcommand and outcome"),
            phases: registered(
                to,
                "invocation_seconds",
                "Time of a plugin's invocations, split into instantiate, guest and host",
                Family::new_with_constructor(|| Histogram::new(LATENCY_BOUNDS)),
            ),
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

    /// The metrics of one subcommand. `name` must be the name of a loaded plugin or of a command of the
    /// host, never what somebody typed: each name is kept for good.
    pub fn subcommand(&self, name: &str) -> SubcommandMetrics {
        let counter = |outcome: Outcome| {
            let labels = CommandLabels { subcommand: name.to_owned(), outcome: outcome.as_str() };
            self.commands.get_or_create_owned(&labels)
        };
        let phase =
            |phase| self.phases.get_or_create_owned(&PhaseLabels { subcommand: name.to_owned(), phase });
        SubcommandMetrics {
            outcomes: Outcome::ALL.map(counter),
            instantiate: phase("instantiate"),
            guest: phase("guest"),
            host: phase("host"),
            measured: Arc::default(),
        }
    }

    /// Counts how a command of the host itself ended.
    pub fn own_command(&self, name: &'static str, outcome: Outcome) {
        let labels = CommandLabels { subcommand: name.to_owned(), outcome: outcome.as_str() };
        self.commands.get_or_create(&labels).inc();
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

impl SubcommandMetrics {
    pub fn count(&self, outcome: Outcome) {
        self.outcomes[outcome as usize].inc();
    }

    pub fn usage(&self) -> Usage {
        let Measured { count, latency } = *self.measured();
        Usage {
            outcomes: Outcome::ALL.map(|outcome| (outcome, self.outcomes[outcome as usize].get())),
            measured: count,
            latency,
        }
    }

    pub fn observe(&self, latency: Latency) {
        self.instantiate.observe(latency.instantiate.as_secs_f64());
        self.guest.observe(latency.guest.as_secs_f64());
        self.host.observe(latency.host.as_secs_f64());
        let mut measured = self.measured();
        measured.count += 1;
        measured.latency.instantiate += latency.instantiate;
        measured.latency.guest += latency.guest;
        measured.latency.host += latency.host;
    }

    /// No code panics while it holds the lock.
    fn measured(&self) -> MutexGuard<'_, Measured> {
        self.measured.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
