//! Replicas take turns to ask Jira. Each claim runs on SQLite and on PostgreSQL.

use std::time::Duration;

use maro_domain::tracked::MISSING_STATUS;

use crate::support::given::{Given, at, channel, described, issue, key, on_both_databases};

on_both_databases! {
    of_all_replicas_one_gets_a_turn,
    answers_are_recorded_in_many_channels_at_once,
}

const INTERVAL: Duration = Duration::from_secs(60);

async fn of_all_replicas_one_gets_a_turn(given: &Given) {
    let other = given.replica().await;
    let (one, two) = tokio::join!(given.jira_polls.take_turn(INTERVAL), other.jira_polls.take_turn(INTERVAL));
    let turns: Vec<_> = [one.unwrap(), two.unwrap()].into_iter().flatten().collect();
    let [turn] = *turns else { panic!("{turns:?}") };
    assert_eq!(turn.known_ago, None);
    given.jira_polls.end_turn(turn).await.unwrap();
    assert_eq!(other.jira_polls.take_turn(INTERVAL).await.unwrap(), None);
    given.execute("UPDATE jira_polls SET asked_ms = asked_ms - 60000").await;
    let next = other.jira_polls.take_turn(INTERVAL).await.unwrap().unwrap();
    assert!(next.known_ago.is_some_and(|ago| ago < INTERVAL), "{next:?}");
    // Its replica dies, so the next one begins where the last that ended did.
    given.execute("UPDATE jira_polls SET asked_ms = asked_ms - 60000").await;
    let next = given.jira_polls.take_turn(Duration::ZERO).await.unwrap().unwrap();
    assert!(next.asked_ms > turn.asked_ms && next.known_ago.is_some(), "{next:?}");
    other.close().await;
}

async fn answers_are_recorded_in_many_channels_at_once(given: &Given) {
    assert_eq!(given.tracker.oldest_sync().await.unwrap(), None);
    for number in 1..=3 {
        given.track(&format!("C{number}"), &[issue(10, "A-1"), issue(11, "A-2")], 0).await;
    }
    assert_eq!(given.tracker.oldest_sync().await.unwrap(), Some(at(0)));
    let read = described(10, "A-1", "New", "Done");
    let mut answers: Vec<_> =
        (1..=3).map(|number| (channel(&format!("C{number}")), key("A-1"), Some(read.clone()))).collect();
    answers.push((channel("C1"), key("A-2"), None));
    answers.push((channel("C9"), key("A-2"), None));
    given.tracker.record(&answers, at(60)).await.unwrap();
    let rows = "SELECT channel_id || ' ' || issue_key || ' ' || last_jira_status FROM channel_tracked_issues \
                ORDER BY channel_id, issue_key";
    let gone = format!("C1 A-2 {MISSING_STATUS}");
    assert_eq!(
        given.query(rows).await,
        ["C1 A-1 Done", &gone, "C2 A-1 Done", "C2 A-2 Open", "C3 A-1 Done", "C3 A-2 Open"]
    );
    assert_eq!(given.tracker.oldest_sync().await.unwrap(), Some(at(0)), "two rows are left");
}
