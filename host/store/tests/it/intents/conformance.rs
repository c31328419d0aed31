//! What is done with intents. Each claim runs on SQLite and on PostgreSQL.

use std::{collections::HashSet, sync::Arc};

use maro_domain::issue::Issue;
use maro_store::{
    database::error::DatabaseError,
    intents::{
        Begun, Intent, IntentError,
        IntentKind::{self, Create, Link, PluginCreate, Stories},
        IntentState::{self, Confirmed, Failed, Finished},
        Intents, MAX_DATA_LENGTH, MAX_ID_LENGTH, MAX_RECENT_TICKETS, NewIntent, Saved, Version,
    },
};

use crate::support::given::{Given, at, channel, described, on_both_databases, user};

on_both_databases! {
    an_intent_is_begun_once,
    an_intent_is_stored_as_it_was_given,
    what_is_saved_is_there,
    a_save_with_an_old_version_is_lost,
    of_many_who_begin_an_intent_one_gets_it,
    of_many_who_save_an_intent_one_succeeds,
    only_unfinished_intents_without_a_lease_are_abandoned,
    what_a_clock_that_was_ahead_has_written_is_abandoned,
    open_intents_are_counted_by_age,
    a_take_over_ends_the_lease_of_the_former_holder,
    a_save_renews_the_lease,
    those_who_wait_longest_are_taken_over_first,
    an_abandoned_intent_goes_to_one_replica,
    a_ticket_is_noted_once,
    recent_tickets_are_those_of_the_project_newest_first,
    recent_tickets_have_an_end,
    what_is_over_is_forgotten_and_nothing_else,
    what_is_too_long_is_refused,
    hostile_texts_come_back_as_they_were,
    an_intent_that_makes_no_sense_hides_no_other,
    an_intent_of_a_newer_bot_is_left_to_it,
    lists_and_intents_are_written_at_once,
    intents_survive_a_restart,
    a_call_after_the_end_is_an_error,
}

fn new_intent(id: &str, kind: IntentKind, data: &str) -> NewIntent {
    NewIntent {
        id: id.to_owned(),
        kind,
        channel: channel("C1"),
        user: user("U1"),
        state: IntentState::Begun,
        data: data.to_owned(),
    }
}

/// Begins an intent that nobody has begun before.
async fn begin(given: &Given, id: &str, second: i64) -> Intent {
    match given.intents.begin(&new_intent(id, Create, "{}"), None, at(second)).await.unwrap() {
        Begun::New(intent) => intent,
        Begun::Known(intent) => panic!("{intent:?} is known"),
    }
}

async fn save(given: &Given, id: &str, version: Version, state: IntentState, second: i64) -> Saved {
    given.intents.save(id, version, state, "{}", at(second)).await.unwrap()
}

/// The ids of the intents that a replica takes over.
async fn claim(intents: &dyn Intents, idle_before: i64, now: i64, limit: u32) -> Vec<String> {
    let claimed = intents.claim_abandoned(at(idle_before), at(now), limit).await.unwrap();
    claimed.into_iter().map(|intent| intent.id).collect()
}

async fn recent(given: &Given, project_key: &str, since: i64) -> Vec<String> {
    let tickets = given.intents.recent_tickets(project_key, at(since)).await.unwrap();
    tickets.into_iter().map(|ticket| ticket.key.into_string()).collect()
}

fn ticket(id: u32, key: &str) -> Issue {
    described(id, key, &format!("Summary of {key}"), "")
}

async fn an_intent_is_begun_once(given: &Given) {
    let first = begin(given, "one", 0).await;
    let again = given.intents.begin(&new_intent("one", Link, "[1]"), None, at(5)).await.unwrap();
    assert_eq!(again, Begun::Known(first.clone()));
    assert_eq!(given.intents.get("one").await.unwrap(), Some(first));
    begin(given, "two", 0).await;
}

