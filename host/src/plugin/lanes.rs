//! Where guests compute: among everybody else at first, in a lane of their own if it takes long.
//!
//! The slow lane has a thread less than there are processors, and they give way to all other threads. So
//! however many guests compute there, the others are answered as if they did not. A guest is moved once it has
//! computed for [`SHORT`] at a stretch, and for a while its plugin begins there. Waiting is not computing.

use std::{
    future::poll_fn,
    panic::resume_unwind,
    pin::Pin,
    sync::{
        Arc, LazyLock,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    task::{Context, Poll},
    thread,
    time::{Duration, Instant},
};

use tokio::runtime::{Builder, Handle, Runtime};
use tokio_util::{context::TokioContext, task::AbortOnDropHandle};

use crate::{priority, telemetry::error_chain};

/// How long a guest computes at a stretch before it counts as slow.
const SHORT: Duration = Duration::from_millis(2);

/// For how long a plugin begins on the slow lane after it was slow.
const REMEMBERED: Duration = Duration::from_secs(10);

/// The processors are the process's, and so is the lane. `None` if there is no thread for it.
static SLOW_LANE: LazyLock<Option<Runtime>> = LazyLock::new(|| {
    let processors = thread::available_parallelism().map_or(1, usize::from);
    Builder::new_multi_thread()
        .worker_threads(processors.saturating_sub(1).max(1))
        .thread_name("maro-slow-lane")
        .on_thread_start(priority::give_way)
        .build()
        .inspect_err(|error| {
            tracing::warn!(error = error_chain(error), "guests that compute long may hold up others");
        })
        .ok()
});

static START: LazyLock<Instant> = LazyLock::new(Instant::now);

/// Runs an invocation that `meter` measures. Its work is dropped with the returned future, though on the slow
/// lane a moment later.
pub(super) async fn run<W>(habit: &Habit, meter: Arc<Meter>, work: W) -> W::Output
where
    W: Future<Output: Send> + Send + 'static,
{
    let mut work = Box::pin(work);
    if !habit.is_slow() {
        let outcome = poll_fn(|context| match meter.poll(work.as_mut(), context) {
            Poll::Ready(outcome) => Poll::Ready(Some(outcome)),
            Poll::Pending if meter.is_slow() && SLOW_LANE.is_some() => Poll::Ready(None),
            Poll::Pending => Poll::Pending,
        });
        if let Some(outcome) = outcome.await {
            habit.note(&meter);
            return outcome;
        }
    }
    let outcome = run_slowly(Arc::clone(&meter), work).await;
    habit.note(&meter);
    outcome
}

/// Runs an invocation for which nobody waits.
pub(super) async fn run_aside<W>(meter: Arc<Meter>, work: W) -> W::Output
where
    W: Future<Output: Send> + Send + 'static,
{
    run_slowly(meter, Box::pin(work)).await
}

async fn run_slowly<W>(meter: Arc<Meter>, mut work: Pin<Box<W>>) -> W::Output
where
    W: Future<Output: Send> + Send + 'static,
{
    let Some(lane) = &*SLOW_LANE else { return work.await };
    let measured = poll_fn(move |context| {
        meter.is_on_slow_lane.store(true, Ordering::Relaxed);
        meter.poll(work.as_mut(), context)
    });
    // Sockets, timers and tasks stay with the runtime that everything else is on.
    let task = lane.spawn(TokioContext::new(measured, Handle::current()));
    match AbortOnDropHandle::new(task).await {
        Ok(outcome) => outcome,
        // The lane is never shut down, and the task is aborted only when nobody asks for its outcome.
        Err(error) => resume_unwind(error.into_panic()),
    }
}

/// Measures how long one invocation computes. One thread uses it at a time.
#[derive(Debug)]
pub(super) struct Meter {
    is_on_slow_lane: AtomicBool,
    /// When the stretch under way began, and the length of all stretches and of the longest before it, in
    /// nanoseconds.
    began: AtomicU64,
    computed: AtomicU64,
    longest: AtomicU64,
}

/// In the place of a time: no stretch is under way.
const NEVER: u64 = u64::MAX;

impl Meter {
    pub(super) fn new() -> Arc<Self> {
        Arc::new(Self {
            is_on_slow_lane: AtomicBool::new(false),
            began: AtomicU64::new(NEVER),
            computed: AtomicU64::new(0),
            longest: AtomicU64::new(0),
        })
    }

    /// How long it has computed.
    pub(super) fn computed(&self) -> Duration {
        Duration::from_nanos(self.computed.load(Ordering::Relaxed)) + self.stretch()
    }

    /// Whether it computes for long, at the moment or before.
    pub(super) fn is_slow(&self) -> bool {
        Duration::from_nanos(self.longest.load(Ordering::Relaxed)) >= SHORT || self.stretch() >= SHORT
    }

    fn poll<W: Future>(&self, work: Pin<&mut W>, context: &mut Context<'_>) -> Poll<W::Output> {
        self.began.store(self.now(), Ordering::Relaxed);
        let polled = work.poll(context);
        let stretch = self.stretch().as_nanos() as u64;
        self.computed.fetch_add(stretch, Ordering::Relaxed);
        self.longest.fetch_max(stretch, Ordering::Relaxed);
        self.began.store(NEVER, Ordering::Relaxed);
        polled
    }

    /// The length of the stretch under way, if any.
    fn stretch(&self) -> Duration {
        Duration::from_nanos(self.now().saturating_sub(self.began.load(Ordering::Relaxed)))
    }

    /// In nanoseconds. On the slow lane only what the thread computed counts, as it gives way to others.
    fn now(&self) -> u64 {
        if !self.is_on_slow_lane.load(Ordering::Relaxed) {
            return START.elapsed().as_nanos() as u64;
        }
        let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
        time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64
    }
}

/// How long a plugin's invocations compute.
#[derive(Debug, Default)]
pub(super) struct Habit {
    /// In milliseconds since [`START`].
    slow_until: AtomicU64,
}

impl Habit {
    fn is_slow(&self) -> bool {
        let slow_until = self.slow_until.load(Ordering::Relaxed);
        slow_until > 0 && slow_until > START.elapsed().as_millis() as u64
    }

    fn note(&self, meter: &Meter) {
        if meter.is_slow() {
            let until = START.elapsed() + REMEMBERED;
            self.slow_until.store(until.as_millis() as u64, Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::sync::oneshot;

    use super::*;

    fn compute_for_long() {
        let began = Instant::now();
        while began.elapsed() < 2 * SHORT {}
    }

    fn is_on_slow_lane() -> bool {
        thread::current().name() == Some("maro-slow-lane")
    }

    #[tokio::test]
    async fn what_computes_for_long_is_moved_and_its_plugin_begins_there_from_then_on() {
        let habit = Habit::default();
        let work = async {
            let began_there = is_on_slow_lane();
            compute_for_long();
            tokio::task::yield_now().await;
            (began_there, is_on_slow_lane())
        };
        assert_eq!(run(&habit, Meter::new(), work).await, (false, true));
        assert!(run(&habit, Meter::new(), async { is_on_slow_lane() }).await);
    }

    #[tokio::test]
    async fn the_slow_lane_shares_timers_and_tasks_with_everything_else() {
        let work = async {
            tokio::time::sleep(Duration::from_millis(1)).await;
            tokio::spawn(async { is_on_slow_lane() }).await.unwrap()
        };
        assert!(!run_aside(Meter::new(), work).await);
    }

    #[tokio::test]
    async fn work_that_nobody_waits_for_any_more_is_dropped() {
        let (held, dropped) = oneshot::channel::<()>();
        let (started, is_started) = oneshot::channel();
        let work = async move {
            let _held = held;
            started.send(()).unwrap();
            std::future::pending::<()>().await;
        };
        let mut running = Box::pin(run_aside(Meter::new(), work));
        tokio::select! {
            () = &mut running => unreachable!("it never ends"),
            _ = is_started => {}
        }
        drop(running);
        assert!(dropped.await.is_err());
    }

    #[test]
    fn waiting_is_not_computing() {
        let meter = Meter::new();
        let mut context = Context::from_waker(std::task::Waker::noop());
        assert!(meter.poll(Box::pin(std::future::pending::<()>()).as_mut(), &mut context).is_pending());
        let computed = meter.computed();
        compute_for_long();
        assert_eq!(meter.computed(), computed);
        let mut computing = Box::pin(async { compute_for_long() });
        assert!(meter.poll(computing.as_mut(), &mut context).is_ready());
        assert!(meter.is_slow() && meter.computed() >= computed + SHORT);
    }
}
