//! Changing the SQLite file: one connection, and whatever waits for it goes into one transaction.
//!
//! With sixteen callers that is several times the throughput of a transaction each, and it keeps a
//! transaction out of the reach of a caller that gives up half-way.

use std::sync::Arc;

use serde_json::Value;
use sqlx::{SqliteConnection, sqlite::SqliteRow};
use tokio::sync::Mutex;

use crate::database::sqlite::{connect::Reopening, database_error, queue::Inbox};

/// A change to the tables of one module.
pub(crate) trait Change: Send + Sync + Sized + 'static {
    type Outcome: Send + 'static;

    /// Makes changes inside a transaction; one outcome for each, in order. After an error none is made.
    fn apply(
        changes: &[&Self],
        connection: &mut SqliteConnection,
    ) -> impl Future<Output = Result<Vec<Self::Outcome>, sqlx::Error>> + Send;

    /// Makes changes by one statement outside a transaction, if one can make them all: that saves the trips
    /// for its beginning and its end. `None` if it cannot, and then nothing was changed.
    fn apply_at_once(
        _changes: &[&Self],
        _connection: &mut SqliteConnection,
    ) -> impl Future<Output = Result<Option<Vec<Self::Outcome>>, sqlx::Error>> + Send {
        std::future::ready(Ok(None))
    }
}

/// Makes changes until the queue is closed. The writers of all tables share the connection: they would wait
/// for one another's lock on the file anyway, and here each has its turn at once.
pub(super) async fn work<C: Change>(inbox: Inbox<C, C::Outcome>, connection: Arc<Mutex<Reopening>>) {
    while let Some(requests) = inbox.next().await {
        let changes: Vec<&C> = requests.iter().map(|request| &request.question).collect();
        let mut connection = connection.lock().await;
        let outcomes = match connection.get().await {
            Ok(open) => commit(open, &changes).await,
            Err(error) => Err(error),
        };
        match outcomes {
            Ok(outcomes) => {
                requests.into_iter().zip(outcomes).for_each(|(request, outcome)| request.answer(Ok(outcome)));
            }
            Err(error) => {
                connection.failed(&error);
                let error = database_error(error);
                requests.into_iter().for_each(|request| request.answer(Err(error.clone())));
            }
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
    // IMMEDIATE takes the write lock at once: to ask for it after reading could not be granted by waiting.
    run(connection, "BEGIN IMMEDIATE", &[]).await?;
    let outcomes = match C::apply(changes, connection).await {
        Ok(outcomes) => run(connection, "COMMIT", &[]).await.map(|_| outcomes),
        Err(error) => Err(error),
    };
    if outcomes.is_err() {
        // SQLite has already rolled back after some errors, and then there is nothing to end.
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
