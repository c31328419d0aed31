//! What SQLite's errors mean.

use crate::database::{error::DatabaseError, sqlite::connect::is_busy};

pub(super) fn database_error(error: sqlx::Error) -> DatabaseError {
    if is_busy(&error) { DatabaseError::TimedOut } else { DatabaseError::unavailable(error) }
}
