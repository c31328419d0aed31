//! An SQLite file, its log or its lock that somebody moves, deletes or replaces while MARO is running on it. What was
//! acknowledged must be there after the next start, and what won't be is refused.

use std::{fs, path::Path, process::Command};

use maro_domain::tracked::Source;
use maro_store::{Stores, config::DatabaseConfig, database::error::DatabaseError, tracker::TrackRequest};

use crate::support::{
    given::{Given, at, author, issue, track},
    raw::query,
};

const LIST: &str = "SELECT issue_key FROM channel_tracked_issues ORDER BY issue_key";

fn path_of(given: &Given) -> &Path {
    let DatabaseConfig::Sqlite { path } = &given.config else { panic!("not SQLite") };
    path
}

fn config(path: &Path) -> DatabaseConfig {
    DatabaseConfig::Sqlite { path: path.to_owned() }
}

/// In a process of its own: in this one, closing the file would drop SQLite's locks.
fn copy(path: &Path, to: &Path) {
    assert!(Command::new("cp").arg(path).arg(to).status().unwrap().success());
}

/// The reason for which changes are refused.
async fn refusal(stores: &Stores) -> String {
    let ready = stores.tracker.try_change().await.unwrap_err();
    let request = TrackRequest { author: &author("C1", "U1"), source: Source::Command };
    let error = stores.tracker.track(request, &[issue(2, "A-2")], at(0)).await.unwrap_err();
    for error in [ready, error.clone()] {
        assert!(matches!(error, DatabaseError::Unavailable(_)), "{error:?}");
    }
    let DatabaseError::Unavailable(why) = error else { panic!() };
    why.to_string()
}

#[tokio::test]
async fn nothing_is_written_into_a_file_that_was_moved_until_it_is_back() {
    let given = Given::sqlite().await;
    let (path, elsewhere) = (path_of(&given), path_of(&given).with_file_name("elsewhere.db"));
    given.track("C1", &[issue(1, "A-1")], 0).await;
    fs::rename(path, &elsewhere).unwrap();
    let why = refusal(&given.stores).await;
    assert!(why.contains(&format!("{} was moved, deleted or replaced", path.display())), "{why}");
    assert!(!path.exists(), "a new one was made");
    fs::rename(&elsewhere, path).unwrap();
    given.tracker.try_change().await.unwrap();
    given.track("C1", &[issue(3, "A-3")], 1).await;
    given.close().await;
    assert_eq!(query(&given.config, LIST).await, ["A-1", "A-3"]);
}

#[tokio::test]
async fn a_file_that_takes_the_place_of_ours_is_left_alone() {
    let given = Given::sqlite().await;
    let path = path_of(&given);
    given.track("C1", &[issue(1, "A-1")], 0).await;
    let other = Given::sqlite().await;
    other.track("C1", &[issue(7, "B-7")], 0).await;
    other.close().await;
    let ready = path.with_file_name("ready.db");
    copy(path_of(&other), &ready);
    fs::rename(&ready, path).unwrap();
    let before = fs::read(path).unwrap();
    let why = refusal(&given.stores).await;
    assert!(why.contains("was moved, deleted or replaced"), "{why}");
    given.close().await;
    assert!(fs::read(path).unwrap() == before, "it was changed");
}

#[tokio::test]
async fn what_was_acknowledged_outlives_a_log_that_was_deleted() {
    let given = Given::sqlite().await;
    let path = path_of(&given);
    given.track("C1", &[issue(1, "A-1")], 0).await;
    for ending in ["-wal", "-shm"] {
        fs::remove_file(path.with_file_name(format!("maro.db{ending}"))).unwrap();
    }
    let why = refusal(&given.stores).await;
    assert!(why.contains("-wal was deleted while MARO was running"), "{why}");
    // As after kill -9.
    let copied = path.with_file_name("copy.db");
    copy(path, &copied);
    assert_eq!(query(&config(&copied), LIST).await, ["A-1"]);
    given.close().await;
    given.open_again().await.close().await;
}

#[tokio::test]
async fn a_lock_that_was_deleted_is_taken_again() {
    let given = Given::sqlite().await;
    let lock = path_of(&given).with_file_name("maro.db-lock");
    fs::remove_file(&lock).unwrap();
    given.track("C1", &[issue(1, "A-1")], 0).await;
    let second = Stores::open(&given.config).await.err().expect("a second one has started").to_string();
    assert!(second.starts_with("Another MARO (process "), "{second}");
    given.close().await;
}

#[tokio::test]
async fn whoever_lost_the_lock_to_another_changes_nothing_any_more() {
    let given = Given::sqlite().await;
    given.track("C1", &[issue(1, "A-1")], 0).await;
    fs::remove_file(path_of(&given).with_file_name("maro.db-lock")).unwrap();
    let second = Stores::open(&given.config).await.unwrap();
    let why = refusal(&given.stores).await;
    assert!(why.contains("Another MARO (process "), "{why}");
    track(&*second.tracker, "C1", &[issue(3, "A-3")], 0).await;
    assert_eq!(given.keys("C1").await, ["A-1", "A-3"]);
    second.close().await;
    given.close().await;
}
