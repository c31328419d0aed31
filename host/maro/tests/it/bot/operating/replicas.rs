//! Two bots on one PostgreSQL: a second one starts while the first works, and Slack turns to it.

use maro_simulation::{
    jira::faults::JiraFault,
    slack::people::{act_error::SubmitOutcome, pressing::Press},
};

use crate::{
    bot::{
        TestBot, key,
        tickets::{
            create::{open_create, told},
            stories::{EPIC, open_stories},
        },
        until,
    },
    built_components::PluginsFolder,
};

/// Longer than the second bot takes to start, and shorter than Jira may take to link a ticket.
const VERY_SLOW: JiraFault = JiraFault::Slow(std::time::Duration::from_secs(6));

#[tokio::test]
async fn a_ticket_on_its_way_is_left_to_the_bot_that_began_it() {
    let Some(bot) = TestBot::on_postgres(PluginsFolder::shipped()).await else { return };
    open_create(&bot, "Zeppelin barometer").await;
    let form = bot.slack.submission("ada").unwrap();
    bot.jira.set_next_faults_of("/issue", [Some(VERY_SLOW)]);
    let SubmitOutcome::Updated(_) = bot.slack.submit("ada").await.unwrap() else { panic!("no progress") };
    let replica = bot.start_replica().await;
    let shown = bot.send_again(&form).await;
    assert!(shown.contains("MARO is working on it"), "{shown}");
    bot.slack.wait_for_modal("ada", |modal| modal.text().contains("Done.")).await.unwrap();
    let shown = bot.send_again(&form).await;
    assert!(shown.contains("SCRUM-151"), "{shown}");
    bot.assert_created_once(&["Created SCRUM-151: Zeppelin barometer"]);
    // At no time did the first one lose it to the second.
    let shown = bot.slack.calls_of("views.update");
    assert!(shown.iter().all(|call| !call.arguments.to_string().contains("can't reach")), "{shown:?}");
    assert_eq!(bot.asked_for("/issue"), 1);
    replica.stop().await;
}

#[tokio::test]
async fn a_form_that_reaches_two_bots_creates_one_ticket() {
    let Some(bot) = TestBot::on_postgres(PluginsFolder::shipped()).await else { return };
    open_create(&bot, "Zeppelin thermometer").await;
    let form = bot.slack.submission("ada").unwrap();
    let replica = bot.start_replica().await;
    // One looks for similar tickets and has asked Jira for nothing else when the other gets the form.
    let slow = Some(JiraFault::Slow(std::time::Duration::from_secs(1)));
    bot.jira.set_next_faults_of("/search/jql", [slow.clone(), slow]);
    let again = async {
        until("the first search", async || bot.asked_for("/search/jql") > 0).await;
        bot.slack.connect_bot(bot.url("slack/commands"));
        bot.send_again(&form).await
    };
    let (first, _) = tokio::join!(bot.slack.submit("ada"), again);
    first.unwrap();
    bot.until_told().await;
    bot.until_finished().await;
    bot.assert_created_once(&["Created SCRUM-151: Zeppelin thermometer"]);
    replica.stop().await;
}

#[tokio::test]
async fn stories_and_links_on_their_way_are_left_to_the_bot_that_began_them() {
    let Some(bot) = TestBot::on_postgres(PluginsFolder::shipped()).await else { return };
    open_create(&bot, "Authentication flow for users").await;
    assert!(matches!(bot.slack.submit("ada").await.unwrap(), SubmitOutcome::Updated(_)));
    let press = bot.slack.press_of("ada", Press::button("Link this one").beside("SCRUM-123")).unwrap();
    bot.jira.set_next_faults_of("/remotelink", [Some(VERY_SLOW)]);
    bot.send_again(&press).await;
    bot.slack.close("ada").await.unwrap();
    open_stories(&bot, EPIC).await;
    bot.slack.fill("ada", &[("stories", "Zeppelin logbook")]).await.unwrap();
    let form = bot.slack.submission("ada").unwrap();
    bot.jira.set_next_faults_of("/issue/bulk", [Some(VERY_SLOW)]);
    bot.slack.submit("ada").await.unwrap();
    let replica = bot.start_replica().await;
    let shown = bot.send_again(&form).await;
    assert!(shown.contains("MARO is working on it"), "{shown}");
    bot.send_again(&press).await;
    until("both messages", async || told(&bot).len() > 1).await;
    bot.until_finished().await;
    assert_eq!((bot.asked_for("/remotelink"), bot.asked_for("/issue/bulk")), (1, 1));
    assert_eq!(bot.jira.created_issues().len(), 1);
    assert_eq!(bot.jira.remote_links(&key("SCRUM-123")).len(), 1);
    let mut messages = told(&bot);
    messages.sort();
    assert_eq!(
        messages,
        [
            "@ada linked this conversation to SCRUM-123: User authentication flow",
            "Created a story under SCRUM-101:\n• SCRUM-151: Zeppelin logbook",
        ]
    );
    replica.stop().await;
}
