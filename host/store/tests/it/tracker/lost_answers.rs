//! Changes of the lists whose answers are lost.

use maro_domain::tracked::TrackOutcome::Tracked;
use maro_store::database::error::DatabaseError;

use crate::support::{
    given::{Given, Sync as _, at, author, channel, described, issue, key},
    lossy_route::LossyRoute,
};

async fn given() -> Option<(Given, LossyRoute)> {
    let (given, route) = Given::on_lossy_postgres().await?;
    // So that the statements are known to the connection, and a request with a key in it is a change.
    given.track("C1", &[issue(1, "WARM-1")], 0).await;
    given.tracker.untrack(&author("C1", "U1"), &[key("WARM-1")], at(0)).await.unwrap();
    Some((given, route))
}

#[tokio::test]
async fn an_issue_that_was_tracked_without_word_of_it_is_new_all_the_same() {
    let Some((given, route)) = given().await else { return };
    route.lose_answers_to("LOST-1", 1);
    assert_eq!(given.track("C1", &[issue(2, "LOST-1"), issue(3, "LOST-2")], 1).await, [Tracked, Tracked]);
    assert_eq!(given.keys("C1").await, ["LOST-1", "LOST-2"]);
    given.close().await;
}

#[tokio::test]
async fn an_issue_that_was_untracked_without_word_of_it_is_not_said_to_be_there() {
    let Some((given, route)) = given().await else { return };
    given.track("C1", &[issue(2, "LOST-1")], 1).await;
    route.lose_answers_to("LOST-1", 1);
    let error = given.tracker.untrack(&author("C1", "U1"), &[key("LOST-1")], at(0)).await.unwrap_err();
    assert!(matches!(error, DatabaseError::Uncertain(_)), "{error:?}");
    assert!(given.keys("C1").await.is_empty());
    given.close().await;
}

#[tokio::test]
async fn a_sync_whose_answer_is_lost_each_time_is_uncertain() {
    let Some((given, route)) = given().await else { return };
    given.track("C1", &[issue(2, "A-1")], 1).await;
    route.lose_answers_to("COMMIT", 3);
    let update = (key("A-1"), Some(described(2, "A-1", "A summary", "Done")));
    let error = given.tracker.sync(&[update], at(2)).await.unwrap_err();
    assert!(matches!(error, DatabaseError::Uncertain(_)), "{error:?}");
    assert_eq!(given.list("C1").await[0].last_jira_status.as_deref(), Some("Done"));
    given.close().await;
}

#[tokio::test]
async fn a_read_whose_answer_is_lost_each_time_is_unavailable() {
    let Some((given, route)) = given().await else { return };
    route.lose_answers_to("CLOST", 3);
    let error = given.tracker.count_tracked_issues(&channel("CLOST")).await.unwrap_err();
    assert!(matches!(error, DatabaseError::Unavailable(_)), "{error:?}");
    given.close().await;
}
