//! Finding similar tickets, and tickets whose creation Jira didn't confirm.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use maro_domain::ticket::NewTicket;
use maro_jira::error::JiraError;
use maro_jira::searching::intent_marks::Creator;
use maro_process::clock::Clock;
use maro_simulation::jira::{controls::SearchLag, faults::JiraFault};

use super::{EDITIONS, PATIENCE, World, create::ticket, key, within};

fn words(text: &str) -> Vec<String> {
    text.split_whitespace().map(str::to_owned).collect()
}

fn an_hour_ago() -> Timestamp {
    Clock::system().now() - SignedDuration::from_hours(1)
}

fn marked(summary: &str, intent_id: &str) -> NewTicket {
    NewTicket { intent_id: intent_id.to_owned(), ..ticket(summary) }
}

impl World {
    async fn similar(&self, project: &str, text: &str, limit: u32) -> Vec<String> {
        let found = self.client.search_similar(project, &words(text), limit, within(PATIENCE)).await.unwrap();
        let line = |ticket: maro_domain::ticket::SimilarTicket| {
            let assignee = ticket.assignee.unwrap_or_else(|| "nobody".to_owned());
            format!("{} {} ({}, {assignee})", ticket.key, ticket.summary, ticket.status)
        };
        found.into_iter().map(line).collect()
    }

    async fn find(&self, intent_id: &str) -> Option<String> {
        let found = self.client.find_by_intent("SCRUM", intent_id, an_hour_ago(), within(PATIENCE)).await;
        found.unwrap().map(|ticket| ticket.key.to_string())
    }
}

