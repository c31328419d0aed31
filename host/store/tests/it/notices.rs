//! What channels are told of changes: what is written to the outbox, and who of several replicas tells it. Each claim
//! runs on SQLite and on PostgreSQL.

use std::time::Duration;

use jiff::SignedDuration;

use maro_domain::{
    issue::{Issue, IssueId, StatusCategory, StatusId, StatusSetter},
    tracked::WITHHELD_STATUS,
};
use maro_process::clock::Clock;
use maro_store::notices::{
    Became, ClaimedChannel, DigestSetting, DueDigest, Head, HeadUpdate, Kind, Mode, Outcome, OwnChange, Part,
    ReplyUpdate, Sending, ThreadUpdate, Told,
};

use crate::support::given::{Given, Sync as _, at, author, channel, key, on_both_databases, user};

on_both_databases! {
    a_change_of_category_is_written_with_its_row,
    what_maro_does_itself_is_told_to_nobody,
    while_maro_comments_others_changes_of_status_are_told,
    a_channel_hears_what_it_wants_to,
    a_status_that_gets_another_name_is_no_change,
    what_was_hidden_changes_from_what_it_was_before,
    a_silent_issue_is_not_heard,
    a_channel_from_before_is_introduced_once,
    of_several_workers_one_gets_a_channel,
    what_a_dead_worker_was_sending_is_unconfirmed,
    a_digest_is_begun_once_and_has_what_changed,
    what_waits_when_digests_begin_is_in_the_first,
    a_head_line_is_noted_for_as_long_as_it_may_be_old,
    why_slack_takes_no_messages_is_known,
    a_digest_comes_by_the_databases_clock,
    of_an_issue_a_digest_keeps_one_change,
    what_is_done_for_long_is_offered_once,
    a_digest_offers_no_more_than_one_command_takes,
    a_digest_leaves_a_channel_alone_that_refuses_messages,
    what_slack_refused_of_an_issue_is_one_change_in_the_next_digest,
    a_thread_is_remembered,
    what_comes_while_a_message_is_sent_is_told_next,
    an_answer_that_is_older_tells_nothing,
    a_channel_that_refuses_is_left_alone_whatever_comes,
    a_channel_that_takes_a_message_again_begins_with_short_pauses,
    what_is_in_a_message_is_in_its_order,
    an_issue_is_shown_again_once_its_time_is_over,
}

/// An issue with a status of a category.
fn seen(status: &str, category: StatusCategory) -> Issue {
    Issue { status_category: category, ..Issue::new(IssueId::new("10"), key("A-1"), "A summary", status) }
}

fn open() -> Issue {
    seen("Open", StatusCategory::ToDo)
}

fn started() -> Issue {
    seen("In Progress", StatusCategory::InProgress)
}

fn done() -> Issue {
    seen("Done", StatusCategory::Done)
}

async fn sync(given: &Given, issue: Issue, second: i64) {
    let updates = [(key("A-1"), Some(issue))];
    given.tracker.sync(&updates, at(second)).await.unwrap();
}

/// What is in the outbox, oldest first.
async fn outbox(given: &Given) -> Vec<String> {
    let rows = "SELECT channel_id || ' ' || issue_key || ' ' || kind || ' ' || from_status || '>' || to_status || ' ' \
                || coalesce(set_by, '-') || ' ' || state FROM notice_outbox ORDER BY id";
    given.query(rows).await
}

/// Has everything told at once.
async fn hurry(given: &Given) {
    given.execute("UPDATE channel_notices SET due_ms = 1 WHERE due_ms IS NOT NULL").await;
}

async fn claim_one(given: &Given, holder: i64) -> ClaimedChannel {
    hurry(given).await;
    let mut claimed = given.notices.claim(holder, 10, Duration::ZERO).await.unwrap();
    assert_eq!(claimed.len(), 1, "{claimed:?}");
    claimed.remove(0)
}

async fn a_change_of_category_is_written_with_its_row(given: &Given) {
    given.track("C1", &[open()], 0).await;
    assert_eq!(given.notices.next_due().await.unwrap(), None);
    let by = |issue: Issue| Issue { status_set_by: Some(StatusSetter::Person("Grace".to_owned())), ..issue };
    sync(given, by(seen("Selected", StatusCategory::ToDo)), 1).await;
    assert!(outbox(given).await.is_empty());
    sync(given, by(started()), 2).await;
    sync(given, by(started()), 3).await;
    assert_eq!(outbox(given).await, ["C1 A-1 status Selected>In Progress Grace waiting"]);
    let noted = "SELECT action || ' ' || subject || ' ' || outcome FROM audit_log WHERE action = 'notice'";
    assert_eq!(given.query(noted).await, ["notice A-1 begun"]);
    // It waits a moment for others.
    let due = given.notices.next_due().await.unwrap().unwrap();
    assert!(due <= Duration::from_secs(1), "{due:?}");
    // Somebody tracks it again, which reads it, too.
    given.track("C2", &[started()], 3).await;
    given.track("C2", &[done()], 4).await;
    assert_eq!(outbox(given).await[1..], ["C2 A-1 status In Progress>Done - waiting"]);
    // What Jira shows again has the status to change from that it had before. That it's hidden isn't told.
    let gone = [(key("A-1"), None)];
    given.tracker.sync(&gone, at(5)).await.unwrap();
    assert_eq!(outbox(given).await.len(), 2);
    sync(given, done(), 6).await;
    assert_eq!(outbox(given).await[2..], ["C1 A-1 status In Progress>Done - waiting"]);
    sync(given, seen("Odd", StatusCategory::Unknown), 7).await;
    sync(given, open(), 8).await;
    assert_eq!(outbox(given).await.len(), 3);
    // A status without a category is none of the others.
    sync(given, seen("Triage", StatusCategory::Undefined), 9).await;
    sync(given, seen("Parked", StatusCategory::Undefined), 10).await;
    sync(given, done(), 11).await;
    let told = outbox(given).await.into_iter().filter(|row| row.starts_with("C1")).skip(2);
    let expected = ["C1 A-1 status Open>Triage - waiting", "C1 A-1 status Parked>Done - waiting"];
    assert!(told.filter(|row| row.contains("status")).eq(expected));
}

