//! The connections of this replica, each lent to one call at a time.
//!
//! sqlx's own pool asks the server after each call whether the connection is in order, which costs as much as
//! the call. Here a connection is kept if its last statement ended, and dropped otherwise.

use std::{
    mem,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use sqlx::{Connection as _, PgConnection};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time,
};
use tokio_util::task::{TaskTracker, task_tracker::TaskTrackerToken};

use crate::database::{
    inspection::PoolStatus,
    postgres::{
        connect::{Connected, Connector},
        deadline::ServerClock,
        diagnosis::{ConnectError, is_full},
    },
};

/// How long a call may wait for a connection, including new ones.
const PATIENCE: Duration = Duration::from_secs(2);

/// The same behind a pooler, also for a session that the connection leads to. By then, Slack has been told that the
/// answer comes later.
const PATIENCE_POOLED: Duration = Duration::from_secs(4);

/// How long a check may take whether a connection is alive.
pub(super) const PING_LIMIT: Duration = Duration::from_millis(500);

/// A connection that was idle for less than this is used without a check.
const TRUSTED_FOR: Duration = Duration::from_secs(1);

/// Connections are replaced after this time, so that load moves to new servers behind the same address.
const MOST_AGE: Duration = Duration::from_secs(30 * 60);

/// In less time, a new connection isn't tried.
const LEAST_LIMIT: Duration = Duration::from_millis(50);

/// How long to wait before a server or a pooler that is full is asked for one more connection.
const FULL_PAUSE: Duration = Duration::from_millis(250);

/// One more of the connections that a full server refused is tried this often.
const MORE_AFTER: Duration = Duration::from_secs(1);

/// Why a call has no connection to work on. It has changed nothing.
#[derive(Debug, thiserror::Error)]
pub(super) enum NoConnection {
    #[error(transparent)]
    Failed(ConnectError),
    #[error("MARO is stopping")]
    Closed,
    #[error("no connection was free: all are in use")]
    AllInUse,
    /// The pooler lends the connection no session in time.
    #[error("the pooler has no session free, or it doesn't respond")]
    NoSession,
    /// A session could be had, and no transaction.
    #[error("no transaction could be begun")]
    NotBegun(#[source] sqlx::Error),
}

impl NoConnection {
    /// Whether others have what there is.
    pub(super) fn is_busy(&self) -> bool {
        match self {
            Self::Failed(error) => error.is_busy(),
            Self::Closed => false,
            Self::AllInUse | Self::NoSession => true,
            Self::NotBegun(error) => is_full(error),
        }
    }
}

/// Makes connections, and decides which are used again.
pub(super) struct Pool {
    connector: Connector,
    /// How many connections there may be.
    most: usize,
    /// One for each connection that a call may have. The call that has waited longest gets the next.
    places: Arc<Semaphore>,
    kept: Mutex<Kept>,
    /// The calls that have a connection.
    loans: TaskTracker,
    waiting: AtomicUsize,
}

#[derive(Default)]
struct Kept {
    /// The last one used comes first: its statements are prepared, and it needs no check.
    idle: Vec<Session>,
    last_loss: Option<Instant>,
    /// The places that were taken away because the server is full, and when that changed last.
    missing: usize,
    missing_since: Option<Instant>,
}

impl Pool {
    pub(super) fn new(connector: Connector, most: usize) -> Self {
        Self {
            connector,
            most,
            places: Arc::new(Semaphore::new(most)),
            kept: Mutex::default(),
            loans: TaskTracker::new(),
            waiting: AtomicUsize::new(0),
        }
    }

    /// How long a call may wait.
    pub(super) fn patience(&self) -> Duration {
        if self.connector.is_pooled() { PATIENCE_POOLED } else { PATIENCE }
    }

    /// A connection for one call.
    pub(super) async fn lend(self: &Arc<Self>, until: Instant) -> Result<Loan, NoConnection> {
        let _waiting = Waiting::new(&self.waiting);
        loop {
            self.try_one_more();
            let place = time::timeout_at(until.into(), Arc::clone(&self.places).acquire_owned()).await;
            let place = place.map_err(|_| NoConnection::AllInUse)?.map_err(|_| NoConnection::Closed)?;
            if let Some(session) = self.usable().await {
                return Ok(self.loan(session, place));
            }
            let limit = until.saturating_duration_since(Instant::now());
            if limit < LEAST_LIMIT {
                return Err(NoConnection::AllInUse);
            }
            let error = match self.connector.connect(limit).await {
                Ok(connected) => return Ok(self.loan(Session::new(connected), place)),
                Err(error) => error,
            };
            if !error.is_full() {
                return Err(NoConnection::Failed(error));
            }
            if self.has_connections() {
                // One of those will be free soon.
                self.take_away(place);
            } else if Instant::now() + FULL_PAUSE < until {
                time::sleep(FULL_PAUSE).await;
            } else {
                return Err(NoConnection::Failed(error));
            }
        }
    }

