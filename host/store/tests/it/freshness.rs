//! How fresh what the lists show is, and what an answer of Jira's changes. Each claim runs on SQLite and on PostgreSQL.

use jiff::{SignedDuration, Timestamp};
use maro_domain::{
    issue::{Issue, IssueId, IssueKey, StatusCategory},
    tracked::{MISSING_STATUS, Source},
};
use maro_process::clock::Clock;
use maro_store::{
    freshness::{Ages, Waiting},
    tracker::{
        TrackRequest,
        jira_answers::{IssueAnswer, JiraAnswers},
    },
};

use crate::support::given::{Given, Sync as _, at, channel, described, issue, key, on_both_databases};

on_both_databases! {
    an_answer_is_written_to_every_list,
    an_issue_that_is_unchanged_costs_no_row,
    jiras_own_clock_says_what_is_newer,
    a_time_that_went_back_holds_for_minutes_alone,
    of_answers_without_a_time_the_later_question_counts,
    a_status_may_get_another_category,
    of_all_replicas_each_gets_other_issues,
    what_a_dead_replica_held_comes_back,
    what_is_on_no_list_is_not_read,
    what_is_left_out_takes_nobodys_place,
    what_jira_cannot_serve_gives_up_its_turn,
    what_other_tools_and_older_replicas_write_is_read,
    what_is_known_is_not_outdated,
    what_a_fast_clock_wrote_holds_nothing_up,
    what_a_clock_that_was_set_back_wrote_holds_nothing_up,
    an_issue_that_jira_hides_is_found_by_its_id,
}

/// An issue as Jira has it since then, by its own clock.
fn since(second: i64, status: &str) -> Issue {
    Issue { updated_at: Some(at(second)), ..described(10, "A-1", "A summary", status) }
}

async fn statuses(given: &Given) -> Vec<String> {
    given
        .query(
            "SELECT channel_id || ' ' || issue_key || ' ' || last_jira_status FROM channel_tracked_issues \
             ORDER BY channel_id, issue_key",
        )
        .await
}

/// What is older than that.
fn old(second: i64) -> Ages {
    Ages { before: at(second), now: at(second) }
}

async fn claim(given: &Given, second: i64, holder: i64) -> Vec<String> {
    let mut keys: Vec<String> = given
        .freshness
        .claim(old(second), 100, holder)
        .await
        .unwrap()
        .iter()
        .map(IssueKey::to_string)
        .collect();
    keys.sort();
    keys
}

async fn an_answer_is_written_to_every_list(given: &Given) {
    assert_eq!(given.freshness.waiting().await.unwrap(), None);
    for number in 1..=3 {
        given.track(&format!("C{number}"), &[issue(10, "A-1"), issue(11, "A-2")], 0).await;
    }
    let waiting = Waiting { oldest: at(0), oldest_but_one_percent: at(0) };
    assert_eq!(given.freshness.waiting().await.unwrap(), Some(waiting));
    let answers = [(key("A-1"), Some(described(10, "A-1", "New", "Done"))), (key("A-9"), None)];
    given.tracker.sync(&answers, at(60)).await.unwrap();
    let expected = ["C1 A-1 Done", "C1 A-2 Open", "C2 A-1 Done", "C2 A-2 Open", "C3 A-1 Done", "C3 A-2 Open"];
    assert_eq!(statuses(given).await, expected);
    assert_eq!(given.freshness.waiting().await.unwrap(), Some(waiting), "an issue is left");
    given.tracker.sync(&[(key("A-2"), None)], at(61)).await.unwrap();
    assert_eq!(statuses(given).await[1], format!("C1 A-2 {MISSING_STATUS}"));
    assert_eq!(given.freshness.waiting().await.unwrap().unwrap().oldest, at(60));
}

/// Which versions of rows there are.
async fn versions(given: &Given) -> Vec<String> {
    let rows = "SELECT id || ' ' || xmin || ' ' || ctid FROM channel_tracked_issues ORDER BY id";
    given.query(rows).await
}

