//! What SQLite's errors mean.

use std::sync::Arc;

use crate::database::{
    error::DatabaseError,
    sqlite::connect::{is_busy, primary_code},
};

/// What the operator reads in the log, since SQLite doesn't say what to do.
#[derive(Debug, thiserror::Error)]
#[error("the database is damaged: stop MARO, and restore a backup with `maro restore FILE`")]
struct Damaged(#[source] sqlx::Error);

/// For a call that changes nothing, or failed before it changed anything.
pub(super) fn database_error(error: sqlx::Error) -> DatabaseError {
    match primary_code(&error) {
        _ if is_busy(&error) => DatabaseError::TimedOut,
        // SQLITE_CORRUPT and SQLITE_NOTADB
        Some(11 | 26) => DatabaseError::Unavailable(Arc::new(Damaged(error))),
        _ => DatabaseError::unavailable(error),
    }
}

/// For a change. If SQLite reports the error itself, it has undone the change.
pub(super) fn change_error(error: sqlx::Error) -> DatabaseError {
    match error {
        sqlx::Error::WorkerCrashed => DatabaseError::Uncertain(Arc::new(error)),
        _ => database_error(error),
    }
}
