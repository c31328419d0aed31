//! What people read of plugins that are loading, and which version answers meanwhile.

use std::{
    fs,
    os::unix::fs::symlink,
    path::Path,
    sync::atomic::{AtomicU32, Ordering},
    time::{Duration, Instant},
};

use maro_runtime::plugin_changes::PluginChange;
use sha2::{Digest as _, Sha256};

use crate::{
    bot::{TestBot, server::http, until},
    built_components::PluginsFolder,
    handwritten_components::{Guest, large, of_functions, slow},
    log::Log,
    plugin_changes::{Changes, put, version},
};

const GRANTS: &str = "grants = [\"jira\", \"tracker\", \"tracker-edit\"]";

/// A number that no earlier run has had: nothing of it is in the cache.
fn unique() -> u32 {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    std::process::id().wrapping_mul(1_000) + NEXT.fetch_add(1, Ordering::Relaxed)
}

/// A bot that watches its folder, and what happens to its plugins from now on.
async fn watching(plugins: PluginsFolder) -> (TestBot, Changes) {
    let bot = TestBot::with_settings(plugins, |config| config.plugins.hot_reload = true).await;
    let changes = Changes::of(bot.bot().registry());
    (bot, changes)
}

fn pinned(component: &[u8], grants: &str) -> Vec<u8> {
    format!("grants = [{grants}]\nsha256 = \"{}\"", hex::encode(Sha256::digest(component))).into_bytes()
}

#[tokio::test]
async fn what_is_loaded_answers_while_the_rest_is_loading() {
    let mut bot = TestBot::start().await;
    // Whichever is compiled first, the last one alone takes longer than a command waits for it.
    for (number, functions) in [3_000, 24_000].into_iter().enumerate() {
        put(bot.plugins_folder(), &format!("large-{number}.wasm"), &of_functions(unique(), functions));
    }
    bot.restart_and_load().await;
    let began = Instant::now();
    let help = bot.say("/maro help").await;
    assert!(help.contains("/maro create"), "{help}");
    assert!(began.elapsed() < Duration::from_secs(1), "{:?}", began.elapsed());
    assert!(bot.say("/maro tracked").await.starts_with("No Jira issues are tracked"));
    assert!(bot.say("/maro plugins").await.contains("large-1.wasm is still loading."));
    let response = http::client().get(bot.url("readyz")).send().await.unwrap();
    assert_eq!(response.status().as_u16(), 503);
    let left = response.text().await.unwrap();
    assert!(left.starts_with("plugins are loading: ") && left.ends_with(" left\n"), "{left}");
    assert_eq!(bot.say("/maro large-1").await, "/maro large-1 is still loading. Try again in a moment.");
    let help = bot.say("/maro help").await;
    // The first may have been refused by now.
    assert!(help.contains("Still loading: /maro large-"), "{help}");

    bot.bot().wait_until_ready().await;
    assert_eq!(http::text(&bot, "readyz").await, "ready: 3 plugins serve, 2 refused\n");
    let shown = bot.say("/maro large-1").await;
    assert!(shown.starts_with("/maro large-1 is installed but isn't running right now."), "{shown}");
}

#[tokio::test]
async fn a_first_version_that_compiles_is_loading_from_the_first_look_on() {
    let (bot, mut changes) = watching(PluginsFolder::shipped()).await;
    put(bot.plugins_folder(), "wat.wasm", &slow(unique()));
    until("it is seen", async || !bot.bot().registry().plugins().loading.is_empty()).await;
    loop {
        match &*bot.say("/maro wat").await {
            "1a" => break,
            shown => assert_eq!(shown, "/maro wat is still loading. Try again in a moment."),
        }
        let help = bot.say("/maro help wat").await;
        assert!(help.starts_with("/maro wat"), "{help}");
    }
    assert!(matches!(changes.next("wat").await, PluginChange::Loaded { .. }));
    changes.assert_no_more();
}

