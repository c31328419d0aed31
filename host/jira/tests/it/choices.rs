//! What people can choose from: projects and issue types.

use std::time::Duration;

use maro_domain::ticket::{IssueType, Project, SimilarTicket};
use maro_jira::error::JiraError;
use maro_simulation::jira::faults::JiraFault;
use serde_json::json;

use super::{EDITIONS, Edition, PATIENCE, World, key, within};

impl World {
    async fn projects(&self, typed: &str, limit: u32) -> Vec<String> {
        let projects = self.client.search_projects(typed, limit, within(PATIENCE)).await.unwrap();
        projects.into_iter().map(|project| project.key).collect()
    }

    async fn types(&self, project: &str) -> Option<Vec<IssueType>> {
        self.client.get_issue_types(project, within(PATIENCE)).await.unwrap()
    }
}

#[tokio::test]
async fn a_project_is_found_by_the_start_of_its_key_or_name() {
    for edition in EDITIONS {
        let world = World::start(edition).await;
        assert_eq!(world.projects("SCRUM", 10).await, ["SCRUM"], "{edition:?}");
        assert_eq!(world.projects("  customer por", 10).await, ["SCRUM"]);
        assert_eq!(world.projects("payments back", 10).await, ["PAYBE"]);
        assert_eq!(world.projects("no such project", 10).await, [""; 0]);
        assert_eq!(world.projects("Op&action=view#\u{0}", 10).await, [""; 0]);
    }
}

#[tokio::test]
async fn of_hundreds_of_projects_the_first_are_given() {
    for edition in EDITIONS {
        let world = World::start(edition).await;
        assert_eq!(world.projects("", 100).await.len(), 100);
        assert_eq!(world.projects("", 3).await, ["ACCAN", "ACCAP", "ACCAU"]);
        assert_eq!(world.projects("", 0).await.len(), 1);
        assert_eq!(world.projects("", u32::MAX).await.len(), 100);
    }
}

#[tokio::test]
async fn the_project_with_just_that_key_comes_first() {
    for edition in EDITIONS {
        let world = World::start(edition).await;
        let found = world.projects("ops", 100).await;
        assert_eq!(found[0], "OPS", "{edition:?} {found:?}");
    }
}

#[tokio::test]
async fn cloud_offers_no_project_in_which_nothing_can_be_created() {
    let world = World::start(Edition::Cloud).await;
    assert_eq!(world.projects("audit", 10).await, [""; 0]);
}

#[tokio::test]
async fn data_center_is_asked_for_its_projects_once_a_minute() {
    let world = World::start(Edition::DataCenter).await;
    for typed in ["", "s", "sc"] {
        world.projects(typed, 10).await;
    }
    assert_eq!(world.paths(), ["GET /rest/api/2/project"]);
}

#[tokio::test]
async fn a_project_is_known_by_its_key() {
    for edition in EDITIONS {
        let world = World::start(edition).await;
        let get = async |key: &str| world.client.get_project(key, within(PATIENCE)).await.unwrap();
        let portal = Project { key: "SCRUM".to_owned(), name: "Customer portal".to_owned() };
        assert_eq!(get("SCRUM").await, Some(portal));
        assert_eq!(get("NOPE").await, None);
        world.site.take_requests();
        for not_a_key in ["", "../myself", "SCRUM/x", "search", "scrum"] {
            assert_eq!(get(not_a_key).await, None);
        }
        assert_eq!(world.paths(), [""; 0]);
    }
}

#[tokio::test]
async fn no_project_is_missing_for_an_account_that_jira_ignores() {
    for edition in EDITIONS {
        let world = World::start(edition).await;
        world.site.set_fault(JiraFault::SilentlyAnonymous);
        let project = world.client.get_project("SCRUM", within(PATIENCE)).await;
        assert!(matches!(project, Err(JiraError::Unauthorized)), "{project:?}");
    }
}

#[tokio::test]
async fn issue_types_come_in_jiras_order_without_sub_tasks() {
    for edition in EDITIONS {
        let world = World::start(edition).await;
        let types = world.types("SCRUM").await.unwrap();
        let shown: Vec<_> =
            types.iter().map(|kind| (kind.id.as_str(), kind.name.as_str(), kind.hierarchy_level)).collect();
        let expected =
            [("10000", "Epic", 1), ("10001", "Story", 0), ("10002", "Task", 0), ("10004", "Bug", 0)];
        assert_eq!(shown, expected, "{edition:?}");
    }
}

