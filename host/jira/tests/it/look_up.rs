//! What the client finds.

use maro_domain::issue::{Issue, IssueId, StatusCategory, StatusId};
use maro_jira::{
    client::JiraClient,
    config::{JiraConfig, JiraCredentials},
    error::JiraError,
};
use maro_process::secret::Secret;
use maro_simulation::jira::{
    credentials::{API_TOKEN, EMAIL, PERSONAL_ACCESS_TOKEN},
    faults::JiraFault,
};

use super::{EDITIONS, Edition, PATIENCE, World, key, start_site, within};

const BULK_FETCH: &str = "POST /rest/api/3/issue/bulkfetch";

#[tokio::test]
async fn an_issue_comes_with_its_id_summary_and_status() {
    for edition in EDITIONS {
        let world = World::confirmed(edition).await;
        let issues = world.get("SCRUM-123 SCRUM-124 SCRUM-125").await.unwrap();
        let expected = [
            ("10022", "SCRUM-123", "User authentication flow", "Open", "1", StatusCategory::ToDo),
            ("10023", "SCRUM-124", "Database migration", "In Progress", "3", StatusCategory::InProgress),
            ("10024", "SCRUM-125", "API documentation", "Done", "10003", StatusCategory::Done),
        ]
        .map(|(id, text, summary, status, status_id, status_category)| {
            let issue = Issue::new(IssueId::new(id), key(text), summary, status);
            Some(Issue { status_id: StatusId::parse(status_id), status_category, ..issue })
        });
        assert!(issues.iter().flatten().all(|issue| issue.updated_at.is_some()), "{edition:?}");
        let issues = issues.into_iter().map(|issue| Some(Issue { updated_at: None, ..issue? }));
        assert_eq!(issues.collect::<Vec<_>>(), expected, "{edition:?}");
    }
}

#[tokio::test]
async fn answers_come_in_the_order_asked_with_repeats() {
    for edition in EDITIONS {
        let world = World::confirmed(edition).await;
        let asked = "SCRUM-150 SCRUM-999 SCRUM-101 SCRUM-150 SCRUM-998 SCRUM-125";
        assert_eq!(world.keys_of(asked).await, "SCRUM-150 - SCRUM-101 SCRUM-150 - SCRUM-125");
    }
}

#[tokio::test]
async fn no_keys_are_no_request() {
    for edition in EDITIONS {
        let world = World::start(edition).await;
        assert_eq!(world.get("").await.unwrap(), []);
        assert_eq!(world.paths(), [""; 0]);
    }
}

#[tokio::test]
async fn cloud_is_asked_once_for_many_keys() {
    let world = World::confirmed(Edition::Cloud).await;
    world.get("SCRUM-123 SCRUM-124 SCRUM-999 SCRUM-123").await.unwrap();
    let requests = world.site.requests();
    assert_eq!(world.paths(), [BULK_FETCH]);
    let body = r#"{"issueIdsOrKeys":["SCRUM-123","SCRUM-124","SCRUM-999"],"fields":["summary","status","security","updated"]}"#;
    assert_eq!(String::from_utf8_lossy(&requests[0].body), body);
}

#[tokio::test]
async fn data_center_is_asked_once_for_each_key() {
    let world = World::confirmed(Edition::DataCenter).await;
    world.get("SCRUM-123 SCRUM-124 SCRUM-123").await.unwrap();
    let mut paths = world.paths();
    paths.sort();
    let path = |key: &str| format!("GET /rest/api/2/issue/{key}?fields=summary,status,security,updated");
    assert_eq!(paths, [path("SCRUM-123"), path("SCRUM-124")]);
}

#[tokio::test]
async fn more_than_a_hundred_keys_take_several_requests() {
    let world = World::confirmed(Edition::Cloud).await;
    let asked: Vec<String> = (1..=250).map(|number| format!("SCRUM-{number}")).collect();
    let issues = world.get(&asked.join(" ")).await.unwrap();
    assert_eq!(issues.len(), 250);
    for (asked, issue) in asked.iter().zip(&issues) {
        let number: u32 = asked["SCRUM-".len()..].parse().unwrap();
        let expected = (101..=150).contains(&number).then_some(asked.as_str());
        assert_eq!(issue.as_ref().map(|issue| issue.key.as_str()), expected);
    }
    assert_eq!(world.paths(), [BULK_FETCH; 3]);
}

#[tokio::test]
async fn a_moved_issue_comes_under_its_new_key() {
    for edition in EDITIONS {
        let world = World::confirmed(edition).await;
        assert!(world.site.move_issue(&key("SCRUM-123"), &key("OPS-7")));
        assert_eq!(world.keys_of("SCRUM-123").await, "OPS-7");
        assert_eq!(world.keys_of("SCRUM-124 SCRUM-123").await, "SCRUM-124 OPS-7");
        assert_eq!(world.get("SCRUM-123").await.unwrap()[0].as_ref().unwrap().id, IssueId::new("10022"));
    }
}

#[tokio::test]
async fn one_moved_issue_costs_no_further_request() {
    let world = World::confirmed(Edition::Cloud).await;
    world.site.move_issue(&key("SCRUM-123"), &key("OPS-7"));
    world.get("SCRUM-123 SCRUM-124").await.unwrap();
    assert_eq!(world.paths(), [BULK_FETCH]);
}

