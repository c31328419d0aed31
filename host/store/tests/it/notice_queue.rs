//! The queue of channels with something to tell, when something goes wrong: workers that sleep, clocks that are set
//! back, channels that take no messages, and what piles up. Each claim runs on SQLite and on PostgreSQL.

use std::time::{Duration, Instant};

use jiff::SignedDuration;
use maro_domain::issue::{Issue, IssueId, StatusCategory};
use maro_store::notices::{
    Became, ClaimedChannel, DigestSetting, Fate, HeadUpdate, Kind, Mode, Outcome, OwnChange, ReplyUpdate,
    Sending, ThreadUpdate,
};

use crate::support::given::{Given, Sync as _, at, author, channel, issue, key, on_both_databases};

on_both_databases! {
    what_was_being_added_to_a_message_is_known_as_such,
    what_people_have_turned_off_since_is_not_sent,
    who_comes_too_late_is_told_so_and_what_became_of_it,
    a_time_that_lies_far_ahead_has_come,
    what_maro_did_itself_is_over_after_a_while,
    what_is_anothers_is_claimed_when_it_is_overdue,
    while_slack_takes_nothing_an_issue_waits_once,
    what_is_being_told_takes_up_no_later_change,
    a_change_that_was_taken_up_is_not_begun,
    a_silenced_issue_that_waits_is_known_as_such,
    much_that_is_old_is_forgotten,
    what_is_on_no_list_is_forgotten,
    what_is_on_no_list_is_forgotten_among_much_that_stays,
    what_only_changes_a_head_line_is_nothing_to_an_older_release,
    a_record_of_many_rows_is_written_in_parts,
}

fn seen(status: &str, category: StatusCategory) -> Issue {
    Issue { status_category: category, ..Issue::new(IssueId::new("10"), key("A-1"), "A summary", status) }
}

fn open() -> Issue {
    seen("Open", StatusCategory::ToDo)
}

async fn change(given: &Given, status: &str, category: StatusCategory, second: i64) {
    let updates = [(key("A-1"), Some(seen(status, category)))];
    given.tracker.sync(&updates, at(second)).await.unwrap();
}

async fn claim_one(given: &Given, holder: i64) -> ClaimedChannel {
    given.execute("UPDATE channel_notices SET due_ms = 1, held_until_ms = 0 WHERE due_ms IS NOT NULL").await;
    let mut claimed = given.notices.claim(holder, 10, Duration::ZERO).await.unwrap();
    assert_eq!(claimed.len(), 1, "{claimed:?}");
    claimed.remove(0)
}

async fn waiting(given: &Given) -> ClaimedChannel {
    given.track("C1", &[open()], 0).await;
    change(given, "In Progress", StatusCategory::InProgress, 1).await;
    claim_one(given, 1).await
}

async fn what_people_have_turned_off_since_is_not_sent(given: &Given) {
    let claimed = waiting(given).await;
    let (c1, ids, issue) = (channel("C1"), [claimed.notices[0].id], IssueId::new("10"));
    let mode = Some(claimed.mode);
    let sendings = [
        Sending { mode, notices: &ids, ..Sending::default() },
        Sending { mode, notices: &ids, changes: Some("5.0"), ..Sending::default() },
        Sending { mode, head_of: Some(&issue), ..Sending::default() },
    ];
    let begun = async || {
        let mut begun = Vec::new();
        for sending in sendings {
            begun.push(given.notices.begin(&c1, 1, sending).await.unwrap());
        }
        begun
    };
    let (author, now) = (author("C1", "U1"), at(5));
    given.notices.set_mode(&author, Mode::Off, now).await.unwrap();
    assert_eq!(begun().await, [false; 3], "off");
    given.notices.set_mode(&author, claimed.mode, now).await.unwrap();
    given.notices.mute(&author, &key("A-1"), true, now).await.unwrap();
    assert_eq!(begun().await, [false; 3], "silenced");
    given.notices.mute(&author, &key("A-1"), false, now).await.unwrap();
    given.execute("UPDATE channel_tracked_issues SET channel_id = 'C2'").await;
    assert_eq!(begun().await, [false; 3], "untracked");
    assert!(given.notices.begin(&c1, 1, Sending::default()).await.unwrap(), "it's claimed all the same");
    let untouched = given.query("SELECT state FROM notice_outbox").await;
    assert_eq!(untouched, ["waiting"]);
    given.execute("UPDATE channel_tracked_issues SET channel_id = 'C1'").await;
    assert_eq!(begun().await, [true; 3]);
}

