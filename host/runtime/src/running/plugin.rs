//! One plugin that serves, and running it.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Instant,
};

use jiff::Timestamp;
use tokio::time::timeout;
use wasmtime::{Store, UpdateDeadline, WasmBacktrace};

use crate::{
    engine::linking::InterfacePre,
    events::{Events, PluginChange},
    inspection::preflight::{self, Forbidden, Wishes},
    interface::bindings::exports::maro::plugin::command,
    invocation::{Invocation, authority::Origin, budget::LimitReached, services::Capabilities},
    policy::{
        limits::{MAX_LIFTED_BYTES, TURN_TIMEOUT},
        manifest::Manifest,
    },
    recording::tape::{Ending, Tape},
    running::{
        breaker::{Breaker, BreakerStatus, Turn},
        lanes::{self, Habit, Meter},
        places::{Place, Share},
        reply::{self, ReplyError},
    },
};
use maro_domain::{caller::Caller, ids::Incident, reply::Reply};
use maro_process::metrics::{Latency, Outcome, SubcommandMetrics};
use maro_tickets::texts;

/// What a plugin says of itself, checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Description {
    pub name: Arc<str>,
    pub version: String,
    pub summary: String,
    pub usage: String,
}

/// How a plugin answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    Reply(Reply),
    /// The arguments cannot be used; why.
    Usage(String),
    /// It could not be done; why.
    Failed(String),
}

/// Why a plugin did not answer.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    #[error("{}", texts::faults::over_wall_limit(*.wall_ms))]
    TimedOut { wall_ms: u32 },
    #[error("{}", texts::faults::NO_FREE_PLACE)]
    Busy,
    #[error("{}", texts::faults::paused_until(.until))]
    CircuitOpen { until: Timestamp },
    #[error("{limit}")]
    Limit { limit: String },
    #[error("{}", texts::faults::trapped(.chain, .stderr))]
    Trapped { chain: String, stderr: String },
    #[error("{reason}")]
    InvalidReply { reason: String },
}

/// A plugin that serves.
pub struct LoadedPlugin {
    pub description: Description,
    /// The file that it was loaded from, without its ending.
    pub file: String,
    /// SHA-256 of the component, in hexadecimal.
    pub digest: String,
    pub manifest: Arc<Manifest>,
    /// What it needs.
    pub(crate) wishes: Wishes,
    /// What its operator may not have meant, a sentence each.
    pub warnings: Vec<String>,
    pub(crate) origin: Arc<Origin>,
    pub(crate) pre: Arc<InterfacePre>,
    pub(crate) places: Arc<Share>,
    pub(crate) habit: Habit,
    pub metrics: SubcommandMetrics,
    pub(crate) breaker: Breaker,
    pub(crate) last_fault: Mutex<Option<LastFault>>,
    pub(crate) events: Events,
}

/// The fault of the latest invocation that had one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LastFault {
    pub fault: String,
    /// The id under which the person and the log speak of it.
    pub incident: String,
}

impl LoadedPlugin {
    /// Runs the subcommand in a fresh instance, within all limits. What it logs carries `incident`.
    ///
    /// # Errors
    /// A [`Fault`]: what the person is told of it is the caller's business.
    pub async fn run(
        &self,
        caller: Arc<Caller>,
        capabilities: Arc<Capabilities>,
        arguments: &str,
        incident: Incident,
    ) -> Result<Answer, Fault> {
        let clock = self.events.clock();
        let admission = self.breaker.admit(clock).map_err(|until| {
            self.metrics.count(Outcome::CircuitOpen);
            Fault::CircuitOpen { until }
        })?;
        let result = self.run_in_turn(caller, capabilities, arguments, incident).await;
        self.metrics.count(match &result {
            Ok(Answer::Reply(_)) => Outcome::Replied,
            Ok(Answer::Usage(_)) => Outcome::Usage,
            Ok(Answer::Failed(_)) => Outcome::Failed,
            Err(Fault::TimedOut { .. }) => Outcome::TimedOut,
            Err(Fault::Busy) => Outcome::Busy,
            Err(_) => Outcome::Fault,
        });
        let turn = match &result {
            Ok(_) => admission.succeeded(),
            // It never began, and says nothing about the plugin.
            Err(Fault::Busy | Fault::CircuitOpen { .. }) => None,
            Err(_) => admission.failed(clock),
        };
        if let Some(turn) = turn {
            self.report_turn(turn);
        }
        result
    }

    /// Keeps what `/maro plugins` shows of a failed invocation.
    pub fn note_fault(&self, fault: &Fault, incident: &str) {
        let last_fault = LastFault { fault: fault.to_string(), incident: incident.to_owned() };
        *self.last_fault.lock().unwrap_or_else(PoisonError::into_inner) = Some(last_fault);
    }

