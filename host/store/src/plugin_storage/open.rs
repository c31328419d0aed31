//! Opens the plugins' values in an open database.

use std::sync::Arc;

use crate::{
    database::Database,
    plugin_storage::{PluginStorage, postgres::PostgresStorage, sqlite::SqliteStorage},
};

/// The values in a database. They can be used until the database is closed.
pub fn open(database: &Database) -> Arc<dyn PluginStorage> {
    match database {
        Database::Sqlite(database) => Arc::new(SqliteStorage::new(Arc::clone(database))),
        Database::Postgres(database) => Arc::new(PostgresStorage::new(Arc::clone(database))),
    }
}