async fn what_was_being_added_to_a_message_is_known_as_such(given: &Given) {
    let claimed = waiting(given).await;
    let (c1, ids) = (channel("C1"), [claimed.notices[0].id]);
    let adding = Sending { notices: &ids, changes: Some("5.0"), ..Sending::default() };
    assert!(given.notices.begin(&c1, 1, adding).await.unwrap());
    assert_eq!(given.notices.told_in(&c1, "5.0").await.unwrap().len(), 1, "it's in there, or will be");
    let taken = claim_one(given, 2).await;
    let notice = &taken.notices[0];
    assert_eq!((notice.is_unconfirmed, notice.added_to.as_deref()), (true, Some("5.0")));
    // Once more, to another message, and then as a new message.
    let elsewhere = Sending { notices: &ids, changes: Some("6.0"), ..Sending::default() };
    assert!(given.notices.begin(&c1, 2, elsewhere).await.unwrap());
    assert!(given.notices.told_in(&c1, "5.0").await.unwrap().is_empty());
    assert_eq!(given.notices.told_in(&c1, "6.0").await.unwrap().len(), 1);
    assert!(given.notices.begin(&c1, 2, adding).await.unwrap());
    let back = Outcome { notices: &ids, ..Outcome::default() };
    assert!(given.notices.finish(&c1, 2, &back, true).await.unwrap());
    assert!(given.notices.told_in(&c1, "5.0").await.unwrap().is_empty());
    assert!(given.notices.begin(&c1, 2, Sending { notices: &ids, ..Sending::default() }).await.unwrap());
    let notice = claim_one(given, 3).await.notices.remove(0);
    assert_eq!((notice.is_unconfirmed, notice.added_to), (true, None));
}

async fn who_comes_too_late_is_told_so_and_what_became_of_it(given: &Given) {
    let claimed = waiting(given).await;
    let (c1, ids, a1) = (channel("C1"), [claimed.notices[0].id], IssueId::new("10"));
    let sent = Sending { notices: &ids, ..Sending::default() };
    let head = Sending { head_of: Some(&a1), ..Sending::default() };
    let fate = async |sent, ts| given.notices.fate(&c1, sent, ts).await.unwrap();
    assert!(given.notices.begin(&c1, 1, head).await.unwrap());
    assert!(given.notices.begin(&c1, 1, sent).await.unwrap());
    claim_one(given, 2).await;
    let told = |ts| Outcome { notices: &ids, became: Became::Sent(ts), ..Outcome::default() };
    assert!(!given.notices.finish(&c1, 1, &told("1.0"), false).await.unwrap());
    assert_eq!((fate(sent, "1.0").await, fate(head, "1.0").await), (Fate::Open, Fate::Open));
    let update = ThreadUpdate {
        issue: &a1,
        head: HeadUpdate::Set { ts: "2.0", is_line: true },
        reply: ReplyUpdate::Keep,
    };
    let thread = Some(update);
    assert!(given.notices.finish(&c1, 2, &Outcome { thread, ..told("3.0") }, true).await.unwrap());
    assert_eq!((fate(sent, "1.0").await, fate(sent, "3.0").await), (Fate::ToldElsewhere, Fate::Told));
    assert_eq!((fate(head, "1.0").await, fate(head, "2.0").await), (Fate::ToldElsewhere, Fate::Told));
    let lost = Outcome { notices: &ids, became: Became::Lost, ..Outcome::default() };
    assert!(given.notices.finish(&c1, 2, &lost, true).await.unwrap());
    assert_eq!(fate(sent, "1.0").await, Fate::Untold);
}

async fn what_maro_did_itself_is_over_after_a_while(given: &Given) {
    given.track("C1", &[open()], 0).await;
    given.notices.note_own_change(&OwnChange::of_status(&key("A-1")), false).await.unwrap();
    change(given, "In Progress", StatusCategory::InProgress, 1).await;
    let told = "SELECT to_status FROM notice_outbox ORDER BY id";
    assert!(given.query(told).await.is_empty());
    // The process died before it could say that it's done.
    given.execute("UPDATE own_changes SET until_ms = until_ms - 3600000").await;
    change(given, "Done", StatusCategory::Done, 2).await;
    assert_eq!(given.query(told).await, ["Done"]);
}

