//! A request takes effect once, whichever replica handles it and however often. Each claim runs on SQLite and on
//! PostgreSQL.

use futures_util::future::join;
use jiff::Timestamp;
use maro_domain::{
    author::Author,
    request_token::RequestToken,
    tracked::{Source, TrackOutcome, UntrackOutcome},
};
use maro_store::{
    Stores,
    audit::{Entry, Noted},
    database::error::DatabaseError,
    intents::{Begun, IntentError, IntentKind, IntentState, NewIntent, Saving},
    plugin_storage::{Change, Condition, Owner, Quota, Space},
    tracker::TrackRequest,
};

use crate::{
    audit::conformance::log,
    support::given::{Given, at, author, channel, issue, key, on_both_databases, user},
};

on_both_databases! {
    a_replayed_track_adds_nothing,
    a_replayed_untrack_removes_nothing_that_was_tracked_since,
    one_handling_may_change_several_things,
    what_changed_nothing_is_not_remembered,
    a_replay_changes_nothing_else_either,
    of_replays_at_once_one_takes_effect,
    replays_and_others_in_one_batch_are_told_apart,
    an_intent_is_begun_for_the_first_handling_alone,
    a_draft_is_saved_for_the_first_handling_alone,
    a_request_is_remembered_over_a_restart,
}

/// One handling of a request.
fn handling(request: u8, handling: i64) -> RequestToken {
    RequestToken::new([request; 16], handling)
}

fn by(request: &RequestToken) -> Author {
    Author { request: Some(request.clone()), ..author("C1", "U1") }
}

async fn track(
    stores: &Stores,
    request: &RequestToken,
    numbers: &[u32],
) -> Result<Vec<TrackOutcome>, DatabaseError> {
    let issues: Vec<_> = numbers.iter().map(|number| issue(*number, &format!("A-{number}"))).collect();
    let request = TrackRequest { author: &by(request), source: Source::Command };
    stores.tracker.track(request, &issues, at(0)).await
}

async fn untrack(
    stores: &Stores,
    request: &RequestToken,
    number: u32,
) -> Result<Vec<UntrackOutcome>, DatabaseError> {
    stores.tracker.untrack(&by(request), &[key(&format!("A-{number}"))], at(1)).await
}

#[track_caller]
fn assert_replayed<T: std::fmt::Debug>(request: &RequestToken, outcome: Result<T, DatabaseError>) {
    assert!(matches!(outcome, Err(DatabaseError::Replayed)), "{outcome:?}");
    assert!(request.is_replay());
}

async fn a_replayed_track_adds_nothing(given: &Given) {
    let replica = given.replica().await;
    let (first, again) = (handling(1, 10), handling(1, 11));
    assert_eq!(track(given, &first, &[1]).await.unwrap(), [TrackOutcome::Tracked]);
    assert!(!first.is_replay());
    // Still on the list, and taken off by somebody since.
    assert_replayed(&again, track(&replica, &again, &[1]).await);
    given.tracker.untrack(&author("C1", "U2"), &[key("A-1")], at(1)).await.unwrap();
    for numbers in [&[1][..], &[1, 2], &[1, 1]] {
        let again = handling(1, 12);
        assert_replayed(&again, track(&replica, &again, numbers).await);
    }
    assert_eq!(given.keys("C1").await, [""; 0]);
    assert_eq!(log(given).await, ["track A-1 done", "untrack A-1 done"]);
    let (many, again) = (handling(2, 20), handling(2, 21));
    track(given, &many, &[3, 4]).await.unwrap();
    assert_replayed(&again, track(&replica, &again, &[3, 4, 5]).await);
    assert_eq!(given.keys("C1").await, ["A-3", "A-4"]);
    replica.close().await;
}

async fn a_replayed_untrack_removes_nothing_that_was_tracked_since(given: &Given) {
    let replica = given.replica().await;
    let (first, again, later) = (handling(1, 10), handling(1, 11), handling(1, 12));
    given.track("C1", &[issue(1, "A-1"), issue(2, "A-2")], 0).await;
    assert_eq!(untrack(given, &first, 1).await.unwrap(), [UntrackOutcome::Untracked]);
    assert_replayed(&again, untrack(&replica, &again, 1).await);
    given.track("C1", &[issue(1, "A-1")], 2).await;
    assert_replayed(&later, untrack(&replica, &later, 1).await);
    let keys = [key("A-1"), key("A-2")];
    let outcome = replica.tracker.untrack(&by(&later), &keys, at(3)).await;
    assert_replayed(&later, outcome);
    assert_eq!(given.keys("C1").await, ["A-2", "A-1"]);
    replica.close().await;
}

