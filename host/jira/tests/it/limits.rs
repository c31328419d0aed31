//! Limits on quantities: how much of an answer is read, for how long, and how many requests are open at once.

use std::time::{Duration, Instant};

use maro_jira::error::JiraError;
use maro_simulation::jira::faults::JiraFault;

use super::{EDITIONS, Edition, World};

#[tokio::test]
async fn an_answer_in_drips_ends_with_the_deadline() {
    let patience = Duration::from_secs(1);
    for edition in EDITIONS {
        let world = World::failing(edition, JiraFault::Drips).await;
        let began = Instant::now();
        let result = world.get_within(patience, "SCRUM-123").await;
        let took = began.elapsed();
        assert!(matches!(result, Err(JiraError::TimedOut)), "{edition:?}: {result:?}");
        assert!(took >= patience && took < 7 * patience, "{edition:?}: {took:?}");
    }
}

#[tokio::test]
async fn an_answer_without_end_is_left_off() {
    for edition in EDITIONS {
        let world = World::failing(edition, JiraFault::EndlessBody).await;
        let result = world.get("SCRUM-123").await;
        assert!(matches!(result, Err(JiraError::InvalidResponse { .. })), "{edition:?}: {result:?}");
        assert_eq!(world.paths().len(), 1, "{edition:?}");
    }
}

#[tokio::test]
async fn data_center_is_asked_for_four_issues_at_a_time() {
    let world = World::failing(Edition::DataCenter, JiraFault::Slow(Duration::from_millis(300))).await;
    let keys: String = (101..=113).map(|number| format!("SCRUM-{number} ")).collect();
    assert_eq!(world.get(&keys).await.unwrap().len(), 13);
    assert_eq!(world.site.most_requests_at_once(), 4);
}
