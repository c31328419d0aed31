//! `/maro plugins history` and `rollback`: an earlier version runs again, everywhere and until the file changes.

use std::{fs, path::Path};

use maro_runtime::plugin_changes::PluginChange;

use crate::{
    bot::{TestBot, until},
    built_components::PluginsFolder,
    plugin_changes::{Changes, put, version},
};

const GRANTS: &str = "grants = [\"jira\", \"tracker\", \"tracker-edit\"]";

async fn answer(bot: &TestBot) -> String {
    bot.say("/maro hostile").await.lines().next().unwrap().to_owned()
}

#[tokio::test]
async fn a_plugin_is_rolled_back_until_its_file_changes() {
    let plugins = PluginsFolder::shipped()
        .with_file("hostile.wasm", &version(1))
        .with_file("hostile.toml", GRANTS.as_bytes());
    let cache = tempfile::tempdir().unwrap();
    let dir = cache.path().join("code");
    let mut bot = TestBot::with_settings(plugins, |config| {
        config.plugins.hot_reload = true;
        config.plugins.cache_dir = Some(dir);
    })
    .await;
    let mut changes = Changes::of(bot.bot().registry());
    let shown = bot.say("/maro plugins rollback hostile").await;
    assert_eq!(shown, "No earlier version of hostile is kept here. Nothing was changed.");
    let kept = async |number: usize| {
        until("they are kept", async || {
            bot.say("/maro plugins history hostile").await.lines().count() == number + 1
        })
        .await;
    };
    kept(1).await;
    put(bot.plugins_folder(), "hostile.wasm", &version(2));
    put(bot.plugins_folder(), "hostile.toml", format!("{GRANTS}\n[limits]\ncpu-ms = 300").as_bytes());
    assert!(matches!(changes.next("hostile").await, PluginChange::Replaced { .. }));
    kept(2).await;
    assert_eq!(answer(&bot).await, "Version 2 here.");

    for wish in ["rollback", "history"] {
        let refused = bot.say_as("grace", "general", &format!("/maro plugins {wish} hostile")).await;
        assert!(refused.contains("admins") && !refused.contains("0.1.0"), "{refused}");
    }
    assert_eq!(answer(&bot).await, "Version 2 here.");
    let shown = bot.say("/maro plugins rollback hostile").await;
    assert!(shown.starts_with("hostile is rolled back to 0.1.0 "), "{shown}");
    assert_eq!(answer(&bot).await, "Version 1 here.");
    let shown = bot.say("/maro plugins hostile").await;
    assert!(shown.contains("cpu-ms 500") && shown.contains("it was rolled back to this version"), "{shown}");
    let history = bot.say("/maro plugins history hostile").await;
    assert!(history.lines().last().unwrap().ends_with("It's running."), "{history}");
    let shown = bot.say("/maro plugins rollback hostile").await;
    assert_eq!(shown, "No earlier version of hostile is kept here. Nothing was changed.");

    // It holds over a reload and a restart.
    bot.say("/maro plugins reload").await;
    assert_eq!(answer(&bot).await, "Version 1 here.");
    bot.restart().await;
    assert_eq!(answer(&bot).await, "Version 1 here.");

    let mut changes = Changes::of(bot.bot().registry());
    put(bot.plugins_folder(), "hostile.wasm", &version(3));
    assert!(matches!(changes.next("hostile").await, PluginChange::Replaced { .. }));
    assert_eq!(answer(&bot).await, "Version 3 here.");
    assert!(!bot.say("/maro plugins").await.contains("rolled back"));

    // A file that was refused after a restart, so that nothing runs.
    put(bot.plugins_folder(), "hostile.wasm", b"?");
    changes.refusal("hostile.wasm").await;
    bot.restart().await;
    assert!(bot.say("/maro hostile").await.contains("is installed but isn't running right now"));
    bot.say("/maro plugins rollback hostile").await;
    assert_eq!(answer(&bot).await, "Version 3 here.");
}

/// Version 2 runs, and version 1 before it, on a bot with hot reload.
async fn two_versions(cache: &Path) -> (TestBot, Changes) {
    let plugins = PluginsFolder::shipped()
        .with_file("hostile.wasm", &version(1))
        .with_file("hostile.toml", GRANTS.as_bytes());
    let dir = cache.join("code");
    let bot = TestBot::with_settings(plugins, |config| {
        config.plugins.hot_reload = true;
        config.plugins.cache_dir = Some(dir);
    })
    .await;
    let mut changes = Changes::of(bot.bot().registry());
    assert_kept(&bot, 1).await;
    put(bot.plugins_folder(), "hostile.wasm", &version(2));
    assert!(matches!(changes.next("hostile").await, PluginChange::Replaced { .. }));
    assert_kept(&bot, 2).await;
    (bot, changes)
}

async fn assert_kept(bot: &TestBot, number: usize) {
    until("they are kept", async || {
        bot.say("/maro plugins history hostile").await.lines().count() == number + 1
    })
    .await;
}