#[tokio::test]
async fn a_component_and_its_manifest_change_together() {
    let first = Guest::default().component();
    let plugins = PluginsFolder::shipped().with_file("wat.wasm", &first);
    let plugins = plugins.with_file("wat.toml", &pinned(&first, "\"clock\", \"tracker\""));
    let (bot, mut changes) = watching(plugins).await;
    let folder = bot.plugins_folder();
    assert_eq!(bot.say("/maro wat").await, "done");

    let second = slow(unique());
    put(folder, "wat.wasm", &second);
    put(folder, "wat.toml", &pinned(&second, "\"tracker\""));
    let mut meanwhile = 0;
    loop {
        match &*bot.say("/maro wat").await {
            "1a" => break,
            shown => assert_eq!(shown, "done"),
        }
        let plugins = bot.bot().registry().plugins();
        let serving = plugins.get("wat").unwrap();
        let is_whole = serving.manifest().sha256.as_deref() == Some(serving.digest());
        assert!(is_whole, "one under the manifest of the other");
        meanwhile += 1;
    }
    assert!(meanwhile > 1, "it compiled too fast for this test");
    assert!(matches!(changes.next("wat").await, PluginChange::Replaced { .. }));

    // The third can't serve: it takes the second along, which its manifest forbids, but not before.
    let third = large(unique());
    put(folder, "wat.wasm", &third);
    put(folder, "wat.toml", &pinned(&third, ""));
    loop {
        match &*bot.say("/maro wat").await {
            "1a" => {}
            shown => break assert!(shown.contains("is installed but isn't running right now"), "{shown}"),
        }
    }
    assert_eq!(changes.next("wat").await, PluginChange::Removed);
    changes.refusal("wat.wasm").await;
    changes.assert_no_more();
}

#[tokio::test]
async fn a_manifest_alone_applies_at_once_even_where_nothing_is_cached() {
    let plugins = PluginsFolder::shipped().with_file("wat.wasm", &slow(unique()));
    let plugins = plugins.with_file("wat.toml", b"");
    let bot = TestBot::with_settings(plugins, |config| {
        config.plugins.hot_reload = true;
        config.plugins.cache_dir = None;
    })
    .await;
    let mut changes = Changes::of(bot.bot().registry());
    let compiled = async || {
        let metrics = http::text(&bot, "metrics").await;
        let line = metrics.lines().find(|line| line.starts_with("maro_plugin_compile_seconds_count"));
        line.map(str::to_owned)
    };
    let before = compiled().await;
    put(bot.plugins_folder(), "wat.toml", b"[limits]\nconcurrency = 2");
    assert!(matches!(changes.next("wat").await, PluginChange::Replaced { from, to } if from == to));
    assert_eq!(compiled().await, before, "the same component was compiled again");
    assert_eq!(bot.say("/maro wat").await, "1a");
}

#[tokio::test]
async fn recorded_cases_that_come_after_their_version_let_it_serve() {
    let plugins = PluginsFolder::shipped()
        .with_file("hostile.wasm", &version(1))
        .with_file("hostile.toml", GRANTS.as_bytes());
    let (bot, mut changes) = watching(plugins).await;
    let mut recordings = bot.bot().recorder().listen().unwrap();
    assert!(bot.say("/maro hostile").await.starts_with("Version 1 here."));
    let folder = bot.plugins_folder();
    let case = folder.join("hostile.cases/greeting.json");
    fs::create_dir(case.parent().unwrap()).unwrap();
    recordings.recv().await.unwrap().case.write(&case).unwrap();

    put(folder, "hostile.wasm", &version(2));
    assert!(changes.refusal("hostile.wasm").await.0.starts_with("it doesn't answer as recorded"));
    let text = fs::read_to_string(&case).unwrap();
    fs::remove_dir_all(case.parent().unwrap()).unwrap();
    fs::create_dir(case.parent().unwrap()).unwrap();
    fs::write(&case, text.replace("Version 1 here.", "Version 2 here.")).unwrap();
    assert!(matches!(changes.next("hostile").await, PluginChange::Replaced { .. }));
    assert!(bot.say("/maro hostile").await.starts_with("Version 2 here."));

    // A case that can't be read is mended.
    fs::write(&case, "no case").unwrap();
    put(folder, "hostile.wasm", &version(1));
    assert!(changes.refusal("hostile.wasm").await.0.starts_with("its recorded cases can't be read"));
    fs::write(&case, text).unwrap();
    assert!(matches!(changes.next("hostile").await, PluginChange::Replaced { .. }));
    assert!(bot.say("/maro hostile").await.starts_with("Version 1 here."));
}

