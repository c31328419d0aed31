//! Creating a ticket: what Jira gets, what comes back, and what is known if nothing does.

use std::{net::SocketAddr, time::Duration};

use maro_domain::{
    rich_text::{Inline, RichBlock, RichText, Style},
    ticket::{CreatedTicket, NewTicket},
};
use maro_jira::{
    client::JiraClient,
    creating::create::{CreateError, INTENT_PROPERTY},
    error::JiraError,
};
use maro_simulation::jira::faults::JiraFault;
use serde_json::json;
use tokio::time::Instant;

use super::{EDITIONS, Edition, PATIENCE, World, config, start_site, within};

pub(super) const STORY: &str = "10001";
pub(super) const TASK: &str = "10002";

pub(super) fn ticket(summary: &str) -> NewTicket {
    let code = Style { code: true, ..Style::default() };
    NewTicket {
        project_key: "SCRUM".to_owned(),
        issue_type_id: STORY.to_owned(),
        summary: summary.to_owned(),
        description: RichText {
            blocks: vec![RichBlock::Paragraph(vec![
                Inline::plain("See "),
                Inline::Text { text: "main()".to_owned(), style: code },
            ])],
        },
        reporter: None,
        is_description_optional: false,
        fields: Vec::new(),
        intent_id: "intent-1".to_owned(),
    }
}

impl World {
    pub(super) async fn create(&self, ticket: &NewTicket) -> Result<CreatedTicket, CreateError> {
        self.client.create_ticket(ticket, within(PATIENCE)).await
    }

    fn posts(&self) -> usize {
        self.paths().iter().filter(|path| path.starts_with("POST")).count()
    }
}

/// A refusal's fields and messages, as one text.
async fn refusal(world: &World, ticket: &NewTicket) -> String {
    match world.create(ticket).await {
        Err(CreateError::Refused { fields, messages }) => {
            let fields = fields.into_iter().map(|(field, text)| format!("{field}: {text}"));
            messages.into_iter().chain(fields).collect::<Vec<_>>().join("\n")
        }
        other => panic!("not refused: {other:?}"),
    }
}

#[tokio::test]
async fn a_ticket_arrives_as_it_was_asked_for() {
    for edition in EDITIONS {
        let world = World::start(edition).await;
        let created = world.create(&ticket("Log in with \"SSO\" <b>")).await.unwrap();
        assert_eq!(created.key.as_str(), "SCRUM-151");
        let issues = world.site.created_issues();
        assert_eq!(issues.len(), 1);
        assert_eq!((&issues[0].id, &issues[0].key), (&created.id, &created.key));
        assert_eq!(issues[0].summary, "Log in with \"SSO\" <b>");
        assert_eq!(issues[0].issue_type, "Story");
        assert_eq!(issues[0].properties[INTENT_PROPERTY], json!({ "id": "intent-1" }));
        let paragraph = json!([
            { "type": "text", "text": "See " },
            { "type": "text", "text": "main()", "marks": [{ "type": "code" }] },
        ]);
        let document = json!({ "type": "doc", "version": 1, "content": [{ "type": "paragraph", "content": paragraph }] });
        let expected = match edition {
            Edition::Cloud => document,
            Edition::DataCenter => json!("See {{main()}}"),
        };
        assert_eq!(issues[0].description, Some(expected));
        assert_eq!(world.keys_of("SCRUM-151").await, "SCRUM-151");
    }
}

#[tokio::test]
async fn a_ticket_needs_no_description() {
    for edition in EDITIONS {
        let world = World::start(edition).await;
        world.create(&NewTicket { description: RichText::default(), ..ticket("Bare") }).await.unwrap();
        assert_eq!(world.site.created_issues()[0].description, None);
    }
}

