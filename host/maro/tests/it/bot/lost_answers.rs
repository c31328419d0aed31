//! The database does what is asked, and its answer is lost: nobody is told that nothing was changed.

use insta::assert_snapshot;
use maro_store::config::DatabaseConfig;

use crate::{bot::TestBot, lossy_route::LossyRoute, plugins::PluginsFolder, postgres};

const GRANTS: &str = "grants = [\"storage\", \"settings\", \"clock\", \"http\"]\n";

async fn bot() -> Option<(TestBot, LossyRoute)> {
    let route = LossyRoute::to(&postgres::Database::new().await?).await;
    let plugins = PluginsFolder::shipped().with_fixture("capable", "capable", GRANTS);
    let bot = TestBot::with_settings(plugins, |config| {
        config.database = DatabaseConfig::postgres(route.url.clone());
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
async fn a_stored_value_may_have_changed() {
    let Some((bot, route)) = bot().await else { return };
    bot.say("/maro capable set channel seen here").await;
    route.lose_answers_to("COMMIT", 1);
    assert_snapshot!(bot.say("/maro capable swap channel seen here there").await, @"MARO lost its database connection partway through. It may have worked, so check before you try again.");
    assert_eq!(bot.say("/maro capable get channel seen").await, "Some(\"there\")");
    route.lose_answers_to("COMMIT", 3);
    assert_snapshot!(bot.say("/maro capable set channel seen everywhere").await, @"MARO lost its database connection partway through. It may have worked, so check before you try again.");
    assert_eq!(bot.say("/maro capable get channel seen").await, "Some(\"everywhere\")");
}
