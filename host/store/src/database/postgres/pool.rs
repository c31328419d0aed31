//! The connections of this replica, each lent to one call at a time.
//!
//! sqlx's own pool asks the server after each call whether the connection is in order, which costs as much as
//! the call. Here a connection is kept if its last statement ended, and dropped otherwise.

use std::{
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use deadpool::managed::{Manager, Metrics, Object, RecycleError, RecycleResult};
use sqlx::{
    Connection as _, Executor as _, PgConnection, Postgres,
    postgres::{PgArguments, PgRow},
    query::Query,
};
use tokio_util::task::task_tracker::TaskTrackerToken;

use crate::database::postgres::{
    connect::{BEGIN_POOLED, Connected, Connector},
    deadline::ServerClock,
    diagnosis::ConnectError,
};

/// How long to wait for a connection, including new ones.
pub(super) const ACQUIRE_LIMIT: Duration = Duration::from_secs(2);

/// How long a check may take whether a connection is alive.
const PING_LIMIT: Duration = Duration::from_millis(500);

/// A connection that was idle for less than this is used without a check.
const TRUSTED_FOR: Duration = Duration::from_secs(1);

/// Connections are replaced after this time, so that load moves to new servers behind the same address.
const MOST_AGE: Duration = Duration::from_secs(30 * 60);

/// A statement with its arguments.
pub(crate) type Statement<'q> = Query<'q, Postgres, PgArguments>;

/// Makes connections, and decides which are used again.
pub(super) struct Connections {
    connector: Connector,
    last_loss: Mutex<Option<Instant>>,
}

impl Connections {
    pub(super) fn new(connector: Connector) -> Self {
        Self { connector, last_loss: Mutex::default() }
    }

    /// Makes sure that no connection made until now is used again.
    pub(super) fn distrust(&self) {
        *self.last_loss.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
    }

    fn is_distrusted(&self, session: &Session) -> bool {
        *self.last_loss.lock().unwrap_or_else(PoisonError::into_inner) >= Some(session.made_at)
    }
}

impl Manager for Connections {
    type Type = Session;
    type Error = ConnectError;

    async fn create(&self) -> Result<Session, ConnectError> {
        Ok(Session::new(self.connector.connect(ACQUIRE_LIMIT).await?))
    }

    async fn recycle(&self, session: &mut Session, _: &Metrics) -> RecycleResult<ConnectError> {
        let stale = || Err(RecycleError::message("no longer to be trusted"));
        if self.is_distrusted(session) || session.made_at.elapsed() > MOST_AGE {
            return stale();
        }
        if session.idle_since.elapsed() < TRUSTED_FOR || session.answers().await {
            return Ok(());
        }
        self.distrust();
        stale()
    }
}

/// A connection with what MARO knows of it.
pub(super) struct Session {
    connection: PgConnection,
    is_pooled: bool,
    pub(super) clock: ServerClock,
    made_at: Instant,
    idle_since: Instant,
}

impl Session {
    fn new(connected: Connected) -> Self {
        let now = Instant::now();
        let Connected { connection, is_pooled, clock, .. } = connected;
        Self { connection, is_pooled, clock, made_at: now, idle_since: now }
    }

    async fn answers(&mut self) -> bool {
        matches!(tokio::time::timeout(PING_LIMIT, self.connection.ping()).await, Ok(Ok(())))
    }
}

/// A connection that is lent to a call. It goes back when it is dropped, unless a statement on it hasn't ended.
pub(crate) struct Lease {
    object: Option<Object<Connections>>,
    /// A statement is under way, so the connection can't be used for another.
    is_busy: bool,
    is_in_transaction: bool,
    /// Whoever closes the pool waits for these.
    _token: TaskTrackerToken,
}

impl Lease {
    pub(super) fn new(object: Object<Connections>, token: TaskTrackerToken) -> Self {
        Self { object: Some(object), is_busy: false, is_in_transaction: false, _token: token }
    }

    fn session(&mut self) -> &mut Session {
        self.object.as_mut().expect("a lease has its connection until it is dropped")
    }

    pub(super) fn clock(&mut self) -> ServerClock {
        self.session().clock
    }

    /// The rows that a statement returns.
    pub(crate) async fn fetch_all(&mut self, statement: Statement<'_>) -> Result<Vec<PgRow>, sqlx::Error> {
        let is_alone = self.begin_if_pooled().await?;
        let is_pooled = self.session().is_pooled;
        self.is_busy = true;
        let rows = statement.persistent(!is_pooled).fetch_all(&mut self.session().connection).await;
        self.ended(rows, is_alone).await
    }

    /// The single row that a statement returns.
    pub(crate) async fn fetch_one(&mut self, statement: Statement<'_>) -> Result<PgRow, sqlx::Error> {
        self.fetch_all(statement).await?.into_iter().next().ok_or(sqlx::Error::RowNotFound)
    }

    /// The number of rows that a statement changes.
    pub(crate) async fn execute(&mut self, statement: Statement<'_>) -> Result<u64, sqlx::Error> {
        let is_alone = self.begin_if_pooled().await?;
        let is_pooled = self.session().is_pooled;
        self.is_busy = true;
        let done = statement.persistent(!is_pooled).execute(&mut self.session().connection).await;
        self.ended(done.map(|done| done.rows_affected()), is_alone).await
    }

    /// Begins a transaction. It is undone if the lease is dropped without [`Lease::commit`].
    pub(crate) async fn begin(&mut self) -> Result<(), sqlx::Error> {
        let begin = if self.session().is_pooled { BEGIN_POOLED.as_str() } else { "BEGIN" };
        self.run(begin).await?;
        self.is_in_transaction = true;
        Ok(())
    }

    pub(crate) async fn commit(&mut self) -> Result<(), sqlx::Error> {
        self.run("COMMIT").await?;
        self.is_in_transaction = false;
        Ok(())
    }

    pub(crate) async fn rollback(&mut self) -> Result<(), sqlx::Error> {
        self.run("ROLLBACK").await?;
        self.is_in_transaction = false;
        Ok(())
    }

    /// A statement without arguments, which needs no preparation.
    async fn run(&mut self, sql: &'static str) -> Result<(), sqlx::Error> {
        self.is_busy = true;
        self.session().connection.execute(sqlx::raw_sql(sql)).await?;
        self.is_busy = false;
        Ok(())
    }

    /// Behind a pooler, preparing and executing are only sure to meet the same session within a transaction.
    async fn begin_if_pooled(&mut self) -> Result<bool, sqlx::Error> {
        let is_alone = self.session().is_pooled && !self.is_in_transaction;
        if is_alone {
            self.begin().await?;
        }
        Ok(is_alone)
    }

    async fn ended<T>(&mut self, result: Result<T, sqlx::Error>, is_alone: bool) -> Result<T, sqlx::Error> {
        // What the server itself reported ends the statement, too.
        self.is_busy = !matches!(result, Ok(_) | Err(sqlx::Error::Database(_)));
        if is_alone && result.is_ok() {
            self.commit().await?;
        }
        result
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        let Some(mut object) = self.object.take() else { return };
        if self.is_busy || self.is_in_transaction {
            // Closes the connection. The server undoes the transaction.
            drop(Object::take(object));
        } else {
            object.idle_since = Instant::now();
        }
    }
}
