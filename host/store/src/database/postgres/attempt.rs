//! One call to the database: how long it may take, and when it may be retried.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use maro_domain::request_token::RequestToken;
use sqlx::Row as _;
use tokio::time;

use crate::{
    audit::{author_and_request::Claim, postgres::replay_guard::NotedOutcome},
    database::{
        error::DatabaseError,
        postgres::{
            PostgresDatabase,
            deadline::TOO_LATE,
            lease::{Lease, Statement, is_fatal},
            pool::NoConnection,
        },
    },
};

/// How long an attempt may take, once it has a connection. The server stops a statement earlier. This limit is for a
/// network that went silent.
const LIMIT: Duration = Duration::from_secs(6);

/// How long a change may be under way to the server. With the time that the server works on it at most, it has ended,
/// either way, when the attempt is given up.
const DELIVERY_LIMIT: Duration = Duration::from_millis(1_500);

/// After this time, a call isn't made again.
const RETRY_LIMIT: Duration = Duration::from_secs(2);

const ATTEMPTS: u32 = 3;

/// Which handling of a request has changed something.
const HANDLING: &str = "
    SELECT coalesce((SELECT handling::text FROM audit_log WHERE request = $1), '')";

/// The index by which a request has one entry in the log at most.
const REQUESTS: &str = "audit_log_request";

/// How long to wait before the second attempt if no server takes a connection. Four times as long before the third:
/// a server that restarts, or a standby that takes over, is often back by then.
const PAUSE: Duration = Duration::from_millis(150);

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

/// Why one attempt failed.
#[derive(Debug, thiserror::Error)]
enum AttemptError {
    /// There was no connection, so nothing was done.
    #[error(transparent)]
    NoConnection(NoConnection),
    #[error(transparent)]
    Call(sqlx::Error),
    /// It ended before anything was sent that can take effect.
    #[error(transparent)]
    Undone(sqlx::Error),
    #[error("no answer within {} seconds", LIMIT.as_secs())]
    Silent,
}

/// Until when a call may wait for a connection, and when it may be made again. Waiting does nothing, so it takes
/// nothing from the time that the call has.
struct Schedule {
    until: Instant,
    is_begun: bool,
}

impl Schedule {
    fn begun(&mut self) {
        if !self.is_begun {
            *self = Self { until: Instant::now() + RETRY_LIMIT, is_begun: true };
        }
    }

    fn is_over(&self) -> bool {
        self.until <= Instant::now()
    }
}

impl PostgresDatabase {
    /// Makes a call on a connection. Retries it after a conflict with another call, or on a new connection. The
    /// call is told the deadline for its changes, in the server's time: a change either carries it, or is made in
    /// a transaction.
    ///
    /// # Errors
    /// [`DatabaseError::Uncertain`] only if the call changes something.
    pub(crate) async fn attempt<T, F: Future<Output = Result<T, sqlx::Error>>>(
        &self,
        effect: Effect,
        call: impl Fn(Lease, f64) -> F,
    ) -> Result<T, DatabaseError> {
        let changes = effect != Effect::None;
        let mut schedule = Schedule { until: Instant::now() + self.pool.patience(), is_begun: false };
        let mut left = ATTEMPTS;
        let mut is_uncertain = false;
        loop {
            left -= 1;
            let error = match self.attempt_once(&mut schedule, &call).await {
                Ok(value) => return Ok(value),
                Err(error) => error,
            };
            let failure = Failure::of(&error);
            if failure.is_loss() {
                self.pool.distrust();
            }
            is_uncertain |= changes && matches!(failure, Failure::Lost | Failure::Silent);
            if left > 0 && failure.allows(effect) && !schedule.is_over() {
                tracing::debug!(%error, "retrying a database call");
                if failure == Failure::NotConnected {
                    time::sleep(PAUSE * 4_u32.pow(ATTEMPTS - 1 - left)).await;
                }
            } else if is_uncertain && failure != Failure::Replay {
                return Err(DatabaseError::Uncertain(Arc::new(error)));
            } else {
                return Err(failure.report(error));
            }
        }
    }

