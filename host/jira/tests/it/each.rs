//! Look-ups with an answer of its own for each key.

use std::time::{Duration, Instant};

use maro_domain::issue::IssueKey;
use maro_simulation::jira::faults::JiraFault;

use super::{EDITIONS, Edition, PATIENCE, World, key, within};

/// The keys of the issues found: `-` for a missing one, `?` if Jira doesn't say.
async fn each(world: &World, keys: &str, patience: Duration) -> String {
    let keys: Vec<IssueKey> = keys.split_whitespace().map(key).collect();
    let answers = world.client.get_each_issue(&keys, within(patience)).await;
    assert_eq!(answers.len(), keys.len());
    let words = answers.iter().map(|answer| match answer {
        Ok(Some(issue)) => issue.key.as_str(),
        Ok(None) => "-",
        Err(_) => "?",
    });
    words.collect::<Vec<_>>().join(" ")
}

#[tokio::test]
async fn an_issue_that_jira_cannot_serve_holds_up_no_other() {
    for edition in EDITIONS {
        let world = World::confirmed(edition).await;
        let failing = JiraFault::Status(500, None);
        world.site.set_fault_of("/issue/SCRUM-124", Some(failing.clone()));
        if edition == Edition::Cloud {
            world.site.set_fault_of("/issue/bulkfetch", Some(failing));
        }
        let asked = "SCRUM-123 SCRUM-124 SCRUM-999 SCRUM-125 SCRUM-123";
        let answered = each(&world, asked, PATIENCE).await;
        assert_eq!(answered, "SCRUM-123 ? - SCRUM-125 SCRUM-123", "{edition:?}");
    }
}

#[tokio::test]
async fn where_nothing_fails_it_takes_one_request_for_many_keys() {
    let world = World::confirmed(Edition::Cloud).await;
    assert_eq!(each(&world, "SCRUM-123 SCRUM-999", PATIENCE).await, "SCRUM-123 -");
    assert_eq!(each(&world, "", PATIENCE).await, "");
    assert_eq!(world.paths(), ["POST /rest/api/3/issue/bulkfetch"]);
}

#[tokio::test]
async fn what_was_answered_in_time_is_kept() {
    let world = World::confirmed(Edition::DataCenter).await;
    world.site.set_fault(JiraFault::Slow(Duration::from_millis(400)));
    let keys: Vec<String> = (101..=120).map(|number| format!("SCRUM-{number}")).collect();
    let answered = each(&world, &keys.join(" "), Duration::from_secs(1)).await;
    assert!(answered.starts_with("SCRUM-101 SCRUM-102 SCRUM-103 SCRUM-104"), "{answered}");
    assert!(answered.ends_with('?'), "{answered}");
}

#[tokio::test]
async fn a_site_that_fails_is_not_asked_for_every_key() {
    for edition in EDITIONS {
        let world = World::failing(edition, JiraFault::Html).await;
        let keys: Vec<String> = (101..=150).map(|number| format!("SCRUM-{number}")).collect();
        let began = Instant::now();
        assert_eq!(each(&world, &keys.join(" "), PATIENCE).await, ["?"; 50].join(" "));
        assert!(world.paths().len() < 30, "{}", world.paths().len());
        assert!(began.elapsed() < Duration::from_secs(10));
    }
}
