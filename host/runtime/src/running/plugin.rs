//! One plugin that is running, and its commands.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use jiff::Timestamp;
use tokio::time::sleep;
use tracing::Instrument as _;

use crate::{
    invocation::{Invocation, services::HostServices},
    policy::admission::Forbidden,
    policy::manifest::Manifest,
    recording::tape::{Ending, Tape},
    running::{
        invoke::{self, Answer, Fault},
        manifest_in_force::ManifestInForce,
        plugin_health::{LastFault, PluginHealth},
        pool_places::NoPlace,
        served_since::{Before, Tenure},
        version::{Description, Version},
    },
};
use maro_domain::{caller::Caller, ids::Incident};
use maro_process::{breaker::BreakerStatus, metrics::commands::SubcommandMetrics, spans};

/// How long a refusal takes that isn't the plugin's fault. It costs next to nothing, so a crowd that asks again at once
/// would ask tens of thousands of times a second, and take the processors from everybody else.
const REFUSAL_PAUSE: Duration = Duration::from_millis(200);

/// A version of a plugin with its health, under the manifest in force.
pub struct LoadedPlugin {
    version: Arc<Version>,
    in_force: ManifestInForce,
    health: PluginHealth,
    tenure: Tenure,
    /// Stands for the component with its manifest and its recorded cases. Empty if it wasn't noted.
    content: String,
}

impl LoadedPlugin {
    /// A version that runs from now on, and the first to do so.
    pub(crate) fn new(version: Arc<Version>, in_force: ManifestInForce, health: PluginHealth) -> Self {
        let tenure = Tenure { since: health.now(), before: None };
        Self { version, in_force, health, tenure, content: String::new() }
    }

    /// Whether this is the version with that content.
    pub fn runs(&self, content: &str) -> bool {
        self.content == content
    }

    pub(crate) fn set_content(&mut self, content: String) {
        self.content = content;
    }

    /// Takes the place of another version, or of the same one under another manifest.
    pub(crate) fn succeed(&mut self, earlier: &Self) {
        self.tenure = if earlier.digest() == self.digest() {
            earlier.tenure.clone()
        } else {
            let version = earlier.description().version.clone();
            let before = Some(Before { version, digest: earlier.digest().to_owned() });
            Tenure { since: self.tenure.since, before }
        };
    }

    /// Since when it runs, and what ran before.
    pub fn tenure(&self) -> &Tenure {
        &self.tenure
    }

    /// How large the component is, in bytes.
    pub fn size(&self) -> usize {
        self.version.size
    }

    pub(crate) fn version(&self) -> &Arc<Version> {
        &self.version
    }

    /// What it says of itself.
    pub fn description(&self) -> &Description {
        &self.version.description
    }

    /// The subcommand: the name of its file, without the ending.
    pub fn name(&self) -> &str {
        &self.version.description.name
    }

    /// SHA-256 of the component, in hexadecimal.
    pub fn digest(&self) -> &str {
        &self.version.origin.digest
    }

    /// The name of its `NAME.toml`.
    pub(crate) fn manifest_file(&self) -> &str {
        &self.version.origin.manifest_file
    }

    pub fn manifest(&self) -> &Arc<Manifest> {
        &self.in_force.manifest
    }

    /// What its operator may not have meant, a sentence each.
    pub fn warnings(&self) -> &[String] {
        &self.in_force.warnings
    }

    pub(crate) fn warn(&mut self, warning: String) {
        self.in_force.warnings.push(warning);
    }

    pub fn metrics(&self) -> &SubcommandMetrics {
        &self.health.metrics
    }

    /// Keeps what `/maro plugins` shows of a failed invocation.
    pub fn note_fault(&self, fault: &Fault, incident: &str) {
        self.health.note_fault(fault, incident);
    }

    pub fn last_fault(&self) -> Option<LastFault> {
        self.health.last_fault()
    }

    /// Whether it may be run at the moment.
    pub fn breaker(&self) -> BreakerStatus<Timestamp> {
        self.health.breaker()
    }

    /// Forgets its faults, so it may be run again at once. For authors, who want to see each of them.
    pub fn forgive(&self) {
        self.health.forgive();
    }

    /// Whether it may run under another manifest.
    ///
    /// # Errors
    /// What it lacks there.
    pub(crate) fn check_against(&self, manifest: &Manifest) -> Result<(), Forbidden> {
        self.version.check_against(manifest)
    }

    /// The same version under another manifest.
    pub(crate) fn under(&self, manifest: Arc<Manifest>) -> Self {
        let in_force = self.in_force.under(&self.version, manifest);
        let (version, health) = (Arc::clone(&self.version), self.health.renewed());
        Self { version, in_force, health, tenure: self.tenure.clone(), content: self.content.clone() }
    }

    /// Runs the subcommand in a fresh instance, within all limits. What it logs carries `incident`.
    ///
    /// # Errors
    /// A [`Fault`]: what the person is told of it is the caller's business.
    pub async fn run(
        &self,
        caller: Arc<Caller>,
        capabilities: Arc<HostServices>,
        arguments: &str,
        incident: Incident,
    ) -> Result<Answer, Fault> {
        let result = match self.health.admit() {
            Ok(admission) => {
                let result = self.run_in_turn(caller, capabilities, arguments, incident).await;
                self.health.ended(&self.version, admission, &result);
                result
            }
            Err(until) => Err(Fault::CircuitOpen { until }),
        };
        if result.as_ref().is_err_and(|fault| fault.kind().is_none()) {
            sleep(REFUSAL_PAUSE).await;
        }
        result
    }

    async fn run_in_turn(
        &self,
        caller: Arc<Caller>,
        capabilities: Arc<HostServices>,
        arguments: &str,
        incident: Incident,
    ) -> Result<Answer, Fault> {
        let place = self.in_force.places.take_in_time(self.version.wishes.needs);
        let waiting = spans::phase("wait", self.name());
        let place = place.instrument(waiting).await.map_err(|NoPlace| Fault::Busy)?;
        let name = Arc::clone(&self.version.description.name);
        let (origin, manifest) = (Arc::clone(&self.version.origin), Arc::clone(self.manifest()));
        let recorder = Arc::clone(&capabilities.recorder);
        let started = Instant::now();
        let invocation = Invocation::for_command(name, origin, manifest, caller, capabilities, incident);
        let tape = invocation.tape.clone();
        let pre = Arc::clone(&self.version.pre);
        let (result, latency) = invoke::run(pre, &self.health.habit, place, invocation, arguments).await;
        if let Some(latency) = latency {
            self.health.metrics.observe(latency);
        }
        if let Some(tape) = tape {
            if let Err(fault) = &result {
                tape.note_ending(Ending::Fault(fault.to_string()));
            }
            recorder.publish(self.name(), arguments, &tape, started.elapsed());
        }
        result
    }

    /// Runs the subcommand with the answers of a tape instead of the host's. Neither metrics nor the breaker
    /// count it.
    ///
    /// # Errors
    /// As [`LoadedPlugin::run`].
    pub(crate) async fn run_on_tape(&self, arguments: &str, tape: Arc<Tape>) -> Result<Answer, Fault> {
        let place = self.in_force.places.take(self.version.wishes.needs).await;
        let name = Arc::clone(&self.version.description.name);
        let (origin, manifest) = (Arc::clone(&self.version.origin), Arc::clone(self.manifest()));
        let invocation = Invocation::for_replay(name, origin, manifest, tape);
        let pre = Arc::clone(&self.version.pre);
        invoke::run(pre, &self.health.habit, place, invocation, arguments).await.0
    }
}