async fn what_maro_does_itself_is_told_to_nobody(given: &Given) {
    given.track("C1", &[open()], 0).await;
    sync(given, Issue { status_set_by: Some(StatusSetter::Maro), ..started() }, 1).await;
    // Jira's webhook is faster than MARO's own look.
    let (own, other) = (OwnChange::of_status(&key("A-1")), OwnChange::of_status(&key("A-1")));
    given.notices.note_own_change(&own, false).await.unwrap();
    given.notices.note_own_change(&own, false).await.unwrap();
    given.notices.note_own_change(&other, false).await.unwrap();
    // Another person's change from Slack ends first.
    given.notices.note_own_change(&other, true).await.unwrap();
    sync(given, done(), 2).await;
    assert!(outbox(given).await.is_empty());
    given.notices.note_own_change(&own, true).await.unwrap();
    sync(given, open(), 3).await;
    assert_eq!(outbox(given).await, ["C1 A-1 status Done>Open - waiting"]);
}

async fn while_maro_comments_others_changes_of_status_are_told(given: &Given) {
    given.track("C1", &[open()], 0).await;
    given.notices.note_own_change(&OwnChange::of_fields(&key("A-1")), false).await.unwrap();
    sync(given, done(), 1).await;
    assert_eq!(outbox(given).await, ["C1 A-1 status Open>Done - waiting"]);
}

async fn a_channel_hears_what_it_wants_to(given: &Given) {
    given.track("C1", &[open()], 0).await;
    let set = async |mode| given.notices.set_mode(&author("C1", "U1"), mode, at(0)).await.unwrap();
    assert_eq!(given.notices.mode(&channel("C1")).await.unwrap(), Mode::Status);
    // It is what it was, but from now on the channel knows it.
    assert!(set(Mode::Status).await);
    assert!(!set(Mode::Status).await);
    assert!(set(Mode::Done).await);
    assert_eq!(given.notices.mode(&channel("C1")).await.unwrap(), Mode::Done);
    sync(given, started(), 1).await;
    assert!(outbox(given).await.is_empty());
    sync(given, done(), 2).await;
    // Done is done, whatever it's called.
    sync(given, seen("Closed", StatusCategory::Done), 3).await;
    assert_eq!(outbox(given).await.len(), 1);
    set(Mode::All).await;
    sync(given, done(), 4).await;
    set(Mode::Off).await;
    sync(given, open(), 5).await;
    let expected = ["C1 A-1 status In Progress>Done - waiting", "C1 A-1 status Closed>Done - waiting"];
    assert_eq!(outbox(given).await, expected);
    let noted = "SELECT user_id || ' ' || subject FROM audit_log WHERE action = 'notify' ORDER BY id";
    assert_eq!(given.query(noted).await, ["U1 status", "U1 done", "U1 all", "U1 off"]);
}

async fn a_status_that_gets_another_name_is_no_change(given: &Given) {
    let named = |id: &str, name: &str| Issue {
        status_id: StatusId::parse(id),
        ..seen(name, StatusCategory::InProgress)
    };
    given.track("C1", &[named("3", "In Progress")], 0).await;
    given.notices.set_mode(&author("C1", "U1"), Mode::All, at(0)).await.unwrap();
    sync(given, named("3", "Doing"), 1).await;
    assert_eq!(given.list("C1").await[0].last_jira_status.as_deref(), Some("Doing"));
    assert_eq!(outbox(given).await, [""; 0]);
    sync(given, named("4", "In Review"), 2).await;
    assert_eq!(outbox(given).await, ["C1 A-1 status Doing>In Review - waiting"]);
    // What an older release writes says nothing of ids.
    given.execute("UPDATE channel_tracked_issues SET last_jira_status = 'Blocked'").await;
    sync(given, named("4", "Review"), 3).await;
    assert_eq!(outbox(given).await[1..], ["C1 A-1 status Blocked>Review - waiting"]);
    // Somebody says that they changed it.
    let by = Some(StatusSetter::Person("Grace".to_owned()));
    sync(given, Issue { status_set_by: by, ..named("4", "In Review") }, 4).await;
    assert_eq!(outbox(given).await[2..], ["C1 A-1 status Review>In Review Grace waiting"]);
    // With another category it's another status.
    sync(given, Issue { status_category: StatusCategory::Done, ..named("4", "Reviewed") }, 5).await;
    assert_eq!(outbox(given).await[3..], ["C1 A-1 status In Review>Reviewed - waiting"]);
}