async fn an_issue_that_is_unchanged_costs_no_row(given: &Given) {
    for number in 1..=20 {
        given.track(&format!("C{number}"), &[since(0, "Open")], 0).await;
    }
    // Whatever writes a row fails, in SQLite.
    match given.is_on_postgres() {
        false => {
            let forbidden = "CREATE TRIGGER no_row BEFORE UPDATE ON channel_tracked_issues \
                             BEGIN SELECT RAISE(ABORT, 'a row was written'); END";
            given.execute(forbidden).await;
            given.tracker.sync(&[(key("A-1"), Some(since(0, "Open")))], at(60)).await.unwrap();
            given.tracker.sync(&[(key("A-1"), Some(since(0, "Done")))], at(61)).await.unwrap_err();
        }
        true => {
            let before = versions(given).await;
            given.tracker.sync(&[(key("A-1"), Some(since(0, "Open")))], at(60)).await.unwrap();
            given.tracker.sync(&[(key("A-1"), Some(since(59, "Open")))], at(61)).await.unwrap();
            assert_eq!(versions(given).await, before);
        }
    }
    let read = given.list("C20").await[0].last_synced_at;
    assert!(read >= Some(at(60)), "{read:?}");
    assert_eq!(claim(given, 59, 1).await, [""; 0]);
}

async fn jiras_own_clock_says_what_is_newer(given: &Given) {
    given.track("C1", &[since(0, "Open")], 0).await;
    let write = async |issue: Option<Issue>, second| {
        given.tracker.sync(&[(key("A-1"), issue)], at(second)).await.unwrap();
        statuses(given).await.remove(0)
    };
    assert_eq!(write(Some(since(20, "In Review")), 60).await, "C1 A-1 In Review");
    // By the clock of a replica that is late, and yet newer.
    assert_eq!(write(Some(since(30, "Done")), 40).await, "C1 A-1 Done");
    assert_eq!(write(Some(since(20, "In Review")), 70).await, "C1 A-1 Done", "an older answer came last");
    // Back again: what was in between doesn't return, although the row wasn't written.
    given.execute("UPDATE channel_tracked_issues SET last_jira_status = 'Open', jira_updated_ms = 1").await;
    assert_eq!(write(Some(since(50, "Open")), 80).await, "C1 A-1 Open");
    assert_eq!(write(Some(since(45, "Done")), 81).await, "C1 A-1 Open");
    // What Jira doesn't show has no time of its own.
    assert_eq!(write(None, 90).await, format!("C1 A-1 {MISSING_STATUS}"));
    assert_eq!(write(Some(since(55, "Done")), 89).await, format!("C1 A-1 {MISSING_STATUS}"));
    assert_eq!(write(Some(since(55, "Done")), 91).await, "C1 A-1 Done");
    // A list that gets the issue as it was before is put right at the next opportunity.
    given.track("C2", &[since(40, "Open")], 92).await;
    assert_eq!(claim(given, 0, 1).await, ["A-1"]);
    assert_eq!(write(Some(since(55, "Done")), 93).await, "C1 A-1 Done");
    assert_eq!(statuses(given).await, ["C1 A-1 Done", "C2 A-1 Done"]);
}

/// Jira was restored from a backup, or the clock of one of its nodes was fast.
async fn a_time_that_went_back_holds_for_minutes_alone(given: &Given) {
    given.track("C1", &[since(0, "Open")], 0).await;
    let write = async |issue: Issue, second| {
        given.tracker.sync(&[(key("A-1"), Some(issue))], at(second)).await.unwrap();
        statuses(given).await.remove(0)
    };
    assert_eq!(write(since(9_000, "Done"), 10).await, "C1 A-1 Done");
    assert_eq!(write(since(20, "In Review"), 310).await, "C1 A-1 Done", "it may be an answer that came late");
    assert_eq!(claim(given, 309, 1).await, [""; 0], "it was read, and isn't read again and again");
    assert_eq!(write(since(20, "In Review"), 311).await, "C1 A-1 In Review");
    assert_eq!(write(since(330, "Open"), 340).await, "C1 A-1 Open");
    // Nor does it hold for a list that gets it by a command.
    assert_eq!(write(since(9_000, "Done"), 350).await, "C1 A-1 Done");
    given.track("C1", &[since(360, "Open")], 700).await;
    assert_eq!(statuses(given).await, ["C1 A-1 Open"]);
}

