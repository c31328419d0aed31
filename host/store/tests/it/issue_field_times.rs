//! Fields of issues: answers that come late, changes that nobody looked at, and channels that nobody listens to.

use maro_domain::issue::{Issue, IssueKey};
use maro_store::{
    channels::{ChannelChange, Occurrence, Pause},
    issue_fields::{FieldAuthors, Place, SeenFields},
    notices::Mode,
};

use crate::support::given::{Given, Sync as _, at, author, channel, issue, key, on_both_databases};

on_both_databases! {
    an_older_answer_tells_and_changes_nothing,
    what_changed_and_was_not_looked_at_is_overdue,
    what_changed_while_nobody_listened_is_no_news,
    a_channel_that_nobody_can_write_to_hears_nothing,
    what_could_not_be_read_is_put_off_for_longer_and_longer,
    what_changes_is_told_though_jiras_clock_was_set_back,
}

fn changed(second: i64) -> Issue {
    Issue { updated_at: Some(at(second)), ..issue(10, "A-1") }
}

fn assigned(name: &str) -> SeenFields {
    SeenFields { assignee: name.to_owned(), ..SeenFields::default() }
}

async fn note(given: &Given, issue: &Issue, name: &str) {
    given.issue_fields.note(issue, &assigned(name), &FieldAuthors::default(), at(9)).await.unwrap();
}

async fn known(given: &Given) -> Option<String> {
    given.issue_fields.seen(&issue(10, "A-1")).await.unwrap().map(|seen| seen.assignee)
}

async fn outbox(given: &Given) -> Vec<String> {
    given
        .query("SELECT channel_id || ' ' || from_status || '>' || to_status FROM notice_outbox ORDER BY id")
        .await
}

async fn unseen(given: &Given) -> Vec<IssueKey> {
    given.issue_fields.unseen(&Place::default(), 10).await.unwrap().keys
}

async fn overdue(given: &Given) -> Vec<IssueKey> {
    given.issue_fields.overdue(&Place::default(), 10).await.unwrap().keys
}

async fn hear_all(given: &Given, channel: &str, mode: Mode) {
    given.notices.set_mode(&author(channel, "U1"), mode, at(0)).await.unwrap();
}

async fn an_older_answer_tells_and_changes_nothing(given: &Given) {
    given.track("C1", &[changed(0)], 0).await;
    hear_all(given, "C1", Mode::All).await;
    note(given, &changed(1), "").await;
    note(given, &changed(3), "Grace").await;
    // It was asked for before, and took longer.
    note(given, &changed(2), "Ada").await;
    assert_eq!(known(given).await.as_deref(), Some("Grace"));
    assert_eq!(outbox(given).await, ["C1 >Grace"]);
    // Jira doesn't say when: then the later answer counts.
    note(given, &issue(10, "A-1"), "Priya").await;
    note(given, &changed(2), "Ada").await;
    assert_eq!(known(given).await.as_deref(), Some("Priya"));
    assert_eq!(outbox(given).await, ["C1 >Grace", "C1 Grace>Priya"]);
}

async fn what_changed_and_was_not_looked_at_is_overdue(given: &Given) {
    let overdue = async || overdue(given).await;
    given.track("C1", &[changed(1)], 1).await;
    hear_all(given, "C1", Mode::All).await;
    assert_eq!(unseen(given).await, [key("A-1")]);
    note(given, &changed(1), "").await;
    assert!(overdue().await.is_empty());
    // The lists know of a change, and the replica that should have looked at it has stopped.
    let sync = async |second| {
        given.tracker.sync(&[(key("A-1"), Some(changed(second)))], at(second)).await.unwrap();
    };
    sync(5).await;
    assert_eq!(overdue().await, [key("A-1")]);
    note(given, &changed(5), "Ada").await;
    assert!(overdue().await.is_empty());
    sync(6).await;
    given.execute("UPDATE issue_freshness SET asked_at = CURRENT_TIMESTAMP").await;
    if given.is_on_postgres() {
        assert!(overdue().await.is_empty(), "somebody may be at it");
    }
    hear_all(given, "C1", Mode::Status).await;
    given.execute("UPDATE issue_freshness SET asked_at = '2026-01-31T09:30:00.000000Z'").await;
    assert!(overdue().await.is_empty());
}

async fn what_changed_while_nobody_listened_is_no_news(given: &Given) {
    given.track("C1", &[changed(0)], 0).await;
    given.track("C2", &[changed(0)], 0).await;
    hear_all(given, "C1", Mode::All).await;
    note(given, &changed(1), "Ada").await;
    hear_all(given, "C1", Mode::Off).await;
    // Somebody else is at it by now, and nobody looks.
    hear_all(given, "C1", Mode::All).await;
    assert_eq!(known(given).await, None);
    note(given, &changed(2), "Grace").await;
    note(given, &changed(3), "Priya").await;
    assert_eq!(outbox(given).await, ["C1 Grace>Priya"]);
    // While another channel listens, it's up to date.
    hear_all(given, "C2", Mode::All).await;
    hear_all(given, "C1", Mode::Off).await;
    hear_all(given, "C1", Mode::All).await;
    assert_eq!(known(given).await.as_deref(), Some("Priya"));
    // What nobody hears is forgotten in time.
    hear_all(given, "C1", Mode::Off).await;
    given.notices.forget_before(at(0)).await.unwrap();
    assert_eq!(known(given).await.as_deref(), Some("Priya"));
    hear_all(given, "C2", Mode::Status).await;
    given.notices.forget_before(at(0)).await.unwrap();
    assert_eq!(known(given).await, None);
}