async fn what_was_hidden_changes_from_what_it_was_before(given: &Given) {
    given.track("C1", &[open()], 0).await;
    let hide = async |second: i64| given.tracker.sync(&[(key("A-1"), None)], at(second)).await.unwrap();
    hide(1).await;
    sync(given, open(), 2).await;
    assert_eq!(outbox(given).await, [""; 0]);
    // Nor is it a change that something stands in the place of its status.
    sync(given, seen(WITHHELD_STATUS, StatusCategory::Unknown), 3).await;
    hide(4).await;
    sync(given, started(), 5).await;
    assert_eq!(outbox(given).await, ["C1 A-1 status Open>In Progress - waiting"]);
    // Another issue has the key.
    hide(6).await;
    sync(given, Issue { id: IssueId::new("11"), ..done() }, 7).await;
    assert_eq!(outbox(given).await.len(), 1);
}

async fn a_silent_issue_is_not_heard(given: &Given) {
    given.track("C1", &[open()], 0).await;
    let mute = async |issue, is_muted| {
        given.notices.mute(&author("C1", "U1"), &key(issue), is_muted, at(0)).await.unwrap()
    };
    assert!(!mute("A-2", true).await, "it isn't on the list");
    assert!(!mute("A-1", false).await, "it's heard anyway");
    assert!(mute("A-1", true).await);
    assert!(!mute("A-1", true).await);
    sync(given, started(), 1).await;
    assert!(outbox(given).await.is_empty());
    assert!(mute("A-1", false).await);
    sync(given, done(), 2).await;
    assert_eq!(outbox(given).await.len(), 1);
    let noted = "SELECT action || ' ' || subject FROM audit_log WHERE action LIKE 'notify%' ORDER BY id";
    assert_eq!(given.query(noted).await, ["notify off A-1", "notify on A-1"]);
}

async fn a_channel_from_before_is_introduced_once(given: &Given) {
    given.track("C1", &[open()], 0).await;
    given.execute("INSERT INTO channel_notices (channel_id, mode) VALUES ('C1', 'off')").await;
    sync(given, seen("Selected", StatusCategory::ToDo), 1).await;
    assert!(outbox(given).await.is_empty());
    sync(given, started(), 2).await;
    sync(given, done(), 3).await;
    assert_eq!(outbox(given).await, ["C1 A-1 introduction Selected>In Progress - waiting"]);
    let claimed = claim_one(given, 1).await;
    assert_eq!((claimed.mode, claimed.notices[0].part.kind), (Mode::Off, Kind::Introduction));
}

async fn of_several_workers_one_gets_a_channel(given: &Given) {
    for number in 0..20 {
        given.track(&format!("C{number}"), &[open()], 0).await;
        let updates = [(key("A-1"), Some(started()))];
        given.tracker.sync(&updates, at(1)).await.unwrap();
    }
    given.execute("UPDATE channel_notices SET due_ms = due_ms + 60000").await;
    assert!(
        given.notices.claim(1, 100, Duration::ZERO).await.unwrap().is_empty(),
        "they wait a moment for others"
    );
    hurry(given).await;
    let other = given.replica().await;
    let claims = (2..8).map(|holder| {
        let notices = if holder % 2 == 0 { &given.notices } else { &other.notices };
        async move { notices.claim(holder, 7, Duration::ZERO).await.unwrap() }
    });
    let mut channels: Vec<String> = Vec::new();
    for claimed in futures_util::future::join_all(claims).await {
        channels.extend(claimed.iter().map(|channel| channel.channel.to_string()));
    }
    channels.sort();
    channels.dedup();
    // What was locked at that moment was left out.
    channels.extend(
        given.notices.claim(8, 100, Duration::ZERO).await.unwrap().iter().map(|one| one.channel.to_string()),
    );
    channels.sort();
    assert_eq!(channels.len(), 20, "{channels:?}");
    assert!(channels.windows(2).all(|pair| pair[0] != pair[1]), "{channels:?}");
    other.close().await;
}