#[tokio::test]
async fn the_same_bytes_written_again_and_again_are_compiled_once() {
    let (bot, mut changes) = watching(PluginsFolder::shipped()).await;
    let (folder, wasm) = (bot.plugins_folder().to_owned(), slow(unique()));
    let copying = tokio::spawn(async move {
        for copies in 0.. {
            put(&folder, "wat.wasm", &wasm);
            if copies >= 100 {
                break;
            }
            tokio::time::sleep(Duration::from_millis(700)).await;
        }
    });
    assert!(matches!(changes.next("wat").await, PluginChange::Loaded { .. }));
    assert!(!copying.is_finished(), "it serves only after the copying");
    assert_eq!(bot.say("/maro wat").await, "1a");
    copying.abort();
    changes.assert_no_more();
}

#[tokio::test]
async fn an_empty_folder_on_another_device_is_an_outage() {
    let Ok(other) = tempfile::tempdir_in("/dev/shm") else { return };
    let (real, holder) = (PluginsFolder::shipped(), tempfile::tempdir().unwrap());
    let link = holder.path().join("plugins");
    symlink(real.path(), &link).unwrap();
    let (log, _guard) = Log::start();
    let bot = TestBot::with_settings(PluginsFolder::empty(), |config| {
        config.plugins.hot_reload = true;
        config.plugins.dir.clone_from(&link);
    })
    .await;
    let mut changes = Changes::of(bot.bot().registry());
    let point_to = |target: &Path| {
        fs::remove_file(&link).unwrap();
        symlink(target, &link).unwrap();
    };
    point_to(other.path());
    let readiness = async || http::text(&bot, "readyz").await;
    until("it says so", async || readiness().await.contains("is its volume mounted?")).await;
    assert!(
        readiness()
            .await
            .starts_with("ready: 3 plugins serve, 0 refused\nthe plugins folder can't be read: ")
    );
    assert!(bot.say("/maro tracked").await.starts_with("No Jira issues are tracked"));
    assert_eq!(log.lines("can't read the plugins folder").lines().count(), 1);
    bot.say("/maro plugins reload").await;
    assert!(bot.say("/maro tracked").await.starts_with("No Jira issues are tracked"));
    changes.assert_no_more();

    point_to(real.path());
    until("it is over", async || readiness().await == "ready: 3 plugins serve, 0 refused\n").await;
    // An empty folder on the same device is what somebody wanted.
    let empty = tempfile::tempdir().unwrap();
    point_to(empty.path());
    for name in ["track", "tracked", "untrack"] {
        assert_eq!(changes.next(name).await, PluginChange::Removed);
    }
}