async fn of_answers_without_a_time_the_later_question_counts(given: &Given) {
    given.track("C1", &[issue(10, "A-1")], 0).await;
    let write = async |status: &str, second| {
        let answers = [(key("A-1"), Some(described(10, "A-1", "A summary", status)))];
        given.tracker.sync(&answers, at(second)).await.unwrap();
        statuses(given).await.remove(0)
    };
    assert_eq!(write("Done", 60).await, "C1 A-1 Done");
    assert_eq!(write("In Review", 50).await, "C1 A-1 Done", "it was asked before");
    assert_eq!(write("In Review", 61).await, "C1 A-1 In Review");
}

async fn a_status_may_get_another_category(given: &Given) {
    let of = |category| Issue { status_category: category, ..described(10, "A-1", "A summary", "Shipped") };
    given.track("C1", &[of(StatusCategory::InProgress)], 0).await;
    given.tracker.sync(&[(key("A-1"), Some(of(StatusCategory::Done)))], at(60)).await.unwrap();
    assert_eq!(given.list("C1").await[0].last_jira_category, StatusCategory::Done);
}

async fn of_all_replicas_each_gets_other_issues(given: &Given) {
    let issues: Vec<Issue> = (1..=60).map(|number| issue(number, &format!("A-{number}"))).collect();
    given.track("C1", &issues, 0).await;
    given.track("C2", &issues, 0).await;
    let other = given.replica().await;
    let claims = (1..=6).map(|holder| {
        let freshness = if holder % 2 == 0 { &given.freshness } else { &other.freshness };
        async move { freshness.claim(old(1), 10, holder).await.unwrap() }
    });
    let mut keys: Vec<IssueKey> = futures_util::future::join_all(claims).await.concat();
    let count = keys.len();
    keys.sort();
    keys.dedup();
    assert_eq!(keys.len(), count, "one was read twice");
    keys.extend(given.freshness.claim(old(1), 100, 7).await.unwrap());
    assert_eq!(keys.len(), 60);
    assert_eq!(given.freshness.claim(old(1), 100, 8).await.unwrap(), []);
    given.freshness.release(7).await.unwrap();
    assert_eq!(given.freshness.claim(old(1), 100, 8).await.unwrap().len(), 60 - count);
    other.close().await;
}

async fn what_a_dead_replica_held_comes_back(given: &Given) {
    given.track("C1", &[issue(1, "A-1"), issue(2, "A-2")], 0).await;
    assert_eq!(claim(given, 1, 1).await, ["A-1", "A-2"]);
    given.execute("UPDATE issue_freshness SET held_until_ms = held_until_ms - 4000").await;
    given.freshness.renew(1).await.unwrap();
    given.execute("UPDATE issue_freshness SET held_until_ms = held_until_ms - 4000").await;
    assert_eq!(claim(given, 1, 2).await, [""; 0], "it was renewed");
    given.execute("UPDATE issue_freshness SET held_until_ms = held_until_ms - 4000").await;
    assert_eq!(claim(given, 1, 2).await, ["A-1", "A-2"]);
}

async fn what_is_on_no_list_is_not_read(given: &Given) {
    let known = "SELECT issue_key FROM issue_freshness ORDER BY issue_key";
    given.track("C1", &[issue(1, "A-1"), issue(2, "A-2")], 0).await;
    let author = crate::support::given::author("C1", "U1");
    given.tracker.untrack(&author, &[key("A-1")], at(1)).await.unwrap();
    assert_eq!(given.query(known).await, ["A-1", "A-2"]);
    assert_eq!(claim(given, 1, 1).await, ["A-2"]);
    assert_eq!(given.query(known).await, ["A-2"]);
    given.track("C1", &[issue(1, "A-1")], 2).await;
    assert_eq!(claim(given, 3, 1).await, ["A-1"]);
    // A key that an issue gave up isn't asked for either.
    let moved = described(2, "B-2", "A summary", "Open");
    given.tracker.sync(&[(key("A-2"), Some(moved))], at(4)).await.unwrap();
    given.freshness.release(1).await.unwrap();
    assert_eq!(claim(given, 5, 1).await, ["A-1", "B-2"]);
}

