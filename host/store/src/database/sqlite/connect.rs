//! Sets up connections to the SQLite file.

use std::{path::PathBuf, time::Duration};

use sqlx::{
    AssertSqlSafe, ConnectOptions, SqliteConnection,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous},
};

/// How long the bot waits while another program locks the file.
pub(in crate::database) const PATIENCE: Duration = Duration::from_secs(5);

/// How long to wait before retrying while another process sets up the file.
const RETRY_AFTER: Duration = Duration::from_millis(20);

/// The file's path, and how to open it.
#[derive(Debug, Clone)]
pub(super) struct File {
    pub(super) path: PathBuf,
    /// How long SQLite waits while another process holds the lock.
    pub(super) busy_timeout: Duration,
}

impl File {
    fn options(&self) -> SqliteConnectOptions {
        SqliteConnectOptions::new()
            .filename(&self.path)
            .busy_timeout(self.busy_timeout)
            // Readers and the writer don't wait for each other.
            .journal_mode(SqliteJournalMode::Wal)
            // Committed changes are in the operating system's hands, so they survive the end of this process,
            // even kill -9. A power failure may lose the last few changes but never corrupts the file. FULL
            // would keep those too, at the cost of one fsync per commit.
            .synchronous(SqliteSynchronous::Normal)
            // Four times the default. Most pages are written again before they are copied into the file, and
            // each copy waits for the disk. The log stays under 20 MB.
            .pragma("wal_autocheckpoint", "4000")
            .foreign_keys(true)
            // Reads use the operating system's cache directly, without a copy. It counts as resident memory.
            .pragma("mmap_size", "33554432")
            .disable_statement_logging()
    }

    /// Opens the file, and creates it if it doesn't exist.
    pub(super) async fn create(&self) -> Result<SqliteConnection, sqlx::Error> {
        let options = self.options().create_if_missing(true);
        let opened = async {
            loop {
                // The switch to WAL doesn't wait for other processes that switch at the same time.
                match options.connect().await {
                    Err(error) if is_busy(&error) => tokio::time::sleep(RETRY_AFTER).await,
                    result => return result,
                }
            }
        };
        match tokio::time::timeout(self.busy_timeout, opened).await {
            Ok(result) => result,
            // The last attempt gives the reason.
            Err(_) => options.connect().await,
        }
    }

    /// Opens the existing file.
    pub(super) async fn open(&self) -> Result<SqliteConnection, sqlx::Error> {
        self.options().create_if_missing(false).connect().await
    }

    /// Opens the existing file for a look, and leaves its form as it is.
    pub(super) async fn open_as_it_is(&self) -> Result<SqliteConnection, sqlx::Error> {
        let options = SqliteConnectOptions::new().filename(&self.path).busy_timeout(self.busy_timeout);
        options.disable_statement_logging().connect().await
    }
}

/// A change that changes nothing, and needs no table: writes the number that SQLite keeps for other tools, as it
/// is.
pub(super) async fn touch(connection: &mut SqliteConnection) -> Result<(), sqlx::Error> {
    let number: i32 = sqlx::query_scalar("PRAGMA user_version").fetch_one(&mut *connection).await?;
    let set = AssertSqlSafe(format!("PRAGMA user_version = {number}"));
    sqlx::query(set).execute(connection).await?;
    Ok(())
}

/// Whether another process holds the lock.
pub(super) fn is_busy(error: &sqlx::Error) -> bool {
    // SQLITE_BUSY and SQLITE_LOCKED, https://sqlite.org/rescode.html
    matches!(primary_code(error), Some(5 | 6))
}

/// SQLite's primary result code.
pub(super) fn primary_code(error: &sqlx::Error) -> Option<i32> {
    Some(extended_code(error)? & 0xff)
}

/// SQLite's result code in its longer form.
pub(super) fn extended_code(error: &sqlx::Error) -> Option<i32> {
    error.as_database_error()?.code()?.parse().ok()
}
