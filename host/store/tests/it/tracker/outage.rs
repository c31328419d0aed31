//! Databases that go away and come back while the bot runs.

use std::{sync::Arc, time::Duration};

use maro_domain::author::Author;
use maro_domain::tracked::{
    PageRequest, Source,
    TrackOutcome::{AlreadyTracked, Tracked},
};
use maro_store::{
    Stores,
    config::DatabaseConfig,
    database::{Database, error::DatabaseError, sqlite::SqliteDatabase},
    tracker::TrackRequest,
};
use sqlx::{Connection, Executor, SqliteConnection};
use tokio::time::sleep;

use crate::support::{
    given::{Given, at, author, channel, issue, key, track, user},
    postgres::Server,
    raw::Raw,
};

const PAGE: PageRequest = PageRequest { offset: 0, limit: 10 };

async fn try_track(given: &Given, number: u32) -> Result<(), DatabaseError> {
    let (channel, user) = (channel("C1"), user("U1"));
    let request = TrackRequest { author: &Author::host(&channel, &user), source: Source::Command };
    given.tracker.track(request, &[issue(number, &format!("A-{number}"))], at(0)).await.map(|_| ())
}

#[tokio::test]
async fn a_read_on_a_session_that_postgres_ended_is_made_on_a_fresh_one() {
    let Some(given) = Given::postgres().await else { return };
    given.track("C1", &[issue(1, "A-1")], 0).await;
    given.end_all_sessions().await;
    assert_eq!(given.keys("C1").await, ["A-1"]);
    assert_eq!(given.track("C1", &[issue(2, "A-2")], 1).await, [Tracked]);
    given.close().await;
}

#[tokio::test]
async fn a_change_after_postgres_ended_the_sessions_is_made_once() {
    let Some(given) = Given::postgres().await else { return };
    given.track("C1", &[issue(1, "A-1")], 0).await;
    given.end_all_sessions().await;
    try_track(&given, 2).await.unwrap();
    assert_eq!(given.keys("C1").await, ["A-1", "A-2"]);
    given.close().await;
}

#[tokio::test]
async fn a_postgres_that_stops_and_starts_needs_no_restart_of_the_bot() {
    let Some(server) = Server::start() else { return };
    let given = Given::on(server.database().await).await;
    given.track("C1", &[issue(1, "A-1")], 0).await;
    server.stop();
    let error = given.tracker.get_tracked_issues(&channel("C1"), PAGE).await.unwrap_err();
    assert!(matches!(error, DatabaseError::Unavailable(_)), "{error:?}");
    let error = try_track(&given, 2).await.unwrap_err();
    assert!(matches!(error, DatabaseError::Unavailable(_)), "{error:?}");
    assert!(given.tracker.ping().await.is_err());
    server.start_again();
    given.tracker.ping().await.unwrap();
    assert_eq!(given.keys("C1").await, ["A-1"]);
    assert_eq!(given.track("C1", &[issue(1, "A-1"), issue(2, "A-2")], 1).await, [AlreadyTracked, Tracked]);
    given.close().await;
}

#[tokio::test]
async fn a_locked_postgres_table_is_waited_for_in_vain_and_then_works_again() {
    let Some(given) = Given::postgres().await else { return };
    let Raw::Postgres(mut other) = Raw::connect(&given.config).await else { panic!("not PostgreSQL") };
    other.execute("BEGIN; LOCK TABLE channel_tracked_issues").await.unwrap();
    let error = given.tracker.get_tracked_issues(&channel("C1"), PAGE).await.unwrap_err();
    assert!(matches!(error, DatabaseError::TimedOut), "{error:?}");
    let error = try_track(&given, 1).await.unwrap_err();
    assert!(matches!(error, DatabaseError::TimedOut), "{error:?}");
    other.execute("ROLLBACK").await.unwrap();
    assert_eq!(given.track("C1", &[issue(1, "A-1")], 0).await, [Tracked]);
    other.close().await.unwrap();
    given.close().await;
}