async fn what_a_dead_worker_was_sending_is_unconfirmed(given: &Given) {
    given.track("C1", &[open()], 0).await;
    sync(given, started(), 1).await;
    sync(given, done(), 2).await;
    let claimed = claim_one(given, 1).await;
    assert_eq!(claimed.notices.len(), 2);
    assert_eq!(claimed.notices[0].tracked_by, Some(user("U1")));
    let (c1, ids) = (channel("C1"), [claimed.notices[0].id]);
    let sending = Sending { notices: &ids, ..Sending::default() };
    assert!(!given.notices.begin(&c1, 2, sending).await.unwrap(), "it is another's");
    assert!(given.notices.begin(&c1, 1, sending).await.unwrap());
    assert!(given.notices.claim(2, 10, Duration::ZERO).await.unwrap().is_empty());
    // The claim ends, and another worker goes on.
    given.execute("UPDATE channel_notices SET held_until_ms = 1").await;
    assert!(!given.notices.begin(&c1, 1, sending).await.unwrap(), "its claim has ended");
    let taken = claim_one(given, 2).await;
    let unconfirmed: Vec<bool> = taken.notices.iter().map(|notice| notice.is_unconfirmed).collect();
    assert_eq!(unconfirmed, [true, false]);
    let begun = taken.notices[0].begun_at.map(|begun| Clock::system().now().duration_since(begun));
    assert!(begun.is_some_and(|ago| ago.as_mins().abs() < 5), "{begun:?}");
    assert_eq!(taken.notices[1].begun_at, None);
    // The first one wasn't dead, only slow: it has nothing to say any more.
    let sent = Outcome { notices: &ids, became: Became::Sent("1.0"), ..Outcome::default() };
    given.notices.finish(&c1, 1, &sent, false).await.unwrap();
    let states = ["C1 A-1 status Open>In Progress - sending", "C1 A-1 status In Progress>Done - waiting"];
    assert_eq!(outbox(given).await, states);
    for (became, state) in
        [(Became::Unconfirmed, "sending"), (Became::Waiting, "waiting"), (Became::Lost, "lost")]
    {
        let outcome = Outcome { notices: &ids, became, ..Outcome::default() };
        given.notices.finish(&c1, 2, &outcome, true).await.unwrap();
        assert!(outbox(given).await[0].ends_with(state), "{became:?}");
        let reason =
            given.query("SELECT coalesce(reason, '') FROM notice_outbox ORDER BY id").await.remove(0);
        assert_eq!(
            reason.is_empty(),
            became != Became::Unconfirmed,
            "when it was begun is still known: {reason}"
        );
    }
}

/// The digests that are due when it's that time by the database's clock.
async fn due(given: &Given, second: i64) -> Vec<DueDigest> {
    let ahead = at(second).duration_since(Clock::system().now());
    given.notices.due_digests(ahead).await.unwrap()
}

fn setting(schedule: &str, zone: Option<&str>, due: i64) -> DigestSetting {
    let zone = zone.map(str::to_owned);
    DigestSetting { schedule: schedule.to_owned(), zone, due_at: at(due) }
}

async fn a_digest_is_begun_once_and_has_what_changed(given: &Given) {
    given.track("C1", &[open()], 0).await;
    let (c1, u1) = (channel("C1"), author("C1", "U1"));
    assert_eq!(given.notices.digest(&c1).await.unwrap(), None);
    let morning = setting("daily 9:00", Some("Europe/Berlin"), 100);
    assert!(given.notices.set_digest(&u1, &morning, at(0)).await.unwrap());
    let later = DigestSetting { due_at: at(101), ..morning.clone() };
    assert!(!given.notices.set_digest(&u1, &later, at(0)).await.unwrap(), "nothing changed");
    assert_eq!(given.notices.mode(&c1).await.unwrap(), Mode::Digest);
    assert_eq!(given.notices.digest(&c1).await.unwrap(), Some(morning));
    sync(given, started(), 1).await;
    sync(given, Issue { status_set_by: Some(StatusSetter::Maro), ..open() }, 2).await;
    sync(given, done(), 3).await;
    assert_eq!(outbox(given).await, ["C1 A-1 status Open>Done - kept"]);
    assert_eq!(given.notices.next_due().await.unwrap(), None);
    given.notices.forget_before(at(50)).await.unwrap();
    assert!(due(given, 99).await.is_empty());
    let all = due(given, 100).await;
    let [one] = &*all else { panic!("{all:?}") };
    assert_eq!((&one.channel, one.zone.as_deref()), (&c1, Some("Europe/Berlin")));
    let late = one.now.duration_since(at(100));
    assert!(!late.is_negative() && late.as_secs() < 60, "{late}");
    let other = given.replica().await;
    let begin = |notices: std::sync::Arc<dyn maro_store::notices::Notices>| {
        let due = one.clone();
        async move { notices.begin_digest(&due, at(200), at(-100), at(100)).await.unwrap() }
    };
    let begun = futures_util::join!(
        begin(given.notices.clone()),
        begin(other.notices.clone()),
        begin(given.notices.clone())
    );
    assert_eq!([begun.0, begun.1, begun.2].iter().filter(|begun| **begun).count(), 1, "{begun:?}");
    other.close().await;
    let claimed = claim_one(given, 1).await;
    assert_eq!((claimed.mode, claimed.zone.as_deref()), (Mode::Digest, Some("Europe/Berlin")));
    assert_eq!(claimed.notices.len(), 1);
    assert_eq!(claimed.notices[0].at, Some(at(3)));
    assert!(due(given, 199).await.is_empty());
    // Without a digest, what was kept for it isn't told.
    sync(given, open(), 4).await;
    given.notices.set_mode(&u1, Mode::Status, at(5)).await.unwrap();
    assert_eq!(outbox(given).await[1], "C1 A-1 status Done>Open - withheld");
    assert!(due(given, 300).await.is_empty());
}

