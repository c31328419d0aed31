//! What the log has of each change. Each claim runs on SQLite and on PostgreSQL.

use jiff::Timestamp;
use maro_domain::{
    author::{Author, PluginBuild},
    ids::{Incident, TeamId},
    tracked::Source,
};
use maro_store::{
    audit::{Entry, Noted, export},
    intents::{Begun, IntentKind, IntentState, NewIntent, Saved, Saving},
    plugin_storage::{Change, Condition, Owner, Quota, Space},
    tracker::TrackRequest,
};

use crate::support::given::{Given, Sync as _, at, author, channel, issue, key, on_both_databases, user};

on_both_databases! {
    each_issue_that_is_added_or_removed_has_an_entry,
    what_changes_nothing_has_no_entry,
    an_entry_says_who_did_it_where_and_by_what,
    what_is_stored_and_removed_has_an_entry,
    each_switch_that_is_turned_has_an_entry,
    an_intent_is_saved_with_its_entries_or_without_both,
    what_is_no_change_of_the_database_can_be_noted,
    entries_are_neither_edited_nor_removed,
    many_changes_at_once_have_an_entry_each,
    hostile_texts_are_kept_as_they_were,
    entries_are_exported_as_lines_of_json,
    a_long_log_is_exported_whole,
}

/// The entries: action, subject and outcome.
pub(super) async fn log(given: &Given) -> Vec<String> {
    given.query("SELECT action || ' ' || subject || ' ' || outcome FROM audit_log ORDER BY id").await
}

async fn each_issue_that_is_added_or_removed_has_an_entry(given: &Given) {
    given.track("C1", &[issue(1, "A-1")], 0).await;
    given.track("C1", &[issue(2, "A-2"), issue(1, "A-1"), issue(3, "A-3")], 1).await;
    given.track("C1", &[issue(5, "A-5"), issue(4, "A-4")], 2).await;
    given.tracker.untrack(&author("C1", "U1"), &[key("A-1")], at(3)).await.unwrap();
    given.tracker.untrack(&author("C1", "U1"), &[key("A-9"), key("A-2"), key("A-2")], at(4)).await.unwrap();
    let expected = [
        "track A-1 done",
        "track A-2 done",
        "track A-3 done",
        "track A-5 done",
        "track A-4 done",
        "untrack A-1 done",
        "untrack A-2 done",
    ];
    assert_eq!(log(given).await, expected);
}

async fn what_changes_nothing_has_no_entry(given: &Given) {
    given.track("C1", &[issue(1, "A-1")], 0).await;
    let updates = [(key("A-1"), Some(issue(1, "B-1")))];
    given.tracker.sync(&updates, at(1)).await.unwrap();
    given.track("C1", &[issue(1, "B-1")], 2).await;
    given.tracker.untrack(&author("C1", "U1"), &[key("A-1")], at(3)).await.unwrap();
    given.plugin_switches.enable("track", &author("C1", "U1"), at(4)).await.unwrap();
    assert_eq!(log(given).await, ["track A-1 done"]);
}

async fn an_entry_says_who_did_it_where_and_by_what(given: &Given) {
    let row = "SELECT team_id || ' ' || channel_id || ' ' || user_id || ' ' || action || ' ' || subject
            || ' ' || coalesce(plugin, '-') || ' ' || coalesce(digest, '-') || ' ' || outcome
            || ' ' || coalesce(incident, '-')
        FROM audit_log ORDER BY id";
    let plugin = PluginBuild { name: "track".to_owned(), digest: "00ff".to_owned() };
    let foreigner = Author {
        foreign_team: Some(TeamId::parse("T9").unwrap()),
        incident: Some(Incident(0xabc)),
        ..author("C2", "U7").by_plugin(plugin)
    };
    let request = TrackRequest { author: &foreigner, source: Source::Command };
    given.tracker.track(request, &[issue(1, "A-1")], at(5)).await.unwrap();
    given.tracker.track(request, &[issue(2, "A-2"), issue(3, "A-3")], at(5)).await.unwrap();
    given.tracker.untrack(&foreigner, &[key("A-1")], at(6)).await.unwrap();
    given.tracker.untrack(&author("C2", "U1"), &[key("A-2"), key("A-3")], at(7)).await.unwrap();
    let expected = [
        "T9 C2 U7 track A-1 track 00ff done 00000abc",
        "T9 C2 U7 track A-2 track 00ff done 00000abc",
        "T9 C2 U7 track A-3 track 00ff done 00000abc",
        "T9 C2 U7 untrack A-1 track 00ff done 00000abc",
        " C2 U1 untrack A-2 - - done -",
        " C2 U1 untrack A-3 - - done -",
    ];
    assert_eq!(given.query(row).await, expected);
    let at_once = format!("SELECT count(*) || '' FROM audit_log WHERE at = '{}'", at(6));
    let at_once = at_once.replace('Z', ".000000Z");
    assert_eq!(given.query(&at_once).await, ["1"]);
}

