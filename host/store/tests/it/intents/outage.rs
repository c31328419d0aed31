//! Intents outlive the bot, and a database that goes away.

use std::fs;

use jiff::SignedDuration;
use maro_process::clock::Clock;
use maro_store::{
    Stores,
    config::DatabaseConfig,
    database::error::DatabaseError,
    intents::{Begun, IntentError, IntentKind, IntentState, NewIntent, Saved, Saving},
};
use sqlx::{Connection, Executor};

use crate::support::{
    given::{Given, at, author, channel, user},
    postgres::Server,
    raw::Raw,
};

fn new_intent(id: &str) -> NewIntent {
    let (channel, user) = (channel("C1"), user("U1"));
    NewIntent {
        id: id.to_owned(),
        kind: IntentKind::Create,
        channel,
        user,
        state: IntentState::Begun,
        data: "{}".to_owned(),
    }
}

#[tokio::test]
async fn what_is_written_survives_a_bot_that_is_killed() {
    let given = Given::sqlite().await;
    let begun = given.intents.begin(&new_intent("one"), None, at(0)).await.unwrap();
    let Begun::New(intent) = begun else { panic!("known") };
    let state = IntentState::Confirmed;
    let saved = given.intents.save("one", intent.version, state, "[1]", at(1)).await.unwrap();
    assert_ne!(saved, Saved::Lost);
    // What the process leaves in the file system at this moment, without closing anything.
    let DatabaseConfig::Sqlite { path } = &given.config else { panic!("not SQLite") };
    let folder = tempfile::tempdir().unwrap();
    for ending in ["", "-wal"] {
        let name = format!("maro.db{ending}");
        fs::copy(path.with_file_name(&name), folder.path().join(&name)).unwrap();
    }
    let config = DatabaseConfig::Sqlite { path: folder.path().join("maro.db") };
    let left = Stores::open(&config).await.unwrap();
    let claimed = left.intents.claim_abandoned(at(60), at(61), 10).await.unwrap();
    assert_eq!(claimed.len(), 1);
    assert_eq!((claimed[0].state, claimed[0].data.as_str()), (IntentState::Confirmed, "[1]"));
    left.close().await;
    given.close().await;
}

#[tokio::test]
async fn an_intent_begun_on_a_session_that_postgres_ended_is_the_callers() {
    let Some(given) = Given::postgres().await else { return };
    given.intents.begin(&new_intent("one"), None, at(0)).await.unwrap();
    given.end_all_sessions().await;
    let begun = given.intents.begin(&new_intent("two"), None, at(0)).await.unwrap();
    let Begun::New(intent) = begun else { panic!("known") };
    given.end_all_sessions().await;
    let state = IntentState::Finished;
    let saved = given.intents.save("two", intent.version, state, "{}", at(1)).await.unwrap();
    assert_ne!(saved, Saved::Lost);
    given.close().await;
}

#[tokio::test]
async fn a_postgres_that_stops_and_starts_has_the_intents() {
    let Some(server) = Server::start() else { return };
    let given = Given::on(server.database().await).await;
    let begun = given.intents.begin(&new_intent("one"), None, at(0)).await.unwrap();
    let Begun::New(intent) = begun else { panic!("known") };
    server.stop();
    let error = given.intents.begin(&new_intent("two"), None, at(0)).await.unwrap_err();
    assert!(matches!(error, IntentError::Database(DatabaseError::Unavailable(_))), "{error:?}");
    assert!(given.intents.claim_abandoned(at(60), at(61), 10).await.is_err());
    server.start_again();
    assert_eq!(given.intents.get("one").await.unwrap(), Some(intent));
    assert!(matches!(given.intents.begin(&new_intent("two"), None, at(0)).await.unwrap(), Begun::New(_)));
    given.close().await;
}

#[tokio::test]
async fn a_locked_table_is_waited_for_in_vain() {
    let Some(given) = Given::postgres().await else { return };
    let Raw::Postgres(mut other) = Raw::connect(&given.config).await else { panic!("not PostgreSQL") };
    other.execute("BEGIN; LOCK TABLE ticket_intents").await.unwrap();
    let error = given.intents.begin(&new_intent("one"), None, at(0)).await.unwrap_err();
    assert!(matches!(error, IntentError::Database(DatabaseError::TimedOut)), "{error:?}");
    other.execute("ROLLBACK").await.unwrap();
    assert!(matches!(given.intents.begin(&new_intent("one"), None, at(0)).await.unwrap(), Begun::New(_)));
    other.close().await.unwrap();
    given.close().await;
}

#[tokio::test]
async fn an_intent_that_was_begun_without_word_of_it_is_the_callers() {
    let Some((given, route)) = Given::on_lossy_postgres().await else { return };
    route.lose_answers_to("lost", 2);
    let begun = given.intents.begin(&new_intent("lost"), None, at(0)).await.unwrap();
    assert!(matches!(begun, Begun::New(_)), "{begun:?}");
    route.lose_answers_to("gone", 3);
    let error = given.intents.begin(&new_intent("gone"), None, at(0)).await.unwrap_err();
    assert!(matches!(error, IntentError::Database(DatabaseError::Uncertain(_))), "{error:?}");
    assert_eq!(given.intents.claim_abandoned(at(60), at(61), 10).await.unwrap().len(), 2);
    given.close().await;
}

/// Leases are by the server's clock: those of replicas differ, and by more than a lease at times.
#[tokio::test]
async fn a_replica_whose_clock_is_slow_keeps_what_it_works_on() {
    let Some(given) = Given::postgres().await else { return };
    let claim = async |clock_is_ahead: i64| {
        let now = Clock::system().now() + SignedDuration::from_secs(clock_is_ahead);
        let idle_before = now - SignedDuration::from_secs(25);
        let claimed = given.intents.claim_abandoned(idle_before, now, 10).await.unwrap();
        claimed.into_iter().map(|intent| intent.version).collect::<Vec<_>>()
    };
    let slow = || Clock::system().now() - SignedDuration::from_secs(40);
    let begun = given.intents.begin(&new_intent("one"), None, slow()).await.unwrap();
    let Begun::New(intent) = begun else { panic!("known") };
    assert_eq!(claim(0).await, [], "it has just begun it");
    let saved = given.intents.save("one", intent.version, IntentState::Begun, "{}", slow()).await.unwrap();
    let Saved::Yes(version) = saved else { panic!("lost") };
    assert_eq!(claim(0).await, [], "it has just saved it");
    let author = author("C1", "U1");
    let saving = Saving { id: "one", version, state: IntentState::Confirmed, data: "{}" };
    given.intents.save_as(&author, saving, &[], slow()).await.unwrap();
    assert_eq!(claim(0).await, [], "it has just saved it with an entry in the log");
    given.execute("UPDATE ticket_intents SET updated_at = updated_at - interval '90 seconds'").await;
    assert_eq!(claim(-40).await.len(), 1);
    assert_eq!(claim(0).await, [], "it has just taken it over");
    given.execute("UPDATE ticket_intents SET updated_at = updated_at - interval '26 seconds'").await;
    assert_eq!(claim(0).await.len(), 1);
    given.close().await;
}