#[tokio::test]
async fn several_moved_issues_are_not_mixed_up() {
    for edition in EDITIONS {
        let world = World::confirmed(edition).await;
        world.site.move_issue(&key("SCRUM-123"), &key("OPS-8"));
        world.site.move_issue(&key("SCRUM-124"), &key("OPS-7"));
        let found = world.keys_of("SCRUM-999 SCRUM-124 SCRUM-125 SCRUM-123").await;
        assert_eq!(found, "- OPS-7 SCRUM-125 OPS-8", "{edition:?}");
    }
}

#[tokio::test]
async fn an_issue_is_found_under_its_old_and_its_new_key_at_once() {
    for edition in EDITIONS {
        let world = World::confirmed(edition).await;
        world.site.move_issue(&key("SCRUM-123"), &key("OPS-7"));
        assert_eq!(world.keys_of("SCRUM-123 OPS-7").await, "OPS-7 OPS-7");
        assert_eq!(world.keys_of("SCRUM-123 OPS-7 SCRUM-999").await, "OPS-7 OPS-7 -");
    }
}

#[tokio::test]
async fn a_deleted_issue_is_missing_and_changes_are_seen() {
    for edition in EDITIONS {
        let world = World::confirmed(edition).await;
        world.site.add_issue(&key("NEW-1"), "Fresh <b> & \"quoted\" ☃", "To \u{202e}Do");
        world.site.delete_issue(&key("SCRUM-124"));
        world.site.rename_issue(&key("SCRUM-123"), "Renamed");
        world.site.transition_issue(&key("SCRUM-123"), "Blocked");
        let issues = world.get("SCRUM-123 SCRUM-124 NEW-1").await.unwrap();
        let texts: Vec<_> = issues
            .iter()
            .map(|issue| issue.as_ref().map(|issue| (issue.summary.as_str(), issue.status.as_str())))
            .collect();
        let fresh = ("Fresh <b> & \"quoted\" ☃", "To Do");
        assert_eq!(texts, [Some(("Renamed", "Blocked")), None, Some(fresh)]);
    }
}

#[tokio::test]
async fn the_first_missing_issue_has_the_account_confirmed() {
    for edition in EDITIONS {
        let world = World::start(edition).await;
        assert_eq!(world.keys_of("SCRUM-123").await, "SCRUM-123");
        assert_eq!(world.paths().len(), 1);
        assert_eq!(world.keys_of("SCRUM-999").await, "-");
        assert_eq!(world.paths().len(), 3);
        assert!(world.paths()[2].ends_with("/myself"));
        assert_eq!(world.keys_of("SCRUM-998").await, "-");
        assert_eq!(world.paths().len(), 4);
    }
}

#[tokio::test]
async fn nothing_is_missing_for_an_account_that_jira_ignores() {
    for edition in EDITIONS {
        let world = World::confirmed(edition).await;
        world.site.set_fault(JiraFault::Anonymous);
        for keys in ["SCRUM-123", "SCRUM-123 SCRUM-999"] {
            assert!(matches!(world.get(keys).await, Err(JiraError::Unauthorized)), "{edition:?}");
        }
        let world = World::start(edition).await;
        world.site.set_fault(JiraFault::SilentlyAnonymous);
        assert!(matches!(world.get("SCRUM-123").await, Err(JiraError::Unauthorized)), "{edition:?}");
    }
}

#[tokio::test]
async fn a_refusal_withdraws_the_confirmation() {
    let world = World::confirmed(Edition::Cloud).await;
    world.site.set_next_faults([Some(JiraFault::Status(401, None))]);
    assert!(matches!(world.get("SCRUM-123").await, Err(JiraError::Unauthorized)));
    world.site.take_requests();
    assert_eq!(world.keys_of("SCRUM-999").await, "-");
    assert_eq!(world.paths(), [BULK_FETCH, "GET /rest/api/3/myself"]);
}

#[tokio::test]
async fn an_issue_that_jira_failed_to_read_is_asked_for_singly() {
    let world = World::confirmed(Edition::Cloud).await;
    world.site.set_fault(JiraFault::IssueErrors);
    assert_eq!(world.keys_of("SCRUM-123 SCRUM-999").await, "SCRUM-123 -");
}

#[tokio::test]
async fn a_probe_tells_the_accounts_name() {
    for edition in EDITIONS {
        let world = World::start(edition).await;
        assert_eq!(world.client.probe(within(PATIENCE)).await.unwrap().display_name, "MARO");
    }
}

#[tokio::test]
async fn an_expired_token_is_unauthorized() {
    let site = start_site().await;
    let expired = [
        JiraCredentials::Cloud { email: EMAIL.to_owned(), api_token: Secret::new("expired") },
        JiraCredentials::DataCenter { token: Secret::new("expired") },
    ];
    for credentials in expired {
        let config = JiraConfig { credentials, ..site.cloud_config() };
        let error = JiraClient::new(&config).unwrap().probe(within(PATIENCE)).await.unwrap_err();
        assert!(matches!(error, JiraError::Unauthorized), "{error:?}");
    }
}

#[tokio::test]
async fn a_client_does_not_show_its_secrets() {
    for edition in EDITIONS {
        let world = World::start(edition).await;
        let shown = format!("{:?}", world.client);
        for secret in [API_TOKEN, PERSONAL_ACCESS_TOKEN, "bWFyb0"] {
            assert!(!shown.contains(secret), "{shown}");
        }
    }
}