    async fn attempt_once<T, F: Future<Output = Result<T, sqlx::Error>>>(
        &self,
        schedule: &mut Schedule,
        call: &impl Fn(Lease, f64) -> F,
    ) -> Result<T, AttemptError> {
        let lease = Lease::ready(&self.pool, schedule.until).await;
        let mut lease = lease.map_err(AttemptError::NoConnection)?;
        schedule.begun();
        let deadline = lease.clock().at(Instant::now() + DELIVERY_LIMIT);
        let reach = lease.reach();
        let error = |error| match reach.has_sent() {
            true => AttemptError::Call(error),
            false => AttemptError::Undone(error),
        };
        match time::timeout(LIMIT, call(lease, deadline)).await {
            Ok(result) => result.map_err(error),
            Err(_) => Err(AttemptError::Silent),
        }
    }

    /// The answer to a query that returns a single JSON text.
    pub(crate) async fn read<'q>(
        &self,
        query: impl Fn() -> Statement<'q> + Send + Sync,
    ) -> Result<String, DatabaseError> {
        let query = &query;
        let call = |mut lease: Lease, _| async move { lease.fetch_one(query()).await?.try_get(0) };
        self.attempt(Effect::None, call).await
    }

    /// The texts that a change with an entry in the log returns, as one array: see
    /// [`crate::audit::postgres::replay_guard::outcome`]. Its last argument is the deadline, which is bound here: see
    /// [`super::deadline::in_time`].
    ///
    /// # Errors
    /// Also [`DatabaseError::Replayed`].
    pub(crate) async fn change<'q>(
        &self,
        claim: &Claim,
        effect: Effect,
        statement: impl Fn() -> Statement<'q> + Send + Sync,
    ) -> Result<Vec<String>, DatabaseError> {
        let statement = &statement;
        let call = |mut lease: Lease, deadline| async move {
            NotedOutcome::read(&lease.fetch_one(statement().bind(deadline)).await?)
        };
        let changed = self.attempt_for(claim, effect, call).await?;
        Ok(claim.settle(changed, |outcome| outcome.is_noted)?.texts)
    }

    /// As [`PostgresDatabase::attempt`], for a change whose entry in the log has a request. `None` if another
    /// handling of the request has changed something. The call is made again without the request if it turns out
    /// that the log has it from this handling already.
    pub(crate) async fn attempt_for<T, F: Future<Output = Result<Option<T>, sqlx::Error>>>(
        &self,
        claim: &Claim,
        effect: Effect,
        call: impl Fn(Lease, f64) -> F,
    ) -> Result<Option<T>, DatabaseError> {
        match (self.attempt(effect, &call).await, claim.request()) {
            (Err(DatabaseError::Replayed), Some(request)) => {
                if self.handling_of(request).await? != Some(request.handling()) {
                    return Ok(None);
                }
                claim.note_recorded();
                self.attempt(effect, call).await
            }
            (outcome, _) => outcome,
        }
    }

    /// Which handling of a request has changed something, if one has.
    pub(crate) async fn handling_of(&self, request: &RequestToken) -> Result<Option<i64>, DatabaseError> {
        let token = request.request().to_vec();
        Ok(self.read(|| sqlx::query(HANDLING).bind(token.clone())).await?.parse().ok())
    }

    /// The texts in the rows that a change returns. Its last argument is the deadline, as with
    /// [`PostgresDatabase::change`].
    pub(crate) async fn fetch_all<'q>(
        &self,
        effect: Effect,
        statement: impl Fn() -> Statement<'q> + Send + Sync,
    ) -> Result<Vec<String>, DatabaseError> {
        let statement = &statement;
        let call = |mut lease: Lease, deadline| async move {
            let rows = lease.fetch_all(statement().bind(deadline)).await?;
            rows.iter().map(|row| row.try_get(0)).collect()
        };
        self.attempt(effect, call).await
    }

    /// The number of rows that a change affects. Its last argument is the deadline, as with
    /// [`PostgresDatabase::change`].
    pub(crate) async fn execute<'q>(
        &self,
        effect: Effect,
        statement: impl Fn() -> Statement<'q> + Send + Sync,
    ) -> Result<u64, DatabaseError> {
        let statement = &statement;
        let call =
            |mut lease: Lease, deadline| async move { lease.execute(statement().bind(deadline)).await };
        self.attempt(effect, call).await
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Failure {
    /// The database undid the call because it conflicted with another.
    Conflict,
    /// The server takes no writes (any more), or the session ended before the call could take effect: it was undone.
    Refused,
    /// The change arrived too late, so it was not begun. Or the server's clock was set forward.
    TooLate,
    /// The request of the change has an entry in the log already, so the call was undone.
    Replay,
    /// The connection broke. The outcome of the call is unknown.
    Lost,
    /// There was no new connection, so nothing was sent.
    NotConnected,
    /// Others have all connections, so nothing was done.
    Busy,
    /// There was no answer. The outcome of the call is unknown.
    Silent,
    /// The server stopped the call because it took too long.
    TooSlow,
    Other,
}

impl Failure {
    fn of(error: &AttemptError) -> Self {
        match error {
            AttemptError::NoConnection(error) if error.is_busy() => Self::Busy,
            AttemptError::NoConnection(NoConnection::Closed) => Self::Other,
            AttemptError::NoConnection(_) => Self::NotConnected,
            AttemptError::Silent => Self::Silent,
            AttemptError::Call(error) => Self::of_call(error),
            AttemptError::Undone(error) => match Self::of_call(error) {
                Self::Lost => Self::Refused,
                failure => failure,
            },
        }
    }

    fn of_call(error: &sqlx::Error) -> Self {
        use sqlx::Error::{Database, Io, Protocol, Tls};
        match error {
            Io(_) | Tls(_) | Protocol(_) => Self::Lost,
            // https://www.postgresql.org/docs/current/errcodes-appendix.html
            Database(error) if error.constraint() == Some(REQUESTS) => Self::Replay,
            Database(error) => match error.code().as_deref() {
                // Serialisation failure, deadlock, or another call has just used the key or id.
                Some("40001" | "40P01" | "23505") => Self::Conflict,
                // The server shuts down or starts, or ended the session for its idleness or a transaction for its
                // length. Or it is a standby.
                Some("57P01" | "57P02" | "57P03" | "57P05" | "25P03" | "25P04" | "53300" | "25006") => {
                    Self::Refused
                }
                Some(TOO_LATE) => Self::TooLate,
                Some("57014" | "55P03") => Self::TooSlow,
                // Who speaks for the server, such as a pooler, doesn't know what became of the call either.
                _ if is_fatal(&**error) => Self::Lost,
                _ => Self::Other,
            },
            _ => Self::Other,
        }
    }

    /// Whether no connection made until now is to be used again.
    fn is_loss(self) -> bool {
        matches!(self, Self::Refused | Self::Lost | Self::TooLate)
    }

    fn allows(self, effect: Effect) -> bool {
        match self {
            Self::Conflict | Self::Refused | Self::NotConnected | Self::TooLate => true,
            Self::Lost => effect != Effect::Once,
            Self::Busy | Self::Silent | Self::TooSlow | Self::Replay | Self::Other => false,
        }
    }

    fn report(self, error: AttemptError) -> DatabaseError {
        match self {
            Self::Replay => DatabaseError::Replayed,
            Self::TooSlow | Self::TooLate | Self::Silent => DatabaseError::TimedOut,
            Self::Busy => DatabaseError::Busy(Arc::new(error)),
            _ => DatabaseError::Unavailable(Arc::new(error)),
        }
    }
}
