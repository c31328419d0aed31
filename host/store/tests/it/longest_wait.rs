//! Who has waited longest has the next turn, where a claim takes fewer than wait. Each claim runs on SQLite and on
//! PostgreSQL.

use std::time::Duration;

use maro_domain::issue::{Issue, IssueId, StatusCategory};
use maro_store::webhooks::Webhook;

use crate::support::given::{Given, Sync as _, at, issue, key, on_both_databases};

on_both_databases! {
    the_channel_that_waits_longest_is_told_first,
    the_webhook_that_waits_longest_is_read_first,
}

async fn the_channel_that_waits_longest_is_told_first(given: &Given) {
    let with = |status_category| Issue { status_category, ..issue(10, "A-1") };
    for channel in ["C1", "C2", "C3"] {
        given.track(channel, &[with(StatusCategory::ToDo)], 0).await;
    }
    let done = Issue { status: "Done".to_owned(), ..with(StatusCategory::Done) };
    given.tracker.sync(&[(key("A-1"), Some(done))], at(1)).await.unwrap();
    for (channel, due_ms) in [("C1", 2), ("C2", 1), ("C3", 3)] {
        let due = format!("UPDATE channel_notices SET due_ms = {due_ms} WHERE channel_id = '{channel}'");
        given.execute(&due).await;
    }
    let mut order = Vec::new();
    for holder in 1..=3 {
        let claimed = given.notices.claim(holder, 1, Duration::ZERO).await.unwrap();
        order.extend(claimed.iter().map(|claimed| claimed.channel.to_string()));
    }
    assert_eq!(order, ["C2", "C1", "C3"]);
}

async fn the_webhook_that_waits_longest_is_read_first(given: &Given) {
    let ids = ["10", "11", "12"];
    given.track("C1", &[issue(10, "A-1"), issue(11, "A-2"), issue(12, "A-3")], 0).await;
    for id in ids {
        let webhook = Webhook { identifier: None, id: Some(IssueId::new(id)), key: None, status: None };
        given.webhooks.put(&[webhook]).await.unwrap();
    }
    for (id, noted_ms) in [("10", 2), ("11", 1), ("12", 3)] {
        let noted = format!("UPDATE webhook_queue SET noted_ms = {noted_ms} WHERE issue = '{id}'");
        given.execute(&noted).await;
    }
    let mut order = Vec::new();
    for holder in 1..=3 {
        let claimed = given.webhooks.claim(holder, 1, Duration::ZERO, Duration::ZERO).await.unwrap();
        order.extend(claimed.into_iter().map(|changed| changed.name));
    }
    assert_eq!(order, ["11", "10", "12"]);
}
