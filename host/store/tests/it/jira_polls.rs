//! Replicas take turns to ask Jira. Each claim runs on SQLite and on PostgreSQL.

use std::time::Duration;

use crate::support::given::{Given, on_both_databases};

on_both_databases! {
    of_all_replicas_one_gets_a_turn,
    what_is_known_without_a_gap_is_told,
    what_was_known_before_a_clock_was_set_back_is_not_known,
    of_all_replicas_one_sweeps,
}

const INTERVAL: Duration = Duration::from_secs(60);

async fn of_all_replicas_one_gets_a_turn(given: &Given) {
    let other = given.replica().await;
    let (one, two) = tokio::join!(given.jira_polls.take_turn(INTERVAL), other.jira_polls.take_turn(INTERVAL));
    let turns: Vec<_> = [one.unwrap(), two.unwrap()].into_iter().flatten().collect();
    let [turn] = *turns else { panic!("{turns:?}") };
    assert_eq!(turn.known_ago, None);
    given.jira_polls.end_turn(turn, false).await.unwrap();
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

async fn what_is_known_without_a_gap_is_told(given: &Given) {
    assert_eq!(given.jira_polls.coverage().await.unwrap(), None);
    let first = given.jira_polls.take_turn(INTERVAL).await.unwrap().unwrap();
    assert_eq!(given.jira_polls.coverage().await.unwrap(), None, "it hasn't ended");
    given.jira_polls.end_turn(first, false).await.unwrap();
    given.execute("UPDATE jira_polls SET asked_ms = asked_ms - 60000, known_ms = known_ms - 60000, since_ms = since_ms - 60000").await;
    let second = given.jira_polls.take_turn(INTERVAL).await.unwrap().unwrap();
    given.jira_polls.end_turn(second, true).await.unwrap();
    let known = given.jira_polls.coverage().await.unwrap().unwrap();
    assert!(known.since_ago >= INTERVAL && known.until_ago < INTERVAL, "{known:?}");
    // What was left out begins anew.
    given.jira_polls.end_turn(second, false).await.unwrap();
    let known = given.jira_polls.coverage().await.unwrap().unwrap();
    assert!(known.since_ago < INTERVAL, "{known:?}");
}

async fn what_was_known_before_a_clock_was_set_back_is_not_known(given: &Given) {
    let first = given.jira_polls.take_turn(INTERVAL).await.unwrap().unwrap();
    given.jira_polls.end_turn(first, true).await.unwrap();
    let two_hours = "UPDATE jira_polls SET asked_ms = asked_ms + 7200000, known_ms = known_ms + 7200000, \
                     since_ms = since_ms + 7200000";
    given.execute(two_hours).await;
    assert_eq!(given.jira_polls.coverage().await.unwrap(), None);
    let turn = given.jira_polls.take_turn(INTERVAL).await.unwrap().unwrap();
    assert_eq!(turn.known_ago, None);
    given.jira_polls.end_turn(turn, false).await.unwrap();
    let known = given.jira_polls.coverage().await.unwrap().unwrap();
    assert!(known.since_ago < INTERVAL && known.until_ago < INTERVAL, "{known:?}");
    let next = given.jira_polls.take_turn(Duration::ZERO).await.unwrap().unwrap();
    assert!(next.known_ago.is_some_and(|ago| ago < INTERVAL), "{next:?}");
}

async fn of_all_replicas_one_sweeps(given: &Given) {
    assert!(!given.jira_polls.may_sweep(INTERVAL).await.unwrap(), "nothing was asked yet");
    given.jira_polls.take_turn(INTERVAL).await.unwrap().unwrap();
    let other = given.replica().await;
    let (one, two) = tokio::join!(given.jira_polls.may_sweep(INTERVAL), other.jira_polls.may_sweep(INTERVAL));
    assert_eq!(usize::from(one.unwrap()) + usize::from(two.unwrap()), 1);
    given.execute("UPDATE jira_polls SET swept_ms = swept_ms - 60000").await;
    assert!(other.jira_polls.may_sweep(INTERVAL).await.unwrap());
    other.close().await;
}

/// Only replicas have a leader, and they're on PostgreSQL.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_all_replicas_one_leads_until_it_resigns_or_its_time_is_over() {
    const TERM: Duration = Duration::from_secs(3);
    let Some(given) = Given::postgres().await else { return };
    let other = given.replica().await;
    let lead = async |holder| other.jira_polls.lead(holder, TERM).await.unwrap();
    let (one, two) = tokio::join!(given.jira_polls.lead(1, TERM), other.jira_polls.lead(2, TERM));
    let leaders = [(1, one.unwrap()), (2, two.unwrap())];
    let [leader] =
        *leaders.into_iter().filter(|(_, leads)| *leads).map(|(holder, _)| holder).collect::<Vec<i64>>()
    else {
        panic!("{leaders:?}")
    };
    let rival = 3 - leader;
    assert!(lead(leader).await && !lead(rival).await);
    given.execute("UPDATE jira_polls SET leads_until_ms = leads_until_ms - 3000").await;
    assert!(lead(rival).await, "the leader has died");
    assert!(!lead(leader).await);
    given.jira_polls.resign(leader).await.unwrap();
    assert!(!lead(leader).await, "it didn't lead");
    given.jira_polls.resign(rival).await.unwrap();
    assert!(lead(leader).await);
    given.execute("UPDATE jira_polls SET leads_until_ms = leads_until_ms + 3600000").await;
    assert!(lead(rival).await, "a clock was set back");
    // Who leads has asked nothing yet.
    assert_eq!(given.jira_polls.take_turn(INTERVAL).await.unwrap().unwrap().known_ago, None);
    other.close().await;
    given.close().await;
}
