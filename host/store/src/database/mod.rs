//! The connections to the database, and its schema.
//!
//! Owns how MARO connects, waits, retries and gives up, on SQLite and on PostgreSQL. Each table has its own
//! module with its statements. Only this module and those use sqlx.

use std::sync::Arc;

use crate::{
    config::DatabaseConfig,
    database::{
        inspection::{Condition, PoolStatus},
        postgres::PostgresDatabase,
        sqlite::{PATIENCE, SqliteDatabase},
    },
};

pub mod error;
pub mod inspection;
pub mod migrations;
pub mod postgres;
pub mod sqlite;
pub mod time;

/// The database from the settings, for all tables.
#[derive(Clone)]
pub enum Database {
    Sqlite(Arc<SqliteDatabase>),
    Postgres(Arc<PostgresDatabase>),
}

impl Database {
    /// As [`crate::Stores::open`], without the tables.
    pub(crate) async fn open(config: &DatabaseConfig) -> anyhow::Result<Self> {
        Ok(match config {
            DatabaseConfig::Sqlite { path } => {
                Self::Sqlite(Arc::new(SqliteDatabase::open(path, PATIENCE).await?))
            }
            DatabaseConfig::Postgres(config) => {
                Self::Postgres(Arc::new(PostgresDatabase::open(config).await?))
            }
        })
    }

    /// Looks whether MARO can use a database, and tries whether it takes changes. Changes nothing. The bot may be
    /// running on it.
    ///
    /// # Errors
    /// As [`crate::Stores::open`].
    pub async fn inspect(config: &DatabaseConfig) -> anyhow::Result<Condition> {
        match config {
            DatabaseConfig::Sqlite { path } => sqlite::inspect::inspect(path).await,
            DatabaseConfig::Postgres(config) => postgres::inspect::inspect(config).await,
        }
    }

    /// The connections of this replica. `None` for SQLite, which has no pool.
    pub(crate) fn connections(&self) -> Option<PoolStatus> {
        match self {
            Self::Sqlite(_) => None,
            Self::Postgres(database) => Some(database.connections()),
        }
    }

    pub(crate) async fn close(&self) {
        match self {
            Self::Sqlite(database) => database.close().await,
            Self::Postgres(database) => database.close().await,
        }
    }
}
