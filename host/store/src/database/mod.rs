//! The connections to the database, and its schema.
//!
//! Owns how MARO connects, waits, tries again and gives up, on SQLite and on PostgreSQL. The tables have
//! their own modules, which bring the statements; sqlx is known to them and to this module alone.

use std::{error::Error, sync::Arc};

use crate::{
    config::DatabaseConfig,
    database::{
        postgres::PostgresDatabase,
        sqlite::{PATIENCE, SqliteDatabase},
    },
};

pub mod migrations;
pub mod postgres;
pub mod sqlite;
pub mod time;

/// Why the database did not answer a call.
#[derive(Debug, Clone, thiserror::Error)]
pub enum DatabaseError {
    /// It refuses, is gone, or is too busy to give a connection.
    #[error("the database is unavailable")]
    Unavailable(#[source] Arc<dyn Error + Send + Sync>),
    /// It did not answer in time.
    #[error("the database did not answer in time")]
    TimedOut,
    /// It was asked to change something, and its answer was lost: it may have done so.
    #[error("the database's answer was lost")]
    Uncertain(#[source] Arc<dyn Error + Send + Sync>),
}

impl DatabaseError {
    pub(crate) fn unavailable(error: sqlx::Error) -> Self {
        Self::Unavailable(Arc::new(error))
    }

    /// What the database handed over has not the form that was asked for.
    pub(crate) fn unreadable(error: serde_json::Error) -> Self {
        Self::Unavailable(Arc::new(error))
    }
}

/// The database that the settings name, for all tables.
#[derive(Clone)]
pub enum Database {
    Sqlite(Arc<SqliteDatabase>),
    Postgres(Arc<PostgresDatabase>),
}

impl Database {
    /// Connects and brings the tables to the present schema. Several replicas may start at once: one does
    /// the work, the others wait.
    ///
    /// # Errors
    /// One sentence for the operator, without the password; the source chain has what the database said.
    pub async fn open(config: &DatabaseConfig) -> anyhow::Result<Self> {
        Ok(match config {
            DatabaseConfig::Sqlite { path } => {
                Self::Sqlite(Arc::new(SqliteDatabase::open(path, PATIENCE).await?))
            }
            DatabaseConfig::Postgres { url } => Self::Postgres(Arc::new(PostgresDatabase::open(url).await?)),
        })
    }

    /// Finishes what is under way and closes the connections. A later call fails as unavailable.
    pub async fn close(&self) {
        match self {
            Self::Sqlite(database) => database.close().await,
            Self::Postgres(database) => database.close().await,
        }
    }
}
