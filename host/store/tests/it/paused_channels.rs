//! Channels that nobody can write to: they are told nothing, what only they track isn't read, and their lists stay as
//! they are until they are back. Each claim runs on SQLite and on PostgreSQL.

use std::time::Duration;

use maro_domain::issue::{Issue, IssueKey, StatusCategory};
use maro_store::{
    channels::{ChannelChange, Occurrence, Pause},
    freshness::Ages,
};

use crate::support::given::{Given, Sync as _, at, channel, described, key, on_both_databases};

on_both_databases! {
    a_paused_channel_is_told_nothing_until_it_is_back,
    what_only_paused_channels_track_is_not_read,
    what_changes_only_there_is_not_outdated,
    a_list_stays_as_it_is_and_is_read_at_once_when_its_channel_is_back,
}

async fn note(given: &Given, event: &str, change: ChannelChange<'_>) {
    let what = Occurrence { event, happened_us: None };
    assert!(given.channels.note(what, change, at(1)).await.unwrap());
}

async fn pause(given: &Given) {
    note(given, "Ev1", ChannelChange::Paused { channel: &channel("C1"), pause: Pause::Left }).await;
}

async fn resume(given: &Given) {
    note(given, "Ev2", ChannelChange::Resumed { channel: &channel("C1") }).await;
}

fn since(second: i64, id: u32, issue: &str, status: &str, category: StatusCategory) -> Issue {
    let issue = described(id, issue, "A summary", status);
    Issue { updated_at: Some(at(second)), status_category: category, ..issue }
}

fn open(id: u32, issue: &str) -> Issue {
    since(0, id, issue, "Open", StatusCategory::ToDo)
}

fn done(id: u32, issue: &str) -> Issue {
    since(20, id, issue, "Done", StatusCategory::Done)
}

/// What is due before a second.
async fn due(given: &Given, second: i64) -> Vec<String> {
    let claimed = given.freshness.claim(Ages { before: at(second), now: at(second) }, 100, 1).await.unwrap();
    let mut keys: Vec<String> = claimed.iter().map(IssueKey::to_string).collect();
    given.freshness.release(1).await.unwrap();
    keys.sort();
    keys
}

async fn a_paused_channel_is_told_nothing_until_it_is_back(given: &Given) {
    for channel in ["C1", "C2"] {
        given.track(channel, &[open(10, "A-1")], 0).await;
    }
    given.tracker.sync(&[(key("A-1"), Some(done(10, "A-1")))], at(20)).await.unwrap();
    pause(given).await;
    let claim = async |holder| {
        given
            .execute("UPDATE channel_notices SET due_ms = 1, held_until_ms = 0 WHERE due_ms IS NOT NULL")
            .await;
        let claimed = given.notices.claim(holder, 10, Duration::ZERO).await.unwrap();
        let mut channels: Vec<String> = claimed.iter().map(|claimed| claimed.channel.to_string()).collect();
        channels.sort();
        channels
    };
    assert_eq!(claim(1).await, ["C2"]);
    resume(given).await;
    assert_eq!(claim(2).await, ["C1", "C2"]);
}

async fn what_only_paused_channels_track_is_not_read(given: &Given) {
    given.track("C1", &[open(10, "A-1"), open(11, "A-2")], 0).await;
    given.track("C2", &[open(11, "A-2")], 0).await;
    assert_eq!(due(given, 60).await, ["A-1", "A-2"]);
    pause(given).await;
    assert_eq!(due(given, 60).await, ["A-2"]);
    resume(given).await;
    assert_eq!(due(given, 60).await, ["A-1", "A-2"]);
}

async fn what_changes_only_there_is_not_outdated(given: &Given) {
    given.track("C1", &[open(10, "A-1"), open(11, "A-2")], 0).await;
    given.track("C2", &[open(11, "A-2")], 0).await;
    let found = [done(10, "A-1"), done(11, "A-2")];
    assert_eq!(given.freshness.is_outdated(&found).await.unwrap(), [true, true]);
    pause(given).await;
    assert_eq!(given.freshness.is_outdated(&found).await.unwrap(), [false, true]);
}

async fn a_list_stays_as_it_is_and_is_read_at_once_when_its_channel_is_back(given: &Given) {
    for channel in ["C1", "C2"] {
        given.track(channel, &[open(10, "A-1")], 0).await;
    }
    pause(given).await;
    let write = async |second| {
        let answers = [(key("A-1"), Some(done(10, "A-1")))];
        given.tracker.sync(&answers, at(second)).await.unwrap();
        let rows =
            "SELECT channel_id || ' ' || last_jira_status FROM channel_tracked_issues ORDER BY channel_id";
        given.query(rows).await
    };
    assert_eq!(write(30).await, ["C1 Open", "C2 Done"]);
    assert_eq!(due(given, 0).await, [""; 0]);
    resume(given).await;
    assert_eq!(due(given, 0).await, ["A-1"], "though other lists were kept up to date");
    assert_eq!(write(31).await, ["C1 Done", "C2 Done"]);
}
