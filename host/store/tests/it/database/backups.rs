//! `maro backup` and `maro restore`.

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::Command,
};

use maro_process::secret::Secret;
use maro_store::{config::DatabaseConfig, database::Database};

use crate::support::{
    given::{Given, at, issue},
    raw::{execute, query},
};

/// A bot on SQLite whose list is A-1, and a folder for backups.
struct Backups {
    given: Given,
    folder: tempfile::TempDir,
}

impl Backups {
    async fn start() -> Self {
        let given = Given::sqlite().await;
        given.track("C1", &[issue(1, "A-1")], 0).await;
        Self { given, folder: tempfile::tempdir().unwrap() }
    }

    fn database(&self) -> &Path {
        let DatabaseConfig::Sqlite { path } = &self.given.config else { panic!("not SQLite") };
        path
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    async fn backup(&self, name: &str) -> anyhow::Result<u64> {
        Database::backup(&self.given.config, &self.file(name), "\"$DATABASE_URL\"").await
    }

    async fn restore(&self, name: &str) -> anyhow::Result<Option<PathBuf>> {
        Database::restore(&self.given.config, &self.file(name), "\"$DATABASE_URL\"", at(0)).await
    }

    /// The sentence with which a restoration is refused. The database stays as it was, and nothing lies beside it.
    async fn refusal(&self, name: &str) -> String {
        let files = || {
            let mut names: Vec<_> = fs::read_dir(self.database().parent().unwrap())
                .unwrap()
                .map(|it| it.unwrap().file_name())
                .collect();
            names.sort();
            names
        };
        let before = (files(), fs::read(self.database()).unwrap());
        let error = self.restore(name).await.expect_err("it is restored");
        assert_eq!((files(), fs::read(self.database()).unwrap()), before);
        error.to_string()
    }

    /// The keys of the list after the next start.
    async fn keys(&self) -> Vec<String> {
        let stores = self.given.open_again().await;
        let keys = keys(&self.given.config).await;
        stores.close().await;
        keys
    }
}

async fn keys(config: &DatabaseConfig) -> Vec<String> {
    query(config, "SELECT issue_key FROM channel_tracked_issues ORDER BY id").await
}

fn sqlite(path: PathBuf) -> DatabaseConfig {
    DatabaseConfig::Sqlite { path }
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[tokio::test]
async fn a_backup_of_a_running_bot_has_everything_and_is_private() {
    let backups = Backups::start().await;
    let size = backups.backup("one.db").await.unwrap();
    assert_eq!(fs::metadata(backups.file("one.db")).unwrap().len(), size);
    assert_eq!(mode(&backups.file("one.db")), 0o600);
    assert_eq!(fs::read_dir(backups.folder.path()).unwrap().count(), 1, "something is left behind");
    assert_eq!(keys(&sqlite(backups.file("one.db"))).await, ["A-1"]);
    backups.given.close().await;
}

#[tokio::test]
async fn a_backup_replaces_no_file() {
    let backups = Backups::start().await;
    fs::write(backups.file("one.db"), "precious").unwrap();
    let sentence = backups.backup("one.db").await.unwrap_err().to_string();
    assert_eq!(
        sentence,
        format!("{} exists already: name a file that doesn't.", backups.file("one.db").display())
    );
    assert_eq!(fs::read_to_string(backups.file("one.db")).unwrap(), "precious");
    let sentence = backups.backup("absent/one.db").await.unwrap_err().to_string();
    assert_eq!(sentence, format!("The folder {} doesn't exist.", backups.file("absent").display()));
    backups.given.close().await;
    let absent = sqlite(backups.file("absent.db"));
    let sentence = Database::backup(&absent, &backups.file("two.db"), "\"$DATABASE_URL\"")
        .await
        .unwrap_err()
        .to_string();
    assert_eq!(sentence, format!("There's no database {}.", backups.file("absent.db").display()));
    assert_eq!(fs::read_dir(backups.folder.path()).unwrap().count(), 1);
}

#[tokio::test]
async fn a_restored_backup_takes_the_place_of_the_database_which_is_kept() {
    let backups = Backups::start().await;
    backups.backup("one.db").await.unwrap();
    backups.given.track("C1", &[issue(2, "A-2")], 1).await;
    backups.given.close().await;
    let kept = backups.restore("one.db").await.unwrap().expect("it is kept");
    assert_eq!(kept, backups.database().with_file_name("maro.db-before-restore-20260131T093000Z"));
    assert_eq!(keys(&sqlite(kept.clone())).await, ["A-1", "A-2"]);
    assert_eq!(mode(backups.database()), 0o600);
    assert_eq!(backups.keys().await, ["A-1"]);
    // What is kept is never replaced, not even in the same second.
    let error = backups.restore("one.db").await.unwrap_err();
    assert!(format!("{error:#}").ends_with("maro.db-before-restore-20260131T093000Z exists"), "{error:#}");
    assert_eq!(keys(&sqlite(kept.clone())).await, ["A-1", "A-2"]);
    // And back again.
    fs::rename(kept, backups.file("two.db")).unwrap();
    Database::restore(&backups.given.config, &backups.file("two.db"), "\"$DATABASE_URL\"", at(1))
        .await
        .unwrap();
    assert_eq!(backups.keys().await, ["A-1", "A-2"]);
}

#[tokio::test]
async fn a_backup_is_restored_where_there_is_no_database() {
    let backups = Backups::start().await;
    backups.backup("one.db").await.unwrap();
    backups.given.close().await;
    fs::remove_file(backups.database()).unwrap();
    assert_eq!(backups.restore("one.db").await.unwrap(), None);
    assert_eq!(backups.keys().await, ["A-1"]);
}

#[tokio::test]
async fn nothing_is_restored_under_a_running_bot() {
    let backups = Backups::start().await;
    backups.backup("one.db").await.unwrap();
    let sentence = backups.restore("one.db").await.unwrap_err().to_string();
    assert!(sentence.starts_with("Another MARO (process "), "{sentence}");
    backups.given.track("C1", &[issue(2, "A-2")], 1).await;
    backups.given.close().await;
    assert_eq!(backups.keys().await, ["A-1", "A-2"]);
}

#[tokio::test]
async fn what_is_no_backup_is_refused() {
    let backups = Backups::start().await;
    backups.backup("newer.db").await.unwrap();
    backups.backup("damaged.db").await.unwrap();
    backups.given.close().await;
    fs::write(backups.file("notes.txt"), "Remember the milk. ".repeat(100)).unwrap();
    fs::write(backups.file("empty.db"), "").unwrap();
    execute(&sqlite(backups.file("other.db")), "CREATE TABLE music (title TEXT)").await;
    let newer = "UPDATE _sqlx_migrations SET version = 99, description = 'contract' WHERE version = 5";
    execute(&sqlite(backups.file("newer.db")), newer).await;
    let mut bytes = fs::read(backups.file("damaged.db")).unwrap();
    let page = 4096;
    bytes[2 * page..3 * page].fill(0x5a);
    fs::write(backups.file("damaged.db"), bytes).unwrap();
    for (name, expected) in [
        ("notes.txt", "isn't a SQLite database"),
        ("empty.db", "isn't a database of MARO's"),
        ("other.db", "isn't a database of MARO's"),
        ("newer.db", "was made by a newer MARO"),
        ("damaged.db", "is damaged"),
        ("absent.db", "There's no file"),
        (".", "is a folder"),
        (backups.database().to_str().unwrap(), "is the database itself"),
    ] {
        let sentence = backups.refusal(name).await;
        assert!(sentence.contains(expected), "{name}: {sentence}");
        assert!(name == "newer.db" || sentence.contains(name), "{sentence}");
    }
    assert_eq!(backups.keys().await, ["A-1"]);
}

#[tokio::test]
async fn a_copy_that_was_made_by_hand_is_restored_with_its_log() {
    let backups = Backups::start().await;
    for ending in ["", "-wal"] {
        let from = format!("{}{ending}", backups.database().display());
        let to = backups.file(&format!("copy.db{ending}"));
        assert!(Command::new("cp").arg(from).arg(to).status().unwrap().success());
    }
    backups.given.track("C1", &[issue(2, "A-2")], 1).await;
    backups.given.close().await;
    let before = fs::read(backups.file("copy.db")).unwrap();
    backups.restore("copy.db").await.unwrap();
    assert_eq!(backups.keys().await, ["A-1"]);
    assert_eq!(fs::read(backups.file("copy.db")).unwrap(), before, "the copy has changed");
}

#[tokio::test]
async fn a_backup_is_restored_over_a_damaged_database() {
    let backups = Backups::start().await;
    backups.backup("one.db").await.unwrap();
    backups.given.close().await;
    let bytes = vec![0x5a; 10_000];
    fs::write(backups.database(), &bytes).unwrap();
    fs::write(format!("{}-wal", backups.database().display()), "a log of before").unwrap();
    let kept = backups.restore("one.db").await.unwrap().unwrap();
    assert_eq!(fs::read(&kept).unwrap(), bytes);
    assert_eq!(fs::read_to_string(format!("{}-wal", kept.display())).unwrap(), "a log of before");
    assert_eq!(backups.keys().await, ["A-1"]);
}

#[tokio::test]
async fn postgres_has_programs_of_its_own_for_that() {
    let config = DatabaseConfig::postgres(Secret::new("postgres://maro:hunter2@127.0.0.1:1/maro"));
    let file = Path::new("/backups/one.dump");
    let backup = Database::backup(&config, file, "\"$DATABASE_URL\"").await.unwrap_err().to_string();
    assert_eq!(
        backup,
        "DATABASE_URL names a PostgreSQL database, which has its own program for that: \
         pg_dump --format=custom --file=/backups/one.dump \"$DATABASE_URL\""
    );
    let spaced = Database::backup(&config, Path::new("/backups/ada's one.dump"), "\"$(cat /run/url)\"").await;
    let spaced = spaced.unwrap_err().to_string();
    assert!(spaced.ends_with(r#"--file='/backups/ada'\''s one.dump' "$(cat /run/url)""#), "{spaced}");
    let restore = Database::restore(&config, file, "\"$DATABASE_URL\"", at(0)).await.unwrap_err().to_string();
    assert_eq!(
        restore,
        "DATABASE_URL names a PostgreSQL database, which has its own program for that. While no MARO runs: \
         pg_restore --clean --if-exists --dbname=\"$DATABASE_URL\" /backups/one.dump"
    );
}
