//! Calls of what MARO depends on: the database, Jira, Slack.

use std::time::Duration;

use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram},
    registry::Registry,
};

/// The bounds of the histograms, in seconds: from a read of SQLite to a creation in Jira that takes its time.
const BOUNDS: [f64; 13] =
    [0.25e-3, 0.5e-3, 1e-3, 2.5e-3, 5e-3, 10e-3, 25e-3, 0.1, 0.25, 1.0, 2.5, 10.0, 30.0];

/// The labels are names in the code, never what somebody typed.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct EndedLabels {
    call: &'static str,
    outcome: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct CallLabels {
    call: &'static str,
}

/// How calls of one neighbour end, and how long they take. Clones count together.
#[derive(Debug, Clone)]
pub struct Calls {
    ended: Family<EndedLabels, Counter>,
    seconds: Family<CallLabels, Histogram, fn() -> Histogram>,
}

impl Default for Calls {
    fn default() -> Self {
        Self { ended: Family::default(), seconds: Family::new_with_constructor(|| Histogram::new(BOUNDS)) }
    }
}

impl Calls {
    /// `what` says which calls they are.
    pub(super) fn registered(registry: &mut Registry, neighbour: &str, what: &str) -> Self {
        let calls = Self::default();
        registry.register(format!("{neighbour}_calls"), format!("{what}, by outcome"), calls.ended.clone());
        let seconds = format!("{neighbour}_call_seconds");
        registry.register(seconds, format!("{what}: how long they take"), calls.seconds.clone());
        calls
    }

    pub fn ended(&self, call: &'static str, outcome: &'static str, took: Duration) {
        self.not_made(call, outcome);
        self.seconds.get_or_create(&CallLabels { call }).observe(took.as_secs_f64());
    }

    /// A call that wasn't made at all.
    pub fn not_made(&self, call: &'static str, outcome: &'static str) {
        self.ended.get_or_create(&EndedLabels { call, outcome }).inc();
    }
}

/// Which kinds of requests to Jira are held back. Clones show the same.
#[derive(Debug, Clone, Default)]
pub struct Breakers {
    pub(super) open: Family<CallLabels, Gauge>,
}

impl Breakers {
    pub fn set(&self, call: &'static str, is_open: bool) {
        self.open.get_or_create(&CallLabels { call }).set(i64::from(is_open));
    }
}

#[derive(Debug, Clone, Default)]
pub struct JiraMetrics {
    pub calls: Calls,
    pub breakers: Breakers,
}
