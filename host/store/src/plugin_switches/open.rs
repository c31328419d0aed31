//! Opens the records in an open database.

use std::sync::Arc;

use crate::{
    database::Database,
    plugin_switches::{PluginRecords, postgres::PostgresPluginRecords, sqlite::SqlitePluginRecords},
};

/// The records in a database. They can be used until the database is closed.
pub fn open(database: &Database) -> Arc<dyn PluginRecords> {
    match database {
        Database::Sqlite(database) => Arc::new(SqlitePluginRecords::new(Arc::clone(database))),
        Database::Postgres(database) => Arc::new(PostgresPluginRecords::new(Arc::clone(database))),
    }
}
