//! What becomes of channels. Each claim runs on SQLite and on PostgreSQL.

use maro_store::{
    channels::{ChannelChange, ChannelHistory, Occurrence, Pause},
    plugin_storage::{Owner, Space},
};

use crate::support::given::{Given, at, channel, on_both_databases};

on_both_databases! {
    a_channel_that_gets_another_id_takes_everything_along,
    what_a_channel_hears_and_heard_goes_along,
    the_same_event_changes_something_once,
    former_ids_lead_to_the_id_of_today,
    a_pause_is_kept_until_it_ends,
    what_happened_before_changes_nothing_however_late_it_comes,
    letting_the_bot_in_has_what_waited_told_at_once,
    that_other_people_can_be_in_a_channel_is_known_and_undoes_nothing,
}

fn occurred(event: &str, happened_us: Option<i64>) -> Occurrence<'_> {
    Occurrence { event, happened_us }
}

async fn moved(given: &Given, event: &str, old: &str, new: &str) -> bool {
    let change = ChannelChange::Moved { old: &channel(old), new: &channel(new) };
    given.channels.note(occurred(event, None), change, at(9)).await.unwrap()
}

async fn rows(given: &Given) -> Vec<String> {
    let rows =
        "SELECT channel_id || ' ' || issue_key || ' ' || tracked_by FROM channel_tracked_issues ORDER BY 1";
    given.query(rows).await
}

async fn fill(given: &Given) {
    let list = "INSERT INTO channel_tracked_issues (channel_id, issue_key, issue_id, tracked_at, tracked_by) VALUES ";
    for row in [
        "('G1', 'A-1', '1', '2026-01-31T09:00:00.000000Z', 'U1')",
        "('G1', 'A-2', NULL, '2026-01-31T09:00:00.000000Z', 'U1')",
        "('G1', 'OLD-3', '3', '2026-01-31T09:00:00.000000Z', 'U1')",
        "('C1', 'A-1', '1', '2026-01-31T10:00:00.000000Z', 'U2')",
        "('C1', 'NEW-3', '3', '2026-01-31T08:00:00.000000Z', 'U2')",
        "('C2', 'A-1', '1', '2026-01-31T10:00:00.000000Z', 'U2')",
    ] {
        given.execute(&format!("{list}{row}")).await;
    }
    let draft = r#"{"origin":{"channel":"G1","user":"U1"},"summary":"say \"channel\":\"G1\""}"#;
    given
        .execute(&format!(
            "INSERT INTO ticket_intents (id, kind, channel_id, user_id, state, data, version, created_at, updated_at)
             VALUES ('i', 'create', 'G1', 'U1', 'draft', '{draft}', 7, '2026-01-31T09:00:00.000000Z',
                     '2026-01-31T09:00:00.000000Z')"
        ))
        .await;
    for (channel, key, value) in
        [("G1", "a", "old"), ("G1", "b", "b"), ("C1", "a", "new"), ("C1", "cc", "c"), ("C2", "a", "x")]
    {
        let blob = |text: &str| {
            if given.is_on_postgres() {
                format!("'{text}'::bytea")
            } else {
                format!("CAST('{text}' AS BLOB)")
            }
        };
        given
            .execute(&format!(
                "INSERT INTO plugin_storage (plugin, channel_id, key, value) VALUES ('p', '{channel}', {}, {})",
                blob(key),
                blob(value)
            ))
            .await;
    }
    given
        .execute("INSERT INTO plugin_storage_usage (plugin, channel_id, keys, bytes) VALUES ('p', 'G1', 2, 6), ('p', 'C1', 2, 7)")
        .await;
}

