//! A look at a database, as `maro doctor` takes it, changes nothing.

use std::fs;

use maro_process::secret::Secret;
use maro_store::{
    config::DatabaseConfig,
    database::{
        Database,
        inspection::Condition::{Absent, Present},
        migrations,
    },
};

use crate::support::{given::Given, postgres, raw::query};

fn all() -> usize {
    migrations::SQLITE.iter().count()
}

#[tokio::test]
async fn a_file_that_is_not_there_is_not_made() {
    let folder = tempfile::tempdir().unwrap();
    let config = DatabaseConfig::Sqlite { path: folder.path().join("maro.db") };
    assert_eq!(Database::inspect(&config).await.unwrap(), Absent);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[tokio::test]
async fn an_empty_file_gets_no_tables() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("maro.db");
    fs::write(&path, "").unwrap();
    let config = DatabaseConfig::Sqlite { path: path.clone() };
    assert_eq!(Database::inspect(&config).await.unwrap(), Present { missing_migrations: all() });
    assert_eq!(fs::metadata(&path).unwrap().len(), 0);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[tokio::test]
async fn an_empty_postgres_database_gets_no_tables() {
    let Some(database) = postgres::Database::new().await else { return };
    let config = DatabaseConfig::postgres(Secret::new(database.url));
    assert_eq!(Database::inspect(&config).await.unwrap(), Present { missing_migrations: all() });
    let tables = "SELECT tablename::text FROM pg_tables WHERE schemaname = 'public'";
    assert_eq!(query(&config, tables).await, [""; 0]);
}

async fn is_seen_as_it_is(given: &Given) {
    let inspect = async || Database::inspect(&given.config).await;
    assert_eq!(inspect().await.unwrap(), Present { missing_migrations: 0 });
    given.execute("DELETE FROM _sqlx_migrations WHERE version = 5").await;
    assert_eq!(inspect().await.unwrap(), Present { missing_migrations: 1 });
    given
        .execute("UPDATE _sqlx_migrations SET version = 9999, description = 'contract' WHERE version = 4")
        .await;
    let sentence = inspect().await.unwrap_err().to_string();
    assert!(sentence.starts_with("The database was made by a newer MARO"), "{sentence}");
    given.close().await;
}

#[tokio::test]
async fn a_file_that_the_bot_uses_is_seen_as_it_is() {
    is_seen_as_it_is(&Given::sqlite().await).await;
}

#[tokio::test]
async fn a_postgres_database_that_the_bot_uses_is_seen_as_it_is() {
    let Some(given) = Given::postgres().await else { return };
    is_seen_as_it_is(&given).await;
}

#[tokio::test]
async fn a_postgres_that_takes_no_changes_is_named() {
    let Some(given) = Given::postgres().await else { return };
    let read_only = "DO $$ BEGIN
        EXECUTE format('ALTER DATABASE %I SET default_transaction_read_only = on', current_database());
    END $$";
    given.execute(read_only).await;
    let sentence = Database::inspect(&given.config).await.unwrap_err().to_string();
    assert!(sentence.contains(" takes no writes: it is a standby, or set to read-only."), "{sentence}");
    given.close().await;
}

#[tokio::test]
async fn a_folder_that_takes_no_files_is_named() {
    let config = DatabaseConfig::Sqlite { path: "/proc/maro.db".into() };
    let sentence = Database::inspect(&config).await.unwrap_err().to_string();
    assert!(sentence.starts_with("MARO can't write into the folder /proc, where SQLite keeps"), "{sentence}");
}
