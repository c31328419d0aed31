//! Comments, transitions and assignments: what Jira gets, and what is known if nothing comes back.

use std::time::Duration;

use futures_util::future::join_all;
use maro_domain::{
    issue::Issue,
    issue_details::Transition,
    rich_text::{Inline, RichBlock, RichText},
};
use maro_jira::{editing::edit::EditError, error::JiraError};
use maro_simulation::jira::faults::JiraFault;
use reqwest::Method;
use serde_json::json;

use super::{
    EDITIONS, Edition, PATIENCE, World, key,
    site::{authorized, described},
    start_site, within,
};

const ADA: &str = "ada-lovelace";

/// Long enough for the simulated site to answer, and to find out what became of a lost request.
const A_MOMENT: Duration = Duration::from_secs(3);

fn plain(text: &str) -> RichText {
    RichText { blocks: vec![RichBlock::Paragraph(vec![Inline::plain(text)])] }
}

impl World {
    async fn comment(&self, issue: &str, text: &str, patience: Duration) -> Result<(), EditError> {
        self.client.add_comment(&key(issue), &plain(text), within(patience)).await
    }

    async fn steps(&self, issue: &str) -> (Issue, Vec<Transition>) {
        self.client.get_transitions(&key(issue), within(PATIENCE)).await.unwrap().unwrap()
    }

    async fn take(&self, issue: &str, step: &str, patience: Duration) -> Result<(), EditError> {
        let (issue, steps) = self.steps(issue).await;
        let step = steps.iter().find(|found| found.name == step).unwrap();
        self.client.take_transition(&issue, step, within(patience)).await
    }

    async fn assign(&self, issue: &str, who: Option<&str>, patience: Duration) -> Result<(), EditError> {
        self.client.assign(&key(issue), who, within(patience)).await
    }

    async fn assignable(&self, issue: &str, words: &str) -> Option<String> {
        let people = self.client.find_assignable(&key(issue), words, within(PATIENCE)).await.unwrap()?;
        Some(people.iter().map(|person| person.id.as_str()).collect::<Vec<_>>().join(" "))
    }

    fn status(&self, issue: &str) -> String {
        self.site.status_and_assignee(&key(issue)).unwrap().0
    }

    fn assignee(&self, issue: &str) -> Option<&'static str> {
        self.site.status_and_assignee(&key(issue)).unwrap().1
    }

    fn changes(&self) -> usize {
        self.paths().iter().filter(|path| !path.starts_with("GET") && !path.contains("bulkfetch")).count()
    }
}

fn name(result: &Result<(), EditError>) -> &'static str {
    match result {
        Ok(()) => "done",
        Err(EditError::Missing) => "missing",
        Err(EditError::Refused { .. }) => "refused",
        Err(EditError::Jira(JiraError::Unauthorized)) => "unauthorized",
        Err(EditError::Jira(JiraError::Forbidden { .. })) => "forbidden",
        Err(EditError::Jira(JiraError::MissingScope { .. })) => "missing scope",
        Err(EditError::Jira(JiraError::RateLimited { .. })) => "rate limited",
        Err(EditError::Jira(JiraError::InvalidResponse { .. })) => "invalid",
        Err(EditError::Jira(JiraError::TimedOut)) => "timed out",
        Err(EditError::Jira(JiraError::Unreachable { .. })) => "unreachable",
        Err(EditError::Unknown(_)) => "unknown",
    }
}

#[tokio::test]
async fn a_comment_arrives_as_it_was_written() {
    for edition in EDITIONS {
        let world = World::start(edition).await;
        world.comment("SCRUM-123", "It *works*\nhere {code}", PATIENCE).await.unwrap();
        let text = |text: &str| json!({ "type": "text", "text": text });
        let lines = [text("It *works*"), json!({ "type": "hardBreak" }), text("here {code}")];
        let document =
            json!({ "type": "doc", "version": 1, "content": [{ "type": "paragraph", "content": lines }] });
        let expected = match edition {
            Edition::Cloud => document,
            Edition::DataCenter => json!("It \\*works\\*\nhere \\{code\\}"),
        };
        assert_eq!(world.site.comments(&key("SCRUM-123")), [expected]);
        assert_eq!(name(&world.comment("SCRUM-999", "x", PATIENCE).await), "missing");
        let Err(EditError::Refused { reason }) = world.comment("SCRUM-123", " ", PATIENCE).await else {
            panic!("an empty comment is refused");
        };
        assert_eq!(reason, "Comment body is not valid!");
    }
}