async fn what_waits_when_digests_begin_is_in_the_first(given: &Given) {
    given.track("C1", &[open()], 0).await;
    sync(given, started(), 1).await;
    let u1 = author("C1", "U1");
    let morning = setting("daily 9:00", None, 100);
    assert!(given.notices.set_digest(&u1, &morning, at(2)).await.unwrap());
    assert_eq!(outbox(given).await, ["C1 A-1 status Open>In Progress - kept"]);
    sync(given, done(), 3).await;
    assert_eq!(outbox(given).await, ["C1 A-1 status Open>Done - kept"]);
    // One that is being told stays.
    let one = due(given, 100).await.remove(0);
    assert!(given.notices.begin_digest(&one, at(200), at(-100), at(100)).await.unwrap());
    assert!(given.notices.set_digest(&u1, &setting("weekly mon 9:00", None, 300), at(101)).await.unwrap());
    assert_eq!(outbox(given).await, ["C1 A-1 status Open>Done - waiting"]);
}

/// A head line that changes while the channel is held may have been read before.
async fn a_head_line_is_noted_for_as_long_as_it_may_be_old(given: &Given) {
    given.track("C1", &[open()], 0).await;
    sync(given, started(), 1).await;
    let (c1, issue) = (channel("C1"), IssueId::new("10"));
    let claimed = claim_one(given, 1).await;
    assert_eq!(claimed.notices[0].listed_status.as_deref(), Some("In Progress"));
    // The worker has read the issue.
    sync(given, seen("In Review", StatusCategory::InProgress), 2).await;
    assert!(
        given.notices.begin(&c1, 1, Sending { head_of: Some(&issue), ..Sending::default() }).await.unwrap()
    );
    sync(given, seen("In Test", StatusCategory::InProgress), 3).await;
    let heads = async || outbox(given).await.iter().filter(|row| row.contains(" head ")).count();
    assert_eq!(heads().await, 2);
    let key = key("A-1");
    let old_heads: &[_] = &[(&issue, &key)];
    let head = HeadUpdate::Set { ts: "1.0", is_line: true };
    let thread = Some(ThreadUpdate { issue: &issue, head, reply: ReplyUpdate::Keep });
    let ids: Vec<i64> = claimed.notices.iter().map(|notice| notice.id).collect();
    let became = Became::Sent("2.0");
    let outcome = Outcome { notices: &ids, became, thread, old_heads, ..Outcome::default() };
    given.notices.finish(&c1, 1, &outcome, false).await.unwrap();
    assert_eq!(heads().await, 3);
    // One is enough where nobody holds the channel, and it waits for its turn.
    sync(given, seen("In Review", StatusCategory::InProgress), 4).await;
    assert_eq!(heads().await, 3);
    let claimed = claim_one(given, 2).await;
    assert!(claimed.notices.iter().all(|notice| notice.part.kind == Kind::Head), "{claimed:?}");
    assert_eq!(claimed.notices.len(), 3);
}

async fn why_slack_takes_no_messages_is_known(given: &Given) {
    given.track("C1", &[open()], 0).await;
    let c1 = channel("C1");
    assert_eq!(given.notices.paused(&c1).await.unwrap(), None);
    sync(given, started(), 1).await;
    assert_eq!(given.notices.paused(&c1).await.unwrap(), None);
    claim_one(given, 1).await;
    let outcome = Outcome { paused_for: Some("why"), ..Outcome::default() };
    given.notices.finish(&c1, 1, &outcome, false).await.unwrap();
    let paused = given.notices.paused(&c1).await.unwrap().unwrap();
    assert_eq!((paused.reason.as_str(), paused.waiting), ("why", 1));
}

async fn a_digest_comes_by_the_databases_clock(given: &Given) {
    given.track("C1", &[open()], 0).await;
    let clock = Clock::system();
    let in_minutes = |minutes: i64| clock.now().saturating_add(SignedDuration::from_mins(minutes)).unwrap();
    let daily = |due_at| DigestSetting { due_at, ..setting("daily 9:00", None, 0) };
    given.notices.set_digest(&author("C1", "U1"), &daily(in_minutes(30)), at(0)).await.unwrap();
    let due = async |ahead: i64| given.notices.due_digests(SignedDuration::from_mins(ahead)).await.unwrap();
    assert!(due(0).await.is_empty());
    assert!(due(29).await.is_empty());
    assert!(due(-31).await.is_empty());
    let now = due(31).await.remove(0).now;
    let off = now.duration_since(in_minutes(31)).abs();
    assert!(off < SignedDuration::from_mins(1), "{now}");
}

