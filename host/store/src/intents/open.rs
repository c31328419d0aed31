//! Opens the journal in an open database.

use std::sync::Arc;

use crate::{
    database::Database,
    intents::{IntentJournal, postgres::PostgresJournal, sqlite::SqliteJournal},
};

/// The journal in a database. It can be used until the database is closed.
pub fn open(database: &Database) -> Arc<dyn IntentJournal> {
    match database {
        Database::Sqlite(database) => Arc::new(SqliteJournal::new(Arc::clone(database))),
        Database::Postgres(database) => Arc::new(PostgresJournal::new(Arc::clone(database))),
    }
}