async fn what_is_stored_and_removed_has_an_entry(given: &Given) {
    let quota = Quota { keys: 1, bytes: 100, plugin_bytes: 100 };
    let space = Space { plugin: "p", owner: Owner::Plugin, now: Timestamp::UNIX_EPOCH };
    let by = author("C1", "U1");
    let steps = [
        ("storage set", Condition::Any, Some("1"), "one"),
        ("storage swap", Condition::Is(Some("0")), Some("2"), "fails"),
        ("storage swap", Condition::Is(Some("1")), Some("2"), "two"),
        ("storage delete", Condition::Any, None, "three"),
        ("storage delete", Condition::Any, None, "nothing there"),
    ];
    for (action, condition, new, subject) in steps {
        let change = Change { key: "k", condition, new, expires_at: None };
        let noted = Noted { author: &by, entry: Entry { action, subject, outcome: "done" }, at: at(0) };
        given.plugin_storage.change(space, change, quota, noted).await.unwrap();
    }
    assert_eq!(
        log(given).await,
        ["storage set one done", "storage swap two done", "storage delete three done"]
    );
}

async fn each_switch_that_is_turned_has_an_entry(given: &Given) {
    let switches = &given.plugin_switches;
    for second in 0..2 {
        switches.disable("track", &author("C1", "U1"), at(second)).await.unwrap();
    }
    for second in 2..4 {
        switches.enable("track", &author("C1", "U1"), at(second)).await.unwrap();
    }
    assert_eq!(log(given).await, ["plugin disable track done", "plugin enable track done"]);
}

async fn an_intent_is_saved_with_its_entries_or_without_both(given: &Given) {
    let by = author("C1", "U1");
    let entry = Entry { action: "create", subject: "A", outcome: "begun" };
    let noted = Noted { author: &by, entry, at: at(0) };
    let intent = NewIntent {
        id: "one".to_owned(),
        kind: IntentKind::Create,
        channel: channel("C1"),
        user: user("U1"),
        state: IntentState::Begun,
        data: "{}".to_owned(),
    };
    let Begun::New(begun) = given.intents.begin(&intent, Some(noted), at(0)).await.unwrap() else {
        panic!("known")
    };
    assert!(matches!(given.intents.begin(&intent, Some(noted), at(0)).await.unwrap(), Begun::Known(_)));
    assert_eq!(log(given).await, ["create A begun"]);
    let entries = [
        Entry { action: "create", subject: "A-1", outcome: "done" },
        Entry { action: "create", subject: "A-2", outcome: "done" },
    ];
    let saving = Saving { id: "one", version: begun.version, state: IntentState::Confirmed, data: "[1]" };
    let saved = given.intents.save_as(&by, saving, &entries, at(1)).await.unwrap();
    let Saved::Yes(version) = saved else { panic!("lost") };
    assert_eq!(given.intents.save_as(&by, saving, &entries, at(2)).await.unwrap(), Saved::Lost);
    assert_eq!(log(given).await, ["create A begun", "create A-1 done", "create A-2 done"]);
    let intent = given.intents.get("one").await.unwrap().unwrap();
    assert_eq!((intent.version, &*intent.data, intent.updated_at), (version, "[1]", at(1)));
    let saving = Saving { version, state: IntentState::Finished, ..saving };
    assert!(matches!(given.intents.save_as(&by, saving, &[], at(3)).await.unwrap(), Saved::Yes(_)));
    assert_eq!(log(given).await.len(), 3);
}

async fn what_is_no_change_of_the_database_can_be_noted(given: &Given) {
    let by = author("C1", "U1");
    let entry = Entry { action: "comment", subject: "A-1", outcome: "begun" };
    given.audit.begin(&by, entry, at(0)).await.unwrap();
    given.audit.note(&by, Entry { outcome: "done", ..entry }, at(1)).await.unwrap();
    assert_eq!(log(given).await, ["comment A-1 begun", "comment A-1 done"]);
}