async fn a_time_that_lies_far_ahead_has_come(given: &Given) {
    waiting(given).await;
    // The clock of the database was set back by an hour.
    let ahead =
        "UPDATE channel_notices SET due_ms = due_ms + 3600000, held_until_ms = held_until_ms + 3600000";
    given.execute(ahead).await;
    assert_eq!(given.notices.next_due().await.unwrap(), Some(Duration::ZERO));
    assert_eq!(given.notices.claim(2, 10, Duration::ZERO).await.unwrap().len(), 1);
    // A pause isn't as long as that.
    let paused = Outcome { pause: Duration::from_secs(86_400), ..Outcome::default() };
    assert!(given.notices.finish(&channel("C1"), 2, &paused, false).await.unwrap());
    assert!(given.notices.claim(3, 10, Duration::ZERO).await.unwrap().is_empty());
    let due = given.notices.next_due().await.unwrap().unwrap();
    assert!(due > Duration::from_secs(500) && due <= Duration::from_secs(600), "{due:?}");
}

async fn what_is_anothers_is_claimed_when_it_is_overdue(given: &Given) {
    waiting(given).await;
    given.execute("UPDATE channel_notices SET held_until_ms = 0").await;
    let overdue = Duration::from_secs(60);
    // It came in 1970.
    assert_eq!(given.notices.claim(2, 10, overdue).await.unwrap().len(), 1);
    let back = Outcome::default();
    assert!(given.notices.finish(&channel("C1"), 2, &back, false).await.unwrap());
    assert!(given.notices.claim(3, 10, overdue).await.unwrap().is_empty(), "its time came just now");
    given.execute("UPDATE channel_notices SET due_ms = due_ms - 60000").await;
    assert_eq!(given.notices.claim(3, 10, overdue).await.unwrap().len(), 1);
}

async fn while_slack_takes_nothing_an_issue_waits_once(given: &Given) {
    waiting(given).await;
    let refused = Outcome { paused_for: Some("not_in_channel"), ..Outcome::default() };
    assert!(given.notices.finish(&channel("C1"), 1, &refused, false).await.unwrap());
    for second in 2..8 {
        let done = ("Done", StatusCategory::Done);
        let (status, category) = if second % 2 == 0 { done } else { ("Open", StatusCategory::ToDo) };
        change(given, status, category, second).await;
    }
    change(given, "Closed", StatusCategory::Done, 8).await;
    let rows = "SELECT from_status || '>' || to_status || ' ' || state FROM notice_outbox";
    assert_eq!(given.query(rows).await, ["Open>Closed waiting"]);
    // Other issues wait beside it.
    let other = |status| Issue { status_category: status, ..issue(20, "A-2") };
    given.track("C1", &[other(StatusCategory::ToDo)], 9).await;
    let updates = [(key("A-2"), Some(Issue { status: "Done".to_owned(), ..other(StatusCategory::Done) }))];
    given.tracker.sync(&updates, at(10)).await.unwrap();
    assert_eq!(given.query(rows).await, ["Open>Closed waiting", "Open>Done waiting"]);
}

async fn what_is_being_told_takes_up_no_later_change(given: &Given) {
    let first = waiting(given).await.notices.remove(0);
    let c1 = channel("C1");
    let refused = Outcome { paused_for: Some("not_in_channel"), ..Outcome::default() };
    assert!(given.notices.finish(&c1, 1, &refused, false).await.unwrap());
    // It's tried again: somebody has let MARO in meanwhile.
    assert_eq!(claim_one(given, 2).await.notices[0].part.to, "In Progress");
    change(given, "Done", StatusCategory::Done, 2).await;
    let ids = [first.id];
    let sending = Sending { notices: &ids, ..Sending::default() };
    assert!(given.notices.begin(&c1, 2, sending).await.unwrap());
    let sent = Outcome { notices: &ids, became: Became::Sent("1.0"), ..Outcome::default() };
    assert!(given.notices.finish(&c1, 2, &sent, false).await.unwrap());
    let rows = "SELECT from_status || '>' || to_status || ' ' || state FROM notice_outbox ORDER BY id";
    assert_eq!(given.query(rows).await, ["Open>In Progress sent", "In Progress>Done waiting"]);
    // What was left waiting beside one another is one change again.
    given.execute("UPDATE notice_outbox SET state = 'waiting'").await;
    given.execute("UPDATE channel_notices SET paused_for = 'why', held_until_ms = 0").await;
    change(given, "In Progress", StatusCategory::InProgress, 3).await;
    change(given, "Open", StatusCategory::ToDo, 4).await;
    assert_eq!(given.query(rows).await, ["Open>Open waiting"]);
}

