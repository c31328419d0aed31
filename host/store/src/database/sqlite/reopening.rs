//! A connection that is opened when needed, and reopened after it breaks.

use std::sync::Arc;

use sqlx::{Connection as _, SqliteConnection};

use crate::database::{
    error::DatabaseError,
    sqlite::{
        connect::{File, is_busy},
        error::database_error,
        place::Place,
    },
};

pub(super) struct Reopening {
    file: File,
    place: Arc<Place>,
    /// Whether it's the one for changes.
    is_changing: bool,
    connection: Option<SqliteConnection>,
}

impl Reopening {
    pub(super) fn new(file: File, place: Arc<Place>) -> Self {
        Self { file, place, is_changing: false, connection: None }
    }

    /// # Errors
    /// [`DatabaseError::Unavailable`] also if the file's name leads elsewhere by now.
    pub(super) async fn get(&mut self) -> Result<&mut SqliteConnection, DatabaseError> {
        let connection = match self.connection.take() {
            Some(connection) => connection,
            None => {
                self.place.check()?;
                self.file.open().await.map_err(database_error)?
            }
        };
        Ok(self.connection.insert(connection))
    }

    /// As [`Self::get`], for a change. What is written must still be there after the end of this process.
    ///
    /// # Errors
    /// As [`Self::get`] fails, also on a connection that is open, and if another process has the file's lock.
    pub(super) async fn get_to_change(&mut self) -> Result<&mut SqliteConnection, DatabaseError> {
        self.place.keep_lock()?;
        if let Err(misplaced) = self.place.check() {
            if let Some(connection) = &mut self.connection {
                // Of a log that was deleted, SQLite has what it holds, and writes it into the file.
                let _ = sqlx::query("PRAGMA wal_checkpoint(FULL)").execute(connection).await;
            }
            return Err(misplaced);
        }
        self.get().await
    }

    /// Call this after a change.
    pub(super) fn changed(&mut self) {
        self.is_changing = true;
        self.place.note_log();
    }

    /// Call this after a failed statement. If the file was only busy, the connection is kept.
    pub(super) fn failed(&mut self, error: &sqlx::Error) {
        if !is_busy(error) {
            self.connection = None;
            if self.is_changing {
                self.place.forget_log();
            }
        }
    }

    pub(super) async fn close(&mut self) {
        if let Some(connection) = self.connection.take()
            && let Err(error) = connection.close().await
        {
            tracing::warn!(%error, "the database wasn't closed cleanly");
        }
    }
}
