//! Where guests compute: on the common threads at first, and in a slow lane if it takes long.
//!
//! The slow lane has one thread fewer than there are processors, and its threads give way to all others. So
//! however many guests compute there, other people don't notice. A guest moves once it has computed for
//! [`SHORT`] at a stretch, and for a while its plugin starts there. Waiting isn't computing, but only a slow
//! clock can tell a guest that computed from one whose thread the system held up.

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
use tracing::instrument::WithSubscriber as _;

use crate::{policy::limits::EPOCH_TICK, running::priority};
use maro_process::telemetry::error_chain;

/// How long a guest computes at a stretch before it counts as slow.
const SHORT: Duration = Duration::from_millis(2);

/// The most that counts of a stretch that wasn't measured exactly. A guest that computes is interrupted by
/// then, so a longer stretch means that the system held up the thread.
const LONGEST_UNPROVEN: Duration = SHORT.saturating_add(EPOCH_TICK);

/// How long a plugin starts in the slow lane after it was slow, and how long it is watched after it seemed
/// slow.
const REMEMBERED: Duration = Duration::from_secs(10);

/// One lane for the whole process, as for its processors. `None` if no thread can be started for it.
static SLOW_LANE: LazyLock<Option<Runtime>> = LazyLock::new(|| {
    let processors = thread::available_parallelism().map_or(1, usize::from);
    Builder::new_multi_thread()
        .worker_threads(processors.saturating_sub(1).max(1))
        .thread_name("maro-slow-lane")
        .on_thread_start(priority::give_way)
        .build()
        .inspect_err(|error| {
            tracing::warn!(
                error = error_chain(error),
                "can't start the lane for long computations: slow plugins may hold up others"
            );
        })
        .ok()
});

static START: LazyLock<Instant> = LazyLock::new(Instant::now);

/// Runs an invocation that `meter` measures. Dropping the returned future drops its work, in the slow lane a
/// moment later.
pub(super) async fn run<W>(habit: &Habit, meter: Arc<Meter>, work: W) -> W::Output
where
    W: Future<Output: Send> + Send + 'static,
{
    let _noted = Noted { habit, meter: &meter };
    let mut work = Box::pin(work);
    let pace = habit.pace();
    if pace == Pace::Suspect {
        meter.measure_exactly();
    }
    if pace != Pace::Slow {
        let outcome = poll_fn(|context| match meter.poll(work.as_mut(), context) {
            Poll::Ready(outcome) => Poll::Ready(Some(outcome)),
            Poll::Pending if meter.is_slow() => Poll::Ready(None),
            Poll::Pending => Poll::Pending,
        });
        if let Some(outcome) = outcome.await {
            return outcome;
        }
    }
    run_slowly(Arc::clone(&meter), work).await
}

/// Notes how long an invocation computed once it has ended or nobody waits for it any longer.
struct Noted<'a> {
    habit: &'a Habit,
    meter: &'a Meter,
}

impl Drop for Noted<'_> {
    fn drop(&mut self) {
        self.habit.note(self.meter);
    }
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
    let measured = poll_fn(move |context| {
        meter.enter_slow_lane();
        meter.poll(work.as_mut(), context)
    });
    let Some(lane) = &*SLOW_LANE else { return measured.await };
    // Sockets, timers and tasks stay on the main runtime, and log lines in its log.
    let task = lane.spawn(TokioContext::new(measured, Handle::current()).with_current_subscriber());
    match AbortOnDropHandle::new(task).await {
        Ok(outcome) => outcome,
        // The lane never shuts down, and the task is aborted only once nobody needs its outcome.
        Err(error) => resume_unwind(error.into_panic()),
    }
}

/// Measures how long one invocation computes. One thread uses it at a time.
#[derive(Debug)]
pub(super) struct Meter {
    is_on_slow_lane: AtomicBool,
    /// Whether somebody else has the thread, and it goes on once it's free.
    has_given_way: AtomicBool,
    /// Whether to measure the thread's CPU time instead of the time that passed. Each look then costs half a
    /// microsecond, many times as much.
    is_exact: AtomicBool,
    /// When the current stretch began, and the thread's CPU time by then if that matters, in nanoseconds.
    began: AtomicU64,
    cpu_by_then: AtomicU64,
    /// The length of all stretches, and that of the longest one before, in nanoseconds.
    computed: AtomicU64,
    longest: AtomicU64,
    /// The part of it that was measured exactly.
    proven: AtomicU64,
}