async fn entries_are_neither_edited_nor_removed(given: &Given) {
    given.track("C1", &[issue(1, "A-1")], 0).await;
    for statement in ["UPDATE audit_log SET user_id = 'U2'", "DELETE FROM audit_log"] {
        let error = given.try_execute(statement).await.unwrap_err();
        assert!(error.contains("audit_log is append only"), "{error}");
    }
    if given.is_on_postgres() {
        let error = given.try_execute("TRUNCATE audit_log").await.unwrap_err();
        assert!(error.contains("audit_log is append only"), "{error}");
    }
    assert_eq!(log(given).await, ["track A-1 done"]);
}

async fn many_changes_at_once_have_an_entry_each(given: &Given) {
    let work = (1..=40).map(|number| async move {
        let keys = [key(&format!("A-{number}"))];
        given.track("C1", &[issue(number, &format!("A-{number}"))], 0).await;
        given.track("C2", &[issue(number, &format!("A-{number}")), issue(7_777, "B-1")], 0).await;
        given.tracker.untrack(&author("C1", "U1"), &keys, at(1)).await.unwrap();
    });
    futures_util::future::join_all(work).await;
    let count = async |condition: &str| {
        let found =
            format!("SELECT count(*) || ' ' || count(DISTINCT subject) FROM audit_log WHERE {condition}");
        given.query(&found).await.remove(0)
    };
    assert_eq!(count("action = 'track' AND channel_id = 'C1'").await, "40 40");
    assert_eq!(count("action = 'track' AND channel_id = 'C2'").await, "41 41");
    assert_eq!(count("action = 'untrack'").await, "40 40");
}

async fn hostile_texts_are_kept_as_they_were(given: &Given) {
    let by = author("C1", "U1");
    for subject in ["'); DROP TABLE audit_log; --", r#"" \ $1 ?1"#, "👩‍👩‍👧 \u{feff}", "null", "12", ""]
    {
        let entry = Entry { action: "comment", subject, outcome: "done" };
        given.audit.note(&by, entry, at(0)).await.unwrap();
        let last = "SELECT subject FROM audit_log ORDER BY id DESC LIMIT 1";
        assert_eq!(given.query(last).await, [subject]);
    }
}

async fn entries_are_exported_as_lines_of_json(given: &Given) {
    given.track("C1", &[issue(1, "A-1")], 0).await;
    let plugin = PluginBuild { name: "untrack".to_owned(), digest: "00ff".to_owned() };
    let by = Author { incident: Some(Incident(0xabc)), ..author("C1", "U1").by_plugin(plugin) };
    given.tracker.untrack(&by, &[key("A-1")], at(60)).await.unwrap();
    let export = async |since: i64| {
        let mut lines = Vec::new();
        let exported = export::export(&given.config, at(since), |line| {
            lines.push(line.to_owned());
            Ok(())
        });
        assert_eq!(exported.await.unwrap(), lines.len() as u64);
        lines
    };
    let expected = [
        r#"{"at":"2026-01-31T09:30:00.000000Z","team_id":"","channel_id":"C1","user_id":"U1","action":"track","subject":"A-1","plugin":null,"digest":null,"outcome":"done","incident":null}"#,
        r#"{"at":"2026-01-31T09:31:00.000000Z","team_id":"","channel_id":"C1","user_id":"U1","action":"untrack","subject":"A-1","plugin":"untrack","digest":"00ff","outcome":"done","incident":"00000abc"}"#,
    ];
    assert_eq!(export(0).await, expected);
    assert_eq!(export(1).await, expected[1..]);
    assert_eq!(export(61).await, [""; 0]);
}

async fn a_long_log_is_exported_whole(given: &Given) {
    let values = "('2026-01-31T09:30:00.000000Z', 'C1', 'U1', 'comment', 'A-1', 'done')";
    let all = vec![values; 12_345].join(", ");
    let insert = "INSERT INTO audit_log (at, channel_id, user_id, action, subject, outcome) VALUES";
    given.execute(&format!("{insert} {all}")).await;
    assert_eq!(export::export(&given.config, at(0), |_| Ok(())).await.unwrap(), 12_345);
}
