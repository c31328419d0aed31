//! Forms in the browser: tickets, duplicates, stories, shortcuts.

use serde_json::json;

use crate::{bot::key, playground::Stage};

/// The control key, and letting go of it, as browsers' drivers take them.
const CONTROL: char = '\u{e009}';
const RELEASE: char = '\u{e000}';

/// Keeps what goes wrong in the page's scripts.
const NOTE_ERRORS: &str = "
window.errorsSeen = [];
addEventListener('error', (event) => errorsSeen.push(event.message));
addEventListener('unhandledrejection', (event) => errorsSeen.push(String(event.reason)));
";

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
    stage.browser.run(NOTE_ERRORS, &[]).await;
    stage.say("/maro stories SCRUM-101").await;
    stage.browser.type_into("[data-block-id=stories] textarea", "A good story\nA forbidden story").await;
    stage.browser.click("#modal footer .primary").await;
    stage.browser.see("#modal", "SCRUM-151: A good story").await;
    stage.browser.see("#modal", "This word is not allowed.").await;
    stage.browser.see("#modal .actions button", "Retry failed stories").await;
    stage.hear("SCRUM-151: A good story").await;
    stage.browser.see("[data-key=SCRUM-151]", "A good story").await;
    assert_eq!(
        stage.browser.run("return window.errorsSeen", &[]).await,
        json!([]),
        "in the browser's console"
    );
}

#[tokio::test]
async fn a_form_that_comes_with_an_update_has_the_channel_that_people_are_in() {
    let Some(stage) = Stage::open().await else { return };
    stage.browser.click("#channels li:nth-child(2) button").await;
    stage.browser.see("#channel-title", "engineering").await;
    stage.browser.click("#shortcuts button").await;
    let chosen = "return document.querySelector('#modal select')?.selectedOptions[0]?.textContent";
    crate::bot::until("the channel is chosen", async || {
        stage.browser.run(chosen, &[]).await == json!("# engineering")
    })
    .await;
}

#[tokio::test]
async fn one_kind_of_request_fails_or_waits_alone() {
    let Some(stage) = Stage::open().await else { return };
    let browser = &stage.browser;
    browser.click(".endpoints summary").await;
    browser.choose("#endpoint", "Reading issues").await;
    browser.choose("#endpoint-failure", "503 Unavailable").await;
    browser.click(".endpoints form button").await;
    browser.see("#failing", "Reading issues: 503 Unavailable").await;
    stage.say("/maro track SCRUM-123").await;
    stage.hear("Jira is having problems").await;
    stage.say("/maro create Zeppelin mast").await;
    browser.see("#modal[open] h2", "Create an issue").await;
    browser.click("#modal [aria-label=Close]").await;
    browser.see("body:not(:has(dialog[open]))", "").await;
    browser.choose("#endpoint-failure", "Delay").await;
    browser.run("document.getElementById('delay').value = 0.5", &[]).await;
    browser.click(".endpoints form button").await;
    browser.see("#failing", "Reading issues: 0.5 s late").await;
    stage.say("/maro track SCRUM-123").await;
    stage.hear("Now tracking SCRUM-123").await;
    browser.click("#failing button").await;
    browser.see("#failing:empty", "").await;
}

#[tokio::test]
async fn a_second_window_is_another_person() {
    let Some(stage) = Stage::open().await else { return };
    let link = "return document.querySelector('#people label:nth-of-type(2) a').href";
    let link = stage.browser.run(link, &[]).await;
    let Some(second) = crate::playground::browser::Browser::open().await else { return };
    second.go(&url::Url::parse(link.as_str().unwrap()).unwrap()).await;
    second.see("#channel-note", "You are grace").await;
    stage.browser.see("#channel-note", "You are ada").await;
    stage.say("Hello from ada").await;
    second.see("#log", "Hello from ada").await;
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
