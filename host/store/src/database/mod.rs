//! The connections to the database, and its schema.
//!
//! Owns how MARO connects, waits, retries and gives up, on SQLite and on PostgreSQL. Each table has its own
//! module with its statements. Only this module and those use sqlx.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use jiff::Timestamp;

use crate::{
    config::DatabaseConfig,
    database::{
        inspection::{Condition, PoolStatus},
        postgres::PostgresDatabase,
        sqlite::{SqliteDatabase, connect::PATIENCE},
    },
    tracker::LISTED,
};
use maro_domain::{ids::ChannelId, issue::IssueKey};

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

    /// Every issue on every list, as channel and key, of a database whose tables are up to date. Changes nothing, and
    /// the bot may be running on it. Invalid rows are left out.
    ///
    /// # Errors
    /// One sentence for the operator.
    pub async fn read_lists(config: &DatabaseConfig) -> anyhow::Result<Vec<(ChannelId, IssueKey)>> {
        let rows = match config {
            DatabaseConfig::Sqlite { path } => sqlite::inspect::read_pairs(path, LISTED).await?,
            DatabaseConfig::Postgres(config) => postgres::inspect::read_pairs(config, LISTED).await?,
        };
        let listed = |(channel, key): (String, String)| {
            Some((ChannelId::parse(&channel).ok()?, IssueKey::from_string(key).ok()?))
        };
        Ok(rows.into_iter().filter_map(listed).collect())
    }

    /// The connections of this replica. `None` for SQLite, which has no pool.
    pub(crate) fn connections(&self) -> Option<PoolStatus> {
        match self {
            Self::Sqlite(_) => None,
            Self::Postgres(database) => Some(database.connections()),
        }
    }

    /// Copies a SQLite database into a new file that only its owner may open, also while the bot is running on it.
    /// Returns the size of the copy in bytes.
    ///
    /// # Errors
    /// One sentence for the operator. For PostgreSQL, it names the program to use, with `url_in_shell` for the
    /// database.
    pub async fn backup(config: &DatabaseConfig, to: &Path, url_in_shell: &str) -> anyhow::Result<u64> {
        match config {
            DatabaseConfig::Sqlite { path } => sqlite::backup::backup(path, to).await,
            DatabaseConfig::Postgres { .. } => anyhow::bail!(
                "DATABASE_URL names a PostgreSQL database, which has its own program for that: \
                 pg_dump --format=custom --file={} {url_in_shell}",
                in_shell(to)
            ),
        }
    }

    /// Puts a backup into the place of a SQLite database that no bot is running on. Returns the file in which the
    /// previous one is kept, if there was one.
    ///
    /// # Errors
    /// As [`Database::backup`]. The database is as it was.
    pub async fn restore(
        config: &DatabaseConfig,
        from: &Path,
        url_in_shell: &str,
        now: Timestamp,
    ) -> anyhow::Result<Option<PathBuf>> {
        match config {
            DatabaseConfig::Sqlite { path } => sqlite::restore::restore(path, from, now).await,
            DatabaseConfig::Postgres { .. } => anyhow::bail!(
                "DATABASE_URL names a PostgreSQL database, which has its own program for that. While no MARO runs: \
                 pg_restore --clean --if-exists --dbname={url_in_shell} {}",
                in_shell(from)
            ),
        }
    }

    pub(crate) async fn close(&self) {
        match self {
            Self::Sqlite(database) => database.close().await,
            Self::Postgres(database) => database.close().await,
        }
    }
}

/// A path as a word of a shell.
pub fn in_shell(path: &Path) -> String {
    let path = path.display().to_string();
    let is_plain = |letter: char| letter.is_ascii_alphanumeric() || "/._-".contains(letter);
    if path.chars().all(is_plain) { path } else { format!("'{}'", path.replace('\'', r"'\''")) }
}