#[tokio::test]
async fn issue_types_are_asked_for_once_a_minute_and_project() {
    for edition in EDITIONS {
        let world = World::start(edition).await;
        for project in ["SCRUM", "OPS", "SCRUM"] {
            world.types(project).await.unwrap();
        }
        assert_eq!(world.paths().len(), 2);
    }
}

#[tokio::test]
async fn a_project_that_is_missing_or_closed_has_no_issue_types() {
    for edition in EDITIONS {
        let world = World::start(edition).await;
        assert_eq!(world.types("NOPE").await, None);
        assert_eq!(world.types("../..").await, None);
        assert_eq!(world.types("AUDIT").await, Some(Vec::new()));
    }
}

#[tokio::test]
async fn choices_fail_as_a_look_up_does() {
    for edition in EDITIONS {
        let world = World::failing(edition, JiraFault::Status(403, None)).await;
        let projects = world.client.search_projects("", 1, within(PATIENCE)).await;
        assert!(matches!(projects, Err(JiraError::Forbidden { .. })));
        world.site.set_fault(JiraFault::WrongShape);
        let types = world.client.get_issue_types("SCRUM", within(PATIENCE)).await;
        assert!(matches!(types, Err(JiraError::InvalidResponse { .. })));
    }
}

/// The list of a Data Center with 5,300 projects under a long address.
fn large_list() -> String {
    let address = "https://intranet.example/engineering/jira/rest/api/2/".repeat(15);
    let projects = (0..5_300).map(|number| {
        let name = if number == 1_313 { "Treasury ledger" } else { "Pilot books" };
        json!({ "self": address, "key": format!("HBR{number}"), "name": format!("{name} {number}") })
    });
    serde_json::Value::Array(projects.collect()).to_string()
}

#[tokio::test]
async fn thousands_of_projects_are_found_by_what_is_typed() {
    let world = World::start(Edition::DataCenter).await;
    let list = large_list();
    assert!(list.len() > 4 * 1024 * 1024, "{}", list.len());
    world.site.set_next_faults_of("/project", [Some(JiraFault::Answer(200, list))]);
    assert_eq!(world.projects("HBR52", 100).await[..2], ["HBR52", "HBR520"]);
    assert_eq!(world.projects("treas", 100).await, ["HBR1313"]);
    assert_eq!(world.projects("books 5299", 100).await, ["HBR5299"]);
    assert_eq!(world.projects("", 100).await.len(), 100);
    assert_eq!(world.paths(), ["GET /rest/api/2/project"]);
}

#[tokio::test]
async fn a_list_that_takes_longer_than_anybody_waits_is_there_afterwards() {
    for (edition, slow) in [(Edition::DataCenter, "/project"), (Edition::Cloud, "/project/search")] {
        let world = World::start(edition).await;
        let late = || Some(JiraFault::Slow(Duration::from_millis(700)));
        world.site.set_next_faults_of(slow, [late(), late()]);
        let hasty = world.client.search_projects("ops", 100, within(Duration::from_millis(200))).await;
        assert!(matches!(hasty, Err(JiraError::TimedOut)), "{edition:?} {hasty:?}");
        let again =
            async || world.client.search_projects("ops", 100, within(Duration::from_millis(200))).await;
        let until_it_is_there = async {
            loop {
                if let Ok(found) = again().await {
                    return found;
                }
            }
        };
        let found = tokio::time::timeout(PATIENCE, until_it_is_there).await.unwrap();
        assert_eq!(found[0].key, "OPS", "{edition:?}");
    }
}

#[tokio::test]
async fn data_centers_picker_helps_while_its_list_is_slow() {
    let world = World::start(Edition::DataCenter).await;
    let picked =
        json!({ "projects": [{ "id": "1", "key": "HBR52", "name": "Pilot books 52", "html": "<b>" }] });
    world.site.set_next_faults_of("/project", [Some(JiraFault::Slow(Duration::from_secs(8)))]);
    world.site.set_next_faults_of("/projects/picker", [Some(JiraFault::Answer(200, picked.to_string()))]);
    assert_eq!(world.projects("hbr52", 100).await, ["HBR52"]);
}