#[tokio::test]
async fn the_steps_of_a_workflow_depend_on_the_status() {
    for edition in EDITIONS {
        let world = World::start(edition).await;
        let shown = async |issue: &str| {
            let (issue, steps) = world.steps(issue).await;
            let steps = steps.iter().map(|step| format!("{} {} → {}", step.id, step.name, step.to_status));
            format!("{} {}: {}", issue.key, issue.status, steps.collect::<Vec<_>>().join(", "))
        };
        let open = shown("SCRUM-123").await;
        assert_eq!(open, "SCRUM-123 Open: 11 Start work → In Progress, 41 Finish → Done");
        world.take("SCRUM-123", "Start work", PATIENCE).await.unwrap();
        assert_eq!(world.status("SCRUM-123"), "In Progress");
        let begun = shown("SCRUM-123").await;
        assert_eq!(
            begun,
            "SCRUM-123 In Progress: 21 Ask for a review → In Review, 31 Stop work → Open, 41 Finish → Done"
        );
        world.site.move_issue(&key("SCRUM-123"), &key("OPS-7"));
        assert!(shown("SCRUM-123").await.starts_with("OPS-7 In Progress: "));
        let missing = world.client.get_transitions(&key("SCRUM-999"), within(PATIENCE)).await;
        assert_eq!(missing.unwrap(), None);
    }
}

#[tokio::test]
async fn a_step_that_is_no_longer_possible_is_refused_in_jiras_words() {
    for edition in EDITIONS {
        let world = World::start(edition).await;
        let (issue, steps) = world.steps("SCRUM-123").await;
        world.site.transition_issue(&key("SCRUM-123"), "Done");
        let Err(EditError::Refused { reason }) =
            world.client.take_transition(&issue, &steps[0], within(PATIENCE)).await
        else {
            panic!("the step is not refused");
        };
        assert!(reason.starts_with("It seems that you have tried"), "{reason}");
        world.site.delete_issue(&key("SCRUM-123"));
        let gone = world.client.take_transition(&issue, &steps[0], within(PATIENCE)).await;
        assert_eq!(name(&gone), "missing");
    }
}

#[tokio::test]
async fn people_are_found_by_the_start_of_a_name() {
    for edition in EDITIONS {
        let world = World::start(edition).await;
        for (words, expected) in [
            ("hop", "grace-hopper"),
            (" Ada Lovelace ", ADA),
            ("nobody", ""),
            ("", "ada-lovelace barbara-liskov edsger-dijkstra grace-hopper"),
            ("a&query=b#", ""),
        ] {
            assert_eq!(world.assignable("SCRUM-123", words).await.as_deref(), Some(expected), "{words}");
        }
        assert_eq!(world.assignable("SCRUM-999", "ada").await, None);
    }
}

#[tokio::test]
async fn an_issue_is_assigned_to_somebody_or_nobody() {
    for edition in EDITIONS {
        let world = World::start(edition).await;
        world.assign("SCRUM-124", Some(ADA), PATIENCE).await.unwrap();
        assert_eq!(world.assignee("SCRUM-124"), Some("Ada Lovelace"));
        world.assign("SCRUM-124", None, PATIENCE).await.unwrap();
        assert_eq!(world.assignee("SCRUM-124"), None);
        let Err(EditError::Refused { reason }) = world.assign("SCRUM-124", Some("x"), PATIENCE).await else {
            panic!("a stranger cannot be assigned");
        };
        assert_eq!(reason, "User 'x' cannot be assigned issues.");
        assert_eq!(name(&world.assign("SCRUM-999", Some(ADA), PATIENCE).await), "missing");
    }
}

