//! One call to the database: how long it may take, and when it may be retried.

use std::{sync::Arc, time::Duration};

use sqlx::{Postgres, Row as _, pool::PoolConnection, postgres::PgArguments, query::Query};

use crate::database::{error::DatabaseError, postgres::PostgresDatabase};

/// How long a call may take, all attempts together. The server stops a statement earlier. This limit is for a
/// network that went silent.
const LIMIT: Duration = Duration::from_secs(6);

const ATTEMPTS: u32 = 3;

/// What a call does. It decides whether the call may be retried after its answer was lost, and whether its
/// failure leaves the outcome unknown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Effect {
    /// It only reads.
    None,
    /// It changes something. A retry leads to the same outcome, or recognises what the first attempt did.
    Repeatable,
    /// It changes something, and a retry would report the wrong outcome. It is retried only if the database
    /// says that it undid the first attempt.
    Once,
}

/// A statement with its arguments. Each attempt builds it anew.
type Statement<'q> = Query<'q, Postgres, PgArguments>;

/// Why one attempt failed.
#[derive(Debug, thiserror::Error)]
enum AttemptError {
    /// There was no connection, so nothing was sent.
    #[error(transparent)]
    NoConnection(sqlx::Error),
    #[error(transparent)]
    Call(sqlx::Error),
}

impl PostgresDatabase {
    /// Makes a call on a connection. Retries it after a conflict with another call, or on a new connection.
    ///
    /// # Errors
    /// [`DatabaseError::Uncertain`] only if the call changes something.
    pub(crate) async fn attempt<T, F: Future<Output = Result<T, sqlx::Error>>>(
        &self,
        effect: Effect,
        call: impl Fn(PoolConnection<Postgres>) -> F,
    ) -> Result<T, DatabaseError> {
        let changes = effect != Effect::None;
        let attempts = async {
            let mut left = ATTEMPTS;
            let mut is_uncertain = false;
            loop {
                left -= 1;
                let error = match self.attempt_once(&call).await {
                    Ok(value) => return Ok(value),
                    Err(error) => error,
                };
                let failure = Failure::of(&error);
                if failure.is_loss() {
                    self.distrust();
                }
                is_uncertain |= changes && failure == Failure::Lost;
                if left > 0 && failure.allows(effect) {
                    tracing::debug!(%error, "retrying a database call");
                } else if is_uncertain {
                    return Err(DatabaseError::Uncertain(Arc::new(error)));
                } else {
                    return Err(failure.report(error));
                }
            }
        };
        match tokio::time::timeout(LIMIT, attempts).await {
            Ok(result) => result,
            Err(elapsed) if changes => Err(DatabaseError::Uncertain(Arc::new(elapsed))),
            Err(_) => Err(DatabaseError::TimedOut),
        }
    }

    async fn attempt_once<T, F: Future<Output = Result<T, sqlx::Error>>>(
        &self,
        call: &impl Fn(PoolConnection<Postgres>) -> F,
    ) -> Result<T, AttemptError> {
        let connection = self.pool.acquire().await.map_err(AttemptError::NoConnection)?;
        call(connection).await.map_err(AttemptError::Call)
    }

    /// The answer to a query that returns a single JSON text.
    pub(crate) async fn read<'q>(
        &self,
        query: impl Fn() -> Statement<'q> + Send + Sync,
    ) -> Result<String, DatabaseError> {
        self.fetch(Effect::None, query).await
    }

    /// The answer to a statement that returns a single text.
    pub(crate) async fn fetch<'q>(
        &self,
        effect: Effect,
        statement: impl Fn() -> Statement<'q> + Send + Sync,
    ) -> Result<String, DatabaseError> {
        let statement = &statement;
        let call = |mut connection: PoolConnection<Postgres>| async move {
            statement().fetch_one(&mut *connection).await?.try_get(0)
        };
        self.attempt(effect, call).await
    }

    /// The number of rows that a statement changes.
    pub(crate) async fn execute<'q>(
        &self,
        effect: Effect,
        statement: impl Fn() -> Statement<'q> + Send + Sync,
    ) -> Result<u64, DatabaseError> {
        let statement = &statement;
        let call = |mut connection: PoolConnection<Postgres>| async move {
            Ok(statement().execute(&mut *connection).await?.rows_affected())
        };
        self.attempt(effect, call).await
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Failure {
    /// The database undid the call because it conflicted with another.
    Conflict,
    /// The server shut down, and undid the call.
    ShutDown,
    /// The connection broke. The outcome of the call is unknown.
    Lost,
    /// A new connection broke before anything was sent.
    NotConnected,
    /// The server stopped the call because it took too long.
    TooSlow,
    Other,
}

impl Failure {
    fn of(error: &AttemptError) -> Self {
        use sqlx::Error::{Io, Protocol, Tls};
        let error = match error {
            AttemptError::NoConnection(Io(_) | Tls(_) | Protocol(_)) => return Self::NotConnected,
            AttemptError::Call(Io(_) | Tls(_) | Protocol(_)) => return Self::Lost,
            AttemptError::NoConnection(error) | AttemptError::Call(error) => error,
        };
        match error {
            // https://www.postgresql.org/docs/current/errcodes-appendix.html
            sqlx::Error::Database(error) => match error.code().as_deref() {
                // Serialisation failure, deadlock, or another call has just used the key or id.
                Some("40001" | "40P01" | "23505") => Self::Conflict,
                Some("57P01" | "57P02" | "57P03") => Self::ShutDown,
                Some("57014" | "55P03") => Self::TooSlow,
                _ => Self::Other,
            },
            _ => Self::Other,
        }
    }

    fn is_loss(self) -> bool {
        matches!(self, Self::ShutDown | Self::Lost)
    }

    fn allows(self, effect: Effect) -> bool {
        match self {
            Self::Conflict | Self::ShutDown | Self::NotConnected => true,
            Self::Lost => effect != Effect::Once,
            Self::TooSlow | Self::Other => false,
        }
    }

    fn report(self, error: AttemptError) -> DatabaseError {
        if self == Self::TooSlow {
            DatabaseError::TimedOut
        } else {
            DatabaseError::Unavailable(Arc::new(error))
        }
    }
}
