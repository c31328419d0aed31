//! An SQLite file belongs to one process, and is nobody else's business.

use std::{
    fs,
    os::unix::fs::{PermissionsExt as _, symlink},
    path::{Path, PathBuf},
};

use maro_store::{Stores, config::DatabaseConfig};

use crate::support::given::Given;

fn path_of(given: &Given) -> &Path {
    let DatabaseConfig::Sqlite { path } = &given.config else { panic!("not SQLite") };
    path
}

async fn open(path: PathBuf) -> anyhow::Result<Stores> {
    Stores::open(&DatabaseConfig::Sqlite { path }).await
}

async fn refusal(path: PathBuf) -> String {
    open(path).await.err().expect("a second one has started").to_string()
}

#[tokio::test]
async fn a_second_one_is_refused_under_every_name_of_the_file() {
    let given = Given::sqlite().await;
    let path = path_of(&given);
    let folder = path.parent().unwrap();
    let elsewhere = tempfile::tempdir().unwrap();
    let (link, way) = (elsewhere.path().join("same.db"), elsewhere.path().join("way"));
    symlink(path, &link).unwrap();
    symlink(folder, &way).unwrap();
    let second = elsewhere.path().join("second.db");
    symlink(&link, &second).unwrap();
    let round = folder.join("..").join(folder.file_name().unwrap()).join("maro.db");
    for name in [path.to_owned(), link.clone(), way.join("maro.db"), second, round] {
        let sentence = refusal(name.clone()).await;
        let owner = format!("Another MARO (process {}", std::process::id());
        assert!(sentence.starts_with(&owner), "{sentence}");
        assert!(sentence.contains(&path.display().to_string()), "{sentence}");
        assert!(sentence.contains(&name.display().to_string()), "{sentence}");
    }
    given.close().await;
    open(link).await.unwrap().close().await;
}

/// SQLite's log is named after the file, so two names mean two logs for one file.
#[tokio::test]
async fn a_file_with_two_names_in_the_file_system_is_refused() {
    let given = Given::sqlite().await;
    let same = path_of(&given).with_file_name("same.db");
    fs::hard_link(path_of(&given), &same).unwrap();
    let sentence = refusal(same.clone()).await;
    assert!(sentence.contains(&same.display().to_string()), "{sentence}");
    assert!(sentence.contains("another MARO may be using it"), "{sentence}");
    given.close().await;
    fs::remove_file(&same).unwrap();
    given.open_again().await.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_that_start_at_once_on_a_new_file_one_does() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("maro.db");
    let starts: Vec<_> = (0..8).map(|_| tokio::spawn(open(path.clone()))).collect();
    let mut owners = Vec::new();
    for start in starts {
        match start.await.unwrap() {
            Ok(stores) => owners.push(stores),
            Err(error) => assert!(error.to_string().starts_with("Another MARO"), "{error:?}"),
        }
    }
    assert_eq!(owners.len(), 1);
    owners[0].tracker.ping().await.unwrap();
    owners[0].close().await;
}

#[tokio::test]
async fn only_the_owner_may_read_what_is_new() {
    let given = Given::sqlite().await;
    given.track("C1", &[crate::support::given::issue(1, "A-1")], 0).await;
    for name in ["maro.db", "maro.db-wal", "maro.db-shm", "maro.db-lock"] {
        let mode = fs::metadata(path_of(&given).with_file_name(name)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
    given.close().await;
}

#[tokio::test]
async fn a_link_to_a_file_that_is_not_there_yet_makes_it() {
    let folder = tempfile::tempdir().unwrap();
    let (path, link) = (folder.path().join("lists.db"), folder.path().join("same.db"));
    symlink("lists.db", &link).unwrap();
    open(link).await.unwrap().close().await;
    assert_eq!(fs::metadata(path).unwrap().permissions().mode() & 0o777, 0o600);
}
