//! PostgreSQL: connects, and detects dead connections before they are used.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use sqlx::{
    ConnectOptions, Connection, Executor, PgConnection, PgPool,
    migrate::MigrateError,
    pool::PoolConnectionMetadata,
    postgres::{PgConnectOptions, PgPoolOptions},
};

use crate::database::migrations;
use maro_process::secret::Secret;

pub(crate) mod attempt;
pub(in crate::database) mod inspect;

/// The number of connections per replica. PostgreSQL allows 100 in total by default.
const MOST_CONNECTIONS: u32 = 10;

/// How long to wait for a connection, including new ones.
const ACQUIRE_LIMIT: Duration = Duration::from_secs(2);

/// How long the first connection may take at start-up, and later a check whether a connection is alive.
const CONNECT_LIMIT: Duration = Duration::from_secs(5);
const PING_LIMIT: Duration = Duration::from_millis(500);

/// How long another replica may take for the migrations.
const MIGRATION_LIMIT: Duration = Duration::from_secs(60);

/// A connection that was idle for less than this is used without a check.
const TRUSTED_FOR: Duration = Duration::from_secs(1);

/// Connections are replaced after this time, so that load moves to new servers behind the same address.
const MOST_AGE: Duration = Duration::from_secs(30 * 60);

/// Set on each connection and not in the URL, because connection poolers refuse such settings at connection
/// time.
const SESSION: &str = "SET statement_timeout = '4s'; SET lock_timeout = '2s'; SET timezone = 'UTC'";

/// A pool of connections.
pub struct PostgresDatabase {
    pool: PgPool,
    last_loss: LastLoss,
}

/// When a connection was last found dead. Connections idle since then aren't trusted.
#[derive(Clone, Default)]
struct LastLoss(Arc<Mutex<Option<Instant>>>);

impl LastLoss {
    fn set(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
    }

    fn is_after(&self, moment: Option<Instant>) -> bool {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) >= moment
    }
}

impl PostgresDatabase {
    /// Connects, and brings the tables to the current schema. Several replicas may do so at once.
    ///
    /// # Errors
    /// One sentence for the operator. It names the server, but never the password.
    pub async fn open(url: &Secret) -> anyhow::Result<Self> {
        // The library's message may quote the URL.
        let options: PgConnectOptions = url
            .expose()
            .parse()
            .map_err(|_| anyhow::anyhow!("DATABASE_URL isn't a valid postgres:// URL."))?;
        let options = options.application_name("maro").disable_statement_logging();
        migrate(&options).await?;
        let last_loss = LastLoss::default();
        let pool = PgPoolOptions::new()
            .max_connections(MOST_CONNECTIONS)
            .acquire_timeout(ACQUIRE_LIMIT)
            .max_lifetime(MOST_AGE)
            .test_before_acquire(false)
            .after_connect(|connection, _| {
                Box::pin(async move { connection.execute(SESSION).await.map(|_| ()) })
            })
            .before_acquire({
                let last_loss = last_loss.clone();
                move |connection, metadata| {
                    let trusted = is_trusted(&metadata, &last_loss);
                    Box::pin(async move { Ok(trusted || answers(connection).await) })
                }
            })
            .connect_lazy_with(options);
        Ok(Self { pool, last_loss })
    }

    /// Waits for running calls, and closes the connections.
    pub(super) async fn close(&self) {
        self.pool.close().await;
    }

    /// Makes sure that every connection that was idle until now is checked.
    fn distrust(&self) {
        self.last_loss.set();
    }
}

fn is_trusted(metadata: &PoolConnectionMetadata, last_loss: &LastLoss) -> bool {
    metadata.idle_for < TRUSTED_FOR && !last_loss.is_after(Instant::now().checked_sub(metadata.idle_for))
}

async fn answers(connection: &mut PgConnection) -> bool {
    matches!(tokio::time::timeout(PING_LIMIT, connection.ping()).await, Ok(Ok(())))
}

async fn migrate(options: &PgConnectOptions) -> anyhow::Result<()> {
    let place = Place(options);
    let mut connection = match tokio::time::timeout(CONNECT_LIMIT, options.connect()).await {
        Ok(result) => result.map_err(|error| place.describe(error))?,
        Err(_) => anyhow::bail!("{place} didn't respond within {} seconds.", CONNECT_LIMIT.as_secs()),
    };
    // sqlx takes an advisory lock, which is released when the connection ends.
    let migrated = migrations::apply_postgres(&mut connection);
    match tokio::time::timeout(MIGRATION_LIMIT, migrated).await {
        Ok(Ok(())) => {}
        Ok(Err(MigrateError::Execute(error))) => return Err(place.describe(error)),
        Ok(Err(error)) => {
            let sentence = migrations::sentence(&error, &migrations::POSTGRES);
            return Err(anyhow::Error::new(error).context(sentence));
        }
        Err(_) => anyhow::bail!(
            "The tables in {place} weren't ready within {} seconds: is another MARO still migrating them?",
            MIGRATION_LIMIT.as_secs()
        ),
    }
    connection.close().await.map_err(|error| place.describe(error))
}

/// The database's address, without the password.
struct Place<'a>(&'a PgConnectOptions);

impl std::fmt::Display for Place<'_> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.0.get_socket() {
            Some(socket) => write!(formatter, "PostgreSQL at {}", socket.display()),
            None => write!(formatter, "PostgreSQL at {}:{}", self.0.get_host(), self.0.get_port()),
        }
    }
}

impl Place<'_> {
    /// What to tell the operator if MARO can't connect.
    fn describe(&self, error: sqlx::Error) -> anyhow::Error {
        let database = self.0.get_database().unwrap_or(self.0.get_username());
        let user = self.0.get_username();
        let code = error.as_database_error().and_then(|error| error.code());
        // https://www.postgresql.org/docs/current/errcodes-appendix.html
        let sentence = match (&error, code.as_deref()) {
            (sqlx::Error::Io(cause), _) => format!("MARO can't reach {self}: {cause}."),
            (sqlx::Error::Tls(_), _) => {
                format!("MARO can't reach {self} over TLS: check sslmode and sslrootcert in DATABASE_URL.")
            }
            (_, Some("28P01" | "28000")) => {
                format!("{self} rejected the user {user:?}: check the name and password in DATABASE_URL.")
            }
            (_, Some("3D000")) => format!("{self} has no database {database:?}: create it first."),
            (_, Some("42501")) => format!(
                "On {self}, the user {user:?} can't create tables in the database {database:?}: run \
                 GRANT CREATE ON SCHEMA public TO that user."
            ),
            (_, Some("53300")) => format!("{self} has no connections left."),
            (_, Some("57P03")) => format!("{self} isn't ready yet."),
            _ => format!("MARO can't use {self}."),
        };
        anyhow::Error::new(error).context(sentence)
    }
}