async fn a_change_that_was_taken_up_is_not_begun(given: &Given) {
    let first = waiting(given).await.notices.remove(0);
    let c1 = channel("C1");
    // As if the claim weren't seen when the next change is noted.
    given.execute("UPDATE channel_notices SET paused_for = 'why', held_until_ms = 0").await;
    change(given, "Done", StatusCategory::Done, 2).await;
    assert_eq!(given.query("SELECT from_status || '>' || to_status FROM notice_outbox").await, ["Open>Done"]);
    given.execute("UPDATE channel_notices SET held_until_ms = 4102444800000").await;
    let sending = Sending { notices: &[first.id], ..Sending::default() };
    assert!(!given.notices.begin(&c1, 1, sending).await.unwrap());
    let states = "SELECT state FROM notice_outbox";
    assert_eq!(given.query(states).await, ["waiting"]);
}

async fn a_silenced_issue_that_waits_is_known_as_such(given: &Given) {
    assert!(!waiting(given).await.notices[0].is_muted);
    assert!(given.notices.mute(&author("C1", "U1"), &key("A-1"), true, at(2)).await.unwrap());
    assert!(claim_one(given, 2).await.notices[0].is_muted);
}

const MANY: usize = 4_000;

async fn much_that_is_old_is_forgotten(given: &Given) {
    let numbers = "WITH RECURSIVE number (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM number WHERE n < 4000)";
    let rows = format!(
        "{numbers} INSERT INTO notice_outbox
            (channel_id, issue_id, issue_key, kind, from_status, to_status, noted_at, state)
         SELECT 'C1', '10', 'A-1', 'status', 'a', 'b', '2026-01-01T00:00:00.000000Z',
            CASE n WHEN 7 THEN 'waiting' ELSE 'sent' END FROM number"
    );
    given.execute(&rows).await;
    let count = "SELECT CAST(count(*) AS TEXT) FROM notice_outbox";
    assert_eq!(given.query(count).await, [MANY.to_string()]);
    given.notices.forget_before(at(0)).await.unwrap();
    assert_eq!(given.query(count).await, ["1"], "what waits is no less news for that");
}

async fn what_is_on_no_list_is_forgotten(given: &Given) {
    given.track("C1", &[open()], 0).await;
    for issue in ["10", "11"] {
        for row in [
            "INSERT INTO notice_threads (channel_id, issue_id, head_ts) VALUES ('C1', 'ID', '1.0')",
            "INSERT INTO done_issues (channel_id, issue_id, since)
             VALUES ('C1', 'ID', '2026-01-01T00:00:00.000000Z')",
        ] {
            given.execute(&row.replace("ID', ", &format!("{issue}', "))).await;
        }
    }
    given
        .execute("INSERT INTO notice_threads (channel_id, issue_id, is_muted) VALUES ('C1', '12', true)")
        .await;
    given.execute("INSERT INTO own_changes (issue_key, until_ms) VALUES ('A-9', 1)").await;
    given.notices.forget_before(at(0)).await.unwrap();
    let threads = "SELECT issue_id FROM notice_threads ORDER BY issue_id";
    assert_eq!(given.query(threads).await, ["10", "12"], "a silenced issue stays silent");
    assert_eq!(given.query("SELECT issue_id FROM done_issues").await, ["10"]);
    assert!(given.query("SELECT issue_key FROM own_changes").await.is_empty());
}

/// 12,000 threads, of which a few are of issues that are on no list.
async fn what_is_on_no_list_is_forgotten_among_much_that_stays(given: &Given) {
    let numbers =
        "WITH RECURSIVE number (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM number WHERE n < 12000)";
    for rows in [
        "INSERT INTO channel_tracked_issues (channel_id, issue_key, issue_id, tracked_at, tracked_by)
         SELECT 'C' || (n % 7), 'A-' || n, CAST(n AS TEXT), '2026-01-31T09:00:00.000000Z', 'U1' FROM number
         WHERE n NOT IN (1, 5000, 5001, 11999, 12000)",
        "INSERT INTO notice_threads (channel_id, issue_id, head_ts)
         SELECT 'C' || (n % 7), CAST(n AS TEXT), '1.0' FROM number",
        "INSERT INTO done_issues (channel_id, issue_id, since)
         SELECT 'C' || (n % 7), CAST(n AS TEXT), '2026-01-01T00:00:00.000000Z' FROM number",
        "INSERT INTO issue_fields (issue_id, assignee, priority, sprint, last_comment)
         SELECT CAST(n AS TEXT), '', '', '', 0 FROM number",
    ] {
        given.execute(&format!("{numbers} {rows}")).await;
    }
    given.execute("INSERT INTO channel_notices (channel_id, mode) VALUES ('C3', 'all')").await;
    given.notices.forget_before(at(0)).await.unwrap();
    for table in ["notice_threads", "done_issues"] {
        assert_eq!(given.query(&format!("SELECT CAST(count(*) AS TEXT) FROM {table}")).await, ["11995"]);
    }
    let heard = "SELECT CAST(count(*) AS TEXT) FROM channel_tracked_issues WHERE channel_id = 'C3'";
    let known = "SELECT CAST(count(*) AS TEXT) FROM issue_fields";
    assert_eq!(given.query(known).await, given.query(heard).await);
}

