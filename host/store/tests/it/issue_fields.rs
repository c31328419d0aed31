//! What is known of fields, and what channels that hear all are told of them. Each claim runs on SQLite and on PostgreSQL.

use maro_domain::issue::{Issue, IssueKey};
use maro_store::{
    issue_fields::{FieldAuthors, FieldIds, Place, SeenFields},
    notices::{Mode, OwnChange},
};

use crate::support::given::{Given, at, author, issue, key, on_both_databases};

on_both_databases! {
    what_changes_is_told_where_all_is_heard,
    what_gets_another_name_is_not_told,
    what_maro_changes_or_people_silenced_is_not_told,
    a_comment_is_new_once_however_late_an_answer_comes,
    while_slack_takes_nothing_an_issue_waits_once_for_each_kind,
    what_is_unknown_is_found_on_however_many_lists,
}

fn seen(assignee: &str, last_comment: i64) -> SeenFields {
    let assignee = assignee.to_owned();
    SeenFields { assignee, priority: "High".to_owned(), last_comment, ..SeenFields::default() }
}

/// Two channels with the issue, of which one hears all.
async fn heard(given: &Given) -> Issue {
    for channel in ["C1", "C2"] {
        given.track(channel, &[issue(10, "A-1")], 0).await;
    }
    given.notices.set_mode(&author("C1", "U1"), Mode::All, at(0)).await.unwrap();
    issue(10, "A-1")
}

async fn unseen(given: &Given) -> Vec<IssueKey> {
    given.issue_fields.unseen(&Place::default(), 10).await.unwrap().keys
}

async fn note(given: &Given, issue: &Issue, fields: &SeenFields, new_comments: u32) {
    let authors =
        FieldAuthors { assignee: Some("Grace".to_owned()), new_comments, ..FieldAuthors::default() };
    given.issue_fields.note(issue, fields, &authors, at(1)).await.unwrap();
}

async fn outbox(given: &Given) -> Vec<String> {
    let rows = "SELECT channel_id || ' ' || kind || ' ' || from_status || '>' || to_status || ' ' \
                || coalesce(set_by, '-') FROM notice_outbox ORDER BY id";
    given.query(rows).await
}

async fn what_changes_is_told_where_all_is_heard(given: &Given) {
    let issue = heard(given).await;
    assert_eq!(unseen(given).await, [key("A-1")]);
    assert_eq!(given.issue_fields.watched(&[key("A-1"), key("A-2")]).await.unwrap(), [key("A-1")]);
    // What nothing was known of changes nothing.
    note(given, &issue, &seen("Ada", 0), 0).await;
    assert!(outbox(given).await.is_empty());
    assert!(unseen(given).await.is_empty());
    note(given, &issue, &seen("Priya", 0), 0).await;
    assert_eq!(outbox(given).await, ["C1 assignee Ada>Priya Grace"]);
    assert!(given.notices.next_due().await.unwrap().is_some());
    assert_eq!(given.issue_fields.seen(&issue).await.unwrap(), Some(seen("Priya", 0)));
    note(given, &issue, &seen("Priya", 0), 0).await;
    assert_eq!(outbox(given).await.len(), 1);
}

async fn what_gets_another_name_is_not_told(given: &Given) {
    let issue = heard(given).await;
    let fields = |assignee: &str, sprint: (&str, &str)| SeenFields {
        sprint: sprint.1.to_owned(),
        ids: FieldIds {
            assignee: Some("712020:1".to_owned()),
            sprint: Some(sprint.0.to_owned()),
            ..FieldIds::default()
        },
        ..seen(assignee, 0)
    };
    note(given, &issue, &fields("Ada", ("12", "Sprint 12")), 0).await;
    let nobody = FieldAuthors::default();
    let renamed = fields("Ada King", ("12", "Payments"));
    given.issue_fields.note(&issue, &renamed, &nobody, at(1)).await.unwrap();
    assert_eq!(outbox(given).await, [""; 0]);
    let known = given.issue_fields.seen(&issue).await.unwrap().unwrap();
    assert_eq!((known.assignee.as_str(), known.sprint.as_str()), ("Ada King", "Payments"));
    note(given, &issue, &fields("Ada King", ("13", "Sprint 13")), 0).await;
    assert_eq!(outbox(given).await, ["C1 sprint Payments>Sprint 13 -"]);
    // What an older release writes says nothing of ids.
    given.execute("UPDATE issue_fields SET assignee = 'Grace', priority = 'Low'").await;
    note(given, &issue, &fields("Ada", ("13", "Sprint 13")), 0).await;
    let told = ["C1 assignee Grace>Ada Grace", "C1 priority Low>High -"];
    assert_eq!(outbox(given).await[1..], told);
    // Somebody says that they changed it.
    note(given, &issue, &fields("Ada King", ("13", "Sprint 13")), 0).await;
    assert_eq!(outbox(given).await[3..], ["C1 assignee Ada>Ada King Grace"]);
}

