//! What SQLite's errors mean.

use std::sync::Arc;

use crate::database::{error::DatabaseError, sqlite::connect::is_busy};

/// For a call that changes nothing, or failed before it changed anything.
pub(super) fn database_error(error: sqlx::Error) -> DatabaseError {
    if is_busy(&error) { DatabaseError::TimedOut } else { DatabaseError::unavailable(error) }
}

/// For a change. If SQLite reports the error itself, it has undone the change.
pub(super) fn change_error(error: sqlx::Error) -> DatabaseError {
    match error {
        sqlx::Error::WorkerCrashed => DatabaseError::Uncertain(Arc::new(error)),
        _ => database_error(error),
    }
}