async fn what_is_left_out_takes_nobodys_place(given: &Given) {
    let gone: Vec<Issue> = (1..=8).map(|number| issue(number, &format!("A-{number}"))).collect();
    given.track("C1", &gone, 0).await;
    given.execute("DELETE FROM channel_tracked_issues").await;
    given.track("C1", &[issue(20, "B-1"), issue(21, "B-2")], 1).await;
    let mut claimed = given.freshness.claim(old(2), 5, 1).await.unwrap();
    claimed.sort();
    assert_eq!(claimed, [key("B-1"), key("B-2")]);
}

async fn what_jira_cannot_serve_gives_up_its_turn(given: &Given) {
    given.track("C1", &[issue(1, "A-1"), issue(2, "A-2")], 0).await;
    given.freshness.forget(&issue(1, "A-1")).await.unwrap();
    assert_eq!(given.freshness.claim(old(10), 1, 1).await.unwrap(), [key("A-1")]);
    given.freshness.put_off(&[key("A-1")], at(5)).await.unwrap();
    assert_eq!(claim(given, 5, 2).await, ["A-2"]);
    assert_eq!(claim(given, 6, 2).await, ["A-1"], "it's held by nobody");
    assert_eq!(given.list("C1").await[0].last_synced_at, Some(at(0)), "nor was it read");
}

async fn what_other_tools_and_older_replicas_write_is_read(given: &Given) {
    given.track("C1", &[issue(1, "A-1"), issue(2, "A-2")], 100).await;
    let new = "INSERT INTO channel_tracked_issues (channel_id, issue_key, tracked_at, tracked_by) \
               VALUES ('C2', 'A-3', '2026-01-31T09:30:00.000000Z', 'U1')";
    given.execute(new).await;
    assert_eq!(claim(given, 0, 1).await, ["A-3"]);
    let forget = "UPDATE channel_tracked_issues SET last_synced_at = NULL WHERE issue_key = 'A-1'";
    given.execute(forget).await;
    let set_back = "UPDATE channel_tracked_issues SET last_synced_at = '2026-01-31T09:30:10.000000Z' \
                    WHERE issue_key = 'A-2'";
    given.execute(set_back).await;
    assert_eq!(claim(given, 0, 2).await, ["A-1"]);
    assert_eq!(claim(given, 11, 3).await, ["A-2"]);
    given.execute("UPDATE channel_tracked_issues SET issue_key = 'B-3' WHERE issue_key = 'A-3'").await;
    assert_eq!(claim(given, 0, 4).await, ["B-3"]);
}

/// An issue that changed so many seconds from now.
fn changed_in(seconds: i64, status: &str) -> Issue {
    let updated_at = Some(now() + SignedDuration::from_secs(seconds));
    Issue { updated_at, ..described(10, "A-1", "A summary", status) }
}

fn now() -> Timestamp {
    Clock::system().now()
}

/// By the clock of a replica, or of the machine before it was set back.
async fn what_a_fast_clock_wrote_holds_nothing_up(given: &Given) {
    let author = crate::support::given::author("C1", "U1");
    let request = TrackRequest { author: &author, source: Source::Command };
    for (hours, status) in [(1, "In Review"), (30, "Done")] {
        let fast = now() + SignedDuration::from_hours(hours);
        given.tracker.track(request, &[changed_in(-60, "Open")], fast).await.unwrap();
        given.tracker.track(request, &[changed_in(-60, "Open")], fast).await.unwrap();
        given.tracker.sync(&[(key("A-1"), Some(changed_in(-30, "Reopened")))], fast).await.unwrap();
        assert_eq!(statuses(given).await, ["C1 A-1 Reopened"], "{hours} hours");
        // What others learn counts.
        given.tracker.sync(&[(key("A-1"), Some(changed_in(-1, status)))], now()).await.unwrap();
        assert_eq!(statuses(given).await, [format!("C1 A-1 {status}")], "{hours} hours");
        let row = given.list("C1").await.remove(0);
        assert!(row.last_synced_at <= Some(now()), "{:?}", row.last_synced_at);
        assert_eq!(due_by(given, now() + SignedDuration::from_secs(1)).await, [key("A-1")]);
        given.tracker.untrack(&author, &[key("A-1")], now()).await.unwrap();
        given.execute("DELETE FROM issue_freshness").await;
    }
}