async fn of_an_issue_a_digest_keeps_one_change(given: &Given) {
    let other = Issue::new(IssueId::new("11"), key("A-2"), "", "Open");
    let other =
        |status: &str, status_category| Issue { status: status.to_owned(), status_category, ..other.clone() };
    given.track("C1", &[open(), other("Open", StatusCategory::ToDo)], 0).await;
    let (c1, u1) = (channel("C1"), author("C1", "U1"));
    given.notices.set_digest(&u1, &setting("daily 9:00", None, 10), at(0)).await.unwrap();
    let by =
        |issue: Issue, by: &str| Issue { status_set_by: Some(StatusSetter::Person(by.to_owned())), ..issue };
    sync(given, by(started(), "Ada"), 1).await;
    let updates = [(key("A-2"), Some(other("Done", StatusCategory::Done)))];
    given.tracker.sync(&updates, at(2)).await.unwrap();
    sync(given, by(open(), "Bob"), 3).await;
    let back = ["C1 A-1 status Open>Open Bob kept", "C1 A-2 status Open>Done - kept"];
    assert_eq!(outbox(given).await, back, "where it began");
    sync(given, by(done(), "Grace"), 4).await;
    let kept = ["C1 A-1 status Open>Done Grace kept", "C1 A-2 status Open>Done - kept"];
    assert_eq!(outbox(given).await, kept);
    let noted = "SELECT subject FROM audit_log WHERE action = 'notice' ORDER BY id";
    assert_eq!(given.query(noted).await, ["A-1", "A-2", "A-1", "A-1"], "each change");
    // What a digest tells just now stays as it is; the next has what comes then.
    let due = due(given, 10).await.remove(0);
    assert!(given.notices.begin_digest(&due, at(20), at(-100), at(10)).await.unwrap());
    sync(given, started(), 11).await;
    sync(given, open(), 12).await;
    assert_eq!(outbox(given).await[2..], ["C1 A-1 status Done>Open - kept"]);
    let claimed = claim_one(given, 1).await;
    let told: Vec<_> = claimed.notices.iter().map(|notice| (notice.part.to.as_str(), notice.at)).collect();
    assert_eq!(told, [("Done", Some(at(4))), ("Done", Some(at(2)))]);
    // One of the release before may have left several.
    given.execute("UPDATE notice_outbox SET state = 'kept'").await;
    sync(given, started(), 13).await;
    let last =
        "SELECT to_status FROM notice_outbox WHERE issue_key = 'A-1' AND state = 'kept' ORDER BY id DESC";
    assert_eq!(given.query(last).await[0], "In Progress");
    assert_eq!(given.notices.mode(&c1).await.unwrap(), Mode::Digest);
}

async fn what_is_done_for_long_is_offered_once(given: &Given) {
    let other = Issue {
        status_category: StatusCategory::Done,
        ..Issue::new(IssueId::new("11"), key("A-2"), "", "Shut")
    };
    given.track("C1", &[open(), other], 0).await;
    given.notices.set_digest(&author("C1", "U1"), &setting("daily 9:00", None, 10), at(0)).await.unwrap();
    sync(given, done(), 100).await;
    let begin = async |now: i64, done_before: i64| {
        let due = due(given, now).await.remove(0);
        assert!(given.notices.begin_digest(&due, at(now + 1), at(done_before), at(now)).await.unwrap());
        let offered = "SELECT issue_key FROM notice_outbox WHERE kind = 'finished' ORDER BY id";
        given.query(offered).await
    };
    assert!(begin(200, 0).await.is_empty());
    assert_eq!(begin(201, 50).await, ["A-2"], "it was done when it was tracked");
    assert_eq!(begin(202, 101).await, ["A-2", "A-1"]);
    assert_eq!(begin(203, 200).await, ["A-2", "A-1"]);
    // Opened and done again, it's offered again.
    sync(given, open(), 204).await;
    sync(given, done(), 205).await;
    assert_eq!(begin(206, 204).await, ["A-2", "A-1"]);
    assert_eq!(begin(207, 206).await, ["A-2", "A-1", "A-1"]);
}

async fn a_digest_offers_no_more_than_one_command_takes(given: &Given) {
    let done = |number| Issue {
        status_category: StatusCategory::Done,
        ..Issue::new(IssueId::new(format!("{number}")), key(&format!("A-{number}")), "", "Done")
    };
    let all: Vec<Issue> = (1..=60).map(done).collect();
    given.track("C1", &all, 0).await;
    given.notices.set_digest(&author("C1", "U1"), &setting("daily 9:00", None, 10), at(0)).await.unwrap();
    let offered =
        "SELECT count(*) || ' ' || count(DISTINCT issue_key) FROM notice_outbox WHERE kind = 'finished'";
    for (second, count) in [(200, "50 50"), (201, "60 60"), (202, "60 60")] {
        let due = due(given, second).await.remove(0);
        assert!(given.notices.begin_digest(&due, at(second + 1), at(100), at(second)).await.unwrap());
        assert_eq!(given.query(offered).await, [count]);
    }
}

async fn a_digest_leaves_a_channel_alone_that_refuses_messages(given: &Given) {
    given.track("C1", &[open()], 0).await;
    given.notices.set_digest(&author("C1", "U1"), &setting("daily 9:00", None, 100), at(0)).await.unwrap();
    let begin = async |second: i64| {
        let due = due(given, second).await.remove(0);
        assert!(given.notices.begin_digest(&due, at(second + 1), at(-100), at(second)).await.unwrap());
        given.notices.next_due().await.unwrap()
    };
    sync(given, started(), 1).await;
    assert_eq!(begin(100).await, Some(Duration::ZERO));
    claim_one(given, 1).await;
    let pause = Duration::from_secs(300);
    let refused = Outcome { pause, paused_for: Some("the bot isn't in the channel"), ..Outcome::default() };
    given.notices.finish(&channel("C1"), 1, &refused, false).await.unwrap();
    sync(given, done(), 2).await;
    let next = begin(101).await.unwrap();
    assert!(next > Duration::from_secs(60), "another digest brought it forward: {next:?}");
}