async fn a_channel_that_gets_another_id_takes_everything_along(given: &Given) {
    fill(given).await;
    assert!(moved(given, "Ev1", "G1", "C1").await);
    assert_eq!(rows(given).await, ["C1 A-1 U1", "C1 A-2 U1", "C1 NEW-3 U2", "C2 A-1 U2"]);
    let intents = given.query("SELECT channel_id || ' ' || data FROM ticket_intents").await;
    assert_eq!(intents, [r#"C1 {"origin":{"channel":"C1","user":"U1"},"summary":"say \"channel\":\"G1\""}"#]);
    let space = |key: &'static str| async move {
        let c1 = channel("C1");
        let space = Space { plugin: "p", owner: Owner::Channel(&c1), now: at(9) };
        given.plugin_storage.get(space, key).await.unwrap()
    };
    assert_eq!(
        (space("a").await.as_deref(), space("b").await.as_deref(), space("cc").await.as_deref()),
        (Some("old"), Some("b"), Some("c"))
    );
    let usage =
        given.query("SELECT channel_id || ' ' || keys || ' ' || bytes FROM plugin_storage_usage").await;
    assert_eq!(usage, ["C1 3 9"]);
}

async fn what_a_channel_hears_and_heard_goes_along(given: &Given) {
    for statement in [
        "INSERT INTO channel_notices (channel_id, mode) VALUES ('G1', 'done'), ('C1', 'off')",
        "INSERT INTO notice_threads (channel_id, issue_id, head_ts) VALUES ('G1', '1', '1.0'), ('C1', '1', '2.0'), \
         ('G1', '2', '3.0')",
        "INSERT INTO done_issues (channel_id, issue_id, since) VALUES ('G1', '1', '2026-01-31T09:00:00.000000Z')",
        "INSERT INTO notice_outbox (channel_id, issue_id, issue_key, kind, from_status, to_status, noted_at) \
         VALUES ('G1', '1', 'A-1', 'status', 'Open', 'Done', '2026-01-31T09:00:00.000000Z')",
        // This one has a time under the new id, which is gone with what was set there.
        "INSERT INTO notice_outbox (channel_id, issue_id, issue_key, kind, from_status, to_status, noted_at) \
         VALUES ('C1', '2', 'A-2', 'status', 'Open', 'Done', '2026-01-31T09:00:00.000000Z')",
    ] {
        given.execute(statement).await;
    }
    assert!(moved(given, "Ev1", "G1", "C1").await);
    let setting = given.query("SELECT channel_id || ' ' || mode FROM channel_notices").await;
    assert_eq!(setting, ["C1 done"], "what was set where its people were");
    let due = given.query("SELECT channel_id FROM channel_notices WHERE due_ms > 0").await;
    assert_eq!(due, ["C1"], "what waits is told");
    let threads =
        "SELECT channel_id || ' ' || issue_id || ' ' || head_ts FROM notice_threads ORDER BY issue_id";
    assert_eq!(given.query(threads).await, ["C1 1 1.0", "C1 2 3.0"]);
    assert_eq!(given.query("SELECT channel_id || ' ' || issue_id FROM done_issues").await, ["C1 1"]);
    assert_eq!(
        given.query("SELECT channel_id || ' ' || issue_key FROM notice_outbox ORDER BY 1").await,
        ["C1 A-1", "C1 A-2"]
    );
}

async fn the_same_event_changes_something_once(given: &Given) {
    fill(given).await;
    assert!(moved(given, "Ev1", "G1", "C1").await);
    given.execute("UPDATE channel_tracked_issues SET channel_id = 'G1' WHERE issue_key = 'A-2'").await;
    assert!(!moved(given, "Ev1", "G1", "C1").await);
    assert!(rows(given).await.contains(&"G1 A-2 U1".to_owned()));
    assert!(moved(given, "Ev2", "G1", "C1").await);
    assert!(rows(given).await.contains(&"C1 A-2 U1".to_owned()));
    assert!(!moved(given, "Ev3", "C1", "C1").await);
}

async fn former_ids_lead_to_the_id_of_today(given: &Given) {
    moved(given, "Ev1", "G1", "C1").await;
    moved(given, "Ev2", "C1", "C2").await;
    let history = given.replica().await.channels.recall().await.unwrap();
    let mut former = history.former.clone();
    former.sort();
    assert_eq!(former, [(channel("C1"), channel("C2")), (channel("G1"), channel("C2"))]);
    // Back to an id that it had: that one is no former id any more.
    moved(given, "Ev3", "C2", "G1").await;
    let mut former = given.channels.recall().await.unwrap().former;
    former.sort();
    assert_eq!(former, [(channel("C1"), channel("G1")), (channel("C2"), channel("G1"))]);
}

async fn a_pause_is_kept_until_it_ends(given: &Given) {
    let (c1, c2) = (channel("C1"), channel("C2"));
    let pause = |event: &'static str, pause: Pause| {
        let change = ChannelChange::Paused { channel: &c1, pause };
        given.channels.note(occurred(event, None), change, at(1))
    };
    assert!(pause("Ev1", Pause::Archived).await.unwrap());
    assert!(pause("Ev2", Pause::Deleted).await.unwrap());
    moved(given, "Ev3", "C1", "C2").await;
    let history = given.channels.recall().await.unwrap();
    assert_eq!(history.paused, [(c2.clone(), Pause::Deleted)]);
    let resumed = ChannelChange::Resumed { channel: &c2 };
    assert!(given.channels.note(occurred("Ev4", None), resumed, at(2)).await.unwrap());
    let expected = ChannelHistory { former: vec![(c1, c2)], ..ChannelHistory::default() };
    assert_eq!(given.channels.recall().await.unwrap(), expected);
}