/// What is known after a failure, and whether the change was made.
async fn outcomes(edition: Edition, fault: &JiraFault, patience: Duration) -> [(&'static str, bool); 3] {
    let world = World::confirmed(edition).await;
    world.site.set_next_faults([Some(fault.clone())]);
    let commented = name(&world.comment("SCRUM-123", "x", patience).await);
    let is_commented = !world.site.comments(&key("SCRUM-123")).is_empty();

    world.site.set_next_faults([None, Some(fault.clone())]);
    let taken = name(&world.take("SCRUM-123", "Start work", patience).await);
    let is_taken = world.status("SCRUM-123") == "In Progress";

    world.site.set_next_faults([Some(fault.clone())]);
    let assigned = name(&world.assign("SCRUM-124", Some(ADA), patience).await);
    let is_assigned = world.assignee("SCRUM-124") == Some("Ada Lovelace");
    assert_eq!(world.changes(), 3, "{edition:?} {fault:?}: nothing is sent twice");
    [(commented, is_commented), (taken, is_taken), (assigned, is_assigned)]
}

#[tokio::test]
async fn what_was_not_confirmed_is_looked_up_where_it_can_be_seen() {
    let status = |status| JiraFault::Status(status, None);
    let nothing = |outcome| [(outcome, false); 3];
    let lost = [("unknown", true), ("done", true), ("done", true)];
    let rows = [
        (status(401), nothing("unauthorized")),
        (status(403), nothing("forbidden")),
        (status(404), nothing("missing")),
        (status(400), nothing("refused")),
        (status(409), nothing("refused")),
        (status(413), nothing("refused")),
        (JiraFault::Status(429, Some("60".to_owned())), nothing("rate limited")),
        (JiraFault::NoSuchAddress, nothing("invalid")),
        (JiraFault::Redirect("/login".to_owned()), nothing("invalid")),
        (JiraFault::Anonymous, nothing("unauthorized")),
        (status(408), nothing("unknown")),
        (status(500), nothing("unknown")),
        (status(503), nothing("unknown")),
        (JiraFault::Reset, nothing("unknown")),
        (JiraFault::CutShort, nothing("unknown")),
        (JiraFault::Html, nothing("unknown")),
        (JiraFault::WrongShape, nothing("unknown")),
        (JiraFault::InvalidJson, nothing("unknown")),
        (JiraFault::Hang, nothing("unknown")),
        (JiraFault::DoneThenReset, lost),
        (JiraFault::DoneThenStatus(502), lost),
        (JiraFault::DoneThenHang, lost),
        (JiraFault::Slow(Duration::from_millis(20)), [("done", true); 3]),
    ];
    let rows = &rows;
    let all = EDITIONS.map(async |edition| {
        let outcomes = rows.iter().map(|(fault, _)| outcomes(edition, fault, A_MOMENT));
        for (outcomes, (fault, expected)) in join_all(outcomes).await.iter().zip(rows) {
            assert_eq!(outcomes, expected, "{edition:?} {fault:?}");
        }
    });
    join_all(all).await;
}

#[tokio::test]
async fn a_busy_jira_is_asked_again() {
    for edition in EDITIONS {
        let world = World::confirmed(edition).await;
        let busy = || Some(JiraFault::Status(429, Some("0".to_owned())));
        world.site.set_next_faults([busy()]);
        world.comment("SCRUM-123", "x", PATIENCE).await.unwrap();
        world.site.set_next_faults([None, busy()]);
        world.take("SCRUM-123", "Start work", PATIENCE).await.unwrap();
        world.site.set_next_faults([busy()]);
        world.assign("SCRUM-124", Some(ADA), PATIENCE).await.unwrap();
        assert_eq!(world.site.comments(&key("SCRUM-123")).len(), 1);
        assert_eq!((world.status("SCRUM-123").as_str(), world.changes()), ("In Progress", 6));
    }
}

#[tokio::test]
async fn a_deadline_that_has_passed_changes_nothing() {
    for edition in EDITIONS {
        let world = World::confirmed(edition).await;
        let (issue, steps) = world.steps("SCRUM-123").await;
        world.site.take_requests();
        for outcome in [
            world.comment("SCRUM-123", "x", Duration::ZERO).await,
            world.client.take_transition(&issue, &steps[0], within(Duration::ZERO)).await,
            world.assign("SCRUM-124", None, Duration::ZERO).await,
        ] {
            assert_eq!(name(&outcome), "timed out");
        }
        assert_eq!(world.paths(), [""; 0]);
    }
}

#[tokio::test]
async fn the_site_answers_to_changes_as_described() {
    let site = start_site().await;
    let send = async |method: Method, path: &str, body: serde_json::Value| {
        let request = authorized(&site, method, &format!("/rest/api/3/{path}"))
            .header("content-type", "application/json")
            .body(body.to_string());
        described(request).await.0
    };
    let paragraph = json!({ "type": "paragraph", "content": [{ "type": "text", "text": "x" }] });
    let document = json!({ "type": "doc", "version": 1, "content": [paragraph] });
    assert_eq!(send(Method::POST, "issue/SCRUM-123/comment", json!({ "body": document })).await, 201);
    assert_eq!(send(Method::POST, "issue/SCRUM-123/comment", json!({ "body": "text" })).await, 400);
    assert_eq!(send(Method::POST, "issue/SCRUM-999/comment", json!({ "body": document })).await, 404);
    let step = |id: &str| json!({ "transition": { "id": id } });
    assert_eq!(send(Method::POST, "issue/SCRUM-123/transitions", step("11")).await, 204);
    assert_eq!(send(Method::POST, "issue/SCRUM-123/transitions", step("11")).await, 400);
    assert_eq!(send(Method::POST, "issue/SCRUM-123/transitions", json!({})).await, 400);
    assert_eq!(send(Method::PUT, "issue/SCRUM-123/assignee", json!({ "accountId": ADA })).await, 204);
    assert_eq!(send(Method::PUT, "issue/SCRUM-123/assignee", json!({ "accountId": null })).await, 204);
    assert_eq!(send(Method::PUT, "issue/SCRUM-123/assignee", json!({})).await, 400);
    let get = |path: &str| described(authorized(&site, Method::GET, &format!("/rest/api/3/{path}")));
    assert_eq!(get("issue/SCRUM-123?expand=transitions").await.0, 200);
    assert_eq!(get("user/assignable/search?issueKey=SCRUM-123&query=a").await.0, 200);
    assert_eq!(get("user/assignable/search?query=a").await.0, 400);
    assert_eq!(get("user/assignable/search?issueKey=SCRUM-999&query=a").await.0, 404);
}
