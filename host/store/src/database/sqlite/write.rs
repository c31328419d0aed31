//! Changes the SQLite file. There is one connection, and everything waiting for it goes into one transaction.
//!
//! With sixteen callers, this has several times the throughput of one transaction each. It also means that a
//! caller who gives up half-way can't leave a transaction unfinished.

use std::sync::Arc;

use serde_json::Value;
use sqlx::{SqliteConnection, sqlite::SqliteRow};
use tokio::sync::Mutex;

use crate::database::sqlite::{
    checkpoint::Changes,
    error::change_error,
    queue::{Inbox, Request},
    reopening::Reopening,
};

/// A change to the tables of one module.
pub(crate) trait Change: Send + Sync + Sized + 'static {
    type Outcome: Send + 'static;

    /// Whether it's committed. If not, it's undone once it was made.
    const IS_KEPT: bool = true;

    /// Makes changes inside a transaction. Returns one outcome for each, in order. After an error, none is
    /// made.
    fn apply(
        changes: &[&Self],
        connection: &mut SqliteConnection,
    ) -> impl Future<Output = Result<Vec<Self::Outcome>, sqlx::Error>> + Send;

    /// Makes all changes with a single statement outside a transaction, if possible. That saves the trips for
    /// beginning and ending one. `None` if it isn't possible. Then nothing was changed.
    fn apply_at_once(
        _changes: &[&Self],
        _connection: &mut SqliteConnection,
    ) -> impl Future<Output = Result<Option<Vec<Self::Outcome>>, sqlx::Error>> + Send {
        std::future::ready(Ok(None))
    }
}

/// Makes changes until the queue is closed. The writers of all tables share the connection. They would wait
/// for each other's lock on the file anyway, and here the next one starts immediately.
pub(super) async fn work<C: Change>(
    inbox: Inbox<C, C::Outcome>,
    connection: Arc<Mutex<Reopening>>,
    made: Arc<Changes>,
) {
    while let Some(mut requests) = inbox.next().await {
        let mut connection = connection.lock().await;
        let outcomes = match connection.get_to_change().await {
            Ok(open) => {
                // Not before: callers may have given up while they waited for the connection.
                requests.retain(Request::begin);
                if requests.is_empty() {
                    continue;
                }
                let changes: Vec<&C> = requests.iter().map(|request| &request.question).collect();
                let outcomes = commit(open, &changes).await;
                match &outcomes {
                    Ok(_) => connection.changed(),
                    Err(error) => connection.failed(error),
                }
                outcomes.map_err(change_error)
            }
            Err(error) => Err(error),
        };
        match outcomes {
            Ok(outcomes) => {
                if C::IS_KEPT {
                    made.note();
                }
                requests.into_iter().zip(outcomes).for_each(|(request, outcome)| request.answer(Ok(outcome)));
            }
            Err(error) => requests.into_iter().for_each(|request| request.answer(Err(error.clone()))),
        }
    }
}

/// Makes all changes or none.
async fn commit<C: Change>(
    connection: &mut SqliteConnection,
    changes: &[&C],
) -> Result<Vec<C::Outcome>, sqlx::Error> {
    if let Some(outcomes) = C::apply_at_once(changes, connection).await? {
        return Ok(outcomes);
    }
    // IMMEDIATE takes the write lock now. Asking for it after a read could fail no matter how long we wait.
    run(connection, "BEGIN IMMEDIATE", &[]).await?;
    let end = if C::IS_KEPT { "COMMIT" } else { "ROLLBACK" };
    let outcomes = match C::apply(changes, connection).await {
        Ok(outcomes) => run(connection, end, &[]).await.map(|_| outcomes),
        Err(error) => Err(error),
    };
    if outcomes.is_err() {
        // After some errors, SQLite has already rolled back. Then there is no transaction to end.
        let _ = run(connection, "ROLLBACK", &[]).await;
    }
    outcomes
}

/// Runs a statement whose arguments are JSON arrays.
pub(crate) async fn run(
    connection: &mut SqliteConnection,
    statement: &'static str,
    arguments: &[&[Value]],
) -> Result<Vec<SqliteRow>, sqlx::Error> {
    let mut query = sqlx::query(statement);
    for argument in arguments {
        let json = serde_json::to_string(argument).map_err(|error| sqlx::Error::Encode(error.into()))?;
        query = query.bind(json);
    }
    query.fetch_all(connection).await
}
