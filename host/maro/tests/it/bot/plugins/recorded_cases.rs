//! Cases recorded beside a plugin: a new version must reply as they do before it serves.

use std::{fs, os::unix::fs::symlink, process::Command};

use maro_runtime::plugin_changes::PluginChange;

use crate::{
    bot::TestBot,
    built_components::PluginsFolder,
    plugin_changes::{Changes, put, version},
};

const GRANTS: &str = "grants = [\"jira\", \"tracker\", \"tracker-edit\"]";

#[tokio::test]
async fn a_version_that_replies_otherwise_than_recorded_serves_only_if_the_operator_allows_it() {
    let plugins = PluginsFolder::shipped()
        .with_file("hostile.wasm", &version(1))
        .with_file("hostile.toml", GRANTS.as_bytes());
    let bot = TestBot::with_settings(plugins, |config| config.plugins.hot_reload = true).await;
    let mut recordings = bot.bot().recorder().listen().unwrap();
    assert!(bot.say("/maro hostile").await.starts_with("Version 1 here."));
    let cases = bot.plugins_folder().join("hostile.cases");
    fs::create_dir(&cases).unwrap();
    recordings.recv().await.unwrap().case.write(&cases.join("greeting.json")).unwrap();
    // One that all versions pass doesn't speak for the other.
    assert!(bot.say("/maro hostile arguments none").await.contains("none"));
    recordings.recv().await.unwrap().case.write(&cases.join("arguments.json")).unwrap();

    let mut changes = Changes::of(bot.bot().registry());
    put(bot.plugins_folder(), "hostile.wasm", &version(2));
    let (reason, kept) = changes.refusal("hostile.wasm").await;
    assert_eq!(
        reason,
        "it doesn't answer as recorded in greeting.json: fix it, record the cases again, or set cases = \"warn\" \
         in hostile.toml"
    );
    assert!(kept.is_some());
    assert!(bot.say("/maro hostile").await.starts_with("Version 1 here."));

    put(bot.plugins_folder(), "hostile.toml", format!("{GRANTS}\ncases = \"warn\"").as_bytes());
    assert!(matches!(changes.next("hostile").await, PluginChange::Replaced { .. }));
    assert!(bot.say("/maro hostile").await.starts_with("Version 2 here."));

    fs::write(cases.join("greeting.json"), "no case").unwrap();
    put(bot.plugins_folder(), "hostile.wasm", &version(1));
    let (reason, _) = changes.refusal("hostile.wasm").await;
    assert!(reason.starts_with("its recorded cases can't be read: "), "{reason}");
}

#[tokio::test]
async fn cases_that_never_end_keep_nobody_waiting() {
    for file in ["pipe", "endless", "nested"] {
        let plugins = PluginsFolder::shipped()
            .with_file("hostile.wasm", &version(1))
            .with_file("hostile.toml", GRANTS.as_bytes());
        let cases = plugins.path().join("hostile.cases");
        fs::create_dir(&cases).unwrap();
        let case = cases.join(file).with_extension("json");
        match file {
            "pipe" => assert!(Command::new("mkfifo").arg(&case).status().unwrap().success()),
            "endless" => symlink("/dev/zero", &case).unwrap(),
            _ => fs::write(&case, "[".repeat(1_000_000)).unwrap(),
        }
        let bot = TestBot::with_plugins(plugins).await;
        let list = bot.say("/maro plugins").await;
        assert!(
            list.contains("hostile.wasm couldn't be loaded: its recorded cases can't be read: "),
            "{list}"
        );
        assert!(bot.say("/maro tracked").await.starts_with("No Jira issues are tracked"));
    }
}
