//! What a form that is open offers once less may be shown: what held when it was opened doesn't count.

use crate::bot::{TestBot, access::ticket_bot, key, tickets::create::open_create, until};

async fn offered(bot: &TestBot, field: &str, typed: &str) -> Vec<String> {
    let choices = bot.slack.suggestions("ada", field, typed).await.unwrap();
    choices.into_iter().map(|choice| choice.value).collect()
}

#[tokio::test]
async fn nothing_is_offered_of_a_project_that_is_out_of_policy_since() {
    let mut bot = ticket_bot("").await;
    open_create(&bot, "Zeppelin hangar").await;
    bot.slack.fill("ada", &[("issue_type", "Task")]).await.unwrap();
    bot.slack.wait_for_modal("ada", |form| form.field("assignee").is_some()).await.unwrap();
    let chosen = bot.slack.interactions().pop().unwrap();
    assert_eq!(chosen["type"], "block_actions");
    let fields = ["issue_type", "assignee", "parent"];
    for field in fields {
        assert!(!offered(&bot, field, "").await.is_empty(), "{field}");
    }
    bot.config.access = toml::from_str("projects = [\"OPS\"]").unwrap();
    bot.restart().await;
    for field in fields {
        assert_eq!(offered(&bot, field, "").await, [""; 0], "{field}");
    }
    assert_eq!(offered(&bot, "parent", "SCRUM-101").await, [""; 0]);
    // A person who chooses a type all the same is told.
    bot.slack.send_interaction(&chosen).await.unwrap();
    let says_so = "Issues can't be created in SCRUM from this channel";
    until("it's said", async || bot.slack.modal("ada").unwrap().text().contains(says_so)).await;
}

#[tokio::test]
async fn an_epic_that_may_not_be_shown_is_no_parent_to_choose() {
    let bot = ticket_bot("security-levels = \"deny\"").await;
    open_create(&bot, "Zeppelin hangar").await;
    let epic = "SCRUM-101".to_owned();
    assert!(offered(&bot, "parent", "").await.contains(&epic));
    bot.jira.set_security_level(&key("SCRUM-101"), "Board");
    assert!(!offered(&bot, "parent", "").await.contains(&epic));
    assert_eq!(offered(&bot, "parent", "SCRUM-101").await, [""; 0]);
}
