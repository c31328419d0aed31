//! One call to the database: how long it may take, and when it may be retried.

use std::{future::Future, sync::Arc, time::Duration};

use futures_util::TryFutureExt as _;
use sqlx::{Postgres, Row as _, pool::PoolConnection, postgres::PgArguments, query::Query};

use crate::database::{DatabaseError, postgres::PostgresDatabase};

/// How long a call may take, all attempts together. The server stops a statement earlier. This limit is for a
/// network that went silent.
const LIMIT: Duration = Duration::from_secs(6);

const ATTEMPTS: u32 = 3;

/// When a call may be retried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Repeat {
    /// Always: it only reads, or repeating it changes nothing.
    Always,
    /// Always: it changes something, but a retry recognises what the first attempt did.
    Recognised,
    /// Only if the database says that it undid the first attempt. If the connection just broke, the change
    /// may have been made, and a second attempt would report the wrong outcome.
    WhenUndone,
}

/// Why one attempt failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AttemptError {
    /// There was no connection, so nothing was sent.
    #[error(transparent)]
    NoConnection(sqlx::Error),
    #[error(transparent)]
    Call(#[from] sqlx::Error),
}

impl PostgresDatabase {
    /// Gets a connection, for attempts that have to know whether there was one.
    pub(crate) async fn connection(&self) -> Result<PoolConnection<Postgres>, AttemptError> {
        self.pool.acquire().await.map_err(AttemptError::NoConnection)
    }

    /// Makes a call. Retries it after a conflict with another call, or on a new connection.
    ///
    /// # Errors
    /// [`DatabaseError::Uncertain`] only if the call changes something.
    pub(crate) async fn attempt<T, F: Future<Output = Result<T, sqlx::Error>>>(
        &self,
        repeat: Repeat,
        call: impl Fn() -> F,
    ) -> Result<T, DatabaseError> {
        self.attempt_connected(repeat, || call().map_err(AttemptError::Call)).await
    }

    /// As [`PostgresDatabase::attempt`], for calls that first get a [`PostgresDatabase::connection`].
    pub(crate) async fn attempt_connected<T, F: Future<Output = Result<T, AttemptError>>>(
        &self,
        repeat: Repeat,
        call: impl Fn() -> F,
    ) -> Result<T, DatabaseError> {
        let changes = repeat != Repeat::Always;
        let attempts = async {
            let mut left = ATTEMPTS;
            let mut is_uncertain = false;
            loop {
                left -= 1;
                let error = match call().await {
                    Ok(value) => return Ok(value),
                    Err(error) => error,
                };
                let failure = Failure::of(&error);
                if failure.is_loss() {
                    self.distrust();
                }
                is_uncertain |= changes && failure == Failure::Lost;
                if left > 0 && failure.allows(repeat) {
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

    /// The answer to a query that returns a single JSON text.
    pub(crate) async fn read<'q>(
        &self,
        question: impl Fn() -> Query<'q, Postgres, PgArguments> + Send + Sync,
    ) -> Result<String, DatabaseError> {
        let call = || async { question().fetch_one(&self.pool).await?.try_get(0) };
        self.attempt(Repeat::Always, call).await
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

    fn allows(self, repeat: Repeat) -> bool {
        match self {
            Self::Conflict | Self::ShutDown | Self::NotConnected => true,
            Self::Lost => repeat != Repeat::WhenUndone,
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
