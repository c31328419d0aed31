//! Copies of an SQLite file.

use std::{fs, path::Path, process::Command, time::Duration};

use maro_store::config::DatabaseConfig;

use crate::support::{
    given::{Given, at, author, issue, key},
    raw::query,
};

/// What a backup program would copy: the file alone, in a process of its own. In this one, closing the file
/// would drop SQLite's locks.
fn copy(path: &Path, to: &Path) {
    assert!(Command::new("cp").arg(path).arg(to).status().unwrap().success());
}

/// The file without its log has what was written some seconds ago.
async fn a_copy_is_whole_soon(given: &Given) {
    let DatabaseConfig::Sqlite { path } = &given.config else { panic!("not SQLite") };
    let copied = path.with_file_name("copy.db");
    let config = DatabaseConfig::Sqlite { path: copied.clone() };
    let is_there = async {
        loop {
            tokio::time::sleep(Duration::from_millis(100)).await;
            copy(path, &copied);
            let count =
                "SELECT CAST(count(*) AS TEXT) FROM sqlite_master WHERE name = 'channel_tracked_issues'";
            let list = "SELECT issue_key FROM channel_tracked_issues";
            if query(&config, count).await == ["1"] && query(&config, list).await == ["A-1"] {
                break;
            }
            // SQLite has made a log for the copy.
            for ending in ["-wal", "-shm"] {
                let _ = fs::remove_file(path.with_file_name(format!("copy.db{ending}")));
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(10), is_there).await.unwrap();
}

#[tokio::test]
async fn a_copy_of_the_file_has_what_was_written_some_seconds_ago() {
    let given = Given::sqlite().await;
    given.track("C1", &[issue(1, "A-1")], 0).await;
    a_copy_is_whole_soon(&given).await;
    given.close().await;
}

#[tokio::test]
async fn a_bot_that_looks_for_work_and_finds_none_keeps_no_copy_from_being_whole() {
    let given = Given::sqlite().await;
    given.track("C1", &[issue(1, "A-1")], 0).await;
    let (author, absent) = (author("C1", "U1"), [key("A-2")]);
    let work = async {
        loop {
            given.tracker.untrack(&author, &absent, at(0)).await.unwrap();
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    };
    tokio::select! {
        () = work => {}
        () = a_copy_is_whole_soon(&given) => {}
    }
    given.close().await;
}
