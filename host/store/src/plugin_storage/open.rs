//! The plugins' values in the database that is open.

use std::sync::Arc;

use crate::{
    database::Database,
    plugin_storage::{PluginStorage, postgres::PostgresStorage, sqlite::SqliteStorage},
};

/// The values in a database. They are usable until that is closed.
pub fn open(database: &Database) -> Arc<dyn PluginStorage> {
    match database {
        Database::Sqlite(database) => Arc::new(SqliteStorage::new(Arc::clone(database))),
        Database::Postgres(database) => Arc::new(PostgresStorage::new(Arc::clone(database))),
    }
}