/// Used instead of a time while there is no stretch.
const NEVER: u64 = u64::MAX;

/// How long a stretch is at most that counts as computed as a whole. It isn't worth a look at the thread's CPU time.
const BRIEF: Duration = Duration::from_micros(100);

impl Meter {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self {
            is_on_slow_lane: AtomicBool::new(false),
            has_given_way: AtomicBool::new(false),
            is_exact: AtomicBool::new(false),
            began: AtomicU64::new(NEVER),
            cpu_by_then: AtomicU64::new(0),
            computed: AtomicU64::new(0),
            longest: AtomicU64::new(0),
            proven: AtomicU64::new(0),
        })
    }

    /// How long it has computed.
    pub(super) fn computed(&self) -> Duration {
        Duration::from_nanos(self.computed.load(Ordering::Relaxed)) + self.counted(self.stretch())
    }

    /// How much of a stretch counts as computed.
    fn counted(&self, stretch: Duration) -> Duration {
        if self.is_exact.load(Ordering::Relaxed) { stretch } else { stretch.min(LONGEST_UNPROVEN) }
    }

    /// Whether it should give way.
    pub(super) fn is_slow(&self) -> bool {
        self.is_on_slow_lane.load(Ordering::Relaxed) || self.longest() >= SHORT || self.stretch() >= SHORT
    }

    /// Notes that it ends its stretch only for others.
    pub(super) fn give_way(&self) {
        self.has_given_way.store(true, Ordering::Relaxed);
    }

    /// Whether it waits for something, and not just for its turn. Any thread may ask.
    pub(super) fn is_waiting(&self) -> bool {
        let has_begun = self.computed.load(Ordering::Relaxed) > 0;
        let is_between = self.began.load(Ordering::Relaxed) == NEVER;
        has_begun && is_between && !self.has_given_way.load(Ordering::Relaxed)
    }

    /// What the invocation, now that it is over, says about the plugin.
    fn pace(&self) -> Pace {
        if Duration::from_nanos(self.proven.load(Ordering::Relaxed)) >= SHORT {
            Pace::Slow
        } else if self.longest() >= SHORT {
            Pace::Suspect
        } else {
            Pace::Quick
        }
    }

    /// The longest stretch before the current one.
    fn longest(&self) -> Duration {
        Duration::from_nanos(self.longest.load(Ordering::Relaxed))
    }

    fn measure_exactly(&self) {
        self.is_exact.store(true, Ordering::Relaxed);
    }

    fn enter_slow_lane(&self) {
        self.is_on_slow_lane.store(true, Ordering::Relaxed);
        self.measure_exactly();
    }

    fn poll<W: Future>(&self, work: Pin<&mut W>, context: &mut Context<'_>) -> Poll<W::Output> {
        if self.is_exact.load(Ordering::Relaxed) {
            self.cpu_by_then.store(cpu_time(), Ordering::Relaxed);
        }
        self.began.store(now(), Ordering::Relaxed);
        self.has_given_way.store(false, Ordering::Relaxed);
        let polled = work.poll(context);
        let stretch = self.stretch();
        self.computed.fetch_add(self.counted(stretch).as_nanos() as u64, Ordering::Relaxed);
        let stretch = stretch.as_nanos() as u64;
        self.longest.fetch_max(stretch, Ordering::Relaxed);
        if self.is_exact.load(Ordering::Relaxed) {
            self.proven.fetch_add(stretch, Ordering::Relaxed);
        }
        self.began.store(NEVER, Ordering::Relaxed);
        polled
    }

    /// The length of the current stretch, if any.
    fn stretch(&self) -> Duration {
        let began = self.began.load(Ordering::Relaxed);
        if began == NEVER {
            return Duration::ZERO;
        }
        let passed = Duration::from_nanos(now().saturating_sub(began));
        if passed < BRIEF || !self.is_exact.load(Ordering::Relaxed) {
            return passed;
        }
        Duration::from_nanos(cpu_time().saturating_sub(self.cpu_by_then.load(Ordering::Relaxed)))
    }
}