/// The sessions of the bot.
async fn sessions(given: &Given) -> Vec<String> {
    let sessions = "SELECT pid::text FROM pg_stat_activity \
                    WHERE datname = current_database() AND application_name = 'maro' ORDER BY pid";
    given.query(sessions).await
}

/// Has a row for so long.
async fn hold_row(given: &Given, key: &str, held_for: Duration) {
    let Raw::Postgres(mut other) = Raw::connect(&given.config).await else { panic!("not PostgreSQL") };
    let lock =
        format!("BEGIN; SELECT FROM channel_tracked_issues WHERE issue_key = '{key}' FOR UPDATE; SELECT 1");
    other.execute(sqlx::AssertSqlSafe(lock)).await.unwrap();
    tokio::spawn(async move {
        sleep(held_for).await;
        other.execute("COMMIT").await.unwrap();
    });
}

/// The lists' rows are waited for longer than a change may be under way.
#[tokio::test]
async fn a_change_that_waits_for_others_costs_nobody_a_connection() {
    let Some(given) = Given::postgres().await else { return };
    given.track("C1", &[issue(1, "A-1"), issue(2, "A-2")], 0).await;
    let before = sessions(&given).await;
    hold_row(&given, "A-1", Duration::from_millis(1_000)).await;
    hold_row(&given, "A-2", Duration::from_millis(2_000)).await;
    let issues = [issue(1, "A-1"), issue(2, "A-2"), issue(3, "A-3")];
    assert_eq!(given.track("C1", &issues, 1).await, [AlreadyTracked, AlreadyTracked, Tracked]);
    assert_eq!(sessions(&given).await, before);
    given.close().await;
}

/// A new SQLite file with a bot that waits only so long, and another program that has opened it.
async fn impatient(patience: Duration) -> (tempfile::TempDir, Stores, SqliteConnection) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("maro.db");
    let database = SqliteDatabase::open(&path, patience).await.unwrap();
    let stores = Stores::on(Database::Sqlite(Arc::new(database)));
    let Raw::Sqlite(other) = Raw::connect(&DatabaseConfig::Sqlite { path }).await else {
        panic!("not SQLite")
    };
    (folder, stores, other)
}

#[tokio::test]
async fn a_locked_sqlite_file_is_waited_for_in_vain_and_then_works_again() {
    let (_folder, stores, mut other) = impatient(Duration::from_millis(100)).await;
    track(&*stores.tracker, "C1", &[issue(1, "A-1")], 0).await;
    other.execute("BEGIN IMMEDIATE").await.unwrap();
    let error = stores.tracker.untrack(&author("C1", "U1"), &[key("A-1")], at(0)).await.unwrap_err();
    assert!(matches!(error, DatabaseError::TimedOut), "{error:?}");
    // Readers do not wait for a writer.
    assert_eq!(stores.tracker.get_tracked_issues(&channel("C1"), PAGE).await.unwrap().issues.len(), 1);
    other.execute("ROLLBACK").await.unwrap();
    assert_eq!(track(&*stores.tracker, "C1", &[issue(2, "A-2")], 1).await, [Tracked]);
    stores.close().await;
}

#[tokio::test]
async fn an_sqlite_file_that_another_program_locks_takes_no_change() {
    let (folder, stores, mut other) = impatient(Duration::from_millis(100)).await;
    stores.tracker.try_change().await.unwrap();
    // The file, its log, the log's index, and the lock.
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 4, "a file is left behind");
    other.execute("BEGIN IMMEDIATE").await.unwrap();
    let error = stores.tracker.try_change().await.unwrap_err();
    assert!(matches!(error, DatabaseError::TimedOut), "{error:?}");
    other.execute("ROLLBACK").await.unwrap();
    stores.tracker.try_change().await.unwrap();
    stores.close().await;
}

