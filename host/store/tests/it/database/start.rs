//! Starting on databases that are absent, broken, newer, or shared.

use std::{fs, net::TcpListener, path::Path};

use maro_process::secret::Secret;
use maro_store::{Stores, config::DatabaseConfig};

use crate::support::{given::Given, postgres, raw::execute};

/// A folder that is gone after the test, and the setting for a file in it.
fn folder() -> (tempfile::TempDir, DatabaseConfig) {
    let folder = tempfile::tempdir().unwrap();
    let config = sqlite(&folder.path().join("maro.db"));
    (folder, config)
}

fn sqlite(path: &Path) -> DatabaseConfig {
    DatabaseConfig::Sqlite { path: path.to_owned() }
}

fn on_postgres(url: impl Into<String>) -> DatabaseConfig {
    DatabaseConfig::postgres(Secret::new(url))
}

/// The sentence with which a start fails.
async fn refusal(config: &DatabaseConfig) -> String {
    let error = Stores::open(config).await.err().expect("the start succeeds");
    assert!(!format!("{error:?}").contains("hunter2"), "the error holds the password");
    error.to_string()
}

async fn start_many(config: &DatabaseConfig) {
    let starts: Vec<_> = (0..8)
        .map(|_| {
            let config = config.clone();
            tokio::spawn(async move { Stores::open(&config).await.unwrap() })
        })
        .collect();
    for start in starts {
        let stores = start.await.unwrap();
        stores.tracker.ping().await.unwrap();
        stores.close().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_may_start_at_once_on_a_new_postgres_database() {
    let Some(database) = postgres::Database::new().await else { return };
    start_many(&on_postgres(database.url)).await;
}

#[tokio::test]
async fn a_missing_folder_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let missing = folder.path().join("absent");
    let sentence = refusal(&sqlite(&missing.join("maro.db"))).await;
    assert_eq!(
        sentence,
        format!(
            "DATABASE_URL names the file {0}/maro.db, but the folder {0} doesn't exist.",
            missing.display()
        )
    );
}

#[tokio::test]
async fn a_folder_is_no_database() {
    let folder = tempfile::tempdir().unwrap();
    let sentence = refusal(&sqlite(folder.path())).await;
    assert_eq!(
        sentence,
        format!("DATABASE_URL must name a file, but {} is a folder.", folder.path().display())
    );
}

#[tokio::test]
async fn a_file_that_is_no_database_is_named_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("notes.txt");
    fs::write(&path, "Remember the milk. ".repeat(100)).unwrap();
    let sentence = refusal(&sqlite(&path)).await;
    assert_eq!(sentence, format!("{} isn't a SQLite database.", path.display()));
    assert_eq!(fs::read_to_string(&path).unwrap(), "Remember the milk. ".repeat(100));
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_folder_that_takes_no_files_is_told() {
    let sentence = refusal(&sqlite(Path::new("/proc/maro.db"))).await;
    assert_eq!(
        sentence,
        "MARO can't open or create the database /proc/maro.db: check who owns the file and its folder."
    );
}

async fn refuses_an_edited_step(config: &DatabaseConfig, checksum: &str) {
    let edit = format!("UPDATE _sqlx_migrations SET checksum = {checksum} WHERE version = 1");
    execute(config, &edit).await;
    let sentence = refusal(config).await;
    assert!(
        sentence.starts_with("Migration 1 isn't the one that was applied to this database"),
        "{sentence}"
    );
}

#[tokio::test]
async fn an_edited_step_is_refused_in_sqlite() {
    let given = Given::sqlite().await;
    given.close().await;
    refuses_an_edited_step(&given.config, "x'00'").await;
}

#[tokio::test]
async fn an_edited_step_is_refused_in_postgres() {
    let Some(given) = Given::postgres().await else { return };
    refuses_an_edited_step(&given.config, r"'\x00'").await;
}

#[tokio::test]
async fn a_postgres_that_is_down_is_named_without_the_password() {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let sentence = refusal(&on_postgres(format!("postgres://maro:hunter2@127.0.0.1:{port}/maro"))).await;
    assert!(
        sentence.starts_with(&format!("MARO can't reach PostgreSQL at 127.0.0.1:{port}: ")),
        "{sentence}"
    );
}

#[tokio::test]
async fn a_postgres_that_says_nothing_is_given_up() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = silent.local_addr().unwrap().port();
    let sentence = refusal(&on_postgres(format!("postgres://maro:hunter2@127.0.0.1:{port}/maro"))).await;
    assert_eq!(sentence, format!("PostgreSQL at 127.0.0.1:{port} didn't respond within 5 seconds."));
}

#[tokio::test]
async fn a_bad_postgres_url_is_told_without_the_password() {
    let sentence = refusal(&on_postgres("postgres://maro:hunter2@127.0.0.1:port/maro")).await;
    assert!(sentence.starts_with("DATABASE_URL has a port that isn't a number"), "{sentence}");
}

#[tokio::test]
async fn a_postgres_database_that_is_absent_is_named() {
    let Some(database) = postgres::Database::new().await else { return };
    let sentence = refusal(&on_postgres(format!("{}_absent", database.url))).await;
    assert!(sentence.contains(" has no database \"maro_"), "{sentence}");
}

#[tokio::test]
async fn a_table_of_another_make_is_told() {
    let (_folder, config) = folder();
    execute(&config, "CREATE TABLE channel_tracked_issues (id INTEGER)").await;
    let sentence = refusal(&config).await;
    assert_eq!(sentence, "Migration 1 failed. The database is as it was before.");
}
