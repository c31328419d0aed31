//! The statements of one call, on the connection that it has.

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use sqlx::{
    Executor as _, Postgres,
    error::DatabaseError,
    postgres::{PgArguments, PgDatabaseError, PgRow, PgSeverity},
    query::Query,
};
use tokio::time;

use crate::database::postgres::{
    deadline::ServerClock,
    pool::{Loan, NoConnection, PING_LIMIT, Pool},
    pooler::BEGIN_POOLED,
};

/// How long to wait after a pooler refused a transaction on a new connection.
const PAUSE: Duration = Duration::from_millis(150);

/// A statement with its arguments.
pub(crate) type Statement<'q> = Query<'q, Postgres, PgArguments>;

/// A connection that is lent to a call. It goes back when it is dropped, unless a statement on it hasn't ended.
pub(crate) struct Lease {
    loan: Loan,
    /// A statement is under way, so the connection can't be used for another.
    is_busy: bool,
    transaction: Transaction,
    reach: Reach,
}

/// Whether a call has sent what can take effect: a COMMIT, or a statement outside a transaction. Before that, whatever
/// becomes of the connection undoes all of it. Shared by its clones.
#[derive(Clone, Default)]
pub(super) struct Reach(Arc<AtomicBool>);

impl Reach {
    fn note_sent(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    pub(super) fn has_sent(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Transaction {
    None,
    /// Begun before the call, which may want it for one statement or for several.
    Ahead,
    Begun,
}

impl Lease {
    /// A connection on which the call's first statement is carried out at once. Behind a pooler, that takes a
    /// transaction. Its begin may wait there, and has done nothing if it's given up.
    pub(super) async fn ready(pool: &Arc<Pool>, until: Instant) -> Result<Self, NoConnection> {
        loop {
            let loan = pool.lend(until).await?;
            let reach = Reach::default();
            let mut lease = Self { loan, is_busy: false, transaction: Transaction::None, reach };
            let session = lease.loan.session();
            if !session.is_pooled {
                return Ok(lease);
            }
            let (is_new, was_idle) = (session.is_new(), session.was_idle());
            // One that was idle may have broken. If so, a new one answers, if only that it has to wait.
            let limit = if was_idle { until.min(Instant::now() + PING_LIMIT) } else { until };
            let begun = time::timeout_at(limit.into(), lease.begin()).await;
            let Some(error) = begun.map_or(Some(None), |begun| begun.err().map(Some)) else {
                lease.transaction = Transaction::Ahead;
                return Ok(lease);
            };
            drop(lease);
            if Instant::now() + PAUSE >= until {
                return Err(error.map_or(NoConnection::NoSession, NoConnection::NotBegun));
            }
            match error {
                None => pool.forget_idle(),
                // It refuses others as well, so their connections are as good as this one was.
                Some(_) if is_new => time::sleep(PAUSE).await,
                Some(sqlx::Error::Database(_)) => {}
                Some(_) => pool.distrust(),
            }
        }
    }

    pub(super) fn reach(&self) -> Reach {
        self.reach.clone()
    }

    pub(super) fn clock(&mut self) -> ServerClock {
        self.loan.session().clock
    }

    /// The rows that a statement returns.
    pub(crate) async fn fetch_all(&mut self, statement: Statement<'_>) -> Result<Vec<PgRow>, sqlx::Error> {
        let is_alone = self.begin_if_pooled().await?;
        self.is_busy = true;
        let session = self.loan.session();
        let rows = statement.persistent(!session.is_pooled).fetch_all(&mut session.connection).await;
        self.ended(rows, is_alone).await
    }

    /// The single row that a statement returns.
    pub(crate) async fn fetch_one(&mut self, statement: Statement<'_>) -> Result<PgRow, sqlx::Error> {
        self.fetch_all(statement).await?.into_iter().next().ok_or(sqlx::Error::RowNotFound)
    }

    /// The number of rows that a statement changes.
    pub(crate) async fn execute(&mut self, statement: Statement<'_>) -> Result<u64, sqlx::Error> {
        let is_alone = self.begin_if_pooled().await?;
        self.is_busy = true;
        let session = self.loan.session();
        let done = statement.persistent(!session.is_pooled).execute(&mut session.connection).await;
        self.ended(done.map(|done| done.rows_affected()), is_alone).await
    }

    /// Begins a transaction. It is undone if the lease is dropped without [`Lease::commit`].
    pub(crate) async fn begin(&mut self) -> Result<(), sqlx::Error> {
        if self.transaction == Transaction::None {
            let begin = if self.loan.session().is_pooled { BEGIN_POOLED.as_str() } else { "BEGIN" };
            self.run(begin).await?;
        }
        self.transaction = Transaction::Begun;
        Ok(())
    }

    pub(crate) async fn commit(&mut self) -> Result<(), sqlx::Error> {
        let is_pooled = self.loan.session().is_pooled;
        self.reach.note_sent();
        self.run("COMMIT").await.map_err(|error| match error {
            // The server may have committed before it went: a pooler has only lost the answer.
            sqlx::Error::Database(error) if is_pooled && ends_session(&*error) => {
                sqlx::Error::Io(io::Error::new(io::ErrorKind::ConnectionAborted, error.into_error()))
            }
            error => error,
        })?;
        self.transaction = Transaction::None;
        Ok(())
    }

    pub(crate) async fn rollback(&mut self) -> Result<(), sqlx::Error> {
        self.run("ROLLBACK").await?;
        self.transaction = Transaction::None;
        Ok(())
    }

    /// A statement without arguments, which needs no preparation.
    async fn run(&mut self, sql: &'static str) -> Result<(), sqlx::Error> {
        self.is_busy = true;
        self.loan.session().connection.execute(sqlx::raw_sql(sql)).await?;
        self.is_busy = false;
        Ok(())
    }

    /// Behind a pooler, preparing and executing are only sure to meet the same session within a transaction.
    async fn begin_if_pooled(&mut self) -> Result<bool, sqlx::Error> {
        let is_alone = self.loan.session().is_pooled && self.transaction != Transaction::Begun;
        if is_alone {
            self.begin().await?;
        }
        if self.transaction == Transaction::None {
            self.reach.note_sent();
        }
        Ok(is_alone)
    }

    async fn ended<T>(&mut self, result: Result<T, sqlx::Error>, is_alone: bool) -> Result<T, sqlx::Error> {
        // What the server itself reported ends the statement, too.
        self.is_busy = !matches!(result, Ok(_) | Err(sqlx::Error::Database(_)));
        match &result {
            Ok(_) if is_alone => self.commit().await?,
            // A pooler would close its session with a connection that is closed within a transaction. If this fails,
            // that happens after all.
            Err(sqlx::Error::Database(_)) if is_alone => {
                let _ = self.rollback().await;
            }
            _ => {}
        }
        result
    }
}

/// Whether an error tells of the end of a session rather than of a statement: PgBouncer calls it a protocol violation
/// and other poolers call it a lost connection, a system error or an internal one.
fn ends_session(error: &(dyn DatabaseError + 'static)) -> bool {
    is_fatal(error)
        || error.code().is_some_and(|code| ["08", "58", "XX"].iter().any(|class| code.starts_with(class)))
}

/// Whether nothing more is to be expected of the session.
pub(super) fn is_fatal(error: &(dyn DatabaseError + 'static)) -> bool {
    let error = error.try_downcast_ref::<PgDatabaseError>();
    error.is_some_and(|error| matches!(error.severity(), PgSeverity::Fatal | PgSeverity::Panic))
}

impl Drop for Lease {
    fn drop(&mut self) {
        // Otherwise the connection is closed, and the server undoes the transaction.
        if !self.is_busy && self.transaction == Transaction::None {
            self.loan.give_back();
        }
    }
}