/// During a rolling update, a release that doesn't know of such rows reads what is waiting or being sent.
async fn what_only_changes_a_head_line_is_nothing_to_an_older_release(given: &Given) {
    given.track("C1", &[open()], 0).await;
    let line = "INSERT INTO notice_threads (channel_id, issue_id, head_ts, is_head_line) VALUES ('C1', '10', '1.0', true)";
    given.execute(line).await;
    change(given, "Waiting", StatusCategory::ToDo, 1).await;
    change(given, "Blocked", StatusCategory::ToDo, 2).await;
    let rows = "SELECT kind || ' ' || state FROM notice_outbox";
    assert_eq!(given.query(rows).await, ["head kept"]);
    let claimed = claim_one(given, 1).await;
    assert_eq!(claimed.notices[0].part.kind, Kind::Head);
    assert!(given.notices.finish(&channel("C1"), 1, &Outcome::default(), false).await.unwrap());
    // It's still there to be done, and then it isn't.
    let ids = [claim_one(given, 2).await.notices[0].id];
    let became = Became::Withheld("within its category");
    let over = Outcome { notices: &ids, became, ..Outcome::default() };
    assert!(given.notices.finish(&channel("C1"), 2, &over, false).await.unwrap());
    assert_eq!(given.notices.next_due().await.unwrap(), None);
    // Nor is it told in a digest.
    change(given, "Open", StatusCategory::ToDo, 3).await;
    let setting = DigestSetting { schedule: "daily 9:00".to_owned(), zone: None, due_at: at(100) };
    given.notices.set_digest(&author("C1", "U1"), &setting, at(4)).await.unwrap();
    let due = given.notices.due_digests(SignedDuration::ZERO).await.unwrap().remove(0);
    assert!(given.notices.begin_digest(&due, at(200), at(-100), at(100)).await.unwrap());
    assert_eq!(given.query(&format!("{rows} ORDER BY id")).await, ["head withheld", "head kept"]);
}

/// 20 issues on 250 lists.
async fn a_record_of_many_rows_is_written_in_parts(given: &Given) {
    let issues: Vec<Issue> = (1..=20)
        .map(|number| Issue {
            status_category: StatusCategory::ToDo,
            ..issue(number, &format!("A-{number}"))
        })
        .collect();
    given.track("C0", &issues, 0).await;
    let lists = "WITH RECURSIVE number (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM number WHERE n < 249)
        INSERT INTO channel_tracked_issues (channel_id, issue_key, issue_id, tracked_at, tracked_by, last_synced_at,
            last_jira_status, last_jira_summary, last_jira_category, has_security_level)
        SELECT 'C' || n, issue_key, issue_id, tracked_at, tracked_by, last_synced_at, last_jira_status,
            last_jira_summary, last_jira_category, has_security_level
        FROM number CROSS JOIN channel_tracked_issues WHERE channel_id = 'C0'";
    given.execute(lists).await;
    let done = |issue: &Issue| Issue {
        status: "Done".to_owned(),
        status_category: StatusCategory::Done,
        ..issue.clone()
    };
    let answers: Vec<_> = issues.iter().map(|issue| (issue.key.clone(), Some(done(issue)))).collect();
    let began = Instant::now();
    given.tracker.sync(&answers, at(1)).await.unwrap();
    assert!(began.elapsed() < Duration::from_secs(300), "{:?}", began.elapsed());
    let stale = "SELECT CAST(count(*) AS TEXT) FROM channel_tracked_issues WHERE last_jira_status <> 'Done'";
    assert_eq!(given.query(stale).await, ["0"]);
    let noted = "SELECT count(*) || ' ' || count(DISTINCT channel_id || ' ' || issue_id) FROM notice_outbox";
    assert_eq!(given.query(noted).await, ["5000 5000"], "each change once");
    let asked =
        "SELECT CAST(count(*) AS TEXT) FROM issue_freshness WHERE asked_at > '2026-01-31T09:30:00.5Z'";
    assert_eq!(given.query(asked).await, ["20"]);
}