async fn what_slack_refused_of_an_issue_is_one_change_in_the_next_digest(given: &Given) {
    given.track("C1", &[open()], 0).await;
    given.notices.set_digest(&author("C1", "U1"), &setting("daily 9:00", None, 100), at(0)).await.unwrap();
    for day in 0..5 {
        let second = 100 + 10 * day;
        let issue = if day % 2 == 0 { started() } else { done() };
        sync(given, issue, second).await;
        let due = due(given, second).await.remove(0);
        assert!(given.notices.begin_digest(&due, at(second + 5), at(-100), at(second)).await.unwrap());
        claim_one(given, day).await;
        let refused = Outcome { paused_for: Some("not_in_channel"), ..Outcome::default() };
        given.notices.finish(&channel("C1"), day, &refused, false).await.unwrap();
    }
    assert_eq!(outbox(given).await, ["C1 A-1 status Open>In Progress - waiting"]);
}

async fn a_thread_is_remembered(given: &Given) {
    given.track("C1", &[open()], 0).await;
    sync(given, started(), 1).await;
    let (c1, issue) = (channel("C1"), IssueId::new("10"));
    let claimed = claim_one(given, 1).await;
    assert_eq!(claimed.notices[0].thread.head, Head::None);
    // A head line is about to be sent, and its worker dies.
    let head = Sending { head_of: Some(&issue), ..Sending::default() };
    assert!(given.notices.begin(&c1, 1, head).await.unwrap());
    given.execute("UPDATE channel_notices SET held_until_ms = 1").await;
    let claimed = claim_one(given, 2).await;
    assert_eq!(claimed.notices[0].thread.head, Head::Uncertain);
    let set = ThreadUpdate {
        issue: &issue,
        head: HeadUpdate::Set { ts: "1.0", is_line: true },
        reply: ReplyUpdate::Keep,
    };
    let outcome = Outcome { thread: Some(set), pause: Duration::from_secs(1), ..Outcome::default() };
    given.notices.finish(&c1, 2, &outcome, false).await.unwrap();
    // The channel rests for a second.
    let due = given.notices.next_due().await.unwrap().unwrap();
    assert!(due > Duration::from_millis(300), "{due:?}");
    let claimed = claim_one(given, 3).await;
    let known = Head::Known { ts: "1.0".to_owned(), is_line: true };
    assert_eq!(claimed.notices[0].thread.head, known);
    let ids = [claimed.notices[0].id];
    assert!(given.notices.begin(&c1, 3, Sending { notices: &ids, ..Sending::default() }).await.unwrap());
    let reply = ReplyUpdate::Set { ts: "2.0", from: "Open", is_new: true, has_choice: true };
    let thread = Some(ThreadUpdate { issue: &issue, head: HeadUpdate::Keep, reply });
    let became = Became::Sent("2.0");
    let outcome = Outcome { notices: &ids, became, thread, introduces: true, ..Outcome::default() };
    given.notices.finish(&c1, 3, &outcome, false).await.unwrap();
    assert_eq!(given.notices.next_due().await.unwrap(), None);
    let (from, to) = ("Open".to_owned(), "In Progress".to_owned());
    let told = Told { key: key("A-1"), part: Part { kind: Kind::Status, from, to, set_by: None } };
    assert_eq!(given.notices.told_in(&c1, "2.0").await.unwrap(), [told]);

    sync(given, done(), 2).await;
    // What is known already stays.
    given.notices.begin_thread(&c1, &issue, "9.0").await.unwrap();
    let claimed = claim_one(given, 4).await;
    assert!(claimed.is_introduced);
    let thread = &claimed.notices[0].thread;
    assert_eq!(thread.head, known);
    let reply = thread.reply.as_ref().unwrap();
    assert_eq!((reply.message.ts.as_str(), reply.from.as_str(), reply.has_choice), ("2.0", "Open", true));
    assert!(reply.message.age < Duration::from_secs(60), "{reply:?}");
    let forget = ThreadUpdate { issue: &issue, head: HeadUpdate::Forget, reply: ReplyUpdate::Keep };
    let outcome = Outcome { thread: Some(forget), paused_for: Some("why"), ..Outcome::default() };
    given.notices.finish(&c1, 4, &outcome, false).await.unwrap();
    let claimed = claim_one(given, 5).await;
    assert_eq!((claimed.notices[0].thread.head.clone(), claimed.pauses), (Head::None, 1));
}

