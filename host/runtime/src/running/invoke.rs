//! One invocation, from its instance to its answer, within every limit.

use std::{pin::pin, sync::Arc, time::Instant};

use jiff::Timestamp;
use tokio::time::timeout;
use tracing::Instrument as _;
use wasmtime::{PoolConcurrencyLimitError, Store, UpdateDeadline};

use crate::{
    capabilities::clock::OutOfScope,
    engine::exports_of_any_version::InterfacePre,
    interface::bindings::exports::maro::plugin::command,
    invocation::{Invocation, budget::LimitReached},
    policy::limits::MAX_LIFTED_BYTES,
    running::{
        pool_places::PoolPlace,
        reply::{self, ReplyError},
        slow_guest_threads::{self, Habit, Meter},
        trap,
    },
};
use maro_domain::reply::{Block, Reply, Visibility};
use maro_process::{metrics::commands::Latency, spans};
use maro_texts as texts;

/// How a plugin answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    Reply(Reply),
    /// The arguments can't be used; why.
    Usage(String),
    /// It couldn't be done; why.
    Failed(String),
}

/// Why a plugin didn't answer.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    #[error("{}", texts::plugins::faults::over_wall_limit(*.wall_ms))]
    TimedOut {
        wall_ms: u32,
        /// What it has begun to change goes on.
        may_have_changed: bool,
    },
    #[error("{}", texts::plugins::faults::NO_FREE_PLACE)]
    Busy,
    #[error("{}", texts::plugins::faults::paused_until(.until))]
    CircuitOpen { until: Timestamp },
    /// It was stopped half-way, since others have the memory.
    #[error("{}", texts::plugins::faults::NO_FREE_MEMORY)]
    Crowded,
    #[error("{limit}")]
    Limit { limit: String, kind: &'static str },
    /// It asked for what has no room for a denial, where its operator's scope denies that.
    #[error("{reason}")]
    OutOfScope { reason: String, sentence: String },
    #[error("{}", texts::plugins::faults::trapped(.chain, .stderr))]
    Trapped { chain: String, stderr: String },
    #[error("{reason}")]
    InvalidReply { reason: String },
}

impl Fault {
    /// The fault without what the guest printed, which may be what somebody typed elsewhere.
    pub fn in_public(&self) -> String {
        match self {
            Self::Trapped { .. } => texts::plugins::faults::TRAPPED.to_owned(),
            Self::TimedOut { .. }
            | Self::Busy
            | Self::Crowded
            | Self::CircuitOpen { .. }
            | Self::Limit { .. }
            | Self::OutOfScope { .. }
            | Self::InvalidReply { .. } => self.to_string(),
        }
    }

    /// A word for the kind of fault that it is. `None` if it isn't the plugin's.
    pub fn kind(&self) -> Option<&'static str> {
        match self {
            Self::TimedOut { .. } => Some("time"),
            Self::Limit { kind, .. } => Some(kind),
            Self::OutOfScope { .. } => Some("scope"),
            Self::Trapped { .. } => Some("crash"),
            Self::InvalidReply { .. } => Some("reply"),
            Self::Busy | Self::Crowded | Self::CircuitOpen { .. } => None,
        }
    }

    /// Whether others had the room that it needed: it may go well a moment later.
    pub(crate) fn is_crowded(&self) -> bool {
        matches!(self, Self::Busy | Self::Crowded)
    }
}

/// Runs the subcommand. Also returns the latency if it ended by itself.
pub(super) async fn run(
    pre: Arc<InterfacePre>,
    habit: &Habit,
    place: PoolPlace,
    invocation: Invocation,
    arguments: &str,
) -> (Result<Answer, Fault>, Option<Latency>) {
    let limits = invocation.budget.limits;
    let (meter, changes) = (Meter::new(), invocation.changes.clone());
    // It may go on in another task, where nothing else says what it belongs to.
    let work = run_once(pre, place, invocation, Arc::clone(&meter), arguments.to_owned()).in_current_span();
    let run = slow_guest_threads::run(habit, meter, work);
    timeout(limits.wall(), run).await.unwrap_or_else(|_| {
        (Err(Fault::TimedOut { wall_ms: limits.wall_ms, may_have_changed: changes.any() }), None)
    })
}

/// Runs the subcommand. Also returns the latency if it could be instantiated. The place is freed once the
/// instance is gone.
async fn run_once(
    pre: Arc<InterfacePre>,
    place: PoolPlace,
    invocation: Invocation,
    meter: Arc<Meter>,
    arguments: String,
) -> (Result<Answer, Fault>, Option<Latency>) {
    let started = Instant::now();
    let mut store = limited_store(&pre, &place, invocation, meter);
    let instantiating = spans::phase("instantiate", &store.data().authority.plugin);
    let instance = match pre.instantiate(&mut store).instrument(instantiating).await {
        Ok(instance) => instance,
        Err(error) => return (Err(fault(error, store.data())), None),
    };
    let instantiate = started.elapsed();
    let running = spans::phase("run", &store.data().authority.plugin);
    let result = instance.run(&mut store, &arguments).instrument(running.clone()).await;
    if result.is_err() {
        running.in_scope(spans::note_failure);
    }
    let host = store.data().budget.host_time;
    let guest = started.elapsed().saturating_sub(instantiate + host);
    store.data().report_dropped_log_lines();
    if let (Some(tape), Ok(answer)) = (&store.data().tape, &result) {
        tape.note_answer(answer);
    }
    let answer = match result {
        Ok(Ok(reply)) => {
            reply::convert(reply, &store.data().authority.manifest, &store.data().authority.plugin)
                .map(|reply| Answer::Reply(with_freshness(reply, store.data())))
                .map_err(invalid_reply)
        }
        Ok(Err(command::RunError::Usage(sentence))) => checked(sentence, &store, Answer::Usage),
        Ok(Err(command::RunError::Failed(sentence))) => checked(sentence, &store, Answer::Failed),
        Err(error) => Err(fault(error, store.data())),
    };
    (answer, Some(Latency { instantiate, guest, host }))
}

