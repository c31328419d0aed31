//! How a call of the database can fail.

use std::{error::Error, sync::Arc};

use serde::Deserialize;

/// Why the database didn't answer a call. The same for all tables and both databases.
#[derive(Debug, Clone, thiserror::Error)]
pub enum DatabaseError {
    /// It refuses the call, or is down. Or its answer makes no sense. Nothing was changed.
    #[error("the database is unavailable")]
    Unavailable(#[source] Arc<dyn Error + Send + Sync>),
    /// No connection was free in time: others have what there is. Nothing was changed.
    #[error("the database has no connection free")]
    Busy(#[source] Arc<dyn Error + Send + Sync>),
    /// It didn't answer in time. Nothing was changed, and nothing will be.
    #[error("the database took too long to respond")]
    TimedOut,
    /// The answer to a change was lost. The change may have been made.
    #[error("the database's answer was lost")]
    Uncertain(#[source] Arc<dyn Error + Send + Sync>),
    /// The request that the change is made for has changed something before, when another replica handled it or
    /// before a restart. Nothing was changed, and the sender of the copy is told nothing.
    #[error("the request has been handled before")]
    Replayed,
}

impl DatabaseError {
    /// The outcome's name in metrics.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Unavailable(_) => "unavailable",
            Self::Busy(_) => "busy",
            Self::TimedOut => "timed_out",
            Self::Uncertain(_) => "uncertain",
            Self::Replayed => "replayed",
        }
    }

    pub(crate) fn unavailable(error: sqlx::Error) -> Self {
        Self::Unavailable(Arc::new(error))
    }

    /// The database's answer doesn't have the expected form.
    pub(crate) fn unreadable(error: serde_json::Error) -> Self {
        Self::Unavailable(Arc::new(error))
    }
}

/// Reads an answer of the database, which is JSON.
pub(crate) fn parse<'a, T: Deserialize<'a>>(json: &'a str) -> Result<T, DatabaseError> {
    serde_json::from_str(json).map_err(DatabaseError::unreadable)
}
