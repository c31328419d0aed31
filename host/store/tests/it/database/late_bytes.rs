//! Bytes that the network holds back, and delivers after MARO gave up on them.

use std::{sync::Arc, time::Duration};

use jiff::Timestamp;
use maro_domain::{
    author::Author,
    ids::UserId,
    tracked::{
        Source,
        TrackOutcome::{self, Tracked},
    },
};
use maro_store::{
    database::error::DatabaseError,
    intents::{Begun, IntentKind, IntentState, NewIntent, Saved, Version},
    plugin_storage::{Change, Changed, Condition, Owner, Quota, Space},
    tracker::TrackRequest,
};
use tokio::time::sleep;

use crate::support::{
    given::{Given, at, author, channel, issue, key, noted, user},
    held_route::HeldRoute,
    postgres,
};

/// Long enough for what is let go to be carried out, if it is at all.
const A_MOMENT: Duration = Duration::from_secs(1);

const QUOTA: Quota = Quota { keys: 100, bytes: 10_000, plugin_bytes: 100_000 };

async fn given() -> Option<(Arc<Given>, HeldRoute)> {
    let route = HeldRoute::to(&postgres::Database::new().await?).await;
    let given = Given::at(route.url.clone()).await;
    Some((Arc::new(given), route))
}

async fn track(given: &Given, number: u32, by: &UserId) -> Result<Vec<TrackOutcome>, DatabaseError> {
    let channel = channel("C1");
    let request = TrackRequest { author: &Author::host(&channel, by), source: Source::Command };
    given.tracker.track(request, &[issue(number, &format!("TIDE-{number}"))], at(0)).await
}

async fn put(given: &Given, key: &str) -> Result<Changed, DatabaseError> {
    let space = Space { plugin: "standup", owner: Owner::Plugin, now: Timestamp::UNIX_EPOCH };
    let change = Change { key, condition: Condition::Any, new: Some("value"), expires_at: None };
    given.plugin_storage.change(space, change, QUOTA, noted(&author("C1", "U1"))).await
}

fn intent(id: &str) -> NewIntent {
    NewIntent {
        id: id.to_owned(),
        kind: IntentKind::Create,
        channel: channel("C1"),
        user: user("U1"),
        state: IntentState::Begun,
        data: "{}".to_owned(),
    }
}

async fn begin(given: &Given, id: &str) -> Version {
    match given.intents.begin(&intent(id), None, at(0)).await.unwrap() {
        Begun::New(intent) | Begun::Known(intent) => intent.version,
    }
}

/// Makes each kind of change on every connection, so that none has to be prepared any more.
async fn warm_up(given: &Given) {
    let kinds = |round: u32| async move {
        track(given, 100 + round, &user("U1")).await.unwrap();
        given
            .tracker
            .untrack(&author("C1", "U1"), &[key(&format!("TIDE-{}", 100 + round))], at(0))
            .await
            .unwrap();
        put(given, &format!("warm {round}")).await.unwrap();
        given.plugin_switches.disable(&format!("warm{round}"), &author("C1", "U1"), at(0)).await.unwrap();
        let version = begin(given, &format!("warm {round}")).await;
        given
            .intents
            .save(&format!("warm {round}"), version, IntentState::Finished, "{}", at(0))
            .await
            .unwrap();
    };
    for _ in 0..8 {
        tokio::join!(kinds(1), kinds(2), kinds(3), kinds(4), kinds(5), kinds(6), kinds(7), kinds(8));
    }
}