#[tokio::test]
async fn every_kind_of_text_is_a_description_that_jira_takes() {
    let style = |bold, italic, strike, code| Style { bold, italic, strike, code };
    let mut blocks = Vec::new();
    for bits in 0..16 {
        let style = style(bits & 1 > 0, bits & 2 > 0, bits & 4 > 0, bits & 8 > 0);
        for text in ["word", "", " ", "two\nlines\n", "\0\u{1b}", "*{_}[x]!\\", "é☃\u{202e}"] {
            let inlines = vec![
                Inline::Text { text: text.to_owned(), style },
                Inline::LineBreak,
                Inline::Link { url: format!("https://example.com/{text}"), label: text.to_owned() },
                Inline::Link { url: format!("javascript:{text}"), label: text.to_owned() },
            ];
            blocks.push(RichBlock::Paragraph(inlines.clone()));
            blocks.push(RichBlock::Quote(inlines.clone()));
            blocks.push(RichBlock::BulletList(vec![Vec::new(), inlines.clone()]));
            blocks.push(RichBlock::NumberedList(vec![inlines]));
            blocks.push(RichBlock::Code(text.to_owned()));
        }
    }
    for edition in EDITIONS {
        let world = World::start(edition).await;
        for blocks in blocks.chunks(60) {
            let description = RichText { blocks: blocks.to_vec() };
            world.create(&NewTicket { description, ..ticket("All of it") }).await.unwrap();
        }
    }
}

#[tokio::test]
async fn a_refusal_names_the_fields() {
    for edition in EDITIONS {
        let world = World::start(edition).await;
        let long = "x".repeat(256);
        assert_eq!(refusal(&world, &ticket(&long)).await, "summary: Summary can't exceed 255 characters.");
        let blank = refusal(&world, &ticket(" ")).await;
        assert_eq!(blank, "summary: You must specify a summary of the issue.");
        let nowhere = NewTicket { project_key: "NOPE".to_owned(), ..ticket("x") };
        assert!(refusal(&world, &nowhere).await.starts_with("project: "));
        let typeless = NewTicket { issue_type_id: "999".to_owned(), ..ticket("x") };
        assert!(refusal(&world, &typeless).await.starts_with("issuetype: "));
        let demanding =
            NewTicket { project_key: "OPS".to_owned(), issue_type_id: TASK.to_owned(), ..ticket("x") };
        assert_eq!(refusal(&world, &demanding).await, "customfield_10050: Severity is required.");
        let closed = NewTicket { project_key: "AUDIT".to_owned(), ..ticket("x") };
        let message = "You do not have permission to create issues in this project.";
        assert_eq!(refusal(&world, &closed).await, message);
        assert_eq!(world.site.created_issues(), []);
    }
}

/// What is known after a failure, how many times Jira was asked, and how many tickets there are.
async fn outcome(edition: Edition, fault: JiraFault, patience: Duration) -> (String, usize, usize) {
    let world = World::failing(edition, fault).await;
    let known = match world.client.create_ticket(&ticket("One"), within(patience)).await {
        Err(CreateError::Jira(_)) => "nothing was created",
        Err(CreateError::Unknown(_)) => "unknown",
        Err(CreateError::Refused { .. }) => "refused",
        Ok(_) => "created",
    };
    (known.to_owned(), world.posts(), world.site.created_issues().len())
}

