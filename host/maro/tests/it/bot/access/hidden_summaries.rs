//! What a channel reads of an issue that was just created, where Jira gave it a security level by itself.

use maro_simulation::slack::people::act_error::SubmitOutcome;

use crate::{
    bot::{
        TestBot,
        access::ticket_bot,
        tickets::{
            create::{open_create, told},
            stories::open_stories,
        },
    },
    raw::query,
};

async fn create(bot: &TestBot, summary: &str) {
    open_create(bot, summary).await;
    assert_eq!(bot.slack.submit("ada").await.unwrap(), SubmitOutcome::Closed);
}

#[tokio::test]
async fn a_created_issue_with_a_level_is_announced_by_its_key() {
    let bot = ticket_bot("security-levels = \"deny\"").await;
    create(&bot, "Zeppelin logbook").await;
    bot.jira.give_new_issues_level(Some("Board"));
    create(&bot, "Sale of the north quay").await;
    let expected = ["Created SCRUM-151: Zeppelin logbook", "Created SCRUM-152"];
    assert_eq!(told(&bot), expected);
    let tracked = "SELECT issue_key FROM channel_tracked_issues ORDER BY id";
    assert_eq!(query(&bot.config.database, tracked).await.len(), 2);
}

#[tokio::test]
async fn stories_with_a_level_are_announced_by_their_keys() {
    let bot = ticket_bot("security-levels = \"deny\"").await;
    bot.jira.give_new_issues_level(Some("Board"));
    open_stories(&bot, "SCRUM-101").await;
    bot.slack.fill("ada", &[("stories", "Sale of the north quay\nSale of the south quay")]).await.unwrap();
    bot.slack.submit("ada").await.unwrap();
    let told = told(&bot).join("\n");
    assert!(told.contains("SCRUM-151") && told.contains("SCRUM-152") && !told.contains("quay"), "{told}");
}

#[tokio::test]
async fn without_a_policy_jira_is_not_asked_and_the_summary_is_said() {
    let bot = ticket_bot("").await;
    bot.jira.give_new_issues_level(Some("Board"));
    create(&bot, "Sale of the north quay").await;
    assert_eq!(told(&bot), ["Created SCRUM-151: Sale of the north quay"]);
}
