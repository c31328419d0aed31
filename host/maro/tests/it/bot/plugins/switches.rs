//! `/maro plugins disable` and `enable`: for administrators, for good, for all replicas.

use insta::assert_snapshot;
use maro_bot::bot::Bot;
use maro_process::{clock::Clock, secret::Secret};
use maro_runtime::plugin_changes::PluginChange;
use maro_store::config::DatabaseConfig;

use crate::{
    bot::{TestBot, server::http},
    built_components::PluginsFolder,
    plugin_changes::Changes,
    postgres,
};

#[tokio::test]
async fn a_plugin_is_switched_off_and_on() {
    let bot = TestBot::start().await;
    let mut changes = Changes::of(bot.bot().registry());
    assert_snapshot!(bot.say("/maro plugins disable track").await, @"/maro track is now off. To turn it back on, type /maro plugins enable track.");
    assert_snapshot!(bot.say("/maro plugins disable track").await, @"/maro track is already off. To turn it back on, type /maro plugins enable track.");
    assert!(matches!(changes.next("track").await, PluginChange::Disabled { .. }));
    assert_snapshot!(bot.say_as("grace", "general", "/maro track SCRUM-123").await, @"/maro track was turned off by @ada.");
    assert_snapshot!(bot.say("/maro help track").await, @"/maro track was turned off by @ada.");
    let help = bot.say("/maro help").await;
    assert!(!help.contains("/maro track ISSUE") && help.contains("/maro untrack"), "{help}");
    assert!(!bot.say("/maro trak").await.contains("Did you mean /maro track?"));
    let list = bot.say("/maro plugins").await;
    let line = list.lines().find(|line| line.starts_with("• track ")).unwrap();
    assert!(line.ends_with(": turned off by @ada"), "{line}");
    assert!(http::text(&bot, "metrics").await.contains("maro_plugins_disabled 1"));
    assert!(bot.say("/maro untrack SCRUM-123").await.starts_with("SCRUM-123 is not tracked"));

    assert_snapshot!(bot.say("/maro plugins enable track").await, @"/maro track is back on.");
    assert_eq!(changes.next("track").await, PluginChange::Enabled);
    assert!(bot.say("/maro track SCRUM-123").await.starts_with("Now tracking"));
    assert_snapshot!(bot.say("/maro plugins enable track").await, @"/maro track is already on.");
}

#[tokio::test]
async fn only_admins_switch_and_only_what_there_is() {
    let bot = TestBot::start().await;
    for typed in ["/maro plugins disable track", "/maro plugins enable track", "/maro plugins reload"] {
        let shown = bot.say_as("grace", "general", typed).await;
        assert_eq!(shown, "Only MARO admins can do this.", "{typed}");
    }
    assert_snapshot!(bot.say("/maro plugins disable trakc").await, @"There's no plugin called trakc. Did you mean track? Type /maro plugins to see them all.");
    assert_snapshot!(bot.say("/maro plugins enable deploy").await, @"There's no plugin called deploy. Type /maro plugins to see them all.");
    assert_snapshot!(bot.say("/maro plugins disable create").await, @"/maro create is built into MARO and can't be turned off.");
    assert_snapshot!(bot.say("/maro plugins disable").await, @"Type /maro plugins for the list, or /maro plugins NAME for details of one. Admins can also type /maro plugins reload, /maro plugins disable NAME, /maro plugins enable NAME, /maro plugins history NAME or /maro plugins rollback NAME.");
    assert!(bot.say("/maro track SCRUM-123").await.starts_with("Now tracking"));
}

#[tokio::test]
async fn a_switch_outlives_restarts_and_plugins() {
    let mut bot = TestBot::start().await;
    bot.say("/maro plugins disable TRACK").await;
    bot.restart().await;
    assert!(bot.say("/maro track SCRUM-123").await.starts_with("/maro track was turned off"));
    std::fs::remove_file(bot.plugins_folder().join("track.wasm")).unwrap();
    let list = bot.say("/maro plugins reload").await;
    assert!(list.contains("• track (not installed): turned off by @ada"), "{list}");
    bot.say("/maro plugins enable track").await;
    bot.restart().await;
    assert!(!bot.say("/maro plugins").await.contains("turned off"));
}

#[tokio::test]
async fn replicas_follow_a_switch() {
    let Some(database) = postgres::Database::new().await else { return };
    let bot = TestBot::with_settings(PluginsFolder::shipped(), |config| {
        config.database = DatabaseConfig::postgres(Secret::new(database.url.clone()));
    })
    .await;
    let replica = Bot::start(bot.config.clone(), Clock::system()).await.unwrap();
    replica.wait_until_ready().await;
    let mut changes = Changes::of(replica.registry());
    bot.say("/maro plugins disable track").await;
    assert!(matches!(changes.next("track").await, PluginChange::Disabled { .. }));
    assert!(replica.registry().plugins().get("track").is_none());
    bot.say("/maro plugins enable track").await;
    assert_eq!(changes.next("track").await, PluginChange::Enabled);
    assert!(replica.registry().plugins().get("track").is_some());
    replica.stop().await;
}
