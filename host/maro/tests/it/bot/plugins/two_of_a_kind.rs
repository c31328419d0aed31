//! Two of a kind: what happens to one plugin, file, issue or person is no other's.

use std::{fs, time::Duration};

use jiff::{SignedDuration, Timestamp};
use maro_process::clock::Clock;
use maro_runtime::plugin_changes::PluginChange;
use maro_simulation::jira::faults::JiraFault;

use crate::{
    bot::{TestBot, server::http},
    built_components::{PluginsFolder, fixture},
    handwritten_components,
    plugin_changes::{Changes, put, version},
};

const GRANTS: &[u8] = b"grants = [\"jira\", \"tracker\", \"tracker-edit\"]";

/// A fixture under another name of the same length.
fn renamed(name: &str, to: &str) -> Vec<u8> {
    handwritten_components::renamed(&fs::read(fixture(name)).unwrap(), name, to)
}

/// Two plugins that do the same.
fn twins() -> PluginsFolder {
    let folder = PluginsFolder::shipped();
    let with = |folder: PluginsFolder, name: &str| {
        folder
            .with_file(&format!("{name}.wasm"), &renamed("hostile", name))
            .with_file(&format!("{name}.toml"), GRANTS)
    };
    with(with(folder, "hostile"), "hostila")
}

async fn bot_at_noon(plugins: PluginsFolder) -> TestBot {
    let noon: Timestamp = "2026-01-31T12:00:00Z".parse().unwrap();
    TestBot::in_surroundings(plugins, Clock::stopped(noon).into(), |_, _| {}).await
}

async fn fail(bot: &TestBot, plugin: &str) {
    for _ in 0..5 {
        bot.say(&format!("/maro {plugin} trap")).await;
    }
}

async fn is_resting(bot: &TestBot, plugin: &str) -> bool {
    bot.say(&format!("/maro {plugin} state")).await.contains("is paused after")
}

async fn breakers(bot: &TestBot) -> Vec<String> {
    let metrics = http::text(bot, "metrics").await;
    let mut lines: Vec<_> = metrics
        .lines()
        .filter_map(|line| line.strip_prefix("maro_plugin_breaker_open{subcommand=\"hostil"))
        .map(str::to_owned)
        .collect();
    lines.sort();
    lines
}

#[tokio::test]
async fn one_plugin_rests_and_the_other_works() {
    let bot = bot_at_noon(twins()).await;
    // Their faults don't add up, and a success of one doesn't count for the other.
    for _ in 0..4 {
        bot.say("/maro hostile trap").await;
        bot.say("/maro hostila trap").await;
    }
    assert_eq!(breakers(&bot).await, ["a\"} 0", "e\"} 0"]);
    assert_eq!(bot.say("/maro hostila state").await, "1");
    bot.say("/maro hostile trap").await;
    assert_eq!(breakers(&bot).await, ["a\"} 0", "e\"} 1"]);
    assert!(is_resting(&bot, "hostile").await && !is_resting(&bot, "hostila").await);

    fail(&bot, "hostila").await;
    bot.clock.set(bot.clock.now() + SignedDuration::from_secs(30));
    assert_eq!(bot.say("/maro hostile state").await, "1");
    assert_eq!(breakers(&bot).await, ["a\"} 1", "e\"} 0"], "the other has not been tried yet");
    let plugins = bot.bot().registry().plugins();
    let incident = |name: &str| plugins.get(name).unwrap().last_fault().unwrap().incident;
    assert_ne!(incident("hostile"), incident("hostila"));
}

#[tokio::test]
async fn a_plugin_that_is_removed_while_it_rests_leaves_nothing_behind() {
    let bot = bot_at_noon(twins()).await;
    let mut changes = Changes::of(bot.bot().registry());
    fail(&bot, "hostile").await;
    fail(&bot, "hostila").await;
    assert!(matches!(changes.next("hostile").await, PluginChange::BreakerOpened { .. }));
    assert_eq!(breakers(&bot).await, ["a\"} 1", "e\"} 1"]);
    fs::remove_file(bot.plugins_folder().join("hostile.wasm")).unwrap();
    bot.say("/maro plugins reload").await;
    assert_eq!(changes.next("hostile").await, PluginChange::Removed);
    assert_eq!(breakers(&bot).await, ["a\"} 1"], "the one that is there still rests");
    assert!(bot.say("/maro hostile state").await.starts_with("hostile isn't a MARO command."));
    assert!(is_resting(&bot, "hostila").await);

    put(bot.plugins_folder(), "hostile.wasm", &fs::read(fixture("hostile")).unwrap());
    bot.say("/maro plugins reload").await;
    assert!(matches!(changes.next("hostile").await, PluginChange::Loaded { .. }));
    assert_eq!(bot.say("/maro hostile state").await, "1", "it begins anew");
    assert_eq!(breakers(&bot).await, ["a\"} 1", "e\"} 0"]);
    assert!(is_resting(&bot, "hostila").await, "the other was not loaded again");
}