async fn a_channel_that_nobody_can_write_to_hears_nothing(given: &Given) {
    for name in ["C1", "C2"] {
        given.track(name, &[changed(0)], 0).await;
        hear_all(given, name, Mode::All).await;
    }
    note(given, &changed(1), "").await;
    let c1 = channel("C1");
    let archived = ChannelChange::Paused { channel: &c1, pause: Pause::Archived };
    let what = Occurrence { event: "Ev1", happened_us: Some(1) };
    assert!(given.channels.note(what, archived, at(1)).await.unwrap());
    note(given, &changed(2), "Ada").await;
    assert_eq!(outbox(given).await, ["C2 >Ada"]);
}

async fn what_could_not_be_read_is_put_off_for_longer_and_longer(given: &Given) {
    let unseen = async || unseen(given).await;
    let put_off = async |keys: &[&str]| {
        let keys: Vec<_> = keys.iter().map(|name| key(name)).collect();
        given.issue_fields.put_off(&keys).await.unwrap();
    };
    let ago = async |seconds: u32| {
        let statement =
            format!("UPDATE issue_fields SET updated_ms = updated_ms - {seconds}000 WHERE last_comment < 0");
        given.execute(&statement).await;
    };
    for name in ["C1", "C2"] {
        given.track(name, &[changed(0), issue(11, "A-2")], 0).await;
        hear_all(given, name, Mode::All).await;
    }
    assert_eq!(unseen().await, [key("A-1"), key("A-2")], "each once, on however many lists");
    put_off(&["A-1"]).await;
    assert_eq!(unseen().await, [key("A-2")]);
    ago(30).await;
    assert_eq!(unseen().await, [key("A-1"), key("A-2")]);
    put_off(&["A-1"]).await;
    ago(59).await;
    assert_eq!(unseen().await, [key("A-2")]);
    ago(1).await;
    assert_eq!(unseen().await, [key("A-1"), key("A-2")]);
    for _ in 0..20 {
        put_off(&["A-1"]).await;
    }
    ago(3_840).await;
    assert_eq!(unseen().await, [key("A-1"), key("A-2")], "an hour at most");
    put_off(&["A-1"]).await;
    // It isn't known, and what Jira shows at last is no news.
    assert_eq!(known(given).await, None);
    assert!(overdue(given).await.is_empty());
    note(given, &changed(1), "Ada").await;
    assert_eq!(known(given).await.as_deref(), Some("Ada"));
    assert!(outbox(given).await.is_empty());
    // Nor does it change what is known.
    put_off(&["A-1"]).await;
    assert_eq!(known(given).await.as_deref(), Some("Ada"));
    note(given, &changed(2), "Grace").await;
    assert_eq!(outbox(given).await, ["C1 Ada>Grace", "C2 Ada>Grace"]);
}

async fn what_changes_is_told_though_jiras_clock_was_set_back(given: &Given) {
    let hour = 3_600;
    given.track("C1", &[changed(hour)], 1).await;
    hear_all(given, "C1", Mode::All).await;
    note(given, &changed(hour), "Grace").await;
    // An answer that is merely late tells nothing.
    note(given, &changed(hour - 1), "Ada").await;
    assert_eq!(known(given).await.as_deref(), Some("Grace"));
    // A copy of last night is brought back, and somebody changes the issue.
    let sync = [(key("A-1"), Some(changed(10)))];
    given.tracker.sync(&sync, at(2 * hour)).await.unwrap();
    assert_eq!(overdue(given).await, [key("A-1")]);
    note(given, &changed(10), "Priya").await;
    assert_eq!(outbox(given).await, ["C1 Grace>Priya"]);
    assert!(overdue(given).await.is_empty());
    note(given, &changed(20), "Hedy").await;
    assert_eq!(outbox(given).await, ["C1 Grace>Priya", "C1 Priya>Hedy"]);
    // Jira's clock was an hour ahead, and is put right.
    let year = 366 * 24 * hour;
    note(given, &changed(year), "Ada").await;
    let sync = [(key("A-1"), Some(changed(hour)))];
    given.tracker.sync(&sync, at(3 * hour)).await.unwrap();
    assert_eq!(overdue(given).await, [key("A-1")]);
    note(given, &changed(hour), "Grace").await;
    assert_eq!(outbox(given).await[2..], ["C1 Hedy>Ada", "C1 Ada>Grace"]);
}
