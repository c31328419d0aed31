//! What hangs holds up nothing else, and nobody waits for what hasn't answered others.

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use maro_jira::{creating::create::CreateError, error::JiraError};
use maro_simulation::jira::faults::JiraFault;

use super::{EDITIONS, Edition, PATIENCE, World, create::ticket, within};

/// How long a person waits for an answer.
const A_PERSONS_PATIENCE: Duration = Duration::from_secs(4);

#[tokio::test]
async fn what_hangs_takes_a_share_and_the_rest_are_told_at_once() {
    let both = EDITIONS.map(async |edition| {
        let world = World::failing(edition, JiraFault::Hang).await;
        let ask = || async {
            let began = Instant::now();
            let result = world.get_within(A_PERSONS_PATIENCE, "SCRUM-123").await;
            assert!(matches!(result, Err(JiraError::TimedOut)), "{result:?}");
            began.elapsed()
        };
        let waits = join_all((0..40).map(|_| ask())).await;
        let patient = waits.iter().filter(|wait| **wait >= A_PERSONS_PATIENCE).count();
        assert_eq!((patient, world.paths().len()), (16, 16), "{edition:?}");
        // The breaker is open now.
        assert!(ask().await < Duration::from_secs(1), "{edition:?}");
        // Other kinds of requests are asked.
        world.site.clear_fault();
        world.client.search_projects("", 10, within(PATIENCE)).await.unwrap();
        // And the trial closes it.
        while world.get("SCRUM-123").await.is_err() {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        join_all((0..40).map(|_| async { world.get("SCRUM-123").await.unwrap() })).await;
    });
    join_all(both).await;
}

#[tokio::test]
async fn a_creation_that_fails_at_once_was_not_sent() {
    let world = World::failing(Edition::Cloud, JiraFault::DoneThenHang).await;
    let create = async || {
        let ticket = ticket("A new one");
        world.client.create_ticket(&ticket, within(Duration::from_millis(1_500))).await.unwrap_err()
    };
    for error in join_all((0..5).map(|_| create())).await {
        assert!(matches!(error, CreateError::Unknown(JiraError::TimedOut)), "{error:?}");
    }
    assert!(matches!(create().await, CreateError::Jira(JiraError::TimedOut)), "nothing was sent");
    assert_eq!(world.site.created_issues().len(), 5);
}

#[tokio::test]
async fn a_limit_slows_only_the_kind_that_it_names() {
    for edition in EDITIONS {
        let world = World::confirmed(edition).await;
        world.site.set_next_faults([Some(JiraFault::Status(429, Some("50".to_owned())))]);
        for _ in 0..3 {
            let error = world.get("SCRUM-123").await.unwrap_err();
            assert!(
                matches!(error, JiraError::RateLimited { retry_after } if retry_after.as_secs() > 40),
                "{error:?}"
            );
        }
        assert_eq!(world.paths().len(), 1, "{edition:?}");
        world.client.search_projects("", 10, within(PATIENCE)).await.unwrap();
    }
}
