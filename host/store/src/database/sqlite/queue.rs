//! The queue for the connections. Waiting requests are taken together, so that under load one trip to
//! SQLite's thread serves many callers.

use std::time::Duration;

use tokio::sync::{mpsc, oneshot};
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
}

/// A queue whose callers wait at most `patience`. It accepts nothing more once `closing` is cancelled.
pub(super) fn queue<Q, A>(patience: Duration, closing: CancellationToken) -> (Queue<Q, A>, Inbox<Q, A>) {
    let (sender, receiver) = mpsc::channel(CAPACITY);
    (Queue { sender, patience }, Inbox { receiver: receiver.into(), closing })
}

impl<Q, A> Queue<Q, A> {
    /// Waits for a worker's answer.
    pub(crate) async fn ask(&self, question: Q) -> Result<A, DatabaseError> {
        let answer = async {
            let (answer, answered) = oneshot::channel();
            self.sender.send(Request { question, answer }).await.map_err(|_| closed())?;
            answered.await.map_err(|_| closed())?
        };
        tokio::time::timeout(self.patience, answer).await.unwrap_or(Err(DatabaseError::TimedOut))
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
    pub(super) fn answer(self, answer: Result<A, DatabaseError>) {
        // The caller may have given up by now.
        let _ = self.answer.send(answer);
    }
}

fn closed() -> DatabaseError {
    DatabaseError::unavailable(sqlx::Error::PoolClosed)
}