/// Data Center before 8.4 says all of it in one answer.
#[tokio::test]
async fn an_old_release_tells_types_and_fields_in_its_own_way() {
    let world = World::start(Edition::DataCenter).await;
    let old = json!({ "expand": "projects", "projects": [{ "key": "SCRUM", "issuetypes": [
        { "id": "10001", "name": "Story", "subtask": false, "fields": {
            "summary": { "required": true, "schema": { "type": "string", "system": "summary" }, "name": "Summary" },
            "customfield_10611": { "required": true, "schema": { "type": "option", "custom": "x:select" }, "name": "Impact",
                "hasDefaultValue": false, "allowedValues": [{ "id": "1", "value": "Low" }] },
            "odd": 7,
        } },
        { "id": "10003", "name": "Sub-task", "subtask": true },
    ] }] });
    let absent =
        || Some(JiraFault::Answer(404, r#"{"message":"null for uri","status-code":404}"#.to_owned()));
    world.site.set_next_faults_of("/issuetypes", [absent()]);
    world.site.set_next_faults_of("/createmeta", [Some(JiraFault::Answer(200, old.to_string()))]);
    let names: Vec<_> = world.types("SCRUM").await.unwrap().into_iter().map(|kind| kind.name).collect();
    assert_eq!(names, ["Story"]);
    world.site.set_next_faults_of("/issuetypes/10001", [absent()]);
    world.site.set_next_faults_of("/createmeta", [Some(JiraFault::Answer(200, old.to_string()))]);
    let screen = world.client.get_screen("SCRUM", "10001", within(PATIENCE)).await.unwrap().unwrap();
    let fields: Vec<_> = screen.iter().map(|field| (field.id.as_str(), field.is_required)).collect();
    assert_eq!(fields, [("customfield_10611", true), ("summary", true)]);
}

#[tokio::test]
async fn of_many_epics_those_with_the_words_that_were_typed_are_found() {
    for edition in EDITIONS {
        let world = World::start(edition).await;
        for number in 500..620 {
            world.site.add_epic(&key(&format!("SCRUM-{number}")), &format!("Filler {number}"), "Open");
        }
        let find = async |typed: &str| {
            world.client.find_parents("SCRUM", "10001", typed, within(PATIENCE)).await.unwrap()
        };
        let has = |epics: &[SimilarTicket], key: &str| epics.iter().any(|epic| epic.key.as_str() == key);
        assert!(!has(&find("").await, "SCRUM-101"), "{edition:?}");
        for typed in ["customer accounts", "Custom acc", "accounts", "customer*"] {
            let epics = find(typed).await;
            assert_eq!(epics[0].key.as_str(), "SCRUM-101", "{edition:?} {typed}");
            assert_eq!(epics.len(), 101, "the others are there, too");
        }
        assert_eq!(find("zeppelin").await.len(), 100);
        assert_eq!(find("\" OR (").await.len(), 100);
    }
}

#[tokio::test]
async fn a_screen_and_the_epics_are_the_same_in_both_editions() {
    for edition in EDITIONS {
        let world = World::start(edition).await;
        let types = world.types("OPS").await.unwrap();
        let task = types.iter().find(|kind| kind.name == "Task").unwrap();
        let screen = world.client.get_screen("OPS", &task.id, within(PATIENCE)).await.unwrap().unwrap();
        let severity = screen.iter().find(|field| field.name == "Severity").unwrap();
        assert!(severity.is_required && !severity.has_default, "{edition:?}");
        let epics = world.client.find_parents("SCRUM", "10001", "", within(PATIENCE)).await.unwrap();
        assert!(epics.iter().any(|epic| epic.key.as_str() == "SCRUM-101"), "{edition:?} {epics:?}");
        assert_eq!(world.client.find_parents("NONE", "10001", "", within(PATIENCE)).await.unwrap(), []);
        assert_eq!(world.client.get_screen("NONE", "10001", within(PATIENCE)).await.unwrap(), None);
        let people =
            world.client.find_assignable_in("OPS", "grace", within(PATIENCE)).await.unwrap().unwrap();
        assert_eq!(people[0].name, "Grace Hopper");
        assert!(world.client.get_project_number("OPS", within(PATIENCE)).await.unwrap().is_some());
    }
}
