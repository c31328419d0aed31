//! A queue before the connections. What waits in it is taken together, so that under load one trip to
//! SQLite's thread serves many callers.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use tokio::{
    sync::{mpsc, oneshot},
    task::JoinHandle,
};

use crate::tracker::{TrackerError, unavailable};

/// How many requests may wait before callers wait to get in.
const CAPACITY: usize = 1024;

/// The most requests that are taken together. More would let a short one wait for many long ones.
const TOGETHER: usize = 32;

/// The callers' end.
pub(super) struct Queue<Q, A> {
    /// `None` once closed.
    sender: Mutex<Option<mpsc::Sender<Request<Q, A>>>>,
    workers: Mutex<Vec<JoinHandle<()>>>,
    patience: Duration,
}

/// The workers' end. Several may share it.
pub(super) struct Inbox<Q, A>(tokio::sync::Mutex<mpsc::Receiver<Request<Q, A>>>);

/// A question, and where its answer goes.
pub(super) struct Request<Q, A> {
    pub(super) question: Q,
    answer: oneshot::Sender<Result<A, TrackerError>>,
}

/// A queue whose callers wait for `patience` at most.
pub(super) fn queue<Q, A>(patience: Duration) -> (Queue<Q, A>, Inbox<Q, A>) {
    let (sender, receiver) = mpsc::channel(CAPACITY);
    let queue = Queue { sender: Mutex::new(Some(sender)), workers: Mutex::default(), patience };
    (queue, Inbox(tokio::sync::Mutex::new(receiver)))
}

impl<Q, A> Queue<Q, A> {
    /// Waits for a worker's answer.
    pub(super) async fn ask(&self, question: Q) -> Result<A, TrackerError> {
        let sender = self.sender.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let sender = sender.ok_or_else(closed)?;
        let answer = async {
            let (answer, answered) = oneshot::channel();
            sender.send(Request { question, answer }).await.map_err(|_| closed())?;
            answered.await.map_err(|_| closed())?
        };
        tokio::time::timeout(self.patience, answer).await.unwrap_or(Err(TrackerError::TimedOut))
    }

    /// Makes [`Queue::close`] wait for a worker.
    pub(super) fn add_worker(&self, worker: JoinHandle<()>) {
        self.workers.lock().unwrap_or_else(PoisonError::into_inner).push(worker);
    }

    /// Lets the workers finish what is in the queue, and waits for their end.
    pub(super) async fn close(&self) {
        drop(self.sender.lock().unwrap_or_else(PoisonError::into_inner).take());
        let workers = std::mem::take(&mut *self.workers.lock().unwrap_or_else(PoisonError::into_inner));
        for worker in workers {
            if let Err(error) = worker.await {
                tracing::error!(%error, "a database worker failed");
            }
        }
    }
}

impl<Q, A> Inbox<Q, A> {
    /// Waits for requests, and takes those whose callers still wait. `None` once the queue is closed and
    /// empty.
    pub(super) async fn next(&self) -> Option<Vec<Request<Q, A>>> {
        let mut requests = Vec::with_capacity(TOGETHER);
        if self.0.lock().await.recv_many(&mut requests, TOGETHER).await == 0 {
            return None;
        }
        requests.retain(|request| !request.answer.is_closed());
        Some(requests)
    }
}

impl<Q, A> Request<Q, A> {
    pub(super) fn answer(self, answer: Result<A, TrackerError>) {
        // The caller may have given up meanwhile.
        let _ = self.answer.send(answer);
    }
}

fn closed() -> TrackerError {
    unavailable(sqlx::Error::PoolClosed)
}
