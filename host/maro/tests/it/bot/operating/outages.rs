//! Neighbours that are away for a while: they hold up nobody else, and are told of once.

use std::time::Duration;

use futures_util::future::join_all;
use maro_simulation::jira::faults::JiraFault;

use crate::{
    bot::{TestBot, until},
    built_components::PluginsFolder,
    log::Log,
    raw::execute,
};

const NO_ANSWER: &str = "Jira took too long to respond. Nothing was changed. Try again in a few minutes.";

#[tokio::test]
async fn commands_that_wait_for_jira_make_nobody_busy() {
    let bot = TestBot::start().await;
    bot.jira.set_fault(JiraFault::Hang);
    let (log, _guard) = Log::start();
    let hanging = join_all((0..48).map(|_| bot.say("/maro track SCRUM-123")));
    let others = async {
        until("Jira is asked", async || bot.asked_for("/bulkfetch") >= 16).await;
        join_all((0..8).map(|_| bot.say_as("grace", "random", "/maro tracked"))).await
    };
    let (hanging, others) = tokio::join!(hanging, others);
    assert!(hanging.iter().all(|shown| shown == NO_ANSWER), "{hanging:?}");
    assert!(others.iter().all(|shown| shown.starts_with("No Jira issues are tracked")), "{others:?}");
    assert_eq!(bot.asked_for("/bulkfetch"), 16);
    // Now MARO knows, and says so without asking.
    let messages = bot.messages("ada", "general", "/maro track SCRUM-123").await;
    assert!(!messages[0].is_delayed, "{messages:?}");
    let told = log.text().lines().filter(|line| line.contains("Jira doesn't answer")).count();
    assert_eq!(told, 1, "{}", log.text());
    let plugins = bot.bot().registry().plugins();
    let track = plugins.get("track").unwrap();
    assert!(!track.breaker().is_open() && track.last_fault().is_none(), "it isn't the plugin's fault");
    // A request finds out that Jira is back.
    bot.jira.clear_fault();
    until("Jira is asked again", async || bot.say("/maro track SCRUM-123").await.contains("SCRUM-123:"))
        .await;
}

#[tokio::test]
async fn a_plugin_with_less_time_than_jira_has_can_still_say_that_jira_hangs() {
    let manifest = "grants = [\"jira\", \"tracker-edit\"]\n[limits]\nwall-ms = 4000";
    let bot =
        TestBot::with_plugins(PluginsFolder::shipped().with_file("track.toml", manifest.as_bytes())).await;
    bot.jira.set_fault(JiraFault::Hang);
    assert_eq!(bot.say("/maro track SCRUM-123").await, NO_ANSWER);
    assert_eq!(bot.bot().registry().plugins().get("track").unwrap().last_fault(), None);
}

#[tokio::test]
async fn a_database_that_fails_is_told_of_once_and_each_command_by_its_id() {
    let bot = TestBot::start().await;
    let (log, _guard) = Log::start();
    let rename = async |from: &str, to: &str| {
        execute(&bot.config.database, &format!("ALTER TABLE {from} RENAME TO {to}")).await;
    };
    rename("channel_tracked_issues", "mislaid").await;
    for _ in 0..10 {
        let shown = bot.say("/maro track SCRUM-123").await;
        assert!(shown.starts_with("MARO can't reach its database right now."), "{shown}");
        assert!(bot.say("/maro tracked").await.starts_with("MARO can't reach its database right now."));
    }
    let count = |what: &str| log.text().lines().filter(|line| line.contains(what)).count();
    assert_eq!(count("the database doesn't answer"), 1, "{}", log.text());
    assert_eq!(count("no such table"), 1, "{}", log.text());
    assert_eq!(count(" WARN ") + count("ERROR "), 1, "{}", log.text());
    assert_eq!(count("a command failed during an outage"), 20);
    let commands = log.text().lines().filter(|line| line.contains("incident=")).count();
    assert_eq!(commands, 20, "each has its id");
    rename("mislaid", "channel_tracked_issues").await;
    assert!(bot.say("/maro tracked").await.starts_with("No Jira issues are tracked"));
    until("the end is told", async || {
        tokio::time::sleep(Duration::from_millis(200)).await;
        bot.say("/maro tracked").await;
        count("the database answers again") == 1
    })
    .await;
}
