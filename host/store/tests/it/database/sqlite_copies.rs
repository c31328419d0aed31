//! Copies of an SQLite file.

use std::{fs, path::Path, process::Command, time::Duration};

use maro_store::config::DatabaseConfig;

use crate::support::{
    given::{Given, issue},
    raw::query,
};

/// What a backup program would copy: the file alone, in a process of its own. In this one, closing the file
/// would drop SQLite's locks.
fn copy(path: &Path, to: &Path) {
    assert!(Command::new("cp").arg(path).arg(to).status().unwrap().success());
}

#[tokio::test]
async fn a_copy_of_the_file_has_what_was_written_some_seconds_ago() {
    let given = Given::sqlite().await;
    given.track("C1", &[issue(1, "A-1")], 0).await;
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
    given.close().await;
}
