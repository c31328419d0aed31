//! What a channel reads of an issue that was just created, where Jira gave it a security level by itself.

use maro_simulation::{jira::faults::JiraFault, slack::people::act_error::SubmitOutcome};

use crate::{
    bot::{
        TestBot,
        access::ticket_bot,
        key,
        tickets::{
            create::{open_create, told},
            stories::open_stories,
        },
        until,
    },
    raw::{execute, query},
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

/// Nobody knows yet whether Jira has created it, and then the channel may not show its project any more.
#[tokio::test]
async fn what_is_found_when_it_may_not_be_shown_any_more_is_tracked_by_its_key_and_not_announced() {
    let mut bot = ticket_bot("").await;
    bot.jira.set_next_faults_of("/issue", [Some(JiraFault::DoneThenReset)]);
    // The first search is the one for similar tickets.
    let refused = std::iter::repeat_n(Some(JiraFault::Status(403, None)), 5);
    bot.jira.set_next_faults_of("/search/jql", std::iter::once(None).chain(refused));
    bot.create("Sale of the north quay").await;
    bot.until_modal_says("Jira didn't confirm whether this worked").await;
    bot.config.access = toml::from_str("projects = [\"OPS\"]").unwrap();
    bot.restart().await;
    let row = "SELECT issue_key || ':' || coalesce(last_jira_summary, '') FROM channel_tracked_issues";
    until("it's on the list", async || query(&bot.config.database, row).await == ["SCRUM-151:"]).await;
    bot.until_finished().await;
    assert_eq!(told(&bot), [""; 0]);
    assert_eq!(bot.jira.created_issues().len(), 1);
}

#[tokio::test]
async fn a_linked_issue_that_has_got_a_level_since_is_announced_by_its_key() {
    let bot = ticket_bot("security-levels = \"deny\"").await;
    // The link is saved, but not that the channel is about to be told of it.
    let refuse = "CREATE TRIGGER refuse BEFORE UPDATE ON ticket_intents \
                  WHEN NEW.data LIKE '%\"announcement\":\"sending\"%' BEGIN SELECT RAISE(ABORT, 'no'); END";
    execute(&bot.config.database, refuse).await;
    bot.link().await;
    bot.until_modal_says("Don't send it again").await;
    bot.jira.set_security_level(&key("SCRUM-123"), "Board");
    execute(&bot.config.database, "DROP TRIGGER refuse").await;
    bot.end_leases().await;
    bot.until_told().await;
    assert_eq!(told(&bot), ["@ada linked this conversation to SCRUM-123"]);
}
