//! What is known of fields, and what channels that hear all are told of them. Each claim runs on SQLite and on PostgreSQL.

use maro_domain::issue::Issue;
use maro_store::{
    issue_fields::{FieldAuthors, SeenFields},
    notices::{Mode, OwnChange},
};

use crate::support::given::{Given, at, author, issue, key, on_both_databases};

on_both_databases! {
    what_changes_is_told_where_all_is_heard,
    what_maro_changes_or_people_silenced_is_not_told,
    a_comment_is_new_once_however_late_an_answer_comes,
}

fn seen(assignee: &str, last_comment: i64) -> SeenFields {
    let assignee = assignee.to_owned();
    SeenFields { assignee, priority: "High".to_owned(), sprint: String::new(), last_comment }
}

/// Two channels with the issue, of which one hears all.
async fn heard(given: &Given) -> Issue {
    for channel in ["C1", "C2"] {
        given.track(channel, &[issue(10, "A-1")], 0).await;
    }
    given.notices.set_mode(&author("C1", "U1"), Mode::All, at(0)).await.unwrap();
    issue(10, "A-1")
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
    assert_eq!(given.issue_fields.unseen(10).await.unwrap(), [key("A-1")]);
    assert_eq!(given.issue_fields.watched(&[key("A-1"), key("A-2")]).await.unwrap(), [key("A-1")]);
    // What nothing was known of changes nothing.
    note(given, &issue, &seen("Ada", 0), 0).await;
    assert!(outbox(given).await.is_empty());
    assert!(given.issue_fields.unseen(10).await.unwrap().is_empty());
    note(given, &issue, &seen("Priya", 0), 0).await;
    assert_eq!(outbox(given).await, ["C1 assignee Ada>Priya Grace"]);
    assert!(given.notices.next_due().await.unwrap().is_some());
    assert_eq!(given.issue_fields.seen(&issue).await.unwrap(), Some(seen("Priya", 0)));
    note(given, &issue, &seen("Priya", 0), 0).await;
    assert_eq!(outbox(given).await.len(), 1);
}

async fn what_maro_changes_or_people_silenced_is_not_told(given: &Given) {
    let issue = heard(given).await;
    note(given, &issue, &seen("Ada", 0), 0).await;
    given.notices.note_own_change(&key("A-1"), OwnChange::Status, false).await.unwrap();
    note(given, &issue, &seen("Priya", 1), 1).await;
    assert!(outbox(given).await.is_empty());
    given.execute("DELETE FROM own_changes").await;
    given.notices.note_own_change(&key("A-1"), OwnChange::Fields, false).await.unwrap();
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