fn is_given_up<T, E: Into<DatabaseError> + std::fmt::Debug>(result: Result<T, E>) {
    let Err(error) = result.map_err(Into::into) else { panic!("was made") };
    assert!(matches!(error, DatabaseError::Uncertain(_)), "{error:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_given_up_on_is_not_carried_out_when_the_network_delivers_it() {
    let Some((given, route)) = given().await else { return };
    warm_up(&given).await;
    assert_eq!(track(&given, 41, &user("U1")).await.unwrap(), [Tracked]);
    let version = begin(&given, "known").await;
    route.hold("");
    let (one, two) = (user("U1"), user("U2"));
    let by = author("C1", "U1");
    let keys = [key("TIDE-41")];
    let (new, data) = (intent("new"), "{\"late\":true}");
    let (untracked, tracked, put, disabled, begun, saved) = tokio::join!(
        given.tracker.untrack(&by, &keys, at(0)),
        track(&given, 42, &one),
        put(&given, "late"),
        given.plugin_switches.disable("standup", &by, at(0)),
        given.intents.begin(&new, None, at(0)),
        given.intents.save("known", version, IntentState::Finished, data, at(1)),
    );
    is_given_up(untracked);
    is_given_up(tracked);
    is_given_up(put);
    is_given_up(disabled);
    assert!(begun.is_err() && saved.is_err(), "{begun:?}, {saved:?}");

    // People go on, on new connections.
    given.tracker.untrack(&by, &keys, at(0)).await.unwrap();
    assert_eq!(track(&given, 41, &two).await.unwrap(), [Tracked]);
    route.let_go();
    sleep(A_MOMENT).await;
    assert_eq!(given.keys("C1").await, ["TIDE-41"]);
    assert_eq!(given.list("C1").await[0].tracked_by, Some(two));
    let space = Space { plugin: "standup", owner: Owner::Plugin, now: Timestamp::UNIX_EPOCH };
    assert_eq!(given.plugin_storage.get(space, "late").await.unwrap(), None);
    let disabled = given.plugin_switches.disabled().await.unwrap();
    assert!(disabled.iter().all(|switch| switch.plugin.starts_with("warm")), "{disabled:?}");
    assert_eq!(given.intents.get("new").await.unwrap(), None);
    assert_eq!(given.intents.get("known").await.unwrap().unwrap().state, IntentState::Begun);
    assert!(matches!(
        given.intents.save("known", version, IntentState::Finished, "{}", at(2)).await,
        Ok(Saved::Yes(_))
    ));
    given.close().await;
}

/// The changes are there, and only their end is under way for too long.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_commit_that_arrives_late_commits_nothing() {
    let Some((given, route)) = given().await else { return };
    put(&given, "early").await.unwrap();
    route.hold("COMMIT");
    // The server ends a session that says nothing for two seconds, and undoes its changes.
    let error = put(&given, "late").await.unwrap_err();
    assert!(matches!(error, DatabaseError::Unavailable(_)), "{error:?}");
    route.let_go();
    sleep(A_MOMENT).await;
    let space = Space { plugin: "standup", owner: Owner::Plugin, now: Timestamp::UNIX_EPOCH };
    assert_eq!(given.plugin_storage.list_keys(space, "", 10).await.unwrap(), ["early"]);
    given.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_shown_and_claimed_stays_as_it_was_when_the_network_delivers_late() {
    let Some((given, route)) = given().await else { return };
    let (channel, shown) = (channel("C1"), key("TIDE-1"));
    let half_an_hour = Duration::from_secs(30 * 60);
    let show = async || given.notices.claim_shown_issue(&channel, &shown, half_an_hour).await.unwrap();
    // So that the statements are known to the one connection.
    assert!(show().await);
    given.notices.release_shown_issue(&channel, &shown).await.unwrap();
    assert!(show().await);
    route.hold("");
    is_given_up(given.notices.release_shown_issue(&channel, &shown).await);
    route.let_go();
    sleep(A_MOMENT).await;
    assert!(!show().await, "it would be shown twice");

    given.execute("INSERT INTO channel_notices (channel_id, mode, due_ms) VALUES ('C1', 'status', 0)").await;
    let claim = async |holder: i64| given.notices.claim(holder, 10, Duration::ZERO).await;
    assert_eq!(claim(1).await.unwrap().len(), 1);
    given.execute("UPDATE channel_notices SET holder = NULL, held_until_ms = 0").await;
    route.hold("");
    is_given_up(claim(7).await);
    route.let_go();
    sleep(A_MOMENT).await;
    assert_eq!(claim(8).await.unwrap().len(), 1, "nobody has it");
    given.close().await;
}
