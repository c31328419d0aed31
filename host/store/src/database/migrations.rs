//! The steps that bring a database to the present schema, embedded in the binary.
//!
//! The files are `migrations/{sqlite,postgres}/`; `migrations/README.md` has the rules.

use futures_util::future::BoxFuture;
use sqlx::{
    PgConnection, SqliteConnection,
    migrate::{MigrateError, Migrator},
};

/// The steps for SQLite, in order.
pub static SQLITE: Migrator = sqlx::migrate!("../../migrations/sqlite");

/// The steps for PostgreSQL, in order; same numbers and names.
pub static POSTGRES: Migrator = sqlx::migrate!("../../migrations/postgres");

/// Applies the missing steps. `run_direct`, because the compiler cannot see that the future of `run` is
/// `Send` for a borrowed connection.
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

/// The sentence for the operator whose database cannot be brought to the present schema.
pub(in crate::database) fn sentence(error: &MigrateError, steps: &Migrator) -> String {
    let newest = steps.iter().map(|step| step.version).max().unwrap_or_default();
    match error {
        MigrateError::VersionMissing(version) | MigrateError::VersionTooNew(version, _) => format!(
            "The database was made by a newer MARO: it has migration {version}, and this MARO knows those \
             up to {newest}. Start the newer MARO."
        ),
        MigrateError::VersionMismatch(version) => format!(
            "Migration {version} is not the one that was applied to this database: its file was edited \
             afterwards. Start the MARO that made the database, and put changes into a new migration."
        ),
        MigrateError::ExecuteMigration(_, version) => {
            format!("Migration {version} failed. The database is as it was before.")
        }
        _ => "The tables of MARO could not be made or checked.".to_owned(),
    }
}