#[tokio::test]
async fn plugins_keep_the_same_key_apart() {
    let manifest = "grants = [\"storage\", \"settings\", \"clock\", \"http\"]";
    let plugins = PluginsFolder::shipped()
        .with_fixture("capable", "capable", manifest)
        .with_file("capabla.wasm", &renamed("capable", "capabla"))
        .with_file("capabla.toml", manifest.as_bytes());
    let bot = TestBot::with_plugins(plugins).await;
    for scope in ["channel", "plugin"] {
        for name in ["capable", "capabla"] {
            assert_eq!(bot.say(&format!("/maro {name} get {scope} key")).await, "None");
            assert_eq!(bot.say(&format!("/maro {name} set {scope} key {name}")).await, "set");
        }
        for name in ["capable", "capabla"] {
            assert_eq!(bot.say(&format!("/maro {name} get {scope} key")).await, format!("Some(\"{name}\")"));
        }
        assert_eq!(bot.say(&format!("/maro capable delete {scope} key")).await, "true");
        assert_eq!(bot.say(&format!("/maro capabla keys {scope}")).await, "[\"key\"]");
    }
}

#[tokio::test]
async fn switching_one_plugin_on_leaves_the_other_off() {
    let mut bot = TestBot::start().await;
    bot.say("/maro plugins disable track").await;
    bot.say("/maro plugins disable untrack").await;
    bot.say("/maro plugins enable track").await;
    for _ in 0..2 {
        assert!(bot.say("/maro track SCRUM-123").await.contains("SCRUM-123"));
        assert!(bot.say("/maro untrack SCRUM-123").await.starts_with("/maro untrack was turned off"));
        bot.restart().await;
    }
}

#[tokio::test]
async fn of_two_refused_files_the_one_that_is_mended_serves() {
    let plugins = PluginsFolder::shipped().with_file("hostile.wasm", b"?").with_file("other.wasm", b"?");
    let bot = TestBot::with_plugins(plugins.with_file("hostile.toml", GRANTS)).await;
    put(bot.plugins_folder(), "hostile.wasm", &version(1));
    let list = bot.say("/maro plugins reload").await;
    assert!(
        list.contains("• other.wasm couldn't be loaded") && !list.contains("hostile.wasm couldn't"),
        "{list}"
    );
    fs::remove_file(bot.plugins_folder().join("other.wasm")).unwrap();
    let list = bot.say("/maro plugins reload").await;
    assert!(list.contains("• hostile ") && !list.contains("couldn't be loaded"), "{list}");
}

#[tokio::test]
async fn two_late_answers_go_to_who_asked_for_each() {
    let bot = TestBot::start().await;
    bot.jira.set_fault(JiraFault::Slow(Duration::from_secs(3)));
    let (ada, grace) = tokio::join!(
        bot.messages("ada", "general", "/maro track SCRUM-123"),
        bot.messages("grace", "random", "/maro track SCRUM-124"),
    );
    for (messages, key, channel) in [(ada, "SCRUM-123", "general"), (grace, "SCRUM-124", "random")] {
        let [message] = &*messages else { panic!("{messages:?}") };
        assert!(message.is_delayed && message.text.contains(key), "{}", message.text);
        let known = bot.slack.workspace().channels.iter().find(|known| known.name == channel).unwrap();
        assert_eq!(message.channel, known.id.as_str());
    }
    bot.jira.clear_fault();
    assert!(bot.say("/maro tracked").await.contains("SCRUM-123"));
    assert!(!bot.say("/maro tracked").await.contains("SCRUM-124"));
}

#[tokio::test]
async fn a_denial_is_told_again_after_another() {
    let (log, _guard) = crate::log::Log::start();
    let manifest = "grants = [\"jira\", \"tracker\", \"tracker-edit\"]
        [scope]\njira.admins-only = true\ntracker.admins-only = true\ntracker-edit.admins-only = true";
    let bot =
        TestBot::with_plugins(PluginsFolder::shipped().with_fixture("hostile", "hostile", manifest)).await;
    for commands in 1..=2 {
        bot.say_as("grace", "general", "/maro hostile bad-key SCRUM-123").await;
        for grant in ["jira", "tracker", "tracker-edit"] {
            let lines = log.lines(&format!("was denied {grant}: "));
            assert_eq!(lines.lines().count(), commands, "{lines}");
        }
    }
}
