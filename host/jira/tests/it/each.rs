//! Look-ups with an answer of its own for each key.

use std::{
    sync::Mutex,
    time::{Duration, Instant},
};

use futures_util::future::join_all;
use maro_domain::issue::IssueKey;
use maro_jira::reading::answers::{Age, EachAnswer};
use maro_simulation::jira::faults::JiraFault;

use super::{EDITIONS, Edition, PATIENCE, World, key, within};

/// The keys of the issues found: `-` for a missing one, `?` if Jira doesn't say.
async fn each(world: &World, keys: &str, patience: Duration) -> String {
    each_of(world, keys, Age::Current, patience).await
}

async fn each_of(world: &World, keys: &str, age: Age, patience: Duration) -> String {
    let keys: Vec<IssueKey> = keys.split_whitespace().map(key).collect();
    let answers = world.client.get_each_issue(&keys, age, within(patience)).await;
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

fn many() -> Vec<IssueKey> {
    (101..=140).map(|number| key(&format!("SCRUM-{number}"))).collect()
}

/// How many answers came within a time, and whether one for `hanging` did.
async fn told_within(world: &World, keys: &[IssueKey], hanging: &IssueKey, time: Duration) -> (usize, bool) {
    let told: Mutex<Vec<IssueKey>> = Mutex::default();
    let tell = |key: &IssueKey, answer: EachAnswer| {
        assert!(answer.is_ok() || key == hanging, "{key}");
        told.lock().unwrap().push(key.clone());
    };
    let asking = world.client.tell_each_issue(keys, within(Duration::from_secs(6)), &tell);
    let _ = tokio::time::timeout(time, asking).await;
    let told = told.into_inner().unwrap();
    (told.len(), told.contains(hanging))
}

#[tokio::test]
async fn an_issue_that_jira_hangs_on_holds_up_no_other() {
    let both = EDITIONS.map(async |edition| {
        let world = World::confirmed(edition).await;
        let hanging = key("SCRUM-124");
        world.site.set_fault_of_issue(&hanging, Some(JiraFault::Hang));
        // After a second for all, and one for ten of them, and one for itself.
        let time = Duration::from_millis(3_900);
        assert_eq!(told_within(&world, &many(), &hanging, time).await, (39, false), "{edition:?}");
        // By now it's asked for apart.
        let began = Instant::now();
        let time = Duration::from_millis(900);
        assert_eq!(told_within(&world, &many(), &hanging, time).await, (39, false), "{edition:?}");
        assert!(began.elapsed() >= time);
    });
    join_all(both).await;
}

#[tokio::test]
async fn a_site_that_hangs_gets_few_requests() {
    let both = EDITIONS.map(async |edition| {
        let world = World::failing(edition, JiraFault::Hang).await;
        let answers =
            world.client.get_each_issue(&many(), Age::Current, within(Duration::from_secs(4))).await;
        assert!(answers.iter().all(Result::is_err));
        assert!(world.paths().len() <= 5, "{:?}", world.paths());
    });
    join_all(both).await;
}

/// Eight keys in front that Jira fails for would otherwise be asked for each time, and the others never.
#[tokio::test]
async fn issues_that_fail_in_front_hold_up_the_rest_once() {
    let world = World::confirmed(Edition::DataCenter).await;
    for number in 101..=112 {
        let path = format!("/issue/SCRUM-{number}");
        world.site.set_fault_of(&path, Some(JiraFault::Status(500, None)));
    }
    let keys: Vec<String> = many().iter().map(ToString::to_string).collect();
    let first = each(&world, &keys.join(" "), PATIENCE).await;
    assert!(!first.contains("SCRUM"), "{first}");
    let second = each(&world, &keys.join(" "), PATIENCE).await;
    assert_eq!(second.matches("SCRUM").count(), 28, "{second}");
}

#[tokio::test]
async fn what_may_be_some_seconds_old_takes_one_request_on_data_center_too() {
    let world = World::confirmed(Edition::DataCenter).await;
    world.site.move_issue(&key("SCRUM-125"), &key("OPS-1"));
    let asked = "SCRUM-123 SCRUM-124 SCRUM-126";
    assert_eq!(each_of(&world, asked, Age::Indexed, PATIENCE).await, asked);
    assert_eq!(world.paths(), ["POST /rest/api/2/search"]);
    // What the index doesn't have under its key is asked for alone.
    let asked = "SCRUM-123 SCRUM-999 SCRUM-125";
    assert_eq!(each_of(&world, asked, Age::Indexed, PATIENCE).await, "SCRUM-123 - OPS-1");
    let paths = world.paths();
    let mut paths: Vec<&str> = paths[1..].iter().filter_map(|path| path.split('?').next()).collect();
    paths.sort_unstable();
    let alone = ["GET /rest/api/2/issue/SCRUM-125", "GET /rest/api/2/issue/SCRUM-999"];
    assert_eq!(paths, [alone[0], alone[1], "POST /rest/api/2/search"]);
}

/// A Data Center that refuses, fails or hangs in its search is asked for each issue, as it always was.
#[tokio::test]
async fn a_data_center_whose_search_fails_is_asked_for_each_issue() {
    for fault in
        [JiraFault::Status(400, None), JiraFault::Status(500, None), JiraFault::Hang, JiraFault::Html]
    {
        let world = World::confirmed(Edition::DataCenter).await;
        world.site.set_fault_of("/search", Some(fault.clone()));
        let asked: Vec<String> = many().iter().map(ToString::to_string).collect();
        let asked = asked.join(" ");
        assert_eq!(each_of(&world, &asked, Age::Indexed, Duration::from_secs(8)).await, asked, "{fault:?}");
    }
}
