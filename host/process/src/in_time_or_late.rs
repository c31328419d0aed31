//! Waiting for work, but not for long: its outcome arrives exactly once, in time or late.

use std::time::Duration;

use tokio::{sync::oneshot, time::timeout};
use tokio_util::task::TaskTracker;
use tracing::Instrument as _;

/// What became of work within its time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Waited<T> {
    Done(T),
    /// It goes on, and its outcome will be late.
    Late,
    /// There will be no outcome.
    Panicked,
}

/// Runs `work` in a task of its own, so that it neither stops nor loses its outcome if the caller is
/// gone. The outcome is returned if it is there within `patience`; else `late` gets it, or `None` if the work panicked.
///
/// A channel between the two decides which: what was sent is returned, what can no longer be sent is late.
/// So it is always one of the two and never both.
pub async fn within<T, W, L>(
    tasks: &TaskTracker,
    patience: Duration,
    work: W,
    late: impl FnOnce(Option<T>) -> L + Send + 'static,
) -> Waited<T>
where
    T: Send + 'static,
    W: Future<Output = T> + Send + 'static,
    L: Future<Output = ()> + Send,
{
    let (sender, mut receiver) = oneshot::channel();
    // Commands are thousands of bytes, which would be copied several times on the way into a task. In one of its own,
    // so that there's an outcome of a panic, too.
    let working = tasks.spawn(Box::pin(work.in_current_span()));
    tasks.spawn(async move {
        let outcome = working.await.ok();
        if let Err(outcome) = sender.send(outcome) {
            late(outcome).await;
        }
    });
    let done = |outcome: Option<T>| outcome.map_or(Waited::Panicked, Waited::Done);
    match timeout(patience, &mut receiver).await {
        // Nothing is sent only if the task is gone.
        Ok(outcome) => done(outcome.ok().flatten()),
        Err(_) => {
            // From here on sending fails; what was sent before this moment is still ours to give.
            receiver.close();
            receiver.try_recv().map_or(Waited::Late, done)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_outcome_is_handed_over_now_or_late_and_never_twice() {
        let tasks = TaskTracker::new();
        let (late_sender, mut late) = tokio::sync::mpsc::unbounded_channel();
        let (release, released) = oneshot::channel::<()>();
        let to_late = |sender: tokio::sync::mpsc::UnboundedSender<_>| {
            move |outcome| async move { sender.send(outcome).unwrap() }
        };

        let now = within(&tasks, Duration::from_secs(20), async { 1 }, to_late(late_sender.clone())).await;
        assert_eq!(now, Waited::Done(1));

        let slow = async move { released.await.map_or(0, |()| 2) };
        let later = within(&tasks, Duration::ZERO, slow, to_late(late_sender.clone())).await;
        assert_eq!(later, Waited::Late);
        release.send(()).unwrap();
        assert_eq!(late.recv().await, Some(Some(2)));

        let work = async { panic!("a fault in the work") };
        let to_late_sender = to_late(late_sender.clone());
        let lost = within::<i32, _, _>(&tasks, Duration::from_secs(20), work, to_late_sender).await;
        assert_eq!(lost, Waited::Panicked);

        let (release, released) = oneshot::channel::<()>();
        let work = async move {
            released.await.unwrap();
            panic!("a fault in the work, late")
        };
        let later = within::<i32, _, _>(&tasks, Duration::ZERO, work, to_late(late_sender)).await;
        assert_eq!(later, Waited::Late);
        release.send(()).unwrap();
        assert_eq!(late.recv().await, Some(None));
        assert_eq!(late.recv().await, None, "nothing else was late");
    }
}