    /// Makes sure that no connection made until now is used again.
    pub(super) fn distrust(&self) {
        let mut kept = self.kept();
        kept.last_loss = Some(Instant::now());
        let idle = mem::take(&mut kept.idle);
        drop(kept);
        drop(idle);
    }

    /// Drops the connections that nobody has used for a while: one of them didn't answer.
    pub(super) fn forget_idle(&self) {
        self.kept().idle.retain(|session| !session.was_idle());
    }

    /// Waits for running calls, and closes the connections.
    pub(super) async fn close(&self) {
        self.places.close();
        self.loans.close();
        self.loans.wait().await;
        self.kept().idle.clear();
    }

    pub(super) fn status(&self) -> PoolStatus {
        let idle = self.kept().idle.len();
        let waiting = self.waiting.load(Ordering::Relaxed);
        PoolStatus { in_use: self.loans.len(), idle, waiting, max: self.most }
    }

    async fn usable(&self) -> Option<Session> {
        loop {
            let mut session = self.kept().idle.pop()?;
            // A pooler may have no session for the check. There, the call's own transaction is the check.
            if self.trusts(&session) && (session.is_pooled || !session.was_idle() || session.answers().await)
            {
                return Some(session);
            }
            if self.trusts(&session) {
                self.distrust();
            }
        }
    }

    fn trusts(&self, session: &Session) -> bool {
        session.made_at.elapsed() <= MOST_AGE && self.kept().last_loss < Some(session.made_at)
    }

    fn loan(self: &Arc<Self>, session: Session, place: OwnedSemaphorePermit) -> Loan {
        let token = self.loans.token();
        Loan { session: Some(session), pool: Arc::clone(self), _place: place, _token: token }
    }

    fn has_connections(&self) -> bool {
        !self.loans.is_empty() || !self.kept().idle.is_empty()
    }

    /// The server is full, so calls share the connections that it took.
    fn take_away(&self, place: OwnedSemaphorePermit) {
        place.forget();
        let mut kept = self.kept();
        kept.missing += 1;
        kept.missing_since = Some(Instant::now());
    }

    fn try_one_more(&self) {
        let mut kept = self.kept();
        if kept.missing > 0 && kept.missing_since.is_some_and(|since| since.elapsed() > MORE_AFTER) {
            kept.missing -= 1;
            kept.missing_since = Some(Instant::now());
            self.places.add_permits(1);
        }
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A call that waits, also if it is given up.
struct Waiting<'a>(&'a AtomicUsize);

impl<'a> Waiting<'a> {
    fn new(waiting: &'a AtomicUsize) -> Self {
        waiting.fetch_add(1, Ordering::Relaxed);
        Self(waiting)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A connection with what MARO knows of it.
pub(super) struct Session {
    pub(super) connection: PgConnection,
    pub(super) is_pooled: bool,
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

    /// Whether it may have broken since it was used.
    pub(super) fn was_idle(&self) -> bool {
        self.idle_since.elapsed() >= TRUSTED_FOR
    }

    /// Whether it hasn't been used yet.
    pub(super) fn is_new(&self) -> bool {
        self.idle_since == self.made_at
    }

    async fn answers(&mut self) -> bool {
        matches!(time::timeout(PING_LIMIT, self.connection.ping()).await, Ok(Ok(())))
    }
}

/// A connection that a call has. It's closed when this is dropped, unless it was given back.
pub(super) struct Loan {
    session: Option<Session>,
    pool: Arc<Pool>,
    _place: OwnedSemaphorePermit,
    /// Closing the pool waits for these.
    _token: TaskTrackerToken,
}

impl Loan {
    pub(super) fn session(&mut self) -> &mut Session {
        self.session.as_mut().expect("a loan has its connection until it is given back")
    }

    pub(super) fn give_back(&mut self) {
        let Some(mut session) = self.session.take() else { return };
        session.idle_since = Instant::now();
        if self.pool.trusts(&session) {
            self.pool.kept().idle.push(session);
        }
    }
}
