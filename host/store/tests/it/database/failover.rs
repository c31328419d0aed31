//! Servers that stop taking writes, and others that take over.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use maro_domain::{
    author::Author,
    tracked::{Source, TrackOutcome},
};
use maro_process::secret::Secret;
use maro_store::{Stores, database::error::DatabaseError, tracker::TrackRequest};
use tokio::time::{sleep, timeout};

use crate::support::{
    given::{Given, at, channel, issue, user},
    held_route::HeldRoute,
    postgres::{Database, Server},
    raw::execute,
};

/// Within this time, everything works again.
const RECOVERY: Duration = Duration::from_secs(10);

async fn track(stores: &Stores, number: u32) -> Result<Vec<TrackOutcome>, DatabaseError> {
    let (channel, user) = (channel("C1"), user("U1"));
    let request = TrackRequest { author: &Author::host(&channel, &user), source: Source::Command };
    stores.tracker.track(request, &[issue(number, &format!("TIDE-{number}"))], at(0)).await
}

/// A primary with a standby that has whatever was acknowledged.
async fn pair() -> Option<(Server, Server, Database)> {
    let primary = Server::start()?;
    let database = primary.database().await;
    let standby = primary.standby();
    let config = maro_store::config::DatabaseConfig::postgres(Secret::new(database.url.clone()));
    execute(&config, "ALTER SYSTEM SET synchronous_standby_names = '*'").await;
    execute(&config, "SELECT pg_reload_conf()").await;
    Some((primary, standby, database))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_standby_that_is_promoted_under_load_has_all_that_was_acknowledged() {
    let Some((primary, standby, database)) = pair().await else { return };
    let url = format!(
        "postgres://maro@{},{}/{}?target_session_attrs=read-write",
        standby.host(),
        primary.host(),
        database.name()
    );
    let given = Arc::new(Given::at(Secret::new(url)).await);
    let is_over = Arc::new(AtomicBool::new(false));
    let callers: Vec<_> = (0..4u32)
        .map(|caller| {
            let (given, is_over) = (Arc::clone(&given), Arc::clone(&is_over));
            tokio::spawn(async move {
                let mut acknowledged = Vec::new();
                for number in (1..).map(|round| round * 4 + caller) {
                    if is_over.load(Ordering::Relaxed) {
                        return acknowledged;
                    }
                    match track(&given.stores, number).await {
                        Ok(_) => acknowledged.push(format!("TIDE-{number}")),
                        Err(_) => sleep(Duration::from_millis(50)).await,
                    }
                }
                acknowledged
            })
        })
        .collect();
    sleep(Duration::from_millis(500)).await;
    primary.fail();
    sleep(Duration::from_millis(500)).await;
    given.tracker.ping().await.unwrap_err();
    standby.promote();
    let begun = Instant::now();
    while given.tracker.ping().await.is_err() {
        assert!(begun.elapsed() < RECOVERY, "still no writes");
        sleep(Duration::from_millis(50)).await;
    }
    track(&given.stores, 4).await.unwrap();
    sleep(Duration::from_millis(500)).await;
    is_over.store(true, Ordering::Relaxed);
    let keys = given.keys("C1").await;
    for caller in callers {
        let acknowledged = timeout(RECOVERY, caller).await.unwrap().unwrap();
        assert!(acknowledged.len() > 2, "{acknowledged:?}");
        let keys = given.keys("C1").await;
        for key in acknowledged {
            assert!(keys.contains(&key), "{key} is lost");
        }
    }
    assert!(!keys.is_empty());
    given.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_to_a_standby_are_not_kept_when_the_address_leads_back() {
    let Some((_primary, standby, database)) = pair().await else { return };
    let route = HeldRoute::to(&database).await;
    let given = Given::at(route.url.clone()).await;
    track(&given.stores, 3).await.unwrap();
    route.lead_to(&standby.existing(&database.name()));
    route.end_all();
    for _ in 0..5 {
        track(&given.stores, 4).await.unwrap_err();
        given.tracker.ping().await.unwrap_err();
    }
    // The connections to the standby stay, as far as anybody has them.
    route.lead_to(&database);
    given.tracker.ping().await.unwrap();
    for number in 4..20 {
        track(&given.stores, number).await.unwrap();
    }
    given.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_primary_that_turns_read_only_is_left_at_once() {
    let Some((primary, standby, database)) = pair().await else { return };
    let hosts = format!("{},{}", primary.host(), standby.host());
    let given = Given::at(Secret::new(format!("postgres://maro@{hosts}/{}", database.name()))).await;
    track(&given.stores, 1).await.unwrap();
    let config = maro_store::config::DatabaseConfig::postgres(Secret::new(database.url.clone()));
    execute(&config, "ALTER SYSTEM SET default_transaction_read_only = on").await;
    execute(&config, "SELECT pg_reload_conf()").await;
    sleep(Duration::from_millis(200)).await;
    let error = track(&given.stores, 2).await.unwrap_err();
    assert!(matches!(error, DatabaseError::Unavailable(_)), "{error:?}");
    given.tracker.ping().await.unwrap_err();
    standby.promote();
    given.tracker.ping().await.unwrap();
    track(&given.stores, 2).await.unwrap();
    assert_eq!(given.keys("C1").await, ["TIDE-1", "TIDE-2"]);
    given.close().await;
}

#[tokio::test]
async fn of_a_server_that_is_away_and_one_that_only_reads_the_latter_is_told() {
    let Some((primary, standby, database)) = pair().await else { return };
    primary.fail();
    let url = format!("postgres://maro@{},{}/{}", primary.host(), standby.host(), database.name());
    let config = maro_store::config::DatabaseConfig::postgres(Secret::new(url));
    let error = Stores::open(&config).await.map(drop).unwrap_err().to_string();
    assert!(error.contains(&standby.host()) && error.contains("takes no writes"), "{error}");
}
