//! Forms in the browser: tickets, duplicates, stories, shortcuts.

use serde_json::json;

use crate::{bot::key, playground::Stage};

/// The control key, and letting go of it, as browsers' drivers take them.
const CONTROL: char = '\u{e009}';
const RELEASE: char = '\u{e000}';

#[tokio::test]
async fn a_duplicate_is_linked_instead_of_created() {
    let Some(stage) = Stage::open().await else { return };
    let browser = &stage.browser;
    stage.say("/maro create Login flow for users").await;
    browser.see("#modal[open] h2", "Create an issue").await;
    browser.type_into("[data-block-id=description] textarea", "As a user I want to log in.").await;
    browser.click("#modal footer .primary").await;
    browser.see("#modal h2", "Possible duplicates").await;
    browser.see("#modal .section", "SCRUM-123: User authentication flow").await;
    browser.click("#modal .accessory button").await;
    stage.hear("linked this conversation to SCRUM-123").await;
    assert_eq!(stage.bot.jira.remote_links(&key("SCRUM-123")).len(), 1);
    assert_eq!(stage.bot.jira.created_issues(), []);
    browser.see("#modal", "Linked this conversation to SCRUM-123").await;
    browser.click("#modal footer .button").await;
    browser.see("body:not(:has(dialog[open]))", "").await;
    stage.say("/maro tracked").await;
    stage.hear("SCRUM-123: User authentication flow (Open)").await;
}

#[tokio::test]
async fn a_form_keeps_what_was_typed_and_shows_what_is_missing() {
    let Some(stage) = Stage::open().await else { return };
    let browser = &stage.browser;
    stage.say("/maro create").await;
    browser.click("[data-block-id=project] input").await;
    browser.type_into("[data-block-id=description] textarea", "Typed before the project was chosen").await;
    let project = "[data-block-id=project] input";
    browser.type_into(project, &format!("{CONTROL}a{RELEASE}operations")).await;
    browser.see("[data-block-id=project] [role=option]", "Operations (OPS)").await;
    browser.click("[data-block-id=project] [role=option]").await;
    browser.click("#modal footer .primary").await;
    browser.see("[data-block-id=summary] .error", "Please complete this required field.").await;
    let typed = "return document.querySelector('[data-block-id=description] textarea').value";
    assert_eq!(browser.run(typed, &[]).await, json!("Typed before the project was chosen"));
}

#[tokio::test]
async fn stories_are_created_and_the_failed_ones_named() {
    let Some(stage) = Stage::open().await else { return };
    stage.bot.jira.refuse_summaries_with("forbidden", "This word is not allowed.");
    stage.say("/maro stories SCRUM-101").await;
    stage.browser.type_into("[data-block-id=stories] textarea", "A good story\nA forbidden story").await;
    stage.browser.click("#modal footer .primary").await;
    stage.browser.see("#modal", "SCRUM-151: A good story").await;
    stage.browser.see("#modal", "This word is not allowed.").await;
    stage.browser.see("#modal .actions button", "Retry failed stories").await;
    stage.hear("SCRUM-151: A good story").await;
    stage.browser.see("[data-key=SCRUM-151]", "A good story").await;
}

#[tokio::test]
async fn a_ticket_comes_of_a_message_and_is_told_in_its_thread() {
    let Some(stage) = Stage::open().await else { return };
    let browser = &stage.browser;
    stage.say("The hangar door is stuck").await;
    stage.hear("The hangar door is stuck").await;
    browser.click("#log [aria-label='More actions']").await;
    browser.click(".menu:popover-open button").await;
    browser.see("#modal h2", "Create an issue").await;
    browser.click("#modal footer .primary").await;
    browser.see("#log .thread .said", "Created SCRUM-151").await;
}

#[tokio::test]
async fn the_payload_of_a_message_is_what_maro_sent() {
    let Some(stage) = Stage::open().await else { return };
    stage.say("/maro tracked").await;
    stage.hear("/maro track").await;
    stage.browser.click("#log [aria-label='Show payload']").await;
    let shown = stage.browser.see("#log .payload", "response_type").await;
    let shown: serde_json::Value = serde_json::from_str(&shown).unwrap();
    let messages = stage.bot.slack.messages();
    assert_eq!(Some(&shown), messages[0].payload.as_deref());
    assert_eq!(shown["response_type"], "ephemeral");
}
