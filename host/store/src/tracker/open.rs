//! Opens the lists in an open database.

use std::sync::Arc;

use crate::{
    database::Database,
    tracker::{ChannelIssueTracker, postgres::PostgresTracker, sqlite::SqliteTracker},
};

/// The lists in a database. They can be used until it is closed.
pub fn open(database: &Database) -> Arc<dyn ChannelIssueTracker> {
    match database {
        Database::Sqlite(database) => Arc::new(SqliteTracker::new(Arc::clone(database))),
        Database::Postgres(database) => Arc::new(PostgresTracker::new(Arc::clone(database))),
    }
}