async fn due_by(given: &Given, before: Timestamp) -> Vec<IssueKey> {
    let due = given.freshness.claim(Ages { before, now: now() }, 10, 7).await.unwrap();
    given.freshness.release(7).await.unwrap();
    due
}

async fn what_a_clock_that_was_set_back_wrote_holds_nothing_up(given: &Given) {
    let author = crate::support::given::author("C1", "U1");
    let request = TrackRequest { author: &author, source: Source::Command };
    given.tracker.track(request, &[changed_in(-60, "Open")], now()).await.unwrap();
    let ahead = format!("{:.6}", now() + SignedDuration::from_hours(2));
    let set = [
        format!("UPDATE channel_tracked_issues SET last_synced_at = '{ahead}'"),
        format!("UPDATE issue_freshness SET asked_at = '{ahead}', due_at = '{ahead}'"),
        "UPDATE issue_freshness SET holder = 1, held_until_ms = 9000000000000".to_owned(),
    ];
    for statement in &set {
        given.execute(statement).await;
    }
    assert_eq!(due_by(given, now() - SignedDuration::from_mins(1)).await, [key("A-1")], "nobody has it");
    given.tracker.sync(&[(key("A-1"), Some(changed_in(-60, "Open")))], now()).await.unwrap();
    assert_eq!(due_by(given, now() - SignedDuration::from_mins(1)).await, [], "it was read");
    for statement in &set {
        given.execute(statement).await;
    }
    given.tracker.sync(&[(key("A-1"), Some(changed_in(-1, "Done")))], now()).await.unwrap();
    assert_eq!(statuses(given).await, ["C1 A-1 Done"]);
    let row = given.list("C1").await.remove(0);
    assert!(row.last_synced_at <= Some(now()), "{:?}", row.last_synced_at);
    // Nor does it go on and on with what Jira can't serve.
    for statement in &set {
        given.execute(statement).await;
    }
    given.freshness.put_off(&[key("A-1")], now()).await.unwrap();
    assert_eq!(due_by(given, now() - SignedDuration::from_mins(1)).await, []);
}

async fn what_is_known_is_not_outdated(given: &Given) {
    given.track("C1", &[since(0, "Open"), issue(11, "A-2")], 0).await;
    let outdated = async |issues: &[Issue]| given.freshness.is_outdated(issues).await.unwrap();
    let moved = Issue { key: key("B-1"), ..since(0, "Open") };
    let found = [since(0, "Open"), since(1, "Open"), issue(11, "A-2"), issue(12, "A-9"), moved];
    assert_eq!(outdated(&found).await, [false, true, true, false, true]);
    given.tracker.sync(&[(key("A-1"), Some(since(1, "Open")))], at(5)).await.unwrap();
    assert_eq!(outdated(&found[..2]).await, [false, false]);
    assert_eq!(outdated(&[]).await, [true; 0]);
}

async fn an_issue_that_jira_hides_is_found_by_its_id(given: &Given) {
    given.track("C1", &[issue(10, "OLD-1")], 0).await;
    given.track("C2", &[issue(11, "A-2")], 0).await;
    let hidden = IssueAnswer { key: key("NEW-1"), id: Some(IssueId::new("10")), issue: None };
    given.tracker.record(JiraAnswers::new(vec![hidden], at(1))).await.unwrap();
    assert_eq!(statuses(given).await, [format!("C1 OLD-1 {MISSING_STATUS}"), "C2 A-2 Open".to_owned()]);
    assert_eq!(given.tracker.count_tracked_issues(&channel("C1")).await.unwrap(), 1);
}
