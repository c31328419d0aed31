//! `/maro plugins history` and `rollback`: an earlier version runs again, everywhere and until the file changes.

use maro_runtime::events::PluginChange;

use crate::{
    bot::{TestBot, until},
    plugin_changes::{Changes, put, version},
    plugins::PluginsFolder,
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
