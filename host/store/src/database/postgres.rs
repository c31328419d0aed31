//! PostgreSQL: connecting, and noticing that a connection is dead before it is used.

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

/// Connections of one replica. PostgreSQL's own default allows 100 in all.
const MOST_CONNECTIONS: u32 = 10;

/// How long to wait for a connection, new ones included.
const ACQUIRE_LIMIT: Duration = Duration::from_secs(2);

/// How long the first connection may take at start-up, and later a look whether one is alive.
const CONNECT_LIMIT: Duration = Duration::from_secs(5);
const PING_LIMIT: Duration = Duration::from_millis(500);

/// How long another replica may take with the migrations.
const MIGRATION_LIMIT: Duration = Duration::from_secs(60);

/// A connection that has been idle for less than this is used without a look.
const TRUSTED_FOR: Duration = Duration::from_secs(1);

/// Connections are renewed after this time, so that load moves to new servers behind an address.
const MOST_AGE: Duration = Duration::from_secs(30 * 60);

/// Made for each connection, not in the URL: connection poolers refuse such settings at the start.
const SESSION: &str = "SET statement_timeout = '4s'; SET lock_timeout = '2s'; SET timezone = 'UTC'";

/// A pool of connections.
pub struct PostgresDatabase {
    pub(crate) pool: PgPool,
    last_loss: LastLoss,
}

/// When a connection was last found dead. Those that have been idle since then are not trusted.
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
    /// Connects, and brings the tables to the present schema. Several replicas may do so at once.
    ///
    /// # Errors
    /// One sentence for the operator, which names the place and never the password.
    pub async fn open(url: &Secret) -> anyhow::Result<Self> {
        // The library's message may quote the URL.
        let options: PgConnectOptions = url
            .expose()
            .parse()
            .map_err(|_| anyhow::anyhow!("DATABASE_URL is not a valid postgres:// URL."))?;
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

    /// Waits for the calls that are under way, and closes the connections.
    pub(super) async fn close(&self) {
        self.pool.close().await;
    }

    /// Has every connection checked that was idle until now.
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
        Err(_) => anyhow::bail!("{place} did not answer within {} seconds.", CONNECT_LIMIT.as_secs()),
    };
    // sqlx takes an advisory lock, which the end of the connection gives back.
    let migrated = migrations::apply_postgres(&mut connection);
    match tokio::time::timeout(MIGRATION_LIMIT, migrated).await {
        Ok(Ok(())) => {}
        Ok(Err(MigrateError::Execute(error))) => return Err(place.describe(error)),
        Ok(Err(error)) => {
            let sentence = migrations::sentence(&error, &migrations::POSTGRES);
            return Err(anyhow::Error::new(error).context(sentence));
        }
        Err(_) => anyhow::bail!(
            "The tables in {place} were not ready within {} seconds: is another MARO still migrating them?",
            MIGRATION_LIMIT.as_secs()
        ),
    }
    connection.close().await.map_err(|error| place.describe(error))
}

/// Where the database is, without the password.
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
    /// The sentence for the operator who cannot connect.
    fn describe(&self, error: sqlx::Error) -> anyhow::Error {
        let database = self.0.get_database().unwrap_or(self.0.get_username());
        let user = self.0.get_username();
        let code = error.as_database_error().and_then(|error| error.code());
        // https://www.postgresql.org/docs/current/errcodes-appendix.html
        let sentence = match (&error, code.as_deref()) {
            (sqlx::Error::Io(cause), _) => format!("{self} cannot be reached: {cause}."),
            (sqlx::Error::Tls(_), _) => {
                format!("{self} cannot be reached over TLS: check sslmode and sslrootcert in DATABASE_URL.")
            }
            (_, Some("28P01" | "28000")) => {
                format!("{self} refuses the user {user:?}: check the name and password in DATABASE_URL.")
            }
            (_, Some("3D000")) => format!("{self} has no database {database:?}: create it first."),
            (_, Some("42501")) => format!(
                "{self} does not let the user {user:?} make tables in the database {database:?}: \
                 GRANT CREATE ON SCHEMA public TO that user."
            ),
            (_, Some("53300")) => format!("{self} has no connection left."),
            (_, Some("57P03")) => format!("{self} is not ready yet."),
            _ => format!("{self} cannot be used."),
        };
        anyhow::Error::new(error).context(sentence)
    }
}
