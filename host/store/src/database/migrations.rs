//! The migrations that bring a database to the current schema, embedded in the binary.
//!
//! The files are in `migrations/{sqlite,postgres}/`. `migrations/README.md` has the rules.

use futures_util::future::BoxFuture;
use sqlx::{
    PgConnection, SqliteConnection,
    migrate::{MigrateError, Migrator},
};

/// The migrations for SQLite, in order.
pub static SQLITE: Migrator = sqlx::migrate!("../../migrations/sqlite");

/// The migrations for PostgreSQL, in order, with the same numbers and names.
pub static POSTGRES: Migrator = sqlx::migrate!("../../migrations/postgres");

/// Applies the missing migrations. Uses `run_direct`, because the compiler can't see that the future of `run`
/// is `Send` for a borrowed connection.
pub(in crate::database) fn apply_sqlite(
    connection: &mut SqliteConnection,
) -> BoxFuture<'_, Result<(), MigrateError>> {
    Box::pin(SQLITE.run_direct(None, connection, false))
}

/// As [`apply_sqlite`].
pub(in crate::database) fn apply_postgres(
    connection: &mut PgConnection,
) -> BoxFuture<'_, Result<(), MigrateError>> {
    Box::pin(POSTGRES.run_direct(None, connection, false))
}

/// What to tell the operator if a database can't be brought to the current schema.
pub(in crate::database) fn sentence(error: &MigrateError, steps: &Migrator) -> String {
    let newest = steps.iter().map(|step| step.version).max().unwrap_or_default();
    match error {
        MigrateError::VersionMissing(version) | MigrateError::VersionTooNew(version, _) => format!(
            "The database was made by a newer MARO: it has migration {version}, and this MARO knows those \
             up to {newest}. Start the newer MARO."
        ),
        MigrateError::VersionMismatch(version) => format!(
            "Migration {version} isn't the one that was applied to this database: its file was edited \
             afterwards. Start the MARO that made the database, and put changes into a new migration."
        ),
        MigrateError::ExecuteMigration(_, version) => {
            format!("Migration {version} failed. The database is as it was before.")
        }
        _ => "MARO couldn't create or check its tables.".to_owned(),
    }
}