/// The time since [`START`], in nanoseconds.
fn now() -> u64 {
    START.elapsed().as_nanos() as u64
}

/// How long this thread has computed, in nanoseconds.
fn cpu_time() -> u64 {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64
}

/// How long a plugin computes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Pace {
    Quick,
    /// An invocation took long, but the system may have held it up.
    Suspect,
    Slow,
}

/// How long a plugin's invocations have computed recently.
#[derive(Debug, Default)]
pub(crate) struct Habit {
    /// In milliseconds since [`START`].
    slow_until: AtomicU64,
    suspect_until: AtomicU64,
}

impl Habit {
    fn pace(&self) -> Pace {
        let (slow, suspect) =
            (self.slow_until.load(Ordering::Relaxed), self.suspect_until.load(Ordering::Relaxed));
        // Nearly all plugins have never been either.
        if slow.max(suspect) == 0 {
            return Pace::Quick;
        }
        match START.elapsed().as_millis() as u64 {
            now if now < slow => Pace::Slow,
            now if now < suspect => Pace::Suspect,
            _ => Pace::Quick,
        }
    }

    fn note(&self, meter: &Meter) {
        let until = match meter.pace() {
            Pace::Quick => return,
            Pace::Suspect => &self.suspect_until,
            Pace::Slow => &self.slow_until,
        };
        until.store((START.elapsed() + REMEMBERED).as_millis() as u64, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use tokio::sync::oneshot;

    use super::*;

    /// By the thread's CPU time: the system may hold it up meanwhile.
    fn compute_for_long() {
        let began = cpu_time();
        while Duration::from_nanos(cpu_time() - began) < 2 * SHORT {}
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
            compute_for_long();
            (began_there, is_on_slow_lane())
        };
        assert_eq!(run(&habit, Meter::new(), work).await, (false, true));
        assert!(run(&habit, Meter::new(), async { is_on_slow_lane() }).await);
    }

    #[tokio::test]
    async fn a_plugin_whose_thread_was_held_up_is_watched_and_not_slow() {
        let habit = Habit::default();
        let held_up = || async { thread::sleep(2 * SHORT) };
        run(&habit, Meter::new(), held_up()).await;
        assert_eq!(habit.pace(), Pace::Suspect);
        // This time it is seen to compute nothing.
        run(&habit, Meter::new(), held_up()).await;
        assert_eq!(habit.pace(), Pace::Suspect);
        // The same goes for one that moved before it was measured.
        let moved = Habit::default();
        let work = async move {
            held_up().await;
            tokio::task::yield_now().await;
            assert!(is_on_slow_lane());
            held_up().await;
        };
        run(&moved, Meter::new(), work).await;
        assert_eq!(moved.pace(), Pace::Suspect);
        run(&habit, Meter::new(), async { compute_for_long() }).await;
        assert_eq!(habit.pace(), Pace::Slow);
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
    fn a_thread_that_is_held_up_has_not_computed() {
        let meter = Meter::new();
        let mut context = Context::from_waker(std::task::Waker::noop());
        let mut held_up = Box::pin(async {
            thread::sleep(10 * LONGEST_UNPROVEN);
            assert!(meter.computed() <= LONGEST_UNPROVEN);
        });
        assert!(meter.poll(held_up.as_mut(), &mut context).is_ready());
        assert!(meter.is_slow() && meter.computed() <= LONGEST_UNPROVEN);
        // From here on the thread's CPU time is measured, and all of it counts.
        meter.enter_slow_lane();
        let mut computing = Box::pin(async { (0..10).for_each(|_| compute_for_long()) });
        assert!(meter.poll(computing.as_mut(), &mut context).is_ready());
        assert!(meter.computed() >= 20 * SHORT);
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