/// Changes of different tables wait for the lock one after the other. Whenever it is released, what a caller
/// was told is what is there.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_said_of_changes_that_a_lock_held_up_is_true() {
    let patience = Duration::from_millis(400);
    for held_for in [300, 500, 700, 900, 1_100].map(Duration::from_millis) {
        let (_folder, stores, mut other) = impatient(patience).await;
        other.execute("BEGIN IMMEDIATE").await.unwrap();
        let by = Author::host(&channel("C1"), &user("U1"));
        let request = TrackRequest { author: &by, source: Source::Command };
        let issues = [issue(1, "A-1")];
        let asked = async {
            let tracked = stores.tracker.track(request, &issues, at(0));
            tokio::join!(tracked, stores.plugin_switches.disable("p", &by, at(0)), async {
                stores.intents.record_tickets("A", "one", &issues, at(0)).await
            })
        };
        let release = async {
            tokio::time::sleep(held_for).await;
            other.execute("ROLLBACK").await.unwrap();
        };
        let ((tracked, disabled, recorded), _) = tokio::join!(asked, release);
        // A change that is still under way is done after this.
        tokio::time::sleep(2 * patience).await;
        let is_there = [
            !stores.tracker.get_tracked_issues(&by.channel, PAGE).await.unwrap().issues.is_empty(),
            !stores.plugin_switches.disabled().await.unwrap().is_empty(),
            !stores.intents.recent_tickets("A", at(0)).await.unwrap().is_empty(),
        ];
        for (said, is_there) in [tracked.map(drop), disabled.map(drop), recorded].into_iter().zip(is_there) {
            match said {
                Ok(()) => assert!(is_there, "{held_for:?}: gone"),
                Err(DatabaseError::Uncertain(_)) => {}
                Err(error) => assert!(!is_there, "{held_for:?}: made after {error:?}"),
            }
        }
        stores.close().await;
    }
}

#[tokio::test]
async fn an_sqlite_file_that_lost_its_table_is_an_error_and_works_again_when_it_is_back() {
    let given = Given::sqlite().await;
    given.execute("ALTER TABLE channel_tracked_issues RENAME TO elsewhere").await;
    assert!(given.tracker.ping().await.is_err());
    assert!(given.tracker.try_change().await.is_err());
    let error = try_track(&given, 1).await.unwrap_err();
    assert!(matches!(error, DatabaseError::Unavailable(_)), "{error:?}");
    given.execute("ALTER TABLE elsewhere RENAME TO channel_tracked_issues").await;
    given.tracker.ping().await.unwrap();
    assert_eq!(given.track("C1", &[issue(1, "A-1")], 0).await, [Tracked]);
    given.close().await;
}

/// Callers that vanish at every possible moment leave each of their changes whole or undone.
async fn callers_give_up(given: &Given) {
    let calls: Vec<_> = (0..60u32)
        .map(|caller| {
            let tracker = Arc::clone(&given.tracker);
            tokio::spawn(async move {
                let issues: Vec<_> = (1..=5).map(|number| issue(number, &format!("A-{number}"))).collect();
                track(&*tracker, &format!("C{caller}"), &issues, 0).await;
            })
        })
        .collect();
    for (call, pauses) in calls.into_iter().zip(0..) {
        for _ in 0..pauses {
            tokio::task::yield_now().await;
        }
        call.abort();
        let _ = call.await;
    }
    // The writer takes changes in order, so that what still was under way is done after this.
    given.track("C99", &[issue(1, "A-1")], 0).await;
    for caller in 0..60 {
        let count = given.list(&format!("C{caller}")).await.len();
        assert!(count == 0 || count == 5, "{count} of 5 issues");
    }
}

#[tokio::test]
async fn a_caller_that_gives_up_leaves_nothing_half_done_in_sqlite() {
    let given = Given::sqlite().await;
    callers_give_up(&given).await;
    given.close().await;
}

#[tokio::test]
async fn a_caller_that_gives_up_leaves_nothing_half_done_in_postgres() {
    let Some(given) = Given::postgres().await else { return };
    callers_give_up(&given).await;
    given.close().await;
}
