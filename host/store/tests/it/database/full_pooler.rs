//! A PgBouncer that has too little for everybody: its one session is somebody else's for a while, or it takes few
//! connections. A statement that waits there has done nothing yet.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use futures_util::future::join_all;
use maro_domain::{
    author::Author,
    tracked::{PageRequest, Source, TrackOutcome::Tracked},
};
use maro_process::secret::Secret;
use maro_store::{Stores, config::DatabaseConfig, database::error::DatabaseError, tracker::TrackRequest};
use sqlx::Executor as _;
use tokio::time::sleep;

use crate::support::{
    given::{Given, at, channel, issue, user},
    pgbouncer::PgBouncer,
    postgres::Database,
    raw::{Raw, execute, query},
};

const CALLERS: u32 = 50;

/// So many of them track an issue.
const TRACKING: u32 = 25;

/// Longer than a connection that was idle is trusted without a check.
const IDLE: Duration = Duration::from_millis(1_200);

/// Has the pooler's one session for so long.
async fn hold(config: &DatabaseConfig, held_for: Duration) {
    let Raw::Postgres(mut other) = Raw::connect(config).await else { panic!("not PostgreSQL") };
    other.execute("BEGIN; SELECT 1").await.unwrap();
    tokio::spawn(async move {
        sleep(held_for).await;
        other.execute("COMMIT").await.unwrap();
    });
}

/// Half of the callers track an issue, each in a channel of their own, and half have a list shown, all at once.
async fn track_and_show(stores: &Stores, number: u32) -> Vec<Result<(), DatabaseError>> {
    let call = async |caller: u32| {
        let (list, user) = (channel(&format!("C{caller}")), user("U1"));
        if caller >= TRACKING {
            let page = PageRequest { offset: 0, limit: 10 };
            return stores.tracker.get_tracked_issues(&list, page).await.map(drop);
        }
        let request = TrackRequest { author: &Author::host(&list, &user), source: Source::Command };
        let tracked = stores.tracker.track(request, &[issue(number, &format!("A-{number}"))], at(0)).await;
        tracked.map(|tracked| assert_eq!(tracked, [Tracked], "channel {caller}"))
    };
    join_all((0..CALLERS).map(call)).await
}

/// How many of the callers' lists have an issue.
async fn count_lists(config: &DatabaseConfig, number: u32) -> usize {
    let rows = format!("SELECT channel_id FROM channel_tracked_issues WHERE issue_key = 'A-{number}'");
    query(config, &rows).await.len()
}

struct Behind {
    given: Given,
    database: DatabaseConfig,
    _pooler: PgBouncer,
}

/// A bot whose connections to the pooler have all been used.
async fn behind(settings: &str) -> Option<Behind> {
    let database = Database::new().await?;
    let pooler = PgBouncer::before(&database, settings)?;
    let given = Given::at(pooler.url.clone()).await;
    let warm = track_and_show(&given.stores, 1).await;
    assert!(warm.iter().all(Result::is_ok), "{warm:?}");
    Some(Behind { given, database: DatabaseConfig::postgres(Secret::new(database.url)), _pooler: pooler })
}

fn failures(results: &[Result<(), DatabaseError>]) -> Vec<&DatabaseError> {
    results.iter().filter_map(|result| result.as_ref().err()).collect()
}

async fn all_succeed(behind: Behind) {
    let results = track_and_show(&behind.given.stores, 2).await;
    assert!(
        failures(&results).is_empty(),
        "{} failed: {:?}",
        failures(&results).len(),
        failures(&results)[0]
    );
    assert_eq!(count_lists(&behind.database, 2).await, TRACKING as usize);
    behind.given.close().await;
}

async fn all_wait(settings: &str, idle: Duration, held_for: Duration) {
    let Some(behind) = behind(settings).await else { return };
    sleep(idle).await;
    hold(&behind.given.config, held_for).await;
    all_succeed(behind).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fifty_commands_wait_a_second_for_the_session_that_another_program_has() {
    all_wait("", Duration::ZERO, Duration::from_secs(1)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fifty_commands_wait_on_connections_that_were_idle() {
    all_wait("", IDLE, Duration::from_secs(1)).await;
    all_wait("ignore_startup_parameters = extra_float_digits,options", IDLE, Duration::from_secs(1)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fifty_commands_wait_for_nearly_three_seconds() {
    all_wait("", IDLE, Duration::from_millis(2_700)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fifty_commands_wait_longer_than_the_pooler_lets_each_wait() {
    all_wait("query_wait_timeout = 1", Duration::ZERO, Duration::from_millis(2_200)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_waits_in_vain_is_told_that_maro_is_busy_and_all_works_at_once_afterwards() {
    let Some(behind) = behind("").await else { return };
    sleep(IDLE).await;
    let held_for = Duration::from_secs(8);
    hold(&behind.given.config, held_for).await;
    let begun = Instant::now();
    let results = track_and_show(&behind.given.stores, 2).await;
    assert!(begun.elapsed() < held_for, "{:?}", begun.elapsed());
    for result in &results {
        assert!(matches!(result, Err(DatabaseError::Busy(_))), "{result:?}");
    }
    sleep(held_for.saturating_sub(begun.elapsed())).await;
    let results = track_and_show(&behind.given.stores, 3).await;
    assert!(failures(&results).is_empty(), "{:?}", failures(&results));
    assert_eq!(count_lists(&behind.database, 2).await, 0);
    behind.given.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fifty_commands_share_the_few_connections_that_a_pooler_takes() {
    let Some(behind) = behind("max_client_conn = 3").await else { return };
    all_succeed(behind).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fifty_commands_share_the_few_connections_that_their_role_may_make() {
    let Some(database) = Database::new().await else { return };
    let role = database.name();
    let config = DatabaseConfig::postgres(Secret::new(database.url.clone()));
    execute(&config, &format!("CREATE ROLE {role} LOGIN CONNECTION LIMIT 2")).await;
    execute(&config, &format!("ALTER DATABASE {role} OWNER TO {role}; GRANT ALL ON SCHEMA public TO {role}"))
        .await;
    let url = database.url.replace("//maro@", &format!("//{role}@"));
    let given = Arc::new(Given::at(Secret::new(url)).await);
    for number in 1..=2 {
        let results = track_and_show(&given.stores, number).await;
        assert!(
            failures(&results).is_empty(),
            "{} failed: {:?}",
            failures(&results).len(),
            failures(&results)[0]
        );
    }
    assert_eq!(count_lists(&config, 2).await, TRACKING as usize);
    given.close().await;
}
