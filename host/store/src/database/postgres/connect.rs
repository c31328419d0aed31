//! How a connection is made: the servers in order, from the last that worked, until one takes writes, and what a
//! session is told at first.

use std::{
    sync::atomic::{AtomicBool, AtomicUsize, Ordering},
    time::{Duration, Instant},
};

use sqlx::{ConnectOptions as _, PgConnection, Row as _, postgres::PgConnectOptions};
use tokio::time;

use crate::{
    config::{PostgresConfig, UrlSource},
    database::postgres::{
        address::Address,
        deadline::ServerClock,
        diagnosis::{self, ConnectError, Place},
        passfile, pooler,
        servers::Server,
        tls_files,
    },
};

/// How long the first connection may take at start-up.
pub(super) const CONNECT_LIMIT: Duration = Duration::from_secs(5);

/// Asked of each new session.
const HELLO: &str = "
    SELECT pg_is_in_recovery(), current_setting('transaction_read_only')::boolean,
        current_setting('maro.direct', true), extract(epoch FROM clock_timestamp())::float8";

/// Connects, and remembers what led to a connection.
pub(super) struct Connector {
    url: UrlSource,
    /// The server that took the last connection, by its place in the URL.
    last_good: AtomicUsize,
    /// Whether a pooler that hands out single transactions stands between.
    is_pooled: AtomicBool,
}

/// A connection that takes writes.
pub(super) struct Connected {
    pub(super) connection: PgConnection,
    /// Whether the next transaction may be made on another session.
    pub(super) is_pooled: bool,
    pub(super) clock: ServerClock,
    pub(super) place: Place,
}

impl Connector {
    pub(super) fn new(config: &PostgresConfig) -> Self {
        Self {
            url: config.url.clone(),
            last_good: AtomicUsize::new(0),
            is_pooled: AtomicBool::new(config.is_pooled),
        }
    }

    /// Tries the servers one after the other, the last good one first.
    ///
    /// # Errors
    /// What the most telling of the servers said.
    pub(super) async fn connect(&self, limit: Duration) -> Result<Connected, ConnectError> {
        let address = self.address()?;
        let servers = address.servers();
        let each = limit / u32::try_from(servers.len()).unwrap_or(u32::MAX);
        let first = self.last_good.load(Ordering::Relaxed) % servers.len();
        let mut worst = None;
        for position in (0..servers.len()).map(|offset| (first + offset) % servers.len()) {
            match self.connect_to(&address, &servers[position], each).await {
                Ok(connected) => {
                    self.last_good.store(position, Ordering::Relaxed);
                    return Ok(connected);
                }
                Err(error) => worst = ConnectError::more_telling(worst, error),
            }
        }
        let worst = worst.unwrap_or_else(|| ConnectError::setting("DATABASE_URL names no server."));
        Err(if servers.len() > 1 { worst.of_several() } else { worst })
    }

    fn address(&self) -> Result<Address, ConnectError> {
        let address = Address::parse(&self.url.read().map_err(ConnectError::setting)?);
        address.map_err(ConnectError::setting)
    }

    async fn connect_to(
        &self,
        address: &Address,
        server: &Server,
        limit: Duration,
    ) -> Result<Connected, ConnectError> {
        let options = address.options(server).map_err(diagnosis::unusable)?;
        let options = tls_files::read(address, options)?;
        let (options, login_hint) = passfile::log_in(address, options);
        let place = Place::new(server, &options, login_hint);
        let until = Instant::now() + limit;
        let begin = |options| begin_session(options, place.clone(), limit, until);
        let connected = if self.is_pooled() {
            begin(pooler::plain(&options)).await?
        } else {
            match begin(pooler::direct(&options)).await {
                // Poolers say that settings at the start are more than they support.
                Err(error) if error.refuses_settings() => begin(pooler::plain(&options)).await?,
                result => result?,
            }
        };
        self.is_pooled.fetch_or(connected.is_pooled, Ordering::Relaxed);
        Ok(connected)
    }

    /// Whether a pooler that hands out single transactions was found.
    pub(super) fn is_pooled(&self) -> bool {
        self.is_pooled.load(Ordering::Relaxed)
    }
}

async fn begin_session(
    options: PgConnectOptions,
    place: Place,
    limit: Duration,
    until: Instant,
) -> Result<Connected, ConnectError> {
    let begun = time::timeout_at(until.into(), options.connect()).await;
    let mut connection = begun.map_err(|_| place.is_silent(limit))?.map_err(|error| place.describe(error))?;
    let hello = async {
        let row = sqlx::raw_sql(HELLO).fetch_one(&mut connection).await?;
        let clock = ServerClock::new(row.try_get(3)?, Instant::now());
        Ok((row.try_get(0)?, row.try_get(1)?, row.try_get::<Option<String>, _>(2)?, clock))
    };
    let said = time::timeout_at(until.into(), hello).await;
    match said.map_err(|_| place.has_no_session(limit))? {
        Ok((true, _, _, _)) => Err(place.is_standby()),
        Ok((false, true, _, _)) => Err(place.is_read_only()),
        Ok((false, false, mark, clock)) => {
            Ok(Connected { connection, is_pooled: pooler::stands_between(mark.as_deref()), clock, place })
        }
        Err(error) => Err(place.describe(error)),
    }
}
