//! PostgreSQL: several servers, poolers, and connections that break.

use std::{sync::Arc, time::Duration};

use sqlx::{Connection as _, Executor as _, PgConnection, migrate::MigrateError};

use crate::{
    config::PostgresConfig,
    database::{
        inspection::PoolStatus,
        migrations,
        postgres::{
            connect::{CONNECT_LIMIT, Connected, Connector},
            pool::Pool,
        },
    },
};

pub mod address;
pub(crate) mod attempt;
mod batches;
pub(crate) mod clock;
mod connect;
pub(crate) mod deadline;
pub(crate) mod diagnosis;
pub(in crate::database) mod inspect;
pub(crate) mod lease;
mod passfile;
mod pool;
mod pooler;
mod servers;
mod tls_files;

/// How long another replica may take for the migrations.
const MIGRATION_LIMIT: Duration = Duration::from_secs(60);

/// A pool of connections.
pub struct PostgresDatabase {
    pool: Arc<Pool>,
}

impl PostgresDatabase {
    /// Connects, and brings the tables to the current schema. Several replicas may do so at once.
    ///
    /// # Errors
    /// One sentence for the operator. It names the server, but never the password.
    pub async fn open(config: &PostgresConfig) -> anyhow::Result<Self> {
        let connector = Connector::new(config);
        migrate(connector.connect(CONNECT_LIMIT).await?).await?;
        Ok(Self { pool: Arc::new(Pool::new(connector, config.connections.get())) })
    }

    /// One connection, without the pool.
    ///
    /// # Errors
    /// As [`PostgresDatabase::open`].
    pub(crate) async fn connect_once(config: &PostgresConfig) -> anyhow::Result<PgConnection> {
        Ok(Connector::new(config).connect(CONNECT_LIMIT).await?.connection)
    }

    /// Waits for running calls, and closes the connections.
    pub(super) async fn close(&self) {
        self.pool.close().await;
    }

    pub(super) fn connections(&self) -> PoolStatus {
        self.pool.status()
    }
}

/// Brings the tables to the current schema. Asks first, since the user may lack the right to change tables.
async fn migrate(connected: Connected) -> anyhow::Result<()> {
    let Connected { mut connection, place, .. } = connected;
    let look = inspect::look(&mut connection, &place).await?;
    if let Some(problem) = look.problem {
        tracing::error!(problem, "the database can be reached, but some things won't work");
    }
    if look.missing_migrations == 0 {
        return Ok(());
    }
    match tokio::time::timeout(MIGRATION_LIMIT, apply(&mut connection)).await {
        Ok(applied) => applied.map_err(|error| place.describe_migration(error)),
        Err(_) => anyhow::bail!(
            "The tables in {place} weren't ready within {} seconds: is another MARO still migrating them?",
            MIGRATION_LIMIT.as_secs()
        ),
    }
}

/// One transaction, so that its lock and its settings also hold behind a pooler. The library prepares statements
/// under names that another session may have left behind there.
async fn apply(connection: &mut PgConnection) -> Result<(), MigrateError> {
    let mut transaction = connection.begin().await?;
    transaction.execute(sqlx::raw_sql(BEGIN_MIGRATIONS)).await?;
    migrations::apply_postgres(&mut transaction).await?;
    transaction.execute(sqlx::raw_sql("DEALLOCATE ALL")).await?;
    transaction.commit().await?;
    Ok(())
}

const BEGIN_MIGRATIONS: &str = "
    SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = 0;
    SET LOCAL idle_in_transaction_session_timeout = 0;
    SELECT pg_advisory_xact_lock(hashtextextended('maro migrations', 0)); DEALLOCATE ALL";
