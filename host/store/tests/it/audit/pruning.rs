//! The log is kept for as long as it has to be, and no longer. Each claim runs on SQLite and on PostgreSQL.

use maro_store::audit::{Entry, Pruned};

use crate::{
    audit::conformance::log,
    support::given::{Given, at, author, on_both_databases},
};

const DAY: i64 = 24 * 60 * 60;

on_both_databases! {
    old_entries_go_and_others_stay,
    of_the_replicas_one_prunes_each_day,
    many_entries_go_too,
    entries_of_a_clock_that_went_ahead_hold_up_no_others,
    a_clock_that_went_ahead_stops_nobody,
}

async fn note(given: &Given, subject: &str, day: i64) {
    let entry = Entry { action: "comment", subject, outcome: "done" };
    given.audit.note(&author("C1", "U1"), entry, at(day * DAY)).await.unwrap();
}

async fn old_entries_go_and_others_stay(given: &Given) {
    for day in 0..4 {
        note(given, &format!("A-{day}"), day).await;
    }
    let pruned = given.audit.prune(at(2 * DAY), at(3 * DAY), at(4 * DAY)).await.unwrap();
    assert_eq!(pruned, Pruned::Removed(2));
    assert_eq!(log(given).await, ["comment A-2 done", "comment A-3 done"]);
    // What may go later still can't be removed by hand.
    let error = given.try_execute("DELETE FROM audit_log WHERE subject = 'A-2'").await.unwrap_err();
    assert!(error.contains("audit_log is append only"), "{error}");
}

async fn of_the_replicas_one_prunes_each_day(given: &Given) {
    let replica = given.replica().await;
    note(given, "A-0", 0).await;
    note(given, "A-1", 1).await;
    let prune = async |stores: &maro_store::Stores, day: i64| {
        stores.audit.prune(at((day - 2) * DAY), at((day - 1) * DAY), at(day * DAY)).await.unwrap()
    };
    assert_eq!(prune(given, 2).await, Pruned::Removed(0));
    assert_eq!(prune(&replica, 2).await, Pruned::NotDue);
    let (one, other) = futures_util::future::join(prune(given, 4), prune(&replica, 4)).await;
    assert!([one, other].contains(&Pruned::NotDue), "{one:?}, {other:?}");
    assert!([one, other].contains(&Pruned::Removed(2)), "{one:?}, {other:?}");
    replica.close().await;
}

async fn entries_of_a_clock_that_went_ahead_hold_up_no_others(given: &Given) {
    note(given, "A-0", 400).await;
    let values = "('1970-01-01T00:00:00.000000Z', 'C1', 'U1', 'comment', 'A-1', 'done')";
    let all = vec![values; 2_345].join(", ");
    given
        .execute(&format!(
            "INSERT INTO audit_log (at, channel_id, user_id, action, subject, outcome) VALUES {all}"
        ))
        .await;
    note(given, "A-2", 401).await;
    note(given, "A-3", 0).await;
    assert_eq!(given.audit.prune(at(DAY), at(DAY), at(2 * DAY)).await.unwrap(), Pruned::Removed(2_346));
    assert_eq!(log(given).await, ["comment A-0 done", "comment A-2 done"]);
}

async fn a_clock_that_went_ahead_stops_nobody(given: &Given) {
    let ahead = given.replica().await;
    note(given, "A-1", -1).await;
    // Later than today on the server of PostgreSQL.
    let prune = async |stores: &maro_store::Stores, year: i64| {
        let day = year * 365;
        stores.audit.prune(at(0), at((day - 1) * DAY), at(day * DAY)).await.unwrap()
    };
    assert_eq!(prune(&ahead, 300).await, Pruned::Removed(1));
    assert_eq!(prune(given, 100).await, Pruned::Removed(0));
    ahead.close().await;
}

async fn many_entries_go_too(given: &Given) {
    let values = "('2025-01-01T00:00:00.000000Z', 'C1', 'U1', 'comment', 'A-1', 'done')";
    let all = vec![values; 2_345].join(", ");
    given
        .execute(&format!(
            "INSERT INTO audit_log (at, channel_id, user_id, action, subject, outcome) VALUES {all}"
        ))
        .await;
    note(given, "A-2", 0).await;
    assert_eq!(given.audit.prune(at(0), at(0), at(1)).await.unwrap(), Pruned::Removed(2_345));
    assert_eq!(log(given).await, ["comment A-2 done"]);
}
