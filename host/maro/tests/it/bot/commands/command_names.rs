//! An app whose command isn't called `/maro`: whatever names a command calls it by the app's own name.

use maro_simulation::slack::{modals::form, people::pressing::Press};

use crate::bot::{TestBot, key, tickets::create, until};

/// Fails if a command is called `/maro`, which is another bot's.
fn assert_own_name(typed: &str, shown: &str) {
    assert!(!shown.contains("/maro "), "{typed}: {shown}");
    assert!(shown.contains("/maro-test "), "{typed}: {shown}");
}

async fn track_many(bot: &TestBot) {
    for tens in 10..=14 {
        let keys: Vec<_> = (1..=9).map(|number| format!("SCRUM-{tens}{number}")).collect();
        let shown = bot.say(&format!("/maro-test track {}", keys.join(" "))).await;
        assert!(shown.contains("Now tracking"), "{shown}");
    }
}

#[tokio::test]
async fn help_usage_and_hints_say_the_name_that_was_typed() {
    let bot = TestBot::start().await;
    for typed in [
        "/maro-test",
        "/maro-test help",
        "/maro-test help stories",
        "/maro-test help track",
        "/maro-test help /maro-test track",
        "/maro-test trakc HARB-1",
        "/maro-test stories",
        "/maro-test tracked",
        "/maro-test track",
        "/maro-test plugins reload now",
        "/maro-test plugins disable help",
    ] {
        assert_own_name(typed, &bot.say(typed).await);
    }
    track_many(&bot).await;
    for typed in ["/maro-test tracked", "/maro-test tracked 9"] {
        assert_own_name(typed, &bot.say(typed).await);
    }
    // People who type another name read that one.
    assert!(bot.say("/maro help").await.contains("/maro track"));
}

#[tokio::test]
async fn a_page_that_is_turned_after_a_restart_has_the_name_of_the_list() {
    let mut bot = TestBot::start().await;
    track_many(&bot).await;
    let list = bot.messages("ada", "general", "/maro-test tracked").await.remove(0);
    assert!(form::buttons(&list.blocks).iter().any(|button| button.label == "Next page"));
    bot.restart().await;
    bot.slack.press_in("ada", &list, Press::button("Next page")).await.unwrap();
    let turned = || {
        let seen = bot.slack.messages_seen_by("ada", "general");
        seen.into_iter().find(|message| message.text.contains("Page 2 of 3"))
    };
    until("the page is turned", async || turned().is_some()).await;
    assert_own_name("the second page", &turned().unwrap().text);
}

#[tokio::test]
async fn what_is_written_to_jira_says_the_name_too() {
    let bot = create::bot().await;
    bot.slack.send_command("general", "ada", "/maro-test create Zeppelin mooring").await.unwrap();
    bot.slack.wait_for_modal("ada", |modal| modal.field("summary").is_some()).await.unwrap();
    bot.slack.submit("ada").await.unwrap();
    let description = bot.jira.created_issues().remove(0).description.unwrap().to_string();
    assert!(description.contains("with /maro-test create:"), "{description}");
}

#[tokio::test]
async fn summaries_of_issues_stay_as_they_are() {
    let bot = TestBot::start().await;
    assert!(bot.jira.rename_issue(&key("SCRUM-123"), "Say /maro track in the guide"));
    let shown = bot.say("/maro-test track SCRUM-123").await;
    assert!(shown.contains("Say /maro track in the guide"), "{shown}");
}