#[tokio::test]
async fn a_volume_that_comes_back_empty_is_still_an_outage() {
    let Ok(other) = tempfile::tempdir_in("/dev/shm") else { return };
    let (real, holder) = (PluginsFolder::shipped(), tempfile::tempdir().unwrap());
    let link = holder.path().join("plugins");
    symlink(real.path(), &link).unwrap();
    let bot = TestBot::with_settings(PluginsFolder::empty(), |config| {
        config.plugins.hot_reload = true;
        config.plugins.dir.clone_from(&link);
    })
    .await;
    let mut changes = Changes::of(bot.bot().registry());
    let point_to = |target: &Path| {
        fs::remove_file(&link).unwrap();
        symlink(target, &link).unwrap();
    };
    let readiness = async || http::text(&bot, "readyz").await;
    let empty = tempfile::tempdir().unwrap();
    // The kernel gives a new volume the number of the one before.
    for _ in 0..2 {
        point_to(other.path());
        until("it says so", async || readiness().await.contains("is its volume mounted?")).await;
        point_to(empty.path());
        tokio::time::sleep(Duration::from_millis(500)).await;
        assert!(readiness().await.contains("is its volume mounted?"));
        assert!(bot.say("/maro tracked").await.starts_with("No Jira issues are tracked"));
        changes.assert_no_more();
        point_to(real.path());
        until("it is over", async || readiness().await == "ready: 3 plugins serve, 0 refused\n").await;
    }
    point_to(other.path());
    until("it says so", async || readiness().await.contains("is its volume mounted?")).await;
    point_to(empty.path());
    // Somebody says that this is what is wanted.
    bot.say("/maro plugins reload").await;
    for name in ["track", "tracked", "untrack"] {
        assert_eq!(changes.next(name).await, PluginChange::Removed);
    }
    until("it is over", async || readiness().await == "ready: 0 plugins serve, 0 refused\n").await;
}

#[tokio::test]
async fn a_start_without_a_plugin_is_a_warning() {
    for (plugins, expected) in [(PluginsFolder::empty(), 1), (PluginsFolder::shipped(), 0)] {
        let (log, _guard) = Log::start();
        let bot = TestBot::with_plugins(plugins).await;
        until("it is loaded", async || http::text(&bot, "readyz").await.starts_with("ready")).await;
        let lines = log.lines("no plugin was found: is this the folder with the plugins");
        assert_eq!(lines.lines().filter(|line| line.contains("WARN")).count(), expected, "{lines}");
    }
}

#[tokio::test]
async fn what_lies_in_a_wrong_place_or_alone_is_listed_with_the_cure() {
    let plugins = PluginsFolder::shipped().with_file("oncall.toml", b"");
    fs::create_dir(plugins.path().join("ferry")).unwrap();
    let plugins = plugins.with_file("ferry/ferry.wasm", &Guest::default().component());
    let plugins = plugins.with_file("tide.wasm.gz", b"\x1f\x8b").with_file("track.wasm.gz", b"\x1f\x8b");
    let (bot, _) = watching(plugins).await;
    until("all are listed", async || {
        bot.say("/maro plugins").await.matches("couldn't be loaded").count() == 3
    })
    .await;
    let list = bot.say("/maro plugins").await;
    for expected in [
        "• ferry/ferry.wasm couldn't be loaded: it's in a subfolder, and MARO loads only what is in the plugins folder \
         itself: move it there.",
        "• oncall.toml couldn't be loaded: there's no component beside it: add the .wasm file of the same name.",
        "• tide.wasm.gz couldn't be loaded: it's compressed: unpack it with ",
    ] {
        assert!(list.contains(expected), "{list}");
    }
    let shown = bot.say("/maro ferry").await;
    assert!(shown.starts_with("/maro ferry is installed but isn't running right now."), "{shown}");
    assert!(bot.say("/maro oncall").await.starts_with("oncall isn't a MARO command."));
    let folder = bot.plugins_folder();
    fs::remove_file(folder.join("oncall.toml")).unwrap();
    fs::remove_dir_all(folder.join("ferry")).unwrap();
    fs::remove_file(folder.join("tide.wasm.gz")).unwrap();
    until("all are gone", async || !bot.say("/maro plugins").await.contains("couldn't be loaded")).await;
    let mut changes = Changes::of(bot.bot().registry());
    // What is copied one after the other isn't reported.
    fs::write(folder.join("wat.toml"), "").unwrap();
    tokio::time::sleep(Duration::from_millis(500)).await;
    put(folder, "wat.wasm", &Guest::default().component());
    assert!(matches!(changes.next("wat").await, PluginChange::Loaded { .. }));
    changes.assert_no_more();
}
