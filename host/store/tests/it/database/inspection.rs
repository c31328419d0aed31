//! A look at a database, as `maro doctor` takes it, changes nothing.

use std::fs;

use maro_domain::tracked::PageRequest;
use maro_process::secret::Secret;
use maro_store::{
    config::DatabaseConfig,
    database::{
        Database,
        error::DatabaseError,
        inspection::Condition::{Absent, Present},
        migrations,
    },
};

use crate::support::{
    given::{Given, channel, issue},
    postgres,
    raw::{execute, query},
};

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
    assert!(sentence.contains(" takes no writes, because default_transaction_read_only is on"), "{sentence}");
    given.close().await;
}

/// SQLite opens it, and fails only where it reads the damaged page.
#[tokio::test]
async fn a_damaged_file_is_named() {
    let given = Given::sqlite().await;
    given.track("C1", &[issue(1, "A-1")], 0).await;
    let page = "SELECT CAST(rootpage AS TEXT) FROM sqlite_schema WHERE name = 'channel_tracked_issues'";
    let page: usize = query(&given.config, page).await[0].parse().unwrap();
    given.close().await;
    // The question's connection may still be open, and keep the log.
    execute(&given.config, "PRAGMA wal_checkpoint(TRUNCATE)").await;
    let DatabaseConfig::Sqlite { path } = &given.config else { panic!("not SQLite") };
    let mut bytes = fs::read(path).unwrap();
    bytes[(page - 1) * 4096..][..200].fill(0xa5);
    fs::write(path, bytes).unwrap();
    let sentence = Database::inspect(&given.config).await.unwrap_err().to_string();
    let right = format!("The database {} is damaged: restore a backup", path.display());
    assert!(sentence.starts_with(&right), "{sentence}");
    let stores = given.open_again().await;
    let page = PageRequest { offset: 0, limit: 10 };
    let error = stores.tracker.get_tracked_issues(&channel("C1"), page).await.unwrap_err();
    let DatabaseError::Unavailable(why) = error else { panic!("{error:?}") };
    assert!(why.to_string().contains("restore a backup"), "{why}");
    stores.close().await;
}

/// As for old drivers, which read no other.
#[tokio::test]
async fn a_server_that_writes_bytes_in_the_old_way_serves() {
    let Some(given) = Given::postgres().await else { return };
    let old_way = "DO $$ BEGIN
        EXECUTE format('ALTER DATABASE %I SET bytea_output = ''escape''', current_database());
    END $$";
    given.execute(old_way).await;
    assert_eq!(Database::inspect(&given.config).await.unwrap(), Present { missing_migrations: 0 });
    given.open_again().await.close().await;
    given.close().await;
}

#[tokio::test]
async fn a_folder_that_takes_no_files_is_named() {
    let config = DatabaseConfig::Sqlite { path: "/proc/maro.db".into() };
    let sentence = Database::inspect(&config).await.unwrap_err().to_string();
    assert!(sentence.starts_with("MARO can't write into the folder /proc, where SQLite keeps"), "{sentence}");
}

/// What the sentence says to a user of this name with these rights.
async fn said_to(given: &Given, user: &str, rights: &str, parameters: &str) -> String {
    given.execute(&format!("CREATE ROLE {user} LOGIN")).await;
    if !rights.is_empty() {
        given.execute(&format!("GRANT {rights} TO {user}")).await;
    }
    let DatabaseConfig::Postgres(config) = &given.config else { panic!("it is PostgreSQL") };
    let mut url = url::Url::parse(config.url.read().unwrap().expose()).unwrap();
    url.set_username(user).unwrap();
    url.set_query(Some(parameters).filter(|parameters| !parameters.is_empty()));
    let sentence =
        Database::inspect(&DatabaseConfig::postgres(Secret::new(url))).await.unwrap_err().to_string();
    given.execute(&format!("DROP OWNED BY {user}")).await;
    given.execute(&format!("DROP ROLE {user}")).await;
    sentence
}

#[tokio::test]
async fn each_right_that_an_account_lacks_is_named_with_what_grants_it() {
    // A server of its own: roles belong to servers, not to databases.
    let Some(server) = postgres::Server::start() else { return };
    let given = Given::at(Secret::new(server.database().await.url)).await;
    let name: String = query(&given.config, "SELECT current_database()::text").await.remove(0);
    given.execute(&format!("REVOKE CONNECT ON DATABASE {name} FROM PUBLIC")).await;
    let sentence = said_to(&given, "stranger", "", "").await;
    assert!(sentence.contains("doesn't let the user \"stranger\" into the database"), "{sentence}");
    assert!(sentence.contains("run GRANT CONNECT ON DATABASE"), "{sentence}");
    given.execute(&format!("GRANT CONNECT ON DATABASE {name} TO PUBLIC")).await;

    let sentence = said_to(&given, "nobody", "", "").await;
    assert!(sentence.contains("the user \"nobody\" can't read and change these tables"), "{sentence}");
    let reading = "SELECT ON ALL TABLES IN SCHEMA public";
    let sentence = said_to(&given, "reader", reading, "").await;
    assert!(sentence.contains("channel_tracked_issues"), "{sentence}");
    assert!(
        sentence.contains("Run GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public"),
        "{sentence}"
    );

    let changing = "SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public";
    let sentence = said_to(&given, "counter", changing, "").await;
    assert!(sentence.contains("run GRANT USAGE ON ALL SEQUENCES IN SCHEMA public"), "{sentence}");

    let elsewhere = "options=-csearch_path%3Delsewhere";
    let sentence = said_to(&given, "mover", "", elsewhere).await;
    assert!(sentence.contains("has no schema of the search_path"), "{sentence}");
    given.execute("CREATE SCHEMA elsewhere; GRANT USAGE ON SCHEMA elsewhere TO PUBLIC").await;
    let sentence = said_to(&given, "creator", "", elsewhere).await;
    assert!(sentence.contains("run GRANT CREATE ON SCHEMA elsewhere TO that user."), "{sentence}");
    let sentence = said_to(&given, "bearer", "", "sslcert=/no/file").await;
    assert!(sentence.contains("a certificate and its key need each other"), "{sentence}");
    given.close().await;
}

#[tokio::test]
async fn an_encoding_that_lacks_letters_is_named() {
    let Some(server) = postgres::Server::start() else { return };
    let database = server.database().await;
    let maintenance = DatabaseConfig::postgres(Secret::new(database.url.clone()));
    execute(&maintenance, "CREATE DATABASE latin ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0").await;
    let config = DatabaseConfig::postgres(Secret::new(server.existing("latin").url));
    let sentence = Database::inspect(&config).await.unwrap_err().to_string();
    assert!(sentence.contains("the database \"latin\" has the encoding LATIN1"), "{sentence}");
}