async fn that_other_people_can_be_in_a_channel_is_known_and_undoes_nothing(given: &Given) {
    let c1 = channel("C1");
    let share = async |event| {
        let change = ChannelChange::Shared { channel: &c1 };
        given.channels.note(occurred(event, Some(9_000_000)), change, at(9)).await.unwrap()
    };
    assert!(share("Ev1").await);
    assert!(!share("Ev1").await, "it was noted before");
    // It was archived before that, and Slack says so later.
    let archived = ChannelChange::Paused { channel: &c1, pause: Pause::Archived };
    assert!(given.channels.note(occurred("Ev0", Some(8_000_000)), archived, at(9)).await.unwrap());
    let known = given.channels.recall().await.unwrap();
    assert_eq!(known.shared, [("Ev1".to_owned(), c1.clone())]);
    assert_eq!(known.paused, [(c1.clone(), Pause::Archived)]);
    assert!(share("Ev2").await);
    assert_eq!(given.channels.recall().await.unwrap().shared.len(), 2);
}

async fn what_happened_before_changes_nothing_however_late_it_comes(given: &Given) {
    let c1 = channel("C1");
    let archived = ChannelChange::Paused { channel: &c1, pause: Pause::Archived };
    let note = async |event, happened_us, change| {
        given.channels.note(occurred(event, happened_us), change, at(1)).await.unwrap()
    };
    let is_paused = async || !given.channels.recall().await.unwrap().paused.is_empty();
    let resumed = ChannelChange::Resumed { channel: &c1 };
    assert!(note("Ev2", Some(2_000_000), resumed).await);
    // Slack sends it once more, since the first time it wasn't taken.
    assert!(note("Ev1", Some(1_000_000), archived).await);
    assert!(!is_paused().await);
    assert!(!note("Ev1", Some(1_000_000), archived).await);
    assert!(note("Ev3", Some(3_000_000), archived).await);
    assert!(is_paused().await);
    assert!(note("Ev4", Some(2_500_000), resumed).await);
    assert!(is_paused().await);
    assert!(note("Ev5", None, resumed).await);
    assert!(!is_paused().await);
    // Of another channel it says nothing.
    let c2 = channel("C2");
    assert!(note("Ev6", Some(1), ChannelChange::Paused { channel: &c2, pause: Pause::Left }).await);
    assert!(is_paused().await);
}

async fn letting_the_bot_in_has_what_waited_told_at_once(given: &Given) {
    let c1 = channel("C1");
    assert!(!given.channels.is_waited_for(&c1).await.unwrap());
    let late =
        "INSERT INTO channel_notices (channel_id, due_ms, paused_for) VALUES ('C1', 9000000000000, 'no')";
    given.execute(late).await;
    assert!(given.channels.is_waited_for(&c1).await.unwrap());
    let resumed = ChannelChange::Resumed { channel: &c1 };
    assert!(given.channels.note(occurred("Ev1", Some(1)), resumed, at(1)).await.unwrap());
    let due = "SELECT channel_id FROM channel_notices WHERE due_ms < 9000000000000";
    assert_eq!(given.query(due).await, ["C1"]);
}
