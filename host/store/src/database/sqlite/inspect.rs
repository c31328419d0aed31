//! Looks at a file and changes nothing in it.

use std::path::Path;

use sqlx::{Connection as _, SqliteConnection};

use crate::database::{
    inspection::Condition,
    migrations,
    sqlite::{
        connect::{File, PATIENCE},
        diagnosis::{check_folder, describe, describe_folder, describe_migration, is_damaged},
        write_probe::{try_change, try_room},
    },
};

/// Looks whether MARO can use a file, and tries whether it takes changes. The bot may be running on it.
///
/// # Errors
/// One sentence for the operator.
pub(in crate::database) async fn inspect(path: &Path) -> anyhow::Result<Condition> {
    check_folder(path)?;
    try_room(path).map_err(|no_room| describe_folder(no_room.0, path))?;
    if !path.exists() {
        return Ok(Condition::Absent);
    }
    let file = File { path: path.to_owned(), busy_timeout: PATIENCE };
    let describe = |error| describe(error, path);
    let mut connection = file.open_as_it_is().await.map_err(describe)?;
    let missing_migrations = count_missing(&mut connection, path).await?;
    check_pages(&mut connection, path).await?;
    try_change(&mut connection).await.map_err(describe)?;
    connection.close().await.map_err(describe)?;
    Ok(Condition::Present { missing_migrations })
}

/// SQLite itself notices damage only where it reads.
async fn check_pages(connection: &mut SqliteConnection, path: &Path) -> anyhow::Result<()> {
    let quick = sqlx::query_scalar("PRAGMA quick_check(1)");
    let found: String = quick.fetch_one(connection).await.map_err(|error| describe(error, path))?;
    if found != "ok" {
        return Err(anyhow::anyhow!(found).context(is_damaged(path)));
    }
    Ok(())
}

/// How many migrations a file is missing.
pub(super) async fn count_missing(connection: &mut SqliteConnection, path: &Path) -> anyhow::Result<usize> {
    let describe = |error| describe(error, path);
    let table = "SELECT count(*) > 0 FROM sqlite_schema WHERE name = '_sqlx_migrations'";
    let has_table = sqlx::query_scalar(table).fetch_one(&mut *connection).await.map_err(describe)?;
    let rows = match has_table {
        true => sqlx::query(migrations::APPLIED_SQLITE).fetch_all(connection).await.map_err(describe)?,
        false => Vec::new(),
    };
    let applied = migrations::read_applied(&rows).map_err(describe)?;
    migrations::count_missing(&applied, &migrations::SQLITE).map_err(|error| describe_migration(error, path))
}

/// The rows of a query with two texts.
pub(in crate::database) async fn read_pairs(
    path: &Path,
    query: &'static str,
) -> anyhow::Result<Vec<(String, String)>> {
    let file = File { path: path.to_owned(), busy_timeout: PATIENCE };
    let describe = |error| describe(error, path);
    let mut connection = file.open_as_it_is().await.map_err(describe)?;
    let rows = sqlx::query_as(query).fetch_all(&mut connection).await.map_err(describe)?;
    connection.close().await.map_err(describe)?;
    Ok(rows)
}