async fn what_comes_while_a_message_is_sent_is_told_next(given: &Given) {
    given.track("C1", &[open()], 0).await;
    sync(given, started(), 1).await;
    let claimed = claim_one(given, 1).await;
    let ids = [claimed.notices[0].id];
    assert!(
        given
            .notices
            .begin(&channel("C1"), 1, Sending { notices: &ids, ..Sending::default() })
            .await
            .unwrap()
    );
    sync(given, done(), 2).await;
    let sent = Outcome { notices: &ids, became: Became::Sent("1.0"), ..Outcome::default() };
    given.notices.finish(&channel("C1"), 1, &sent, false).await.unwrap();
    let claimed = claim_one(given, 2).await;
    assert_eq!(claimed.notices.len(), 1);
    let withheld =
        Outcome { notices: &[claimed.notices[0].id], became: Became::Withheld("why"), ..Outcome::default() };
    given.notices.finish(&channel("C1"), 2, &withheld, true).await.unwrap();
    assert_eq!(given.query("SELECT reason FROM notice_outbox WHERE reason IS NOT NULL").await, ["why"]);
    given.notices.finish(&channel("C1"), 2, &Outcome::default(), false).await.unwrap();
    assert_eq!(given.notices.next_due().await.unwrap(), None);
    given.notices.forget_before(at(2)).await.unwrap();
    assert_eq!(outbox(given).await.len(), 1);
}

async fn an_answer_that_is_older_tells_nothing(given: &Given) {
    given.track("C1", &[open()], 5).await;
    sync(given, done(), 4).await;
    assert!(outbox(given).await.is_empty());
    assert_eq!(given.list("C1").await[0].last_jira_status.as_deref(), Some("Open"));
}

async fn a_channel_that_refuses_is_left_alone_whatever_comes(given: &Given) {
    given.track("C1", &[open()], 0).await;
    sync(given, started(), 1).await;
    claim_one(given, 1).await;
    let (c1, pause) = (channel("C1"), Duration::from_secs(300));
    let refused = Outcome { pause, paused_for: Some("the bot isn't in the channel"), ..Outcome::default() };
    given.notices.finish(&c1, 1, &refused, false).await.unwrap();
    let is_far = async || given.notices.next_due().await.unwrap().unwrap() > Duration::from_secs(60);
    assert!(is_far().await);
    sync(given, done(), 2).await;
    assert!(is_far().await, "another change brought it forward");
    // Where nothing was refused, the next change doesn't wait longer than the one before, nor does it put it off.
    given.execute("UPDATE channel_notices SET paused_for = NULL, due_ms = 1").await;
    sync(given, open(), 3).await;
    assert_eq!(given.notices.next_due().await.unwrap(), Some(Duration::ZERO));
}

async fn a_channel_that_takes_a_message_again_begins_with_short_pauses(given: &Given) {
    given.track("C1", &[open()], 0).await;
    sync(given, started(), 1).await;
    let c1 = channel("C1");
    let refused = Outcome { paused_for: Some("why"), ..Outcome::default() };
    for pauses in 0..3 {
        assert_eq!(claim_one(given, 1).await.pauses, pauses);
        given.notices.finish(&c1, 1, &refused, false).await.unwrap();
    }
    let ids = [claim_one(given, 1).await.notices[0].id];
    let sent = Outcome { notices: &ids, became: Became::Sent("1.0"), ..Outcome::default() };
    given.notices.finish(&c1, 1, &sent, false).await.unwrap();
    sync(given, done(), 2).await;
    assert_eq!(claim_one(given, 1).await.pauses, 0);
}

async fn what_is_in_a_message_is_in_its_order(given: &Given) {
    given.track("C1", &[open()], 0).await;
    for (issue, second) in [(started(), 1), (done(), 2), (open(), 3)] {
        sync(given, issue, second).await;
    }
    let claimed = claim_one(given, 1).await;
    let ids: Vec<i64> = claimed.notices.iter().map(|notice| notice.id).collect();
    let sent = Outcome { notices: &ids, became: Became::Sent("1.0"), ..Outcome::default() };
    given.notices.finish(&channel("C1"), 1, &sent, false).await.unwrap();
    let told = given.notices.told_in(&channel("C1"), "1.0").await.unwrap();
    let told: Vec<&str> = told.iter().map(|told| told.part.to.as_str()).collect();
    assert_eq!(told, ["In Progress", "Done", "Open"]);
}

async fn an_issue_is_shown_again_once_its_time_is_over(given: &Given) {
    let half_an_hour = Duration::from_secs(30 * 60);
    let is_claimed = async |channel_id: &str| {
        given.notices.claim_shown_issue(&channel(channel_id), &key("A-1"), half_an_hour).await.unwrap()
    };
    let later = |ms: i64| format!("UPDATE shown_links SET shown_ms = shown_ms - {ms}");
    assert!(is_claimed("C1").await);
    given.execute(&later(29 * 60 * 1_000)).await;
    assert!(!is_claimed("C1").await, "a minute is left");
    assert!(is_claimed("C2").await, "another channel has seen nothing");
    given.execute(&later(60 * 1_000)).await;
    assert!(is_claimed("C1").await);
    assert!(!is_claimed("C1").await);
    given.notices.release_shown_issue(&channel("C1"), &key("A-1")).await.unwrap();
    assert!(is_claimed("C1").await);
    // The clock of the database was set back.
    given.execute(&later(-60 * 60 * 1_000)).await;
    assert!(is_claimed("C1").await);
}