async fn one_handling_may_change_several_things(given: &Given) {
    let request = handling(1, 10);
    track(given, &request, &[1]).await.unwrap();
    track(given, &request, &[1, 2]).await.unwrap();
    untrack(given, &request, 1).await.unwrap();
    // Even if it isn't known that the first change was made.
    let request = handling(1, 10);
    track(given, &request, &[3]).await.unwrap();
    track(given, &handling(1, 10), &[4, 5]).await.unwrap();
    untrack(given, &handling(1, 10), 4).await.unwrap();
    untrack(given, &handling(1, 10), 4).await.unwrap();
    assert_eq!(given.keys("C1").await, ["A-2", "A-3", "A-5"]);
    assert_eq!(given.query("SELECT count(*) || '' FROM audit_log WHERE request IS NOT NULL").await, ["1"]);
}

async fn what_changed_nothing_is_not_remembered(given: &Given) {
    let request = handling(1, 10);
    assert_eq!(untrack(given, &request, 1).await.unwrap(), [UntrackOutcome::NotTracked]);
    given.audit.note(&by(&request), REFUSED, at(0)).await.unwrap();
    assert_eq!(given.query("SELECT count(*) || '' FROM audit_log WHERE request IS NOT NULL").await, ["0"]);
    given.track("C1", &[issue(1, "A-1")], 0).await;
    assert_eq!(untrack(given, &handling(1, 11), 1).await.unwrap(), [UntrackOutcome::Untracked]);
}

const REFUSED: Entry<'_> = Entry { action: "track", subject: "A-1", outcome: "refused" };

async fn a_replay_changes_nothing_else_either(given: &Given) {
    let replica = given.replica().await;
    let first = handling(1, 10);
    let by_first = by(&first);
    let quota = Quota { keys: 9, bytes: 900, plugin_bytes: 900 };
    let space = Space { plugin: "p", owner: Owner::Plugin, now: Timestamp::UNIX_EPOCH };
    let set = |value| Change { key: "k", condition: Condition::Any, new: Some(value), expires_at: None };
    let noted = |author| Noted {
        author,
        entry: Entry { action: "storage set", subject: "k", outcome: "done" },
        at: at(0),
    };
    given.plugin_storage.change(space, set("one"), quota, noted(&by_first)).await.unwrap();
    let again = handling(1, 11);
    let by_again = by(&again);
    let take = Change { key: "k", condition: Condition::Any, new: None, expires_at: None };
    for change in [set("two"), take] {
        let changed = replica.plugin_storage.change(space, change, quota, noted(&by_again)).await;
        assert_replayed(&again, changed);
    }
    assert_eq!(given.plugin_storage.get(space, "k").await.unwrap().as_deref(), Some("one"));
    assert_replayed(&again, replica.plugin_switches.disable("track", &by_again, at(0)).await);
    assert_replayed(&again, replica.plugin_switches.enable("track", &by_again, at(0)).await);
    assert!(given.plugin_switches.disabled().await.unwrap().is_empty());
    let comment = Entry { action: "comment", subject: "A-1", outcome: "begun" };
    assert_replayed(&again, replica.audit.begin(&by_again, comment, at(0)).await);
    assert_eq!(log(given).await, ["storage set k done"]);
    // The first goes on, and what is refused is noted all the same.
    assert!(given.plugin_switches.disable("track", &by_first, at(0)).await.unwrap());
    given.audit.begin(&by_first, comment, at(0)).await.unwrap();
    replica.audit.note(&by_again, REFUSED, at(0)).await.unwrap();
    assert_eq!(log(given).await.len(), 4);
    replica.close().await;
}

async fn of_replays_at_once_one_takes_effect(given: &Given) {
    let replica = given.replica().await;
    for round in 1..=20 {
        let (one, other) = (handling(round, 1), handling(round, 2));
        let number = u32::from(round);
        let (tracked, again) = join(track(given, &one, &[number]), track(&replica, &other, &[number])).await;
        assert!(tracked.is_ok() != again.is_ok(), "{tracked:?}, {again:?}");
        let (one, other) = (handling(round + 100, 1), handling(round + 100, 2));
        let (untracked, again) = join(untrack(given, &one, number), untrack(&replica, &other, number)).await;
        assert!(untracked.is_ok() != again.is_ok(), "{untracked:?}, {again:?}");
        assert!(one.is_replay() != other.is_replay());
    }
    assert_eq!(given.keys("C1").await, [""; 0]);
    assert_eq!(log(given).await.len(), 40);
    replica.close().await;
}