#[tokio::test]
async fn open_tickets_with_one_of_the_words_are_similar() {
    let mut answers = Vec::new();
    for edition in EDITIONS {
        let world = World::start(edition).await;
        answers.push(world.similar("SCRUM", "profile PICTURES invoices", 10).await.join("\n"));
        assert_eq!(world.similar("OPS", "profile", 10).await, [""; 0]);
    }
    assert_eq!(answers[0], answers[1]);
    insta::assert_snapshot!(answers[0], @"
    SCRUM-139 Invoice shows VAT of the wrong country (Open, Edsger Dijkstra)
    SCRUM-138 Invoice as PDF (Open, Grace Hopper)
    SCRUM-114 Profile page is blank in Safari 16 (In Progress, Grace Hopper)
    SCRUM-112 Privacy review of stored profile data (In Review, nobody)
    SCRUM-106 Upload a profile picture (Open, Grace Hopper)
    SCRUM-105 Profile page (In Progress, Ada Lovelace)
    ");
}

#[tokio::test]
async fn the_latest_changed_comes_first_and_no_more_than_asked_for() {
    for edition in EDITIONS {
        let world = World::start(edition).await;
        world.site.transition_issue(&key("SCRUM-105"), "In Review");
        let found = world.similar("SCRUM", "profile", 2).await;
        assert_eq!(found.len(), 2);
        assert!(found[0].starts_with("SCRUM-105 "), "{found:?}");
    }
}

#[tokio::test]
async fn hostile_words_search_for_themselves() {
    for edition in EDITIONS {
        let world = World::start(edition).await;
        for hostile in
            ["\")ORproject=\"OPS", "c++", "qq\\", "NOT", "AND", "pass*", "~", "(", "\"", "x:y", "'"]
        {
            let found = world.similar("SCRUM", &format!("{hostile} umlauts"), 10).await;
            assert_eq!(found.len(), 1, "{hostile}: {found:?}");
        }
        world.site.take_requests();
        assert_eq!(world.similar("SCRUM\" OR \"", "umlauts", 10).await, [""; 0]);
        assert_eq!(world.similar("SCRUM", "*** !!", 10).await, [""; 0]);
        assert_eq!(world.paths(), [""; 0]);
    }
}

#[tokio::test]
async fn a_search_in_a_project_that_is_gone_fails() {
    for edition in EDITIONS {
        let world = World::start(edition).await;
        let found = world.client.search_similar("GONE", &words("x"), 5, within(PATIENCE)).await;
        assert!(matches!(found, Err(JiraError::InvalidResponse { .. })), "{found:?}");
    }
}

#[tokio::test]
async fn an_unconfirmed_ticket_is_found_by_its_mark() {
    for edition in EDITIONS {
        let world = World::start(edition).await;
        world.create(&marked("Same", "other")).await.unwrap();
        world.site.set_next_faults([Some(JiraFault::DoneThenReset)]);
        world.create(&marked("Same", "mine")).await.unwrap_err();
        world.create(&marked("Same", "mine/2")).await.unwrap();
        assert_eq!(world.find("mine").await.as_deref(), Some("SCRUM-152"), "{edition:?}");
        assert_eq!(world.find("min").await, None);
    }
}

#[tokio::test]
async fn a_ticket_that_the_index_lacks_is_found_later() {
    for edition in EDITIONS {
        let world = World::start(edition).await;
        world.site.set_search_lag(SearchLag::Searches(2));
        world.create(&marked("New", "mine")).await.unwrap();
        assert_eq!(world.find("mine").await, None);
        assert_eq!(world.find("mine").await, None);
        assert_eq!(world.find("mine").await.as_deref(), Some("SCRUM-151"));

        world.site.set_search_lag(SearchLag::UntilTold);
        world.create(&marked("Newer", "next")).await.unwrap();
        assert_eq!(world.find("next").await, None);
        world.site.index_now();
        assert_eq!(world.find("next").await.as_deref(), Some("SCRUM-152"));
    }
}

#[tokio::test]
async fn tickets_that_the_index_does_not_show_are_found_by_their_keys() {
    for edition in EDITIONS {
        let world = World::start(edition).await;
        world.site.set_search_lag(SearchLag::UntilTold);
        for intent in ["first", "twice", "twice"] {
            world.create(&marked("Newest", intent)).await.unwrap();
        }
        let asked: Vec<String> = ["twice", "first", "none"].map(str::to_owned).into();
        let found = world.client.find_newest("SCRUM", &asked, within(PATIENCE)).await.unwrap();
        let keys =
            |intent: &str| -> Vec<_> { found[intent].iter().map(|ticket| ticket.key.as_str()).collect() };
        assert_eq!(found.len(), 2, "{edition:?}");
        assert_eq!((keys("first"), keys("twice")), (vec!["SCRUM-151"], vec!["SCRUM-152", "SCRUM-153"]));
    }
}

#[tokio::test]
async fn many_tickets_are_looked_through() {
    for edition in EDITIONS {
        let world = World::start(edition).await;
        for number in 0..130 {
            world.create(&marked("One of many", &format!("many/{number}"))).await.unwrap();
        }
        world.site.take_requests();
        let asked: Vec<String> = ["many/0", "many/129", "none"].map(str::to_owned).into();
        let found = world
            .client
            .find_by_intents("SCRUM", Creator::Own, &asked, an_hour_ago(), within(PATIENCE))
            .await;
        let found: BTreeMap<_, _> = found
            .unwrap()
            .into_iter()
            .map(|(intent, tickets)| (intent, tickets[0].key.to_string()))
            .collect();
        let expected = [("many/0", "SCRUM-151"), ("many/129", "SCRUM-280")];
        assert_eq!(found, expected.map(|(intent, key)| (intent.to_owned(), key.to_owned())).into());
        let searches = world.paths().iter().filter(|path| path.contains("/search")).count();
        assert_eq!(searches, 2, "{edition:?}");
    }
}

#[tokio::test]
async fn what_others_created_is_not_looked_at() {
    for edition in EDITIONS {
        let world = World::start(edition).await;
        world.site.add_issue(&key("SCRUM-200"), "Somebody else's", "Open");
        assert_eq!(world.find("mine").await, None);
        assert_eq!(world.paths().len(), 1);
    }
}
