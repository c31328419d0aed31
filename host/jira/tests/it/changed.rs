//! What has changed on the site lately.

use std::collections::BTreeSet;

use maro_jira::error::JiraError;
use maro_simulation::jira::faults::JiraFault;

use super::{EDITIONS, PATIENCE, World, key, within};

#[tokio::test]
async fn all_that_has_changed_is_read_page_by_page() {
    for edition in EDITIONS {
        let world = World::start(edition).await;
        for number in 1..=230 {
            let key = key(&format!("SCRUM-{}", 5_000 + number));
            world.site.add_issue(&key, "An old one", "To Do");
            world.site.transition_issue(&key, "In Review");
        }
        let (mut found, mut from, mut pages) = (BTreeSet::new(), None, 0);
        loop {
            let page = world.client.changed_since(1, from.as_ref(), within(PATIENCE)).await.unwrap();
            pages += 1;
            found.extend(
                page.issues.into_iter().filter(|issue| issue.updated_at.is_some()).map(|issue| issue.key),
            );
            match page.next {
                Some(next) => from = Some(next),
                None => break,
            }
        }
        let all = (1..=230).map(|number| key(&format!("SCRUM-{}", 5_000 + number)));
        assert_eq!(found, all.collect(), "{edition:?}");
        assert_eq!(pages, 3, "{edition:?}: it may return fewer than it is asked for");
    }
}

#[tokio::test]
async fn an_answer_that_is_none_is_an_error() {
    for edition in EDITIONS {
        for fault in [JiraFault::Status(500, None), JiraFault::WrongShape, JiraFault::Html] {
            let world = World::failing(edition, fault.clone()).await;
            let outcome = world.client.changed_since(1, None, within(PATIENCE)).await;
            let is_outage =
                matches!(outcome, Err(JiraError::Unreachable { .. } | JiraError::InvalidResponse { .. }));
            assert!(is_outage, "{edition:?} {fault:?}: {outcome:?}");
        }
    }
}
