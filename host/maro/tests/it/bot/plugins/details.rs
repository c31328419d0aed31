//! `/maro plugins NAME`: all there is to know about one plugin.

use maro_runtime::plugin_changes::PluginChange;
use sha2::{Digest as _, Sha256};

use crate::{
    bot::{TestBot, server::http},
    built_components::PluginsFolder,
    plugin_changes::{Changes, put, version},
};

fn digest(number: u32) -> String {
    hex::encode(Sha256::digest(version(number)))
}

#[tokio::test]
async fn a_plugin_is_shown_with_all_there_is_to_know() {
    let manifest = "grants = [\"jira\", \"tracker\", \"tracker-edit\", \"http\"]\n\
                    [scope]\njira.projects = [\"SCRUM\"]\ntracker-edit.admins-only = true\n\
                    [http]\nhosts = [\"*.example.com\", \"rota.example.com:8443\"]\n[limits]\ncpu-ms = 400";
    let plugins = PluginsFolder::shipped()
        .with_file("hostile.wasm", &version(1))
        .with_file("hostile.toml", manifest.as_bytes());
    let bot = TestBot::with_settings(plugins, |config| config.plugins.hot_reload = true).await;
    let mut changes = Changes::of(bot.bot().registry());
    put(bot.plugins_folder(), "hostile.wasm", &version(2));
    assert!(matches!(changes.next("hostile").await, PluginChange::Replaced { .. }));
    bot.say("/maro hostile").await;
    let fault = bot.say("/maro hostile loop").await;
    let incident = fault.rsplit(' ').next().unwrap().trim_end_matches('.');
    put(bot.plugins_folder(), "hostile.wasm", b"version https://git-lfs.github.com/spec/v1\n");
    changes.refusal("hostile.wasm").await;

    let shown = bot.say("/maro plugins hostile").await;
    for expected in [
        "hostile 0.1.0: running.",
        "• File: hostile.wasm (",
        " UTC.",
        &format!("• Digest (SHA-256): {}", digest(2)),
        &format!("• Before that: 0.1.0 {}", digest(1)),
        "• Permissions: jira (projects: SCRUM), tracker, tracker-edit (admins only), http.",
        "• Hosts: *.example.com, rota.example.com:8443",
        "• Limits: memory-mib 64, cpu-ms 400, wall-ms 15000, host-calls 100,",
        "• Pin: hostile.toml allows any build.",
        "• Ran 2× since MARO started: 1 ",
        &format!("• Last fault ({incident}, "),
        "• Warning: ",
        "• A newer version was rejected: it's a Git LFS pointer",
    ] {
        assert!(shown.contains(expected), "{expected:?} isn't in:\n{shown}");
    }
    // What a guest printed is for administrators and owners.
    let shown = bot.say_as("grace", "general", "/maro plugins hostile").await;
    assert!(shown.contains(&format!("• Last fault: ID {incident}, ")), "{shown}");

    let metrics = http::text(&bot, "metrics").await;
    let info = format!(r#"maro_plugin_info{{plugin="hostile",digest="{}",version="0.1.0"}} 1"#, digest(2));
    assert!(metrics.lines().any(|line| line == info), "{info} is missing in:\n{metrics}");
    bot.say("/maro help").await;
    bot.say("/maro").await;
    let metrics = http::text(&bot, "metrics").await;
    let help = r#"maro_commands_total{subcommand="help",outcome="replied"} 2"#;
    assert!(metrics.lines().any(|line| line == help), "{metrics}");
}

#[tokio::test]
async fn a_refusal_is_shown_whole_and_cut_beside_what_is_copied() {
    let pin = "ab".repeat(32);
    let grants = "grants = [\"jira\", \"tracker\", \"tracker-edit\"]";
    let plugins = PluginsFolder::shipped()
        .with_file("hostile.wasm", &version(1))
        .with_file("hostile.toml", format!("{grants}\nsha256 = \"{pin}\"").as_bytes());
    let bot = TestBot::with_plugins(plugins).await;
    for shown in [bot.say("/maro plugins").await, bot.say("/maro plugins hostile").await] {
        assert!(shown.contains(&pin) && shown.contains(&digest(1)), "{shown}");
    }
    bot.say("/maro plugins disable track").await;
    let shown = bot.say("/maro plugins track").await;
    assert!(shown.contains("• Turned off by @ada.") && shown.contains("• Digest (SHA-256): "), "{shown}");
    let shown = bot.say("/maro plugins trak").await;
    assert!(shown.starts_with("There's no plugin called trak."), "{shown}");
    // As the list names it.
    let shown = bot.say("/maro plugins hostile.wasm").await;
    assert!(shown.starts_with("hostile.wasm couldn't be loaded: "), "{shown}");
}
