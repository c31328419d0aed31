//! Searches with a plugin's own JQL, and what keeps them inside some projects.

use maro_domain::issue::StatusCategory;
use maro_jira::{
    error::JiraError,
    searching::plugin_search::{FoundPage, Search, SearchError},
};
use maro_process::clock::Clock;
use maro_simulation::jira::faults::JiraFault;

use super::{EDITIONS, Edition, PATIENCE, World, key, within};

const ALL: Search<'_> = Search { jql: "", projects: None, hidden: None, limit: 100, after: None };

impl World {
    async fn page(&self, search: Search<'_>) -> Result<FoundPage, SearchError> {
        self.client.find_issues(search, within(PATIENCE)).await
    }

    async fn found(&self, search: Search<'_>) -> String {
        keys(&self.page(search).await.unwrap())
    }
}

fn keys(page: &FoundPage) -> String {
    page.issues.iter().map(|found| found.issue.key.as_str()).collect::<Vec<_>>().join(" ")
}

#[tokio::test]
async fn a_found_issue_comes_with_its_details() {
    for edition in EDITIONS {
        let world = World::start(edition).await;
        world.site.transition_issue(&key("SCRUM-105"), "In\nReview");
        let page = world.page(Search { jql: "key in (SCRUM-105, SCRUM-104)", ..ALL }).await.unwrap();
        assert_eq!(page.next, None);
        let shown: Vec<String> = page
            .issues
            .iter()
            .map(|found| {
                let person = found.assignee.as_ref().map(|person| (&*person.id, &*person.name));
                let age = found.updated_at.unwrap().duration_until(Clock::system().now()).as_hours() / 24;
                format!(
                    "{} {} ({}, {:?}), {}, {person:?}, {age} days",
                    found.issue.key,
                    found.issue.summary,
                    found.issue.status,
                    found.issue.status_category,
                    found.issue_type
                )
            })
            .collect();
        insta::allow_duplicates! {
            insta::assert_snapshot!(shown.join("\n"), @r#"
            SCRUM-104 Password reset by e-mail (In Review, InProgress), Story, None, 30 days
            SCRUM-105 Profile page (In Review, ToDo), Story, Some(("ada-lovelace", "Ada Lovelace")), 0 days
            "#);
        }
        assert_eq!(page.issues[0].issue.status_category, StatusCategory::InProgress);
    }
}

#[tokio::test]
async fn pages_meet_without_a_gap() {
    for edition in EDITIONS {
        let world = World::start(edition).await;
        let (mut all, mut after, mut pages) = (Vec::new(), None, 0);
        loop {
            let search =
                Search { jql: "project = SCRUM ORDER BY key", limit: 20, after: after.as_deref(), ..ALL };
            let page = world.page(search).await.unwrap();
            all.extend(page.issues.iter().map(|found| found.issue.key.to_string()));
            pages += 1;
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        assert_eq!((all.len(), pages), (50, 3), "{edition:?}");
        let expected: Vec<String> = (101..=150).map(|number| format!("SCRUM-{number}")).collect();
        assert_eq!(all, expected);
    }
}

#[tokio::test]
async fn a_place_that_no_page_has_named_is_refused() {
    for (edition, after) in
        [(Edition::DataCenter, "from-x"), (Edition::Cloud, "made up"), (Edition::Cloud, "x")]
    {
        let world = World::start(edition).await;
        let long = after.repeat(5_000);
        for after in [after, &long] {
            let page = world.page(Search { jql: "project = SCRUM", after: Some(after), ..ALL }).await;
            assert!(matches!(page, Err(SearchError::NoSuchPage | SearchError::Refused { .. })), "{page:?}");
        }
    }
}

#[tokio::test]
async fn jira_says_what_is_wrong_with_a_query() {
    for edition in EDITIONS {
        let world = World::start(edition).await;
        for (jql, expected) in [
            ("nonsense = 1", "Field 'nonsense' does not exist or you do not have permission to view it."),
            ("key in (SCRUM-999)", "An issue with key 'SCRUM-999' does not exist for field 'key'."),
            ("project = NOPE", "The value 'NOPE' does not exist for the field 'project'."),
            ("summary ~ \"x", "Error in the JQL Query: The quoted string has not been completed."),
        ] {
            match world.page(Search { jql, ..ALL }).await {
                Err(SearchError::Refused { reason }) => {
                    let in_jiras_words = reason.split(" (The simulated").next();
                    assert_eq!(in_jiras_words, Some(expected));
                }
                other => panic!("{jql} is not refused: {other:?}"),
            }
        }
    }
}

#[tokio::test]
async fn a_search_in_some_projects_finds_no_others() {
    let projects = ["OPS".to_owned(), "AUDIT".to_owned()];
    let scoped = |jql| Search { jql, projects: Some(&projects), ..ALL };
    for edition in EDITIONS {
        let world = World::start(edition).await;
        for (issue, summary) in [("OPS-1", "Login alerts"), ("OPS-2", "Disks"), ("AUDIT-1", "Login audit")] {
            world.site.add_issue(&key(issue), summary, "Open");
        }
        for (jql, expected) in [
            ("", "OPS-1 OPS-2 AUDIT-1"),
            ("ORDER BY created", "OPS-1 OPS-2 AUDIT-1"),
            ("project = SCRUM", ""),
            ("summary ~ login OR project = SCRUM ORDER BY key DESC", "AUDIT-1 OPS-1"),
            ("key = OPS-2 OR key = SCRUM-101", "OPS-2"),
            // The same as if they existed.
            ("key = OPS-2 OR key = SCRUM-999", "OPS-2"),
            ("key = SCRUM-999", ""),
            ("key in (OPS-1, SCRUM-999, NOPE-1)", "OPS-1"),
            ("key != SCRUM-999 ORDER BY key DESC", "AUDIT-1 OPS-2 OPS-1"),
            ("project = NOPE OR key = OPS-1", "OPS-1"),
            ("parent = SCRUM-999", ""),
            ("summary ~ \"login\" OR summary ~ \"disks\"", "OPS-1 OPS-2 AUDIT-1"),
        ] {
            assert_eq!(world.found(scoped(jql)).await, expected, "{jql}");
        }
        // Within the projects, Jira still says what is wrong.
        for jql in ["key = OPS-99 OR key = SCRUM-999", "nonsense = SCRUM-999"] {
            let page = world.page(scoped(jql)).await;
            let Err(SearchError::Refused { reason }) = page else { panic!("{jql}: {page:?}") };
            assert!(!reason.contains("SCRUM"), "{jql}: {reason}");
        }
        world.site.take_requests();
        for escape in ["key = OPS-1) OR (project = SCRUM", "a = \"", "ORDER BY key) OR (key = SCRUM-101"] {
            let page = world.page(scoped(escape)).await;
            assert!(matches!(page, Err(SearchError::Unbalanced)), "{escape}: {page:?}");
        }
        assert_eq!(keys(&world.page(Search { projects: Some(&[]), ..ALL }).await.unwrap()), "");
        assert_eq!(world.paths(), [""; 0], "nothing of that reaches Jira");
    }
}

#[tokio::test]
async fn an_issue_that_has_left_the_projects_is_left_out() {
    let projects = ["OPS".to_owned()];
    for edition in EDITIONS {
        let world = World::start(edition).await;
        world.site.add_issue(&key("OPS-1"), "Stays", "Open");
        world.site.add_issue(&key("OPS-2"), "Leaves", "Open");
        world.site.let_index_miss_moves();
        world.site.move_issue(&key("OPS-2"), &key("SCRUM-900"));
        world.site.move_issue(&key("SCRUM-123"), &key("OPS-3"));
        // Jira itself still finds the issue that left, under its new key, but not yet the one that came.
        assert_eq!(world.found(Search { jql: "project = OPS", ..ALL }).await, "OPS-1 SCRUM-900");
        assert_eq!(world.found(Search { projects: Some(&projects), ..ALL }).await, "OPS-1");
        let page = Search { projects: Some(&projects), limit: 1, ..ALL };
        let first = world.page(page).await.unwrap();
        let second = world.page(Search { after: first.next.as_deref(), ..page }).await.unwrap();
        let found = [keys(&first), keys(&second)];
        assert!(found.iter().all(|keys| !keys.contains("SCRUM")), "{found:?}");
        world.site.index_now();
        let mut found: Vec<_> = world
            .found(Search { projects: Some(&projects), ..ALL })
            .await
            .split(' ')
            .map(str::to_owned)
            .collect();
        found.sort();
        assert_eq!(found, ["OPS-1", "OPS-3"]);
    }
}

#[tokio::test]
async fn each_failure_of_a_search_has_its_own_outcome() {
    let status = |status| JiraFault::Status(status, None);
    for (fault, expected) in [
        (status(401), "unauthorized"),
        (status(403), "forbidden"),
        (JiraFault::Status(429, Some("9".to_owned())), "rate limited"),
        (status(400), "refused"),
        (status(500), "unreachable"),
        (JiraFault::Reset, "unreachable"),
        (JiraFault::Anonymous, "unauthorized"),
        (JiraFault::Html, "invalid"),
        (JiraFault::WrongShape, "invalid"),
        (JiraFault::InvalidJson, "invalid"),
        (JiraFault::NoSuchAddress, "invalid"),
        (JiraFault::Hang, "timed out"),
    ] {
        for edition in EDITIONS {
            let world = World::failing(edition, fault.clone()).await;
            let patience = std::time::Duration::from_secs(if fault == JiraFault::Hang { 0 } else { 3 });
            let search = Search { jql: "project = SCRUM", ..ALL };
            let outcome = match world.client.find_issues(search, within(patience)).await {
                Err(SearchError::Refused { .. }) => "refused",
                Err(SearchError::Jira(JiraError::Unauthorized)) => "unauthorized",
                Err(SearchError::Jira(JiraError::Forbidden { .. })) => "forbidden",
                Err(SearchError::Jira(JiraError::RateLimited { .. })) => "rate limited",
                Err(SearchError::Jira(JiraError::Unreachable { .. })) => "unreachable",
                Err(SearchError::Jira(JiraError::TimedOut)) => "timed out",
                Err(SearchError::Jira(JiraError::InvalidResponse { .. })) => "invalid",
                other => panic!("{edition:?} {fault:?}: {other:?}"),
            };
            assert_eq!(outcome, expected, "{edition:?} {fault:?}");
        }
    }
}