async fn an_intent_is_stored_as_it_was_given(given: &Given) {
    let kinds = [Create, Link, PluginCreate, Stories];
    for kind in kinds {
        let asked = new_intent(kind.as_str(), kind, r#"{"summary": "One"}"#);
        let begun = given.intents.begin(&asked, None, at(7)).await.unwrap();
        let Begun::New(intent) = begun else { panic!("{begun:?}") };
        let expected = Intent {
            id: asked.id,
            kind,
            channel: asked.channel,
            user: asked.user,
            state: IntentState::Begun,
            data: asked.data,
            version: intent.version,
            created_at: at(7),
            updated_at: at(7),
        };
        assert_eq!(intent, expected);
    }
    assert_eq!(given.intents.get("another").await.unwrap(), None);
    assert_eq!(claim(&*given.intents, 60, 61, 10).await, kinds.map(IntentKind::as_str));
}

async fn what_is_saved_is_there(given: &Given) {
    let begun = begin(given, "one", 0).await;
    let mut version = begun.version;
    for (state, second) in [(IntentState::Begun, 1), (Confirmed, 2), (Failed, 3), (Finished, 4)] {
        let data = format!("[{second}]");
        let saved = given.intents.save("one", version, state, &data, at(second)).await.unwrap();
        let Saved::Yes(next) = saved else { panic!("{state:?} is lost") };
        assert_ne!(next, version);
        version = next;
        let expected = Intent { state, data, version, updated_at: at(second), ..begun.clone() };
        assert_eq!(given.intents.get("one").await.unwrap(), Some(expected));
    }
}

async fn a_save_with_an_old_version_is_lost(given: &Given) {
    let first = begin(given, "one", 0).await;
    let Saved::Yes(second) = save(given, "one", first.version, Confirmed, 1).await else { panic!("lost") };
    let stored = given.intents.get("one").await.unwrap();
    assert_eq!(save(given, "one", first.version, Failed, 2).await, Saved::Lost);
    assert_eq!(given.intents.get("one").await.unwrap(), stored);
    assert_eq!(save(given, "absent", second, Failed, 2).await, Saved::Lost);
    assert_eq!(given.intents.get("absent").await.unwrap(), None);
}

async fn of_many_who_begin_an_intent_one_gets_it(given: &Given) {
    let replica = given.replica().await;
    let both = [Arc::clone(&given.intents), Arc::clone(&replica.intents)];
    for round in 0..10 {
        let calls = (0..16).map(|caller| {
            let intents = Arc::clone(&both[caller % 2]);
            let intent = new_intent(&format!("intent {round}"), Create, &format!("[{caller}]"));
            tokio::spawn(async move { intents.begin(&intent, None, at(0)).await.unwrap() })
        });
        let (mut owners, mut seen) = (0, HashSet::new());
        for call in calls.collect::<Vec<_>>() {
            let (Begun::New(intent) | Begun::Known(intent)) = &match call.await.unwrap() {
                new @ Begun::New(_) => {
                    owners += 1;
                    new
                }
                known @ Begun::Known(_) => known,
            };
            seen.insert(intent.data.clone());
        }
        assert_eq!((owners, seen.len()), (1, 1), "round {round}");
    }
    replica.close().await;
}

async fn of_many_who_save_an_intent_one_succeeds(given: &Given) {
    let replica = given.replica().await;
    let both = [Arc::clone(&given.intents), Arc::clone(&replica.intents)];
    let version = begin(given, "one", 0).await.version;
    let calls = (0..16).map(|caller| {
        let intents = Arc::clone(&both[caller % 2]);
        tokio::spawn(async move {
            let data = format!("[{caller}]");
            let saved = intents.save("one", version, Confirmed, &data, at(1)).await.unwrap();
            (saved != Saved::Lost).then_some(data)
        })
    });
    let mut written = Vec::new();
    for call in calls.collect::<Vec<_>>() {
        written.extend(call.await.unwrap());
    }
    assert_eq!(written, [given.intents.get("one").await.unwrap().unwrap().data]);
    replica.close().await;
}

async fn what_a_clock_that_was_ahead_has_written_is_abandoned(given: &Given) {
    begin(given, "at work", 60).await;
    begin(given, "ahead", 60).await;
    given
        .execute("UPDATE ticket_intents SET updated_at = '2150-01-01T00:00:00.000000Z' WHERE id = 'ahead'")
        .await;
    assert_eq!(claim(&*given.intents, 10, 61, 10).await, ["ahead"]);
    assert_eq!(claim(&*given.intents, 10, 62, 10).await, [""; 0]);
}

async fn only_unfinished_intents_without_a_lease_are_abandoned(given: &Given) {
    for (id, state) in [
        ("begun", None),
        ("confirmed", Some(Confirmed)),
        ("finished", Some(Finished)),
        ("failed", Some(Failed)),
    ] {
        let version = begin(given, id, 0).await.version;
        if let Some(state) = state {
            save(given, id, version, state, 0).await;
        }
    }
    begin(given, "fresh", 10).await;
    assert_eq!(claim(&*given.intents, 0, 20, 10).await, [""; 0]);
    assert_eq!(claim(&*given.intents, 10, 20, 10).await, ["begun", "confirmed"]);
    // They have been taken over, and are nobody else's for a while.
    assert_eq!(claim(&*given.intents, 10, 20, 10).await, [""; 0]);
    assert_eq!(claim(&*given.intents, 21, 30, 10).await, ["begun", "confirmed", "fresh"]);
}

async fn open_intents_are_counted_by_age(given: &Given) {
    let count = async || given.intents.count_open([at(60), at(30), at(10)]).await.unwrap();
    assert_eq!(count().await, [0; 4]);
    for (second, state) in [
        (70, None),
        (60, None),
        (59, Some(Confirmed)),
        (29, None),
        (9, None),
        (5, Some(Finished)),
        (0, Some(Failed)),
    ] {
        let version = begin(given, &second.to_string(), second).await.version;
        if let Some(state) = state {
            save(given, &second.to_string(), version, state, 90).await;
        }
    }
    assert_eq!(count().await, [2, 1, 1, 1]);
}

async fn a_take_over_ends_the_lease_of_the_former_holder(given: &Given) {
    let before = begin(given, "one", 0).await;
    let taken = given.intents.claim_abandoned(at(60), at(61), 10).await.unwrap().remove(0);
    assert_ne!(taken.version, before.version);
    assert_eq!(taken, Intent { version: taken.version, updated_at: at(61), ..before.clone() });
    assert_eq!(given.intents.get("one").await.unwrap().as_ref(), Some(&taken));
    assert_eq!(save(given, "one", before.version, Finished, 62).await, Saved::Lost);
    assert_ne!(save(given, "one", taken.version, Finished, 63).await, Saved::Lost);
}

async fn a_save_renews_the_lease(given: &Given) {
    let intent = begin(given, "one", 0).await;
    save(given, "one", intent.version, IntentState::Begun, 50).await;
    assert_eq!(claim(&*given.intents, 50, 60, 10).await, [""; 0]);
    assert_eq!(claim(&*given.intents, 51, 60, 10).await, ["one"]);
}

async fn those_who_wait_longest_are_taken_over_first(given: &Given) {
    for (id, second) in [("c", 3), ("a", 1), ("d", 4), ("b", 2)] {
        begin(given, id, second).await;
    }
    assert_eq!(claim(&*given.intents, 60, 61, 2).await, ["a", "b"]);
    assert_eq!(claim(&*given.intents, 60, 61, 0).await, [""; 0]);
    assert_eq!(claim(&*given.intents, 60, 61, 2).await, ["c", "d"]);
}

async fn an_abandoned_intent_goes_to_one_replica(given: &Given) {
    let replica = given.replica().await;
    let both = [Arc::clone(&given.intents), Arc::clone(&replica.intents)];
    for number in 0..60 {
        begin(given, &format!("intent {number}"), 0).await;
    }
    let calls = (0..12).map(|caller| {
        let intents = Arc::clone(&both[caller % 2]);
        tokio::spawn(async move {
            let mut taken = Vec::new();
            loop {
                let more = claim(&*intents, 60, 61, 7).await;
                if more.is_empty() {
                    break taken;
                }
                taken.extend(more);
            }
        })
    });
    let mut taken = Vec::new();
    for call in calls.collect::<Vec<_>>() {
        taken.extend(call.await.unwrap());
    }
    assert_eq!(taken.len(), 60);
    assert_eq!(taken.into_iter().collect::<HashSet<_>>().len(), 60);
    replica.close().await;
}

async fn a_ticket_is_noted_once(given: &Given) {
    let first = [ticket(1, "A-1"), ticket(2, "A-2")];
    given.intents.record_tickets("A", "one", &first, at(0)).await.unwrap();
    let again = [described(1, "A-1", "Another summary", "Open"), ticket(3, "A-3")];
    given.intents.record_tickets("A", "two", &again, at(5)).await.unwrap();
    given.intents.record_tickets("A", "three", &[], at(5)).await.unwrap();
    let mut recent = given.intents.recent_tickets("A", at(0)).await.unwrap();
    recent.sort_by(|one, other| one.key.cmp(&other.key));
    assert_eq!(recent, [ticket(1, "A-1"), ticket(2, "A-2"), ticket(3, "A-3")]);
    assert_eq!(
        given.query("SELECT intent_id FROM created_tickets ORDER BY issue_id").await,
        ["one", "one", "two"]
    );
}

async fn recent_tickets_are_those_of_the_project_newest_first(given: &Given) {
    for (id, project, second) in [(1, "A", 1), (2, "B", 2), (3, "A", 3), (4, "A", 2)] {
        let tickets = [ticket(id, &format!("{project}-{id}"))];
        given.intents.record_tickets(project, "one", &tickets, at(second)).await.unwrap();
    }
    assert_eq!(recent(given, "A", 0).await, ["A-3", "A-4", "A-1"]);
    assert_eq!(recent(given, "A", 2).await, ["A-3", "A-4"]);
    assert_eq!(recent(given, "A", 4).await, [""; 0]);
    assert_eq!(recent(given, "B", 0).await, ["B-2"]);
    assert_eq!(recent(given, "C", 0).await, [""; 0]);
}

async fn recent_tickets_have_an_end(given: &Given) {
    given.intents.record_tickets("A", "one", &[ticket(1, "A-1")], at(0)).await.unwrap();
    let many: Vec<Issue> =
        (2..=MAX_RECENT_TICKETS + 1).map(|number| ticket(number, &format!("A-{number}"))).collect();
    given.intents.record_tickets("A", "two", &many, at(1)).await.unwrap();
    let recent = recent(given, "A", 0).await;
    assert_eq!(recent.len(), MAX_RECENT_TICKETS as usize);
    assert!(!recent.contains(&"A-1".to_owned()));
}

async fn what_is_over_is_forgotten_and_nothing_else(given: &Given) {
    for (id, state, second) in [
        ("begun", None, 0),
        ("confirmed", Some(Confirmed), 0),
        ("failed", Some(Failed), 0),
        ("finished", Some(Finished), 0),
        ("finished late", Some(Finished), 10),
    ] {
        let version = begin(given, id, 0).await.version;
        if let Some(state) = state {
            save(given, id, version, state, second).await;
        }
    }
    given.intents.record_tickets("A", "one", &[ticket(1, "A-1")], at(0)).await.unwrap();
    given.intents.record_tickets("A", "one", &[ticket(2, "A-2")], at(10)).await.unwrap();
    assert_eq!(given.intents.forget_before(at(0)).await.unwrap(), 0);
    assert_eq!(given.intents.forget_before(at(10)).await.unwrap(), 2);
    assert_eq!(given.intents.forget_before(at(10)).await.unwrap(), 0);
    assert_eq!(
        given.query("SELECT id FROM ticket_intents ORDER BY id").await,
        ["begun", "confirmed", "finished late"]
    );
    assert_eq!(recent(given, "A", 0).await, ["A-2"]);
}

async fn what_is_too_long_is_refused(given: &Given) {
    let (long_id, long_data) = ("i".repeat(MAX_ID_LENGTH + 1), "d".repeat(MAX_DATA_LENGTH + 1));
    for intent in [new_intent(&long_id, Create, "{}"), new_intent("one", Create, &long_data)] {
        let error = given.intents.begin(&intent, None, at(0)).await.unwrap_err();
        assert!(matches!(error, IntentError::TooLong { .. }), "{error:?}");
    }
    assert_eq!(given.query("SELECT id FROM ticket_intents").await, [""; 0]);
    let (id, data) = (&long_id[1..], &long_data[1..]);
    let begun = given.intents.begin(&new_intent(id, Create, data), None, at(0)).await.unwrap();
    let Begun::New(intent) = begun else { panic!("known") };
    assert_eq!(intent.data, data);
    let error = given.intents.save(id, intent.version, Confirmed, &long_data, at(1)).await.unwrap_err();
    assert!(matches!(error, IntentError::TooLong { .. }), "{error:?}");
    let saved = given.intents.save(id, intent.version, Confirmed, data, at(1)).await.unwrap();
    assert_ne!(saved, Saved::Lost);
}

async fn hostile_texts_come_back_as_they_were(given: &Given) {
    for (number, text) in [
        "'); DROP TABLE ticket_intents; --",
        r#"{"text": "\u0000 \" \\ $1 ?1"}"#,
        "\u{1f600} 👩‍👩‍👧 مرحبا \u{feff}",
        "null",
        "12",
        "",
    ]
    .into_iter()
    .enumerate()
    {
        let id = format!("{number} {text}");
        let begun = given.intents.begin(&new_intent(&id, Create, text), None, at(0)).await.unwrap();
        let Begun::New(intent) = begun else { panic!("known") };
        assert_eq!((intent.id.as_str(), intent.data.as_str()), (id.as_str(), text));
        assert_ne!(save(given, &id, intent.version, Confirmed, 1).await, Saved::Lost);
        let issue = described(number as u32, &format!("A-{}", number + 1), text, "");
        given.intents.record_tickets(&id, &id, std::slice::from_ref(&issue), at(0)).await.unwrap();
        assert_eq!(given.intents.recent_tickets(&id, at(0)).await.unwrap(), [issue]);
    }
}

/// A statement that inserts an intent which this bot would not write.
fn row(id: &str, kind: &str, channel: &str, state: &str) -> String {
    let now = format!("{:.6}", at(0));
    format!(
        "INSERT INTO ticket_intents (id, kind, channel_id, user_id, state, data, version, created_at, updated_at) \
         VALUES ('{id}', '{kind}', '{channel}', 'U1', '{state}', '{{}}', 1, '{now}', '{now}')"
    )
}

async fn an_intent_that_makes_no_sense_hides_no_other(given: &Given) {
    given.execute(&row("bad", "create", "no channel", "begun")).await;
    begin(given, "good", 0).await;
    assert_eq!(claim(&*given.intents, 60, 61, 10).await, ["good"]);
    assert!(matches!(given.intents.get("bad").await, Err(DatabaseError::Unavailable(_))));
}

async fn an_intent_of_a_newer_bot_is_left_to_it(given: &Given) {
    given.execute(&row("kind", "transition", "C1", "begun")).await;
    given.execute(&row("state", "create", "C1", "waiting")).await;
    assert_eq!(claim(&*given.intents, 60, 61, 10).await, [""; 0]);
    assert_eq!(given.intents.forget_before(at(60)).await.unwrap(), 0);
    for id in ["kind", "state"] {
        let error = given.intents.begin(&new_intent(id, Create, "{}"), None, at(60)).await.unwrap_err();
        assert!(matches!(error, IntentError::Database(DatabaseError::Unavailable(_))), "{error:?}");
    }
}

async fn lists_and_intents_are_written_at_once(given: &Given) {
    let calls = (1..=40u32).map(|number| {
        let (tracker, intents) = (Arc::clone(&given.tracker), Arc::clone(&given.intents));
        tokio::spawn(async move {
            let issue = ticket(number, &format!("A-{number}"));
            let intent = new_intent(&number.to_string(), Create, "{}");
            let begun = intents.begin(&intent, None, at(0)).await.unwrap();
            let Begun::New(intent) = begun else { panic!("known") };
            crate::support::given::track(&*tracker, "C1", &[issue], 0).await;
            intents.save(&intent.id, intent.version, Finished, "{}", at(1)).await.unwrap()
        })
    });
    for call in calls.collect::<Vec<_>>() {
        assert_ne!(call.await.unwrap(), Saved::Lost);
    }
    assert_eq!(given.keys("C1").await.len(), 40);
}

async fn intents_survive_a_restart(given: &Given) {
    let intent = begin(given, "one", 0).await;
    given.close().await;
    let again = given.open_again().await;
    let intents = &again.intents;
    assert_eq!(intents.get("one").await.unwrap().as_ref(), Some(&intent));
    let begun = intents.begin(&new_intent("one", Create, "{}"), None, at(1)).await.unwrap();
    assert_eq!(begun, Begun::Known(intent));
    assert_eq!(claim(&**intents, 60, 61, 10).await, ["one"]);
    again.close().await;
}

async fn a_call_after_the_end_is_an_error(given: &Given) {
    given.close().await;
    let error = given.intents.begin(&new_intent("one", Create, "{}"), None, at(0)).await.unwrap_err();
    assert!(matches!(error, IntentError::Database(DatabaseError::Unavailable(_))), "{error:?}");
    assert!(given.intents.get("one").await.is_err());
}
