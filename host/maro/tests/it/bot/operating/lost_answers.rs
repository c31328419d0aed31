//! The database does what is asked, and its answer is lost: nobody is told that nothing was changed.

use std::time::Duration;

use insta::assert_snapshot;
use maro_simulation::jira::faults::JiraFault;
use maro_simulation::slack::{modals::modal::Modal, people::act_error::SubmitOutcome};
use maro_store::config::DatabaseConfig;

use crate::{
    bot::{
        TestBot,
        tickets::{
            create::{open_create, told},
            stories::{EPIC, open_stories},
        },
        until,
    },
    built_components::PluginsFolder,
    lossy_route::LossyRoute,
    postgres,
    raw::query,
};

const GRANTS: &str = "grants = [\"storage\", \"settings\", \"clock\", \"http\"]\n";

async fn bot() -> Option<(TestBot, LossyRoute)> {
    let route = LossyRoute::to(&postgres::Database::new().await?).await;
    let plugins = PluginsFolder::shipped().with_fixture("capable", "capable", GRANTS);
    let bot = TestBot::with_settings(plugins, |config| {
        config.database = DatabaseConfig::postgres(route.url.clone());
        config.jira.default_project = Some("SCRUM".to_owned());
    });
    Some((bot.await, route))
}

#[tokio::test]
async fn a_list_may_have_changed() {
    let Some((bot, route)) = bot().await else { return };
    bot.say("/maro track SCRUM-123").await;
    route.lose_answers_to("SCRUM-123", 1);
    assert_snapshot!(bot.say("/maro untrack SCRUM-123").await, @"MARO lost its database connection partway through. Type /maro tracked in a minute to see whether it worked.");
}

#[tokio::test]
async fn a_plugin_may_have_been_turned_off_and_on() {
    let Some((bot, route)) = bot().await else { return };
    let ada = bot.slack.workspace().people[0].id.clone();
    for (switch, is_off) in [("disable", true), ("enable", false)] {
        route.lose_answers_to(ada.as_str(), 1);
        let shown = bot.say(&format!("/maro plugins {switch} untrack")).await;
        assert_eq!(
            shown,
            "MARO lost its database connection partway through. Type /maro plugins in a minute to see whether it worked."
        );
        // The next switch reads all of them.
        bot.say("/maro plugins enable track").await;
        assert_eq!(bot.say("/maro plugins").await.contains(": turned off by @ada"), is_off);
    }
}

#[tokio::test]
async fn a_form_that_may_have_been_begun_stays_and_is_carried_out_once() {
    let Some((bot, route)) = bot().await else { return };
    open_stories(&bot, EPIC).await;
    let title = "Survey the north basin";
    bot.slack.fill("ada", &[("stories", title)]).await.unwrap();
    route.lose_answers_to(title, 100);
    bot.slack.submit("ada").await.unwrap();
    let says = |modal: &Modal| modal.text().contains("this may have been started");
    let modal = bot.slack.wait_for_modal("ada", says).await.unwrap();
    assert_eq!(modal.value("stories").as_deref(), Some(title));
    assert_eq!(bot.asked_for("/issue/bulk"), 0);

    route.lose_answers_to(title, 0);
    let SubmitOutcome::Updated(modal) = bot.slack.submit("ada").await.unwrap() else { panic!("no progress") };
    assert!(modal.text().contains("MARO is working on it"), "{}", modal.text());
    bot.end_leases().await;
    bot.until_told().await;
    bot.expect_at_rest(1).await;
    assert_eq!(bot.jira.created_issues().len(), 1);
    assert_eq!(bot.asked_for("/issue/bulk"), 1);
}

#[tokio::test]
async fn a_form_whose_draft_may_have_been_saved_stays_and_is_carried_out_once() {
    let Some((bot, route)) = bot().await else { return };
    open_create(&bot, "Zeppelin anchor").await;
    route.lose_answers_to("Zeppelin anchor", 100);
    bot.slack.submit("ada").await.unwrap();
    let says = |modal: &Modal| modal.text().contains("this may have been started");
    let modal = bot.slack.wait_for_modal("ada", says).await.unwrap();
    assert_eq!(modal.value("summary").as_deref(), Some("Zeppelin anchor"));
    route.lose_answers_to("Zeppelin anchor", 0);
    bot.slack.submit("ada").await.unwrap();
    bot.until_told().await;
    bot.expect_at_rest(1).await;
    bot.assert_created_once(&["Created SCRUM-151: Zeppelin anchor"]);
}

#[tokio::test]
async fn a_form_whose_draft_is_known_at_the_next_try_costs_nobody_a_word() {
    let Some((bot, route)) = bot().await else { return };
    open_create(&bot, "Zeppelin anchor").await;
    // As often as one change is tried.
    route.lose_answers_to("Zeppelin anchor", 3);
    bot.slack.submit("ada").await.unwrap();
    bot.until_told().await;
    bot.expect_at_rest(1).await;
    bot.assert_created_once(&["Created SCRUM-151: Zeppelin anchor"]);
}

#[tokio::test]
async fn a_ticket_whose_beginning_is_known_at_the_next_try_is_not_asked_for_again() {
    let Some((bot, route)) = bot().await else { return };
    open_create(&bot, "Zeppelin anchor").await;
    bot.jira.set_next_faults_of("/search/jql", [Some(JiraFault::Slow(Duration::from_secs(2)))]);
    let lose = async {
        let state = "SELECT state FROM ticket_intents";
        until("a draft", async || query(&bot.config.database, state).await == ["draft"]).await;
        // As often as one change is tried.
        route.lose_answers_to("Zeppelin anchor", 3);
    };
    let (submitted, ()) = tokio::join!(bot.slack.submit("ada"), lose);
    submitted.unwrap();
    // Nobody is asked to send again what is known to have begun.
    until("the ticket", async || {
        let modal = bot.slack.modal("ada").map(|modal| modal.text()).unwrap_or_default();
        assert!(!modal.contains("this may have been started"), "{modal}");
        !told(&bot).is_empty()
    })
    .await;
    bot.expect_at_rest(1).await;
    bot.assert_created_once(&["Created SCRUM-151: Zeppelin anchor"]);
}

#[tokio::test]
async fn a_stored_value_may_have_changed() {
    let Some((bot, route)) = bot().await else { return };
    bot.say("/maro capable set channel seen here").await;
    route.lose_answers_to("COMMIT", 1);
    assert_snapshot!(bot.say("/maro capable swap channel seen here there").await, @"MARO lost its database connection partway through. It may have worked, so check before you try again.");
    assert_eq!(bot.say("/maro capable get channel seen").await, "Some(\"there\")");
    // The log tells whether the first was made. Not if its answers are lost, too.
    route.lose_answers_to("COMMIT", 100);
    assert_snapshot!(bot.say("/maro capable set channel seen everywhere").await, @"MARO lost its database connection partway through. It may have worked, so check before you try again.");
    assert_eq!(bot.say("/maro capable get channel seen").await, "Some(\"everywhere\")");
}