#[tokio::test]
async fn nothing_is_sent_again_that_jira_may_have_heard() {
    let status = |status| JiraFault::Status(status, None);
    let moment = Duration::from_millis(200);
    let rows = [
        (status(401), "nothing was created", 1, 0),
        (status(403), "nothing was created", 1, 0),
        (status(404), "refused", 1, 0),
        (status(409), "refused", 1, 0),
        (status(413), "refused", 1, 0),
        (JiraFault::Status(429, Some("60".to_owned())), "nothing was created", 1, 0),
        (status(429), "nothing was created", 2, 0),
        (JiraFault::Anonymous, "nothing was created", 1, 0),
        (JiraFault::NoSuchAddress, "nothing was created", 1, 0),
        (JiraFault::Redirect("/login".to_owned()), "nothing was created", 1, 0),
        (status(400), "refused", 1, 0),
        (status(408), "unknown", 1, 0),
        (status(500), "unknown", 1, 0),
        (status(502), "unknown", 1, 0),
        (JiraFault::Status(503, Some("0".to_owned())), "unknown", 1, 0),
        (status(504), "unknown", 1, 0),
        (JiraFault::Reset, "unknown", 1, 0),
        (JiraFault::CutShort, "unknown", 1, 0),
        (JiraFault::Html, "unknown", 1, 0),
        (JiraFault::InvalidJson, "unknown", 1, 0),
        (JiraFault::WrongShape, "unknown", 1, 0),
        (JiraFault::HugeBody, "unknown", 1, 0),
        (JiraFault::Hang, "unknown", 1, 0),
        (JiraFault::DoneThenHang, "unknown", 1, 1),
        (JiraFault::DoneThenReset, "unknown", 1, 1),
        (JiraFault::DoneThenStatus(502), "unknown", 1, 1),
        (JiraFault::Slow(Duration::from_millis(20)), "created", 1, 1),
    ];
    for (fault, known, requests, tickets) in rows {
        for edition in EDITIONS {
            let hangs = matches!(fault, JiraFault::Hang | JiraFault::DoneThenHang);
            let patience = if hangs { moment } else { PATIENCE };
            let outcome = outcome(edition, fault.clone(), patience).await;
            assert_eq!(outcome, (known.to_owned(), requests, tickets), "{edition:?} {fault:?}");
        }
    }
}

#[tokio::test]
async fn a_busy_jira_is_asked_again() {
    for edition in EDITIONS {
        let world = World::start(edition).await;
        world.site.set_next_faults([Some(JiraFault::Status(429, Some("0".to_owned())))]);
        world.create(&ticket("One")).await.unwrap();
        assert_eq!(world.site.created_issues().len(), 1);
    }
}

#[tokio::test]
async fn nothing_is_created_without_a_connection_or_time() {
    for edition in EDITIONS {
        let site = start_site().await;
        let client = JiraClient::new(&config(&site, edition)).unwrap();
        let late = client.create_ticket(&ticket("Late"), Instant::now()).await;
        assert!(matches!(late, Err(CreateError::Jira(JiraError::TimedOut))), "{late:?}");
        assert!(site.requests().is_empty());
        let address = SocketAddr::from(([127, 0, 0, 1], site.base_url().port().unwrap()));
        site.stop().await;
        let gone = client.create_ticket(&ticket("Gone"), within(PATIENCE)).await;
        assert!(matches!(gone, Err(CreateError::Jira(JiraError::Unreachable { .. }))), "{address} {gone:?}");
    }
}

#[tokio::test]
async fn a_screen_without_a_description_costs_nobodys_own_words() {
    for edition in EDITIONS {
        let world = World::start(edition).await;
        world.site.hide_descriptions();
        let own_words = world.create(&ticket("Keeps its words")).await.unwrap_err();
        assert!(matches!(own_words, CreateError::Refused { .. }), "{own_words:?}");
        let optional = NewTicket { is_description_optional: true, ..ticket("Goes without") };
        world.create(&optional).await.unwrap();
        let created: Vec<_> = world.site.created_issues().into_iter().map(|issue| issue.summary).collect();
        assert_eq!(created, ["Goes without"]);
    }
}

#[tokio::test]
async fn data_centers_epics_get_the_name_that_it_demands() {
    let world = World::start(Edition::DataCenter).await;
    let epic = NewTicket { issue_type_id: "10000".to_owned(), ..ticket("North basin") };
    let created = world.create(&epic).await.unwrap();
    let requests = world.site.requests();
    let sent: serde_json::Value = serde_json::from_slice(&requests.last().unwrap().body).unwrap();
    assert_eq!(sent["fields"]["customfield_10101"], "North basin");
    assert_eq!((created.key.as_str(), world.site.created_issues().len()), ("SCRUM-151", 1));
}
