//! How commands ended, and where their time went.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family, histogram::Histogram},
    registry::Registry,
};

use crate::metrics::registering::{family, registered};

/// The bounds of the latency histograms, in seconds: from a bare sandboxed call to Slack's patience.
const LATENCY_BOUNDS: [f64; 14] =
    [25e-6, 50e-6, 100e-6, 250e-6, 500e-6, 1e-3, 2.5e-3, 5e-3, 10e-3, 50e-3, 250e-3, 1.0, 2.5, 10.0];

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

#[derive(Debug)]
pub struct CommandMetrics {
    commands: Family<CommandLabels, Counter>,
    phases: Family<PhaseLabels, Histogram, fn() -> Histogram>,
}

/// The metrics of one subcommand, looked up once so that counting costs no search.
#[derive(Debug, Clone)]
pub struct SubcommandMetrics {
    outcomes: [Counter; CountedOutcome::ALL.len()],
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
pub enum CountedOutcome {
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

impl CountedOutcome {
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
    pub outcomes: [(CountedOutcome, u64); CountedOutcome::ALL.len()],
    /// How many have a latency, of those that this very [`SubcommandMetrics`] and its clones observed:
    /// of a plugin, the version that serves.
    pub measured: u64,
    /// Of all those together.
    pub latency: Latency,
}

impl CommandMetrics {
    pub(super) fn registered(to: &mut Registry) -> Self {
        Self {
            commands: family(to, "commands", "Commands by subcommand and outcome"),
            phases: registered(
                to,
                "invocation_seconds",
                "Time of a plugin's invocations, split into instantiate, guest and host",
                Family::new_with_constructor(|| Histogram::new(LATENCY_BOUNDS)),
            ),
        }
    }

    /// The metrics of one subcommand. `name` must be the name of a loaded plugin or of a command of the
    /// host, never what somebody typed: each name is kept for good.
    pub fn of(&self, name: &str) -> SubcommandMetrics {
        let counter = |outcome: CountedOutcome| {
            let labels = CommandLabels { subcommand: name.to_owned(), outcome: outcome.as_str() };
            self.commands.get_or_create_owned(&labels)
        };
        let phase =
            |phase| self.phases.get_or_create_owned(&PhaseLabels { subcommand: name.to_owned(), phase });
        SubcommandMetrics {
            outcomes: CountedOutcome::ALL.map(counter),
            instantiate: phase("instantiate"),
            guest: phase("guest"),
            host: phase("host"),
            measured: Arc::default(),
        }
    }

    /// Counts how a command of the host itself ended.
    pub fn count_own(&self, name: &'static str, outcome: CountedOutcome) {
        let labels = CommandLabels { subcommand: name.to_owned(), outcome: outcome.as_str() };
        self.commands.get_or_create(&labels).inc();
    }
}

impl SubcommandMetrics {
    pub fn count(&self, outcome: CountedOutcome) {
        self.outcomes[outcome as usize].inc();
    }

    pub fn usage(&self) -> Usage {
        let Measured { count, latency } = *self.measured();
        Usage {
            outcomes: CountedOutcome::ALL.map(|outcome| (outcome, self.outcomes[outcome as usize].get())),
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
