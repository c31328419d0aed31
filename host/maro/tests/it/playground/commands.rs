//! Commands in the channel, and the Jira site beside it.

use std::time::Duration;

use insta::assert_snapshot;
use serde_json::json;
use tokio::time::timeout;

use crate::{
    bot::{key, until},
    playground::{SAID, Stage},
};

/// Longer than a browser takes to draw a page on a busy machine.
const PATIENCE: Duration = Duration::from_secs(20);

#[tokio::test]
async fn a_person_tracks_lists_and_untracks() {
    let Some(stage) = Stage::open().await else { return };
    stage.say("/maro track SCRUM-123 SCRUM-124 SCRUM-999").await;
    assert_snapshot!(stage.hear("Now tracking").await, @"
    Now tracking SCRUM-123: User authentication flow (Open)
    Now tracking SCRUM-124: Database migration (In Progress)
    SCRUM-999 not found in Jira
    ");
    stage.say("/maro tracked").await;
    assert_snapshot!(stage.hear("Tracked Jira issues").await, @"
    Tracked Jira issues in #general:
    Share with channel
    SCRUM-123: User authentication flow (Open)
    Stop tracking
    SCRUM-124: Database migration (In Progress)
    Stop tracking
    ");
    stage.say("/maro untrack SCRUM-123").await;
    stage.hear("Stopped tracking SCRUM-123").await;

    // What changed the list is for all to see, the list for ada alone.
    stage.browser.click("#people label:nth-of-type(2)").await;
    stage.browser.see("#channel-note", "You are grace").await;
    let seen = stage.browser.texts(SAID).await;
    assert_eq!(seen.len(), 2, "{seen:?}");
    assert_eq!(stage.bot.slack.problems(), [""; 0]);
}

/// Whether nothing of the channel is further down, after the browser has drawn it.
const IS_AT_END: &str = "
const scroller = document.getElementById('scroller');
return scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight < 1;
";

#[tokio::test]
async fn the_newest_answer_is_in_sight() {
    let Some(stage) = Stage::open().await else { return };
    stage.say("/maro track SCRUM-123 SCRUM-124").await;
    stage.hear("Now tracking").await;
    // Somewhere among these the channel becomes longer than its window.
    for count in 2..=6 {
        stage.say("/maro tracked").await;
        stage.browser.see(&format!("#log > :nth-child({count})"), "Tracked Jira issues").await;
        let scrolled = async { while stage.browser.run(IS_AT_END, &[]).await != json!(true) {} };
        timeout(PATIENCE, scrolled).await.unwrap_or_else(|_| panic!("answer {count} is out of sight"));
    }
}

#[tokio::test]
async fn a_command_is_completed_from_what_is_loaded_and_found_again_by_arrow_key() {
    let Some(stage) = Stage::open().await else { return };
    let browser = &stage.browser;
    browser.type_into("#message", "/maro untr").await;
    browser.see("#completions [role=option]", "/maro untrack").await;
    const TAB: char = '\u{e004}';
    const UP: char = '\u{e013}';
    browser.type_into("#message", &format!("{TAB}SCRUM-7")).await;
    browser.see("#usage", "/maro untrack").await;
    let typed = "return document.getElementById('message').value";
    assert_eq!(browser.run(typed, &[]).await, json!("/maro untrack SCRUM-7"));
    stage.say("").await;
    stage.hear("SCRUM-7 is not tracked in this channel").await;
    browser.type_into("#message", &UP.to_string()).await;
    assert_eq!(browser.run(typed, &[]).await, json!("/maro untrack SCRUM-7"));
}

#[tokio::test]
async fn what_jira_does_shows_in_the_channel() {
    let Some(stage) = Stage::open().await else { return };
    let browser = &stage.browser;
    for (label, sentence) in [
        ("503 Unavailable", "Jira is having problems"),
        ("401 Unauthorized", "rejected MARO's credentials"),
        ("Malformed response", "a response MARO couldn't read"),
    ] {
        browser.choose("#failure", label).await;
        browser.see("#jira.failing", "").await;
        stage.say("/maro track SCRUM-123").await;
        stage.hear(sentence).await;
    }
    browser.choose("#failure", "None").await;
    browser.see("#jira:not(.failing)", "").await;
    stage.say("/maro track SCRUM-123").await;
    stage.hear("Now tracking SCRUM-123").await;

    // The site reports it, so the list soon has it.
    browser.choose("[data-key=SCRUM-123] select", "Done").await;
    browser.see("[data-key=SCRUM-123].changed", "").await;
    stage.bot.jira.rename_issue(&key("SCRUM-123"), "Renamed while nobody looked");
    browser.see("[data-key=SCRUM-123]", "Renamed while nobody looked").await;
    let followed =
        async || stage.bot.say("/maro tracked").await.contains("Renamed while nobody looked (Done)");
    until("the list follows", followed).await;
    stage.say("/maro tracked").await;
    stage.hear("Renamed while nobody looked (Done)").await;
}

/// Drags the card of an issue into the column with a heading, as a browser tells of it.
const DRAG: &str = r#"
const [key, heading] = arguments;
const card = document.querySelector(`.board [data-key="${key}"]`);
const column = [...document.querySelectorAll(".board section")].find((it) => it.textContent.startsWith(heading));
const dataTransfer = new DataTransfer();
const tell = (element, type) => element.dispatchEvent(new DragEvent(type, { bubbles: true, cancelable: true, dataTransfer }));
tell(card, "dragstart");
const isRefused = tell(column, "dragover");
tell(column, "drop");
tell(card, "dragend");
return card.draggable && !isRefused;
"#;

#[tokio::test]
async fn a_card_that_is_dragged_changes_its_status() {
    let Some(stage) = Stage::open().await else { return };
    let browser = &stage.browser;
    browser.click("#jira .views button:last-child").await;
    browser.see(".board section:nth-child(1) [data-key=SCRUM-123]", "").await;
    for (heading, column, status) in [("In review", 3, "In Review"), ("To do", 1, "Open")] {
        let is_taken = browser.run(DRAG, &[json!("SCRUM-123"), json!(heading)]).await;
        assert_eq!(is_taken, json!(true));
        browser.see(&format!(".board section:nth-child({column}) [data-key=SCRUM-123]"), "").await;
        let (now, _) = stage.bot.jira.status_and_assignee(&key("SCRUM-123")).unwrap();
        assert_eq!(now, status);
    }
}

#[tokio::test]
async fn what_somebody_wrote_into_jira_is_text_and_nothing_else() {
    const HOSTILE: &str = "<img src=x onerror=alert(1)> <!channel> *b* _i_ `c` <https://x|y> &amp; @here";
    let Some(stage) = Stage::open().await else { return };
    stage.bot.jira.rename_issue(&key("SCRUM-123"), HOSTILE);
    stage.browser.see("[data-key=SCRUM-123]", HOSTILE).await;
    stage.say("/maro track SCRUM-123").await;
    let shown = stage.hear("Now tracking").await.replace('\u{200b}', "");
    assert!(shown.contains(HOSTILE), "{shown}");
    stage.say("<img src=x onerror=alert(1)> <!channel>").await;
    stage.hear("<img src=x onerror=alert(1)> <!channel>").await;
    let inside = "return document.querySelectorAll('#log .said :is(img, .mention, strong, em, code), #jira img').length";
    assert_eq!(stage.browser.run(inside, &[]).await, json!(0));
    assert_eq!(stage.browser.run("return document.title", &[]).await, json!("#general – MARO playground"));
}