async fn what_maro_changes_or_people_silenced_is_not_told(given: &Given) {
    let issue = heard(given).await;
    note(given, &issue, &seen("Ada", 0), 0).await;
    given.notices.note_own_change(&OwnChange::of_status(&key("A-1")), false).await.unwrap();
    note(given, &issue, &seen("Priya", 1), 1).await;
    assert!(outbox(given).await.is_empty());
    given.execute("DELETE FROM own_changes").await;
    given.notices.note_own_change(&OwnChange::of_fields(&key("A-1")), false).await.unwrap();
    note(given, &issue, &seen("Ada", 1), 0).await;
    assert!(outbox(given).await.is_empty());
    given.execute("DELETE FROM own_changes").await;
    assert!(given.notices.mute(&author("C1", "U1"), &key("A-1"), true, at(2)).await.unwrap());
    note(given, &issue, &seen("Ada", 2), 1).await;
    assert!(outbox(given).await.is_empty());
    assert!(given.notices.mute(&author("C1", "U1"), &key("A-1"), false, at(3)).await.unwrap());
    note(given, &issue, &seen("", 2), 0).await;
    assert_eq!(outbox(given).await, ["C1 assignee Ada> Grace"]);
}

async fn a_comment_is_new_once_however_late_an_answer_comes(given: &Given) {
    let issue = heard(given).await;
    note(given, &issue, &seen("Ada", 5), 0).await;
    note(given, &issue, &seen("Ada", 7), 2).await;
    // An answer that was on its way for longer.
    note(given, &issue, &seen("Ada", 6), 1).await;
    note(given, &issue, &seen("Ada", 7), 1).await;
    assert_eq!(outbox(given).await, ["C1 comments 2>7 -"]);
    assert_eq!(given.issue_fields.seen(&issue).await.unwrap(), Some(seen("Ada", 7)));
}

async fn while_slack_takes_nothing_an_issue_waits_once_for_each_kind(given: &Given) {
    let issue = heard(given).await;
    note(given, &issue, &seen("Ada", 0), 0).await;
    note(given, &issue, &seen("Priya", 0), 0).await;
    given.execute("UPDATE channel_notices SET paused_for = 'not_in_channel', held_until_ms = 0").await;
    let by = async |name: &str, fields: SeenFields, new_comments| {
        let by = Some(name.to_owned());
        let authors =
            FieldAuthors { assignee: by.clone(), comments: by, new_comments, ..FieldAuthors::default() };
        given.issue_fields.note(&issue, &fields, &authors, at(2)).await.unwrap();
    };
    for number in 1..=20 {
        by("Grace", seen(["Ada", "Priya"][number % 2], i64::try_from(number).unwrap()), 2).await;
    }
    by("Grace", SeenFields { priority: "Low".to_owned(), ..seen("Hedy", 21) }, 1).await;
    let told = ["C1 assignee Ada>Hedy Grace", "C1 comments 41>21 Grace", "C1 priority High>Low -"];
    let mut waiting = outbox(given).await;
    waiting.sort();
    assert_eq!(waiting, told);
    // Several people's comments have no one name. What a worker may be telling takes up nothing.
    by("Ada", SeenFields { priority: "Low".to_owned(), ..seen("Hedy", 22) }, 1).await;
    assert!(outbox(given).await.contains(&"C1 comments 42>22 -".to_owned()));
    given.execute("UPDATE channel_notices SET held_until_ms = 4102444800000").await;
    by("Ada", SeenFields { priority: "Low".to_owned(), ..seen("Ada", 22) }, 0).await;
    assert_eq!(outbox(given).await.len(), 4);
}

/// Three lists of 4,000 issues, of which all but a few are known.
async fn what_is_unknown_is_found_on_however_many_lists(given: &Given) {
    given
        .execute(
            "WITH RECURSIVE number (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM number WHERE n < 12000)
             INSERT INTO channel_tracked_issues (channel_id, issue_key, issue_id, tracked_at, tracked_by)
             SELECT 'C' || (n % 3), 'A-' || n, CAST(n AS TEXT), '2026-01-31T09:00:00.000000Z', 'U1' FROM number",
        )
        .await;
    given
        .execute(
            "INSERT INTO issue_fields (issue_id, assignee, priority, sprint, last_comment, updated_ms)
             SELECT issue_id, '', '', '', 0, 1 FROM channel_tracked_issues
             WHERE issue_key NOT IN ('A-1', 'A-11000', 'A-11999')",
        )
        .await;
    let fresh = "UPDATE issue_freshness SET updated_ms = 2, asked_at = '2026-01-31T09:00:00.000000Z'
                 WHERE issue_key IN ('A-5', 'A-11003', 'A-11998')";
    given.execute(fresh).await;
    for channel in ["C0", "C1", "C2"] {
        given.notices.set_mode(&author(channel, "U1"), Mode::All, at(0)).await.unwrap();
    }
    // Switching that on forgets what was known.
    given
        .execute(
            "INSERT INTO issue_fields (issue_id, assignee, priority, sprint, last_comment, updated_ms)
             SELECT issue_id, '', '', '', 0, 1 FROM channel_tracked_issues
             WHERE issue_key NOT IN ('A-1', 'A-11000', 'A-11999') ON CONFLICT DO NOTHING",
        )
        .await;
    for is_overdue in [false, true] {
        let (mut place, mut found, mut looks) = (Place::default(), Vec::new(), 0);
        loop {
            let look = match is_overdue {
                true => given.issue_fields.overdue(&place, 1).await.unwrap(),
                false => given.issue_fields.unseen(&place, 1).await.unwrap(),
            };
            assert!(look.keys.len() <= 1, "{look:?}");
            (place, looks) = (look.next, looks + 1);
            found.extend(look.keys);
            if place.is_beginning() {
                break;
            }
        }
        found.sort();
        let expected = match is_overdue {
            true => ["A-5", "A-11003", "A-11998"],
            false => ["A-1", "A-11000", "A-11999"],
        };
        let mut expected = expected.map(key);
        expected.sort();
        assert_eq!(found, expected);
        assert!((3..=8).contains(&looks), "{looks}");
    }
}
