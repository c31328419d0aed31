//! A plugin that fails repeatedly rests for a while, and others do not notice.

use insta::assert_snapshot;
use jiff::{SignedDuration, Timestamp};
use maro_process::clock::Clock;
use maro_runtime::plugin_changes::PluginChange;

use crate::{
    bot::{TestBot, server::http},
    built_components::PluginsFolder,
    plugin_changes::{Changes, put, version},
};

/// A bot at a time that stands still, and that time.
async fn bot() -> (TestBot, Timestamp) {
    let now = "2026-01-31T09:30:00Z".parse().unwrap();
    let plugins = PluginsFolder::shipped().with_file("hostile.wasm", &version(1)).with_file(
        "hostile.toml",
        b"grants = [\"jira\", \"tracker\", \"tracker-edit\"]\n[limits]\ncpu-ms = 50",
    );
    (TestBot::in_surroundings(plugins, Clock::stopped(now).into(), |_, _| {}).await, now)
}

async fn fail(bot: &TestBot, times: usize) {
    for _ in 0..times {
        let shown = bot.say("/maro hostile trap").await;
        assert!(shown.starts_with("/maro hostile crashed"), "{shown}");
    }
}

/// What `/maro plugins` says of its health.
async fn health(bot: &TestBot) -> String {
    let list = bot.say("/maro plugins").await;
    let line = list.lines().find(|line| line.starts_with("• hostile ")).unwrap();
    let (_, said) = line.split_once(": ").unwrap();
    said.split(" Last fault").next().unwrap().split(" Permissions").next().unwrap().to_owned()
}

#[tokio::test]
async fn a_plugin_that_fails_repeatedly_rests_and_is_tried_again() {
    let (bot, now) = bot().await;
    let mut changes = Changes::of(bot.bot().registry());
    fail(&bot, 4).await;
    bot.say("/maro hostile state").await;
    fail(&bot, 5).await;
    assert!(matches!(changes.next("hostile").await, PluginChange::BreakerOpened { .. }));
    assert_snapshot!(bot.say("/maro hostile state").await, @"/maro hostile is paused after repeated failures. Try again in 30 seconds.");
    assert_snapshot!(health(&bot).await, @"paused for 30 seconds after repeated failures.");
    assert!(bot.say("/maro track SCRUM-123").await.starts_with("Now tracking"));
    let metrics = http::text(&bot, "metrics").await;
    for line in [
        r#"maro_plugin_breaker_open{subcommand="hostile"} 1"#,
        r#"maro_plugin_breaker_open{subcommand="track"} 0"#,
        r#"maro_commands_total{subcommand="hostile",outcome="circuit_open"} 1"#,
    ] {
        assert!(metrics.contains(line), "{line} is missing in:\n{metrics}");
    }

    bot.clock.set(now + SignedDuration::from_secs(30));
    assert_snapshot!(health(&bot).await, @"paused after repeated failures; the next call will retry it.");
    fail(&bot, 1).await;
    assert!(matches!(changes.next("hostile").await, PluginChange::BreakerOpened { .. }));
    assert_snapshot!(bot.say("/maro hostile state").await, @"/maro hostile is paused after repeated failures. Try again in 60 seconds.");

    bot.clock.set(now + SignedDuration::from_secs(90));
    assert_eq!(bot.say("/maro hostile state").await, "1");
    assert_eq!(changes.next("hostile").await, PluginChange::BreakerClosed);
    fail(&bot, 4).await;
    changes.assert_no_more();
}

#[tokio::test]
async fn a_new_version_starts_without_the_faults_of_the_one_before() {
    let (bot, _) = bot().await;
    fail(&bot, 5).await;
    assert!(bot.say("/maro hostile state").await.contains("is paused"));
    put(bot.plugins_folder(), "hostile.wasm", &version(2));
    bot.say("/maro plugins reload").await;
    assert_eq!(health(&bot).await, "healthy.");
    assert_eq!(bot.say("/maro hostile state").await, "1");
}

#[tokio::test]
async fn what_a_plugin_reports_itself_is_no_fault() {
    let (bot, _) = bot().await;
    for _ in 0..10 {
        assert_eq!(bot.say("/maro hostile failed for a reason").await, "for a reason");
    }
    assert_eq!(health(&bot).await, "healthy.");
}

#[tokio::test]
async fn the_last_fault_is_listed_with_the_id_that_the_person_was_given() {
    let (bot, _) = bot().await;
    let shown = bot.say("/maro hostile loop").await;
    let incident = shown.rsplit(' ').next().unwrap().trim_end_matches('.');
    let list = bot.say("/maro plugins").await;
    assert!(list.contains(&format!(" Last fault ({incident}): it used more than its limit of ")), "{list}");
}
