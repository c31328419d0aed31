//! Behind PgBouncer in transaction mode, where a session lasts for one transaction.

use std::sync::Arc;

use futures_util::future::join_all;
use jiff::Timestamp;
use maro_domain::{
    author::Author,
    tracked::{Source, TrackOutcome::Tracked, UntrackOutcome},
};
use maro_process::secret::Secret;
use maro_store::{
    Stores,
    config::DatabaseConfig,
    database::error::DatabaseError,
    intents::{IntentKind, IntentState, NewIntent},
    plugin_storage::{Change, Condition, Owner, Quota, Space},
    tracker::TrackRequest,
};

use crate::support::{
    given::{Given, Sync as _, at, author, channel, issue, key, noted, user},
    lossy_route::LossyRoute,
    pgbouncer::{self, PgBouncer},
    postgres,
    raw::query,
};

/// Each kind of call, by one of many callers.
async fn work(stores: Arc<Stores>, caller: u32) {
    let (list, user) = (channel(&format!("C{caller}")), user("U1"));
    let request = TrackRequest { author: &Author::host(&list, &user), source: Source::Command };
    let issues: Vec<_> = (1..=3).map(|number| issue(number, &format!("A-{number}"))).collect();
    assert_eq!(stores.tracker.track(request, &issues[..1], at(0)).await.unwrap(), [Tracked]);
    stores.tracker.track(request, &issues, at(1)).await.unwrap();
    let removed = stores.tracker.untrack(&Author::host(&list, &user), &[key("A-2")], at(0)).await.unwrap();
    assert_eq!(removed, [UntrackOutcome::new(true)]);
    let synced = [(key("A-1"), Some(issue(1, "A-1")))];
    stores.tracker.sync(&synced, at(2)).await.unwrap();
    assert_eq!(stores.tracker.count_tracked_issues(&list).await.unwrap(), 2);
    let id = format!("intent {caller}");
    let intent = NewIntent {
        id: id.clone(),
        kind: IntentKind::Create,
        channel: list.clone(),
        user: user.clone(),
        state: IntentState::Begun,
        data: "{}".to_owned(),
    };
    stores.intents.begin(&intent, None, at(0)).await.unwrap();
    assert!(stores.intents.get(&id).await.unwrap().is_some());
    let space = Space { plugin: "standup", owner: Owner::Channel(&list), now: Timestamp::UNIX_EPOCH };
    let change = Change { key: "a", condition: Condition::Any, new: Some("b"), expires_at: None };
    let quota = Quota { keys: 10, bytes: 1_000, plugin_bytes: 100_000 };
    stores.plugin_storage.change(space, change, quota, noted(&author("C1", "U1"))).await.unwrap();
    assert_eq!(stores.plugin_storage.get(space, "a").await.unwrap().as_deref(), Some("b"));
    assert!(
        stores
            .plugin_switches
            .disable(&format!("p{caller}"), &Author::host(&channel("C1"), &user), at(0))
            .await
            .unwrap()
    );
}

async fn two_bots_work_behind(settings: &str) {
    let Some(database) = postgres::Database::new().await else { return };
    let Some(pooler) = PgBouncer::before(&database, settings) else { return };
    let open = || Given::at(pooler.url.clone());
    // Both start on an empty database, through the one connection.
    let (one, other) = tokio::join!(open(), open());
    let (one, other) = (Arc::new(one.stores.clone()), Arc::new(other.stores.clone()));
    join_all((0..50).map(|caller| work(Arc::clone(if caller % 2 == 0 { &one } else { &other }), caller)))
        .await;
    one.tracker.ping().await.unwrap();
    // Another program that gets the same session finds it as it was.
    let behind = DatabaseConfig::postgres(pooler.url.clone());
    for setting in ["statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout"] {
        assert_eq!(query(&behind, &format!("SHOW {setting}")).await, ["0"], "{setting}");
    }
    one.close().await;
    other.close().await;
    // Those that start later find all in order.
    let later = open().await;
    assert_eq!(later.keys("C7").await, ["A-1", "A-3"]);
    later.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_bots_work_behind_pgbouncer_as_it_comes() {
    two_bots_work_behind("").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_bots_work_behind_a_pgbouncer_that_drops_settings() {
    two_bots_work_behind("ignore_startup_parameters = extra_float_digits,options").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_bots_work_behind_a_pgbouncer_that_knows_prepared_statements() {
    if pgbouncer::version().is_some_and(|version| version < (1, 21)) {
        // Older ones don't know the setting, so that there is nothing to set.
        return;
    }
    two_bots_work_behind("max_prepared_statements = 0").await;
    two_bots_work_behind("max_prepared_statements = 200").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pooler_can_be_named_in_the_settings() {
    let Some(database) = postgres::Database::new().await else { return };
    let DatabaseConfig::Postgres(mut config) = DatabaseConfig::postgres(Secret::new(database.url)) else {
        panic!("not PostgreSQL")
    };
    config.is_pooled = true;
    let stores = Arc::new(Stores::open(&DatabaseConfig::Postgres(config)).await.unwrap());
    join_all((0..8).map(|caller| work(Arc::clone(&stores), caller))).await;
    stores.close().await;
}

/// The server is gone between a COMMIT and its answer. PgBouncer says so with an error of its own.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_commit_whose_answer_the_pooler_lost_is_uncertain() {
    let Some(database) = postgres::Database::new().await else { return };
    let route = LossyRoute::to(&database).await;
    let behind = postgres::Database { url: route.url.expose().to_owned() };
    let Some(pooler) = PgBouncer::before(&behind, "server_login_retry = 0") else { return };
    let given = Given::at(pooler.url.clone()).await;
    given.track("C1", &[issue(1, "A-1")], 0).await;
    let author = author("C1", "U1");

    route.lose_answers_to("COMMIT", 1);
    let error = given.tracker.untrack(&author, &[key("A-1")], at(1)).await.unwrap_err();
    assert!(matches!(error, DatabaseError::Uncertain(_)), "{error:?}");
    assert!(given.keys("C1").await.is_empty(), "this call removed it");

    let space = Space { plugin: "p", owner: Owner::Plugin, now: Timestamp::UNIX_EPOCH };
    let quota = Quota { keys: 10, bytes: 1_000, plugin_bytes: 100_000 };
    route.lose_answers_to("COMMIT", 1);
    let error = given.plugin_storage.add(space, "sum", 5, quota, noted(&author)).await.unwrap_err();
    assert!(matches!(error, DatabaseError::Uncertain(_)), "{error:?}");
    assert_eq!(
        given.plugin_storage.get(space, "sum").await.unwrap().as_deref(),
        Some("5"),
        "it isn't added twice"
    );

    // What hasn't come to its COMMIT is undone, so it's made again.
    given.track("C1", &[issue(3, "A-3")], 2).await;
    route.lose_answers_to("DELETE FROM channel_tracked_issues", 1);
    let removed = given.tracker.untrack(&author, &[key("A-3")], at(3)).await.unwrap();
    assert_eq!(removed, [UntrackOutcome::new(true)]);

    // What may be repeated is.
    route.lose_answers_to("COMMIT", 1);
    assert_eq!(given.track("C1", &[issue(2, "A-2")], 2).await, [Tracked]);
    given.close().await;
}