#[tokio::test]
async fn a_roll_back_doesnt_come_back_with_its_file() {
    let cache = tempfile::tempdir().unwrap();
    let (mut bot, mut changes) = two_versions(cache.path()).await;
    for is_restarted in [false, true] {
        assert_eq!(answer(&bot).await, "Version 2 here.");
        bot.say("/maro plugins rollback hostile").await;
        assert!(matches!(changes.next("hostile").await, PluginChange::Replaced { .. }));
        assert_eq!(answer(&bot).await, "Version 1 here.");
        // Also the version that runs may be what the file changes to.
        for number in if is_restarted { [1, 2] } else { [3, 2] } {
            put(bot.plugins_folder(), "hostile.wasm", &version(number));
            assert!(matches!(changes.next("hostile").await, PluginChange::Replaced { .. }));
            assert_eq!(answer(&bot).await, format!("Version {number} here."));
        }
        if is_restarted {
            bot.restart().await;
            changes = Changes::of(bot.bot().registry());
        }
        assert_eq!(answer(&bot).await, "Version 2 here.");
        // The version before is the one to roll back to.
        if !is_restarted {
            put(bot.plugins_folder(), "hostile.wasm", &version(1));
            assert!(matches!(changes.next("hostile").await, PluginChange::Replaced { .. }));
            put(bot.plugins_folder(), "hostile.wasm", &version(2));
            assert!(matches!(changes.next("hostile").await, PluginChange::Replaced { .. }));
            until("it is kept as the latest", async || {
                let history = bot.say("/maro plugins history hostile").await;
                history.lines().nth(1).unwrap().ends_with("It's running.")
            })
            .await;
        }
    }
    assert!(!bot.say("/maro plugins hostile").await.contains("rolled back"));
}

#[tokio::test]
async fn a_mistaken_roll_back_is_undone() {
    let cache = tempfile::tempdir().unwrap();
    let (mut bot, _changes) = two_versions(cache.path()).await;
    let shown = bot.say("/maro plugins rollback hostile").await;
    assert!(
        shown.ends_with("until its file changes. To undo this, type /maro plugins reload hostile."),
        "{shown}"
    );
    let refused = bot.say_as("grace", "general", "/maro plugins reload hostile").await;
    assert!(refused.contains("admins"), "{refused}");
    assert_eq!(answer(&bot).await, "Version 1 here.");
    let shown = bot.say("/maro plugins reload hostile").await;
    assert!(
        shown.starts_with("hostile is no longer rolled back. Its file runs again on all replicas: 0.1.0 "),
        "{shown}"
    );
    assert_eq!(answer(&bot).await, "Version 2 here.");
    bot.restart().await;
    assert_eq!(answer(&bot).await, "Version 2 here.");
    // It can be rolled back once more.
    bot.say("/maro plugins rollback hostile").await;
    assert_eq!(answer(&bot).await, "Version 1 here.");
    bot.say("/maro plugins reload hostile").await;
    assert_eq!(answer(&bot).await, "Version 2 here.");

    // Of one that isn't rolled back, the file alone is loaded again.
    let shown = bot.say("/maro plugins reload hostile").await;
    assert!(shown.starts_with("hostile") && !shown.contains("rolled back"), "{shown}");
    for name in ["nothing", "../hostile", "a.b"] {
        let shown = bot.say(&format!("/maro plugins reload {name}")).await;
        assert!(shown.contains("no plugin"), "{shown}");
    }
}

#[tokio::test]
async fn a_roll_back_leads_to_another_build() {
    let cache = tempfile::tempdir().unwrap();
    let (bot, mut changes) = two_versions(cache.path()).await;
    put(bot.plugins_folder(), "hostile.toml", format!("{GRANTS}\n[limits]\ncpu-ms = 300").as_bytes());
    assert!(matches!(changes.next("hostile").await, PluginChange::Replaced { .. }));
    assert_kept(&bot, 3).await;
    put(
        bot.plugins_folder(),
        "hostile.toml",
        format!("{GRANTS}\n# Again.\n[limits]\ncpu-ms = 300").as_bytes(),
    );
    assert_kept(&bot, 4).await;
    let history = bot.say("/maro plugins history hostile").await;
    let notes = history
        .lines()
        .filter(|line| line.contains(" Same component as a newer one here, with a different manifest."));
    assert_eq!(notes.count(), 2, "{history}");
    // Not to one whose manifest says the same.
    let shown = bot.say("/maro plugins rollback hostile").await;
    assert!(shown.contains("is rolled back to 0.1.0 "), "{shown}");
    assert!(shown.contains(", with its earlier manifest, on all replicas"), "{shown}");
    assert!(bot.say("/maro plugins hostile").await.contains("cpu-ms 500"));
    assert_eq!(answer(&bot).await, "Version 2 here.");
    bot.say("/maro plugins rollback hostile").await;
    assert_eq!(answer(&bot).await, "Version 1 here.");
}

#[tokio::test]
async fn what_is_kept_of_a_plugin_is_told_when_its_file_is_gone() {
    let cache = tempfile::tempdir().unwrap();
    let (bot, mut changes) = two_versions(cache.path()).await;
    bot.say("/maro plugins disable hostile").await;
    let history = bot.say("/maro plugins history hostile").await;
    assert!(history.contains(" It's turned off.") && !history.contains("It's running."), "{history}");
    bot.say("/maro plugins enable hostile").await;
    fs::remove_file(bot.plugins_folder().join("hostile.wasm")).unwrap();
    while changes.next("hostile").await != PluginChange::Removed {}
    let history = bot.say("/maro plugins history hostile").await;
    assert!(history.starts_with("Versions of hostile that MARO keeps"), "{history}");
    assert_eq!(history.matches("started running").count(), 2, "{history}");
    let shown = bot.say("/maro plugins rollback hostile").await;
    assert!(shown.starts_with("hostile.wasm isn't in the plugins folder"), "{shown}");
}
