//! How a plugin is doing: its measurements, and whether it is run at all.

use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;

use crate::{
    plugin_changes::{Events, PluginChange},
    running::{
        invoke::{Answer, Fault},
        plugin_pauses::PAUSES,
        slow_guest_threads::Habit,
        version::Version,
    },
};
use maro_process::{
    breaker::{Admission, Breaker, BreakerStatus, Turn},
    metrics::commands::{CountedOutcome, SubcommandMetrics},
};

/// The latest fault of an invocation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LastFault {
    pub fault: String,
    /// The id by which the person and the log refer to it.
    pub incident: String,
    pub at: Timestamp,
}

/// What is known from a plugin's invocations.
pub(crate) struct PluginHealth {
    pub(super) habit: Habit,
    pub(super) metrics: SubcommandMetrics,
    breaker: Breaker<Timestamp>,
    last_fault: Mutex<Option<LastFault>>,
    events: Events,
}

impl PluginHealth {
    pub(crate) fn new(metrics: SubcommandMetrics, events: Events) -> Self {
        let (habit, breaker) = (Habit::default(), Breaker::new(PAUSES));
        Self { habit, metrics, breaker, last_fault: Mutex::default(), events }
    }

    /// The health of the same plugin under another manifest: past faults no longer count, but the latest is still
    /// shown.
    pub(super) fn renewed(&self) -> Self {
        let new = Self::new(self.metrics.clone(), self.events.clone());
        Self { last_fault: Mutex::new(self.last_fault()), ..new }
    }

    pub(super) fn now(&self) -> Timestamp {
        self.events.clock().now()
    }

    /// Lets an invocation through, or says when the next one may try.
    pub(super) fn admit(&self) -> Result<Admission<'_, Timestamp>, Timestamp> {
        self.breaker
            .admit(self.events.clock().now())
            .inspect_err(|_| self.metrics.count(CountedOutcome::CircuitOpen))
    }

    /// Counts how an invocation ended.
    pub(super) fn ended(
        &self,
        version: &Version,
        admission: Admission<'_, Timestamp>,
        result: &Result<Answer, Fault>,
    ) {
        self.metrics.count(match result {
            Ok(Answer::Reply(_)) => CountedOutcome::Replied,
            Ok(Answer::Usage(_)) => CountedOutcome::Usage,
            Ok(Answer::Failed(_)) => CountedOutcome::Failed,
            Err(Fault::TimedOut { .. }) => CountedOutcome::TimedOut,
            Err(Fault::Busy | Fault::Crowded) => CountedOutcome::Busy,
            Err(_) => CountedOutcome::Fault,
        });
        let turn = match result {
            Ok(_) => admission.succeeded(),
            // That others take the room says nothing about the plugin, nor does what its operator denies in one channel
            // about the others.
            Err(Fault::Busy | Fault::Crowded | Fault::CircuitOpen { .. } | Fault::OutOfScope { .. }) => None,
            Err(_) => admission.failed(self.events.clock().now()),
        };
        if let Some(turn) = turn {
            self.report(version, turn);
        }
    }

    pub(super) fn note_fault(&self, fault: &Fault, incident: &str) {
        let (fault, incident) = (fault.to_string(), incident.to_owned());
        *self.latest() = Some(LastFault { fault, incident, at: self.now() });
    }

    pub(super) fn last_fault(&self) -> Option<LastFault> {
        self.latest().clone()
    }

    pub(super) fn breaker(&self) -> BreakerStatus<Timestamp> {
        self.breaker.status(self.events.clock().now())
    }

    pub(super) fn forgive(&self) {
        self.breaker.reset();
    }

    fn latest(&self) -> MutexGuard<'_, Option<LastFault>> {
        self.last_fault.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn report(&self, version: &Version, turn: Turn<Timestamp>) {
        let (plugin, digest) = (&*version.description.name, &version.origin.digest);
        let change = match turn {
            Turn::Opened { until, .. } => {
                tracing::error!(plugin, digest, "a plugin failed repeatedly and is paused until {until}");
                PluginChange::BreakerOpened { until }
            }
            Turn::Closed => {
                tracing::info!(plugin, digest, "a plugin is working again");
                PluginChange::BreakerClosed
            }
        };
        self.events.publish(plugin, change);
    }
}