    pub fn last_fault(&self) -> Option<LastFault> {
        self.last_fault.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Whether it is run at the moment.
    pub fn breaker(&self) -> BreakerStatus {
        self.breaker.status(self.events.clock())
    }

    /// Forgets its faults: it is run again at once. For authors, who want to see each of them.
    pub fn forgive(&self) {
        self.breaker.reset();
    }

    fn report_turn(&self, turn: Turn) {
        let plugin = &*self.description.name;
        self.events.publish(
            plugin,
            match turn {
                Turn::Opened { until } => {
                    tracing::error!(
                        plugin,
                        digest = self.digest,
                        "a plugin failed repeatedly and is paused until {until}"
                    );
                    PluginChange::BreakerOpened { until }
                }
                Turn::Closed => {
                    tracing::info!(plugin, digest = self.digest, "a plugin is working again");
                    PluginChange::BreakerClosed
                }
            },
        );
    }

    /// Whether it may run under another manifest.
    ///
    /// # Errors
    /// What it lacks there.
    pub(crate) fn check_against(&self, manifest: &Manifest) -> Result<(), Forbidden> {
        let file = &self.origin.manifest_file;
        preflight::check_pin(&self.digest, manifest, file)?;
        preflight::check_grants(&self.wishes.grants, manifest, file)
    }

    /// The same version under another manifest.
    pub(crate) fn under(&self, manifest: Arc<Manifest>) -> Self {
        let concurrency = manifest.limits.concurrency;
        let places = if concurrency == self.manifest.limits.concurrency {
            Arc::clone(&self.places)
        } else {
            self.places.of_other_size(concurrency as usize)
        };
        Self {
            description: self.description.clone(),
            file: self.file.clone(),
            digest: self.digest.clone(),
            wishes: self.wishes.clone(),
            warnings: self.wishes.warnings(&manifest, &self.origin.manifest_file),
            manifest,
            origin: Arc::clone(&self.origin),
            pre: Arc::clone(&self.pre),
            places,
            habit: Habit::default(),
            metrics: self.metrics.clone(),
            breaker: Breaker::new(),
            last_fault: Mutex::new(self.last_fault()),
            events: self.events.clone(),
        }
    }

    async fn run_in_turn(
        &self,
        caller: Arc<Caller>,
        capabilities: Arc<Capabilities>,
        arguments: &str,
        incident: Incident,
    ) -> Result<Answer, Fault> {
        let place = timeout(TURN_TIMEOUT, self.places.take()).await.map_err(|_| Fault::Busy)?;
        let name = Arc::clone(&self.description.name);
        let (origin, manifest) = (Arc::clone(&self.origin), Arc::clone(&self.manifest));
        let recorder = Arc::clone(&capabilities.recorder);
        let started = Instant::now();
        let invocation = Invocation::for_command(name, origin, manifest, caller, capabilities, incident);
        let tape = invocation.tape.clone();
        let (result, latency) = self.run_within_wall(place, invocation, arguments).await;
        if let Some(latency) = latency {
            self.metrics.observe(latency);
        }
        if let Some(tape) = tape {
            if let Err(fault) = &result {
                tape.note_ending(Ending::Fault(fault.to_string()));
            }
            recorder.publish(&self.description.name, arguments, &tape, started.elapsed());
        }
        result
    }

    /// Runs the subcommand on what a tape plays instead of on the host. Counts for nothing: neither metrics
    /// nor the breaker hear of it.
    ///
    /// # Errors
    /// As [`LoadedPlugin::run`].
    pub(crate) async fn run_on_tape(&self, arguments: &str, tape: Arc<Tape>) -> Result<Answer, Fault> {
        let place = self.places.take().await;
        let name = Arc::clone(&self.description.name);
        let (origin, manifest) = (Arc::clone(&self.origin), Arc::clone(&self.manifest));
        let invocation = Invocation::for_replay(name, origin, manifest, tape);
        self.run_within_wall(place, invocation, arguments).await.0
    }

    async fn run_within_wall(
        &self,
        place: Place,
        invocation: Invocation,
        arguments: &str,
    ) -> (Result<Answer, Fault>, Option<Latency>) {
        let limits = &self.manifest.limits;
        let meter = Meter::new();
        let work =
            run_once(Arc::clone(&self.pre), place, invocation, Arc::clone(&meter), arguments.to_owned());
        let run = lanes::run(&self.habit, meter, work);
        let late = (Err(Fault::TimedOut { wall_ms: limits.wall_ms }), None);
        timeout(limits.wall(), run).await.unwrap_or(late)
    }
}

/// Runs the subcommand; also gives its latency if it could be instantiated. The place is given back when the instance is gone.
async fn run_once(
    pre: Arc<InterfacePre>,
    _place: Place,
    invocation: Invocation,
    meter: Arc<Meter>,
    arguments: String,
) -> (Result<Answer, Fault>, Option<Latency>) {
    let started = Instant::now();
    let mut store = limited_store(&pre, invocation, meter);
    let instance = match pre.instantiate(&mut store).await {
        Ok(instance) => instance,
        Err(error) => return (Err(fault(error, store.data())), None),
    };
    let instantiate = started.elapsed();
    let result = instance.run(&mut store, &arguments).await;
    let host = store.data().budget.host_time;
    let guest = started.elapsed().saturating_sub(instantiate + host);
    store.data().report_dropped_log_lines();
    if let (Some(tape), Ok(answer)) = (&store.data().tape, &result) {
        tape.note_answer(answer);
    }
    let answer = match result {
        Ok(Ok(reply)) => reply::convert(reply, &store.data().budget.limits, &store.data().authority.plugin)
            .map(Answer::Reply)
            .map_err(invalid_reply),
        Ok(Err(command::RunError::Usage(sentence))) => checked(sentence, &store, Answer::Usage),
        Ok(Err(command::RunError::Failed(sentence))) => checked(sentence, &store, Answer::Failed),
        Err(error) => Err(fault(error, store.data())),
    };
    (answer, Some(Latency { instantiate, guest, host }))
}

/// The answer that a sentence is, if it is no longer than a reply may be.
fn checked(
    sentence: String,
    store: &Store<Invocation>,
    answer: fn(String) -> Answer,
) -> Result<Answer, Fault> {
    reply::check_sentence(&sentence, &store.data().budget.limits).map_err(invalid_reply)?;
    Ok(answer(sentence))
}

fn invalid_reply(error: ReplyError) -> Fault {
    Fault::InvalidReply { reason: error.to_string() }
}

/// Asks a plugin to describe itself, within all limits and without capabilities.
///
/// # Errors
/// As [`LoadedPlugin::run`].
pub(crate) async fn describe(
    pre: Arc<InterfacePre>,
    place: Place,
    invocation: Invocation,
) -> Result<command::Description, Fault> {
    let limits = invocation.budget.limits;
    let meter = Meter::new();
    let measured = Arc::clone(&meter);
    let work = async move {
        // Dropped after the store, which is declared later.
        let _place = place;
        let mut store = limited_store(&pre, invocation, measured);
        let description = match pre.instantiate(&mut store).await {
            Ok(instance) => instance.describe(&mut store).await,
            Err(error) => Err(error),
        };
        description.map_err(|error| fault(error, store.data()))
    };
    let run = lanes::run_aside(meter, work);
    timeout(limits.wall(), run).await.map_err(|_| Fault::TimedOut { wall_ms: limits.wall_ms })?
}

/// A store in which every limit is on.
fn limited_store(pre: &InterfacePre, invocation: Invocation, meter: Arc<Meter>) -> Store<Invocation> {
    let (cpu, cpu_ms) = (invocation.budget.limits.cpu(), invocation.budget.limits.cpu_ms);
    let mut store = Store::new(pre.engine(), invocation);
    store.limiter(|invocation| &mut invocation.budget);
    store.set_hostcall_fuel(MAX_LIFTED_BYTES);
    store.set_epoch_deadline(1);
    store.epoch_deadline_callback(move |_| {
        if meter.computed() > cpu {
            return Err(LimitReached::Cpu { cpu_ms }.into());
        }
        // A guest that has waited is here too, and has nothing to give way for.
        Ok(if meter.is_slow() { UpdateDeadline::Yield(1) } else { UpdateDeadline::Continue(1) })
    });
    store
}

fn fault(error: wasmtime::Error, invocation: &Invocation) -> Fault {
    if let Some(limit) = error.downcast_ref::<LimitReached>() {
        return Fault::Limit { limit: limit.to_string() };
    }
    Fault::Trapped { chain: causes(&error), stderr: invocation.printed() }
}

/// Why a guest trapped. The stack goes to the log alone, for those who ask for it: guests are stripped, and
/// what an author wants to know is what the guest said itself.
fn causes(error: &wasmtime::Error) -> String {
    let stack = error.downcast_ref::<WasmBacktrace>().map(ToString::to_string);
    if let Some(stack) = &stack {
        tracing::debug!("a guest trapped: {stack}");
    }
    let causes = error.chain().map(ToString::to_string).filter(|cause| stack.as_ref() != Some(cause));
    causes.collect::<Vec<_>>().join(": ")
}