/// Says what is uncertain of the list in a reply that is made of it, if Jira doesn't answer: how old its statuses
/// are, and that some of it may be missing.
fn with_freshness(mut reply: Reply, invocation: &Invocation) -> Reply {
    if reply.visibility != Visibility::Caller {
        return reply;
    }
    if invocation.lacks_assigned {
        reply.blocks.push(Block::Paragraph(texts::issues::list::assigned_may_be_missing()));
    }
    let has_rows = reply.blocks.iter().any(|block| matches!(block, Block::Items(items) if !items.is_empty()));
    if let (true, Some((at, now))) = (has_rows, invocation.statuses_as_of) {
        let line = texts::issues::list::statuses_as_of(at, now);
        reply.blocks.push(Block::Paragraph(line));
    }
    reply
}

/// A sentence as an answer, if it is no longer than a reply may be.
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

/// How many times its time a plugin may take to describe itself while it's at work. What it computes has a limit of
/// its own.
const MOST_TIMES: usize = 60;

/// Asks a plugin to describe itself, within all limits and without capabilities. Its time is for what it waits for:
/// it has nothing to wait for, and isn't to blame if others hold it up.
///
/// # Errors
/// Why there is no answer.
pub(crate) async fn describe(
    pre: Arc<InterfacePre>,
    place: PoolPlace,
    invocation: Invocation,
) -> Result<command::Description, Fault> {
    let limits = invocation.budget.limits;
    let meter = Meter::new();
    let measured = Arc::clone(&meter);
    let work = async move {
        // Dropped after the store, which is declared later.
        let place = place;
        let mut store = limited_store(&pre, &place, invocation, measured);
        let description = match pre.instantiate(&mut store).await {
            Ok(instance) => instance.describe(&mut store).await,
            Err(error) => Err(error),
        };
        description.map_err(|error| fault(error, store.data()))
    };
    let mut run = pin!(slow_guest_threads::run_aside(Arc::clone(&meter), work));
    for _ in 0..MOST_TIMES {
        if let Ok(description) = timeout(limits.wall(), &mut run).await {
            return description;
        }
        // Many that describe themselves at once hold one another up, and so does whatever else the machine does.
        if meter.is_waiting() {
            break;
        }
    }
    Err(Fault::TimedOut { wall_ms: limits.wall_ms, may_have_changed: false })
}

/// A store in which every limit is on.
fn limited_store(
    pre: &InterfacePre,
    place: &PoolPlace,
    mut invocation: Invocation,
    meter: Arc<Meter>,
) -> Store<Invocation> {
    invocation.budget.borrow_from(place.lease());
    let (cpu, cpu_ms) = (invocation.budget.limits.cpu(), invocation.budget.limits.cpu_ms);
    let mut store = Store::new(pre.engine(), invocation);
    store.limiter(|invocation| &mut invocation.budget);
    store.set_hostcall_fuel(MAX_LIFTED_BYTES);
    store.set_epoch_deadline(1);
    store.epoch_deadline_callback(move |_| {
        if meter.computed() > cpu {
            return Err(LimitReached::Cpu { cpu_ms }.into());
        }
        // A guest that only waited gets here too, and needn't give way.
        if !meter.is_slow() {
            return Ok(UpdateDeadline::Continue(1));
        }
        meter.give_way();
        Ok(UpdateDeadline::Yield(1))
    });
    store
}

fn fault(error: wasmtime::Error, invocation: &Invocation) -> Fault {
    match error.downcast_ref::<LimitReached>() {
        Some(LimitReached::Crowded { has_acted: true }) => return Fault::Crowded,
        Some(LimitReached::Crowded { has_acted: false }) => return Fault::Busy,
        Some(limit) => return Fault::Limit { limit: limit.to_string(), kind: limit.kind() },
        None => {}
    }
    if let Some(denied) = error.downcast_ref::<OutOfScope>() {
        return Fault::OutOfScope { reason: denied.to_string(), sentence: denied.sentence.clone() };
    }
    // Each place has reserved what it needs, so this would be a mistake of this program, and not the plugin's.
    if error.is::<PoolConcurrencyLimitError>() {
        tracing::error!("the instance pool is exhausted: {error:#}");
        return Fault::Busy;
    }
    Fault::Trapped { chain: trap::causes(&error), stderr: invocation.printed() }
}