/// On SQLite, waiting changes are made together.
async fn replays_and_others_in_one_batch_are_told_apart(given: &Given) {
    track(given, &handling(1, 1), &[1]).await.unwrap();
    given.tracker.untrack(&author("C1", "U2"), &[key("A-1")], at(1)).await.unwrap();
    let work = (1..=30).map(|number| async move {
        let request = if number % 3 == 0 { handling(1, 2) } else { handling(100 + number, 1) };
        (number, track(given, &request, &[u32::from(number)]).await)
    });
    for (number, tracked) in futures_util::future::join_all(work).await {
        assert_eq!(tracked.is_err(), number % 3 == 0, "{number}: {tracked:?}");
    }
    assert_eq!(given.keys("C1").await.len(), 20);
    let work = (1..=30).map(|number| async move {
        let request = if number % 3 == 0 { handling(1, 2) } else { handling(200 + number, 1) };
        (number, untrack(given, &request, u32::from(number)).await)
    });
    for (number, untracked) in futures_util::future::join_all(work).await {
        assert_eq!(untracked.is_err(), number % 3 == 0, "{number}: {untracked:?}");
    }
    assert_eq!(given.keys("C1").await, [""; 0]);
}

fn intent(id: &str, state: IntentState) -> NewIntent {
    NewIntent {
        id: id.to_owned(),
        kind: IntentKind::Create,
        channel: channel("C1"),
        user: user("U1"),
        state,
        data: "{}".to_owned(),
    }
}

const CREATE: Entry<'_> = Entry { action: "create", subject: "A", outcome: "begun" };

async fn begin(stores: &Stores, id: &str, request: &RequestToken) -> Result<Begun, IntentError> {
    let noted = Noted { author: &by(request), entry: CREATE, at: at(0) };
    stores.intents.begin(&intent(id, IntentState::Begun), Some(noted), at(0)).await
}

fn assert_intent_replayed<T: std::fmt::Debug>(outcome: Result<T, IntentError>) {
    assert!(matches!(outcome, Err(IntentError::Database(DatabaseError::Replayed))), "{outcome:?}");
}

async fn an_intent_is_begun_for_the_first_handling_alone(given: &Given) {
    let replica = given.replica().await;
    assert!(matches!(begin(given, "one", &handling(1, 1)).await.unwrap(), Begun::New(_)));
    // The same handling may ask whether it is there.
    assert!(matches!(begin(given, "one", &handling(1, 1)).await.unwrap(), Begun::Known(_)));
    for id in ["one", "two"] {
        assert_intent_replayed(begin(&replica, id, &handling(1, 2)).await);
    }
    assert_eq!(given.intents.get("two").await.unwrap(), None);
    // What was there already isn't begun by another request, which may do something else.
    let other = handling(2, 1);
    assert!(matches!(begin(given, "one", &other).await.unwrap(), Begun::Known(_)));
    assert!(!other.is_recorded());
    replica.close().await;
}

async fn a_draft_is_saved_for_the_first_handling_alone(given: &Given) {
    let replica = given.replica().await;
    let draft = given.intents.begin(&intent("one", IntentState::Draft), None, at(0)).await.unwrap();
    let Begun::New(draft) = draft else { panic!("known") };
    let saving = |version, state| Saving { id: "one", version, state, data: "{}" };
    let begun = saving(draft.version, IntentState::Begun);
    given.intents.save_as(&by(&handling(2, 1)), begun, &[CREATE], at(1)).await.unwrap();
    let now = given.intents.get("one").await.unwrap().unwrap();
    let failed = saving(now.version, IntentState::Failed);
    given.intents.save_as(&by(&handling(2, 1)), failed, &[CREATE], at(1)).await.unwrap();
    let now = given.intents.get("one").await.unwrap().unwrap();
    let begun = saving(now.version, IntentState::Begun);
    assert_intent_replayed(replica.intents.save_as(&by(&handling(2, 2)), begun, &[CREATE], at(2)).await);
    assert_eq!(given.intents.get("one").await.unwrap().unwrap().state, IntentState::Failed);
    assert_eq!(log(given).await.len(), 2);
    replica.close().await;
}

async fn a_request_is_remembered_over_a_restart(given: &Given) {
    track(given, &handling(1, 1), &[1]).await.unwrap();
    given.close().await;
    let stores = given.open_again().await;
    let again = handling(1, 2);
    assert_replayed(&again, track(&stores, &again, &[2]).await);
    stores.close().await;
}
