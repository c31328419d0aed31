//! The queue for the connections. Waiting requests are taken together, so that under load one trip to
//! SQLite's thread serves many callers.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use tokio::{
    sync::{mpsc, oneshot},
    time::{Instant, timeout, timeout_at},
};
use tokio_util::sync::CancellationToken;

use crate::database::error::DatabaseError;

/// How many requests fit into the queue. When it is full, callers wait to get in.
const CAPACITY: usize = 1024;

/// How many requests are taken together at most. With more, a short one would wait for many long ones.
const TOGETHER: usize = 32;

/// The callers' end.
pub(crate) struct Queue<Q, A> {
    sender: mpsc::Sender<Request<Q, A>>,
    patience: Duration,
}

/// The workers' end. Several may share it.
pub(super) struct Inbox<Q, A> {
    receiver: tokio::sync::Mutex<mpsc::Receiver<Request<Q, A>>>,
    closing: CancellationToken,
}

/// A request, and where its answer goes.
pub(super) struct Request<Q, A> {
    pub(super) question: Q,
    answer: oneshot::Sender<Result<A, DatabaseError>>,
    claim: Arc<Claim>,
}

/// Who decides about a change: the worker that begins it, or the caller that gives up. The first one does.
#[derive(Default)]
struct Claim(AtomicBool);

impl Claim {
    /// Whether nobody has decided yet. Then the decision is the asker's.
    fn take(&self) -> bool {
        !self.0.swap(true, Ordering::AcqRel)
    }
}

/// A queue whose callers wait at most `patience`. It accepts nothing more once `closing` is cancelled.
pub(super) fn queue<Q, A>(patience: Duration, closing: CancellationToken) -> (Queue<Q, A>, Inbox<Q, A>) {
    let (sender, receiver) = mpsc::channel(CAPACITY);
    (Queue { sender, patience }, Inbox { receiver: receiver.into(), closing })
}

impl<Q, A> Queue<Q, A> {
    /// Waits for a worker's answer. A change that has begun by the end of the caller's patience is waited for
    /// as long again, since it ends soon: SQLite's own wait has an end.
    ///
    /// # Errors
    /// [`DatabaseError::TimedOut`] if nothing was begun, and then nothing will be.
    /// [`DatabaseError::Uncertain`] if a change was begun and its end is unknown.
    pub(crate) async fn ask(&self, question: Q) -> Result<A, DatabaseError> {
        let deadline = Instant::now() + self.patience;
        let (answer, mut answered) = oneshot::channel();
        let claim = Arc::new(Claim::default());
        let request = Request { question, answer, claim: Arc::clone(&claim) };
        match timeout_at(deadline, self.sender.send(request)).await {
            Ok(Ok(())) => {}
            Ok(Err(_)) => return Err(closed()),
            Err(_) => return Err(DatabaseError::TimedOut),
        }
        let lost = match timeout_at(deadline, &mut answered).await {
            Ok(Ok(answer)) => return answer,
            Ok(Err(_)) if claim.take() => return Err(closed()),
            Err(_) if claim.take() => return Err(DatabaseError::TimedOut),
            Ok(Err(lost)) => return Err(DatabaseError::Uncertain(Arc::new(lost))),
            Err(_) => timeout(self.patience, answered).await,
        };
        match lost {
            Ok(Ok(answer)) => answer,
            Ok(Err(lost)) => Err(DatabaseError::Uncertain(Arc::new(lost))),
            Err(elapsed) => Err(DatabaseError::Uncertain(Arc::new(elapsed))),
        }
    }
}

impl<Q, A> Inbox<Q, A> {
    /// Waits for requests, and takes those whose callers are still waiting. `None` once the queue is empty
    /// and is closed or has no callers left.
    ///
    /// After the first request, lets tasks that are ready run once, so that their requests come along.
    /// Otherwise Tokio would run this worker right after the first caller, and each request would make its
    /// own trip.
    pub(super) async fn next(&self) -> Option<Vec<Request<Q, A>>> {
        let mut requests = Vec::with_capacity(TOGETHER);
        let mut receiver = self.receiver.lock().await;
        let taken = self.closing.run_until_cancelled(receiver.recv_many(&mut requests, TOGETHER)).await;
        let taken = match taken {
            Some(taken) => taken,
            None => {
                receiver.close();
                receiver.recv_many(&mut requests, TOGETHER).await
            }
        };
        if taken == 0 {
            return None;
        }
        tokio::task::yield_now().await;
        while requests.len() < TOGETHER {
            let Ok(request) = receiver.try_recv() else { break };
            requests.push(request);
        }
        requests.retain(|request| !request.answer.is_closed());
        Some(requests)
    }
}

impl<Q, A> Request<Q, A> {
    /// Call this right before making a change. `false` if its caller has given up: then it must not be made.
    pub(super) fn begin(&self) -> bool {
        !self.answer.is_closed() && self.claim.take()
    }

    pub(super) fn answer(self, answer: Result<A, DatabaseError>) {
        // The caller may have given up by now.
        let _ = self.answer.send(answer);
    }
}

fn closed() -> DatabaseError {
    DatabaseError::unavailable(sqlx::Error::PoolClosed)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATIENCE: Duration = Duration::from_millis(100);

    fn changes() -> (Queue<u8, u8>, Inbox<u8, u8>) {
        queue(PATIENCE, CancellationToken::new())
    }

    #[tokio::test]
    async fn a_change_that_its_caller_gave_up_on_is_never_begun() {
        let (queue, inbox) = changes();
        // The worker takes it in time, and then has to wait for the connection.
        let (error, taken) = tokio::join!(queue.ask(1), inbox.next());
        assert!(matches!(error, Err(DatabaseError::TimedOut)), "{error:?}");
        let taken = taken.unwrap();
        assert_eq!(taken.len(), 1);
        assert!(!taken[0].begin());
    }

    #[tokio::test]
    async fn a_change_that_was_begun_is_waited_for() {
        let (queue, inbox) = changes();
        let work = async {
            let request = inbox.next().await.unwrap().pop().unwrap();
            assert!(request.begin());
            tokio::time::sleep(PATIENCE + PATIENCE / 2).await;
            request.answer(Ok(7));
        };
        let (answer, ()) = tokio::join!(queue.ask(1), work);
        assert_eq!(answer.unwrap(), 7);
    }

    #[tokio::test]
    async fn a_change_that_was_begun_and_does_not_end_is_uncertain() {
        let (queue, inbox) = changes();
        let begin = async {
            let requests = inbox.next().await.unwrap();
            assert!(requests[0].begin());
            requests
        };
        let (error, _requests) = tokio::join!(queue.ask(1), begin);
        assert!(matches!(error, Err(DatabaseError::Uncertain(_))), "{error:?}");
    }

    #[tokio::test]
    async fn a_worker_that_dies_in_the_middle_of_a_change_leaves_it_uncertain() {
        let (queue, inbox) = changes();
        let die = async { assert!(inbox.next().await.unwrap().pop().unwrap().begin()) };
        let (error, ()) = tokio::join!(queue.ask(1), die);
        assert!(matches!(error, Err(DatabaseError::Uncertain(_))), "{error:?}");
        let die = async { drop(inbox.next().await) };
        let (error, ()) = tokio::join!(queue.ask(1), die);
        assert!(matches!(error, Err(DatabaseError::Unavailable(_))), "{error:?}");
    }
}
