//! An operator takes away what a plugin was given, while the bot runs.

use std::fs;

use insta::assert_snapshot;
use maro_runtime::plugin_changes::PluginChange;

use crate::{
    bot::TestBot,
    built_components::{PluginsFolder, fixture},
    plugin_changes::{Changes, put, version},
};

const GRANTS: &str = "grants = [\"jira\", \"tracker\", \"tracker-edit\"]";

async fn watching() -> (TestBot, Changes) {
    let plugins = PluginsFolder::shipped()
        .with_file("hostile.wasm", &version(1))
        .with_file("hostile.toml", GRANTS.as_bytes());
    let bot = TestBot::with_settings(plugins, |config| config.plugins.hot_reload = true).await;
    let changes = Changes::of(bot.bot().registry());
    (bot, changes)
}

#[tokio::test]
async fn a_grant_that_is_taken_away_is_gone() {
    let (bot, mut changes) = watching().await;
    let folder = bot.plugins_folder();
    put(folder, "hostile.toml", b"grants = [\"jira\", \"tracker\"]");
    assert_eq!(changes.next("hostile").await, PluginChange::Removed);
    changes.refusal("hostile.wasm").await;
    assert_snapshot!(bot.say("/maro hostile tracked").await, @"/maro hostile is installed but isn't running \
    right now. To see why, type /maro plugins.");
    let list = bot.say("/maro plugins").await;
    let line = list.lines().find(|line| line.starts_with("• hostile")).unwrap();
    assert_snapshot!(line, @r#"• hostile.wasm couldn't be loaded: it needs tracker-edit, which is no longer granted: to let it run again, add "tracker-edit" to grants in hostile.toml."#);

    put(folder, "hostile.toml", GRANTS.as_bytes());
    assert!(matches!(changes.next("hostile").await, PluginChange::Loaded { .. }));
    fs::remove_file(folder.join("hostile.toml")).unwrap();
    assert_eq!(changes.next("hostile").await, PluginChange::Removed);
    changes.refusal("hostile.wasm").await;
    changes.assert_no_more();
}

#[tokio::test]
async fn a_grant_is_narrowed_although_the_new_build_is_bad() {
    let (bot, mut changes) = watching().await;
    let folder = bot.plugins_folder();
    let said = "/maro hostile tracked";
    assert!(bot.say_as("grace", "general", said).await.starts_with("Ok("));
    put(folder, "hostile.wasm", &fs::read(fixture("describe-traps")).unwrap());
    assert!(changes.refusal("hostile.wasm").await.1.is_some());
    put(folder, "hostile.toml", format!("{GRANTS}\n[scope]\ntracker.admins-only = true").as_bytes());
    assert!(matches!(changes.next("hostile").await, PluginChange::Replaced { .. }));
    assert!(bot.say_as("grace", "general", said).await.starts_with("Err("));
    assert!(bot.say_as("ada", "general", said).await.starts_with("Ok("));
}

#[tokio::test]
async fn a_manifest_that_is_deleted_and_written_again_stops_nothing() {
    let (bot, mut changes) = watching().await;
    let path = bot.plugins_folder().join("hostile.toml");
    for _ in 0..5 {
        fs::remove_file(&path).unwrap();
        fs::write(&path, "").unwrap();
        fs::write(&path, GRANTS).unwrap();
        bot.say("/maro hostile").await;
    }
    put(bot.plugins_folder(), "last.wasm", b"?");
    changes.refusal("last.wasm").await;
    assert!(bot.say("/maro hostile").await.starts_with("Version 1 here."));
    changes.assert_no_more();
}
