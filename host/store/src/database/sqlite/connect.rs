//! How a connection to the SQLite file is set up.

use std::{path::PathBuf, time::Duration};

use sqlx::{
    ConnectOptions, Connection, SqliteConnection,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous},
};

/// How long to wait before asking again for a file that another process is just setting up.
const RETRY_AFTER: Duration = Duration::from_millis(20);

/// Where the file is and how to open it.
#[derive(Debug, Clone)]
pub(super) struct File {
    pub(super) path: PathBuf,
    /// How long SQLite waits for another process's lock.
    pub(super) busy_timeout: Duration,
}

impl File {
    fn options(&self) -> SqliteConnectOptions {
        SqliteConnectOptions::new()
            .filename(&self.path)
            .busy_timeout(self.busy_timeout)
            // Readers and the writer do not wait for one another.
            .journal_mode(SqliteJournalMode::Wal)
            // What is committed is in the operating system's hands: it survives the end of this process,
            // kill -9 included. A power failure may take the last moments with it, but never damages the
            // file. FULL would promise those too, for one fsync a commit.
            .synchronous(SqliteSynchronous::Normal)
            // Four times the default: most of what is written is written again before it is copied into the
            // file, and a copy waits for the disk. The log stays under 20 MB.
            .pragma("wal_autocheckpoint", "4000")
            .foreign_keys(true)
            // Reads go to the operating system's cache without a copy. It counts as resident memory.
            .pragma("mmap_size", "33554432")
            .disable_statement_logging()
    }

    /// Opens the file, and makes it if it is absent.
    pub(super) async fn create(&self) -> Result<SqliteConnection, sqlx::Error> {
        let options = self.options().create_if_missing(true);
        let opened = async {
            loop {
                // The switch to WAL does not wait for other processes that switch at the same moment.
                match options.connect().await {
                    Err(error) if is_busy(&error) => tokio::time::sleep(RETRY_AFTER).await,
                    result => return result,
                }
            }
        };
        match tokio::time::timeout(self.busy_timeout, opened).await {
            Ok(result) => result,
            // The last attempt tells why.
            Err(_) => options.connect().await,
        }
    }

    /// Opens the file that is there.
    pub(super) async fn open(&self) -> Result<SqliteConnection, sqlx::Error> {
        self.options().create_if_missing(false).connect().await
    }
}

/// A connection that is opened when needed, and again after it broke.
pub(super) struct Reopening {
    file: File,
    connection: Option<SqliteConnection>,
}

impl Reopening {
    pub(super) fn new(file: File) -> Self {
        Self { file, connection: None }
    }

    pub(super) async fn get(&mut self) -> Result<&mut SqliteConnection, sqlx::Error> {
        let connection = match self.connection.take() {
            Some(connection) => connection,
            None => self.file.open().await?,
        };
        Ok(self.connection.insert(connection))
    }

    /// After a failed statement. A file that is only busy needs no new connection.
    pub(super) fn failed(&mut self, error: &sqlx::Error) {
        if !is_busy(error) {
            self.connection = None;
        }
    }

    pub(super) async fn close(&mut self) {
        if let Some(connection) = self.connection.take()
            && let Err(error) = connection.close().await
        {
            tracing::warn!(%error, "the database was not closed cleanly");
        }
    }
}

/// Whether another process holds the lock.
pub(super) fn is_busy(error: &sqlx::Error) -> bool {
    // SQLITE_BUSY and SQLITE_LOCKED, https://sqlite.org/rescode.html
    matches!(primary_code(error), Some(5 | 6))
}

/// SQLite's primary result code.
pub(super) fn primary_code(error: &sqlx::Error) -> Option<i32> {
    let extended: i32 = error.as_database_error()?.code()?.parse().ok()?;
    Some(extended & 0xff)
}
