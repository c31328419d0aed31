//! The plugins folder changes while people type: what is right serves soon, what is wrong leaves the version
//! before it in place, and nobody's command fails.

use std::{
    fs,
    os::unix::fs::symlink,
    path::Path,
    sync::atomic::{AtomicBool, AtomicU32, Ordering},
    time::{Duration, Instant},
};

use futures_util::future::join_all;
use insta::assert_snapshot;
use maro_runtime::plugin_changes::PluginChange;

use crate::{
    bot::{TestBot, until},
    built_components::{PluginsFolder, fixture},
    handwritten_components::large,
    plugin_changes::{Changes, put, version},
};

const GRANTS: &str = "grants = [\"jira\", \"tracker\", \"tracker-edit\"]";

/// Shorter than half a file must stand still before it counts as whole.
const STILL: Duration = Duration::from_millis(200);

/// A bot that watches its folder, and what happens to its plugins from now on.
async fn watching(plugins: PluginsFolder) -> (TestBot, Changes) {
    let bot = TestBot::with_settings(plugins, |config| config.plugins.hot_reload = true).await;
    let changes = Changes::of(bot.bot().registry());
    (bot, changes)
}

/// A folder with the first version of `hostile`, which says so.
fn first_version() -> PluginsFolder {
    PluginsFolder::shipped()
        .with_file("hostile.wasm", &version(1))
        .with_file("hostile.toml", GRANTS.as_bytes())
}

/// Which version answers.
async fn answer(bot: &TestBot) -> String {
    bot.say("/maro hostile").await.lines().next().unwrap().to_owned()
}

#[tokio::test]
async fn a_file_that_is_added_replaced_or_removed_is_so_at_once() {
    let (bot, mut changes) = watching(PluginsFolder::shipped()).await;
    let folder = bot.plugins_folder();
    assert!(bot.say("/maro hostile").await.starts_with("hostile isn't a MARO command."));
    put(folder, "hostile.toml", GRANTS.as_bytes());
    put(folder, "hostile.wasm", &version(1));
    assert!(matches!(changes.next("hostile").await, PluginChange::Loaded { .. }));
    assert_eq!(answer(&bot).await, "Version 1 here.");
    assert!(bot.say("/maro help").await.contains("/maro hostile"));

    put(folder, "hostile.wasm", &version(2));
    assert!(matches!(changes.next("hostile").await, PluginChange::Replaced { from, to } if from != to));
    assert_eq!(answer(&bot).await, "Version 2 here.");

    fs::remove_file(folder.join("hostile.wasm")).unwrap();
    assert_eq!(changes.next("hostile").await, PluginChange::Removed);
    assert!(bot.say("/maro hostile").await.starts_with("hostile isn't a MARO command."));
    assert!(!bot.say("/maro help").await.contains("/maro hostile"));
    changes.assert_no_more();
}

#[tokio::test]
async fn a_file_is_not_told_of_while_it_is_written() {
    let (bot, mut changes) = watching(first_version()).await;
    let path = bot.plugins_folder().join("hostile.wasm");
    let whole = version(2);
    // Written over in place, as `cp` does, and slowly: commands are answered in between. The system may hold up
    // any of it until half a file has stood still for so long that it counts as whole.
    let mut longest_pause = Duration::ZERO;
    for part in 0..=16 {
        let written = Instant::now();
        fs::write(&path, &whole[..whole.len() * part / 16]).unwrap();
        for _ in 0..3 {
            let shown = answer(&bot).await;
            assert!(["Version 1 here.", "Version 2 here."].contains(&&*shown), "{shown}");
        }
        longest_pause = longest_pause.max(written.elapsed());
    }
    let mut change = changes.next("hostile").await;
    while longest_pause > STILL && matches!(change, PluginChange::Refused { .. }) {
        change = changes.next("hostile").await;
    }
    assert!(matches!(change, PluginChange::Replaced { .. }), "{change:?}");
    assert_eq!(answer(&bot).await, "Version 2 here.");
    changes.assert_no_more();
}

#[tokio::test]
async fn what_editors_leave_is_no_plugin() {
    let (bot, mut changes) = watching(first_version()).await;
    let folder = bot.plugins_folder();
    for name in [".hostile.wasm.swp", "hostile.wasm~", "4913", ".#hostile.wasm", "#hostile.wasm#", ".x.wasm"]
    {
        fs::write(folder.join(name), b"?").unwrap();
    }
    fs::rename(folder.join("hostile.wasm"), folder.join("hostile.wasm.bak")).unwrap();
    fs::write(folder.join("hostile.wasm"), version(2)).unwrap();
    assert!(matches!(changes.next("hostile").await, PluginChange::Replaced { .. }));
    assert_eq!(answer(&bot).await, "Version 2 here.");
    changes.assert_no_more();
    assert!(!bot.say("/maro plugins").await.contains("couldn't be loaded"));
}

#[tokio::test]
async fn a_volume_whose_links_are_exchanged_is_followed() {
    // As Kubernetes lays out a volume: NAME → ..data/NAME, ..data → a folder of its own for each state.
    let plugins = PluginsFolder::shipped();
    let folder = plugins.path().to_owned();
    for (state, number) in [("..2026_1", 1), ("..2026_2", 2)] {
        let dir = folder.join(state);
        fs::create_dir(&dir).unwrap();
        fs::write(dir.join("hostile.wasm"), version(number)).unwrap();
        fs::write(dir.join("hostile.toml"), GRANTS).unwrap();
    }
    symlink("..2026_1", folder.join("..data")).unwrap();
    for name in ["hostile.wasm", "hostile.toml"] {
        symlink(Path::new("..data").join(name), folder.join(name)).unwrap();
    }
    let (bot, mut changes) = watching(plugins).await;
    assert_eq!(answer(&bot).await, "Version 1 here.");
    symlink("..2026_2", folder.join("..data_tmp")).unwrap();
    fs::rename(folder.join("..data_tmp"), folder.join("..data")).unwrap();
    assert!(matches!(changes.next("hostile").await, PluginChange::Replaced { .. }));
    assert_eq!(answer(&bot).await, "Version 2 here.");
    changes.assert_no_more();
}

#[tokio::test]
async fn a_manifest_takes_effect_without_its_component() {
    let (bot, mut changes) = watching(first_version()).await;
    let folder = bot.plugins_folder();
    put(folder, "hostile.toml", b"grants = \"jira\"");
    let (reason, kept) = changes.refusal("hostile.wasm").await;
    assert!(reason.starts_with("hostile.toml: line 1: expected a list"), "{reason}");
    assert_eq!(kept.as_deref(), Some("hostile"));
    assert_eq!(answer(&bot).await, "Version 1 here.");
    let list = bot.say("/maro plugins").await;
    let line = list.lines().find(|line| line.starts_with("• hostile")).unwrap();
    let (_, said) = line.split_once(": ").unwrap();
    assert_snapshot!(said, @"healthy. Permissions: jira, tracker, tracker-edit. A newer version was rejected: hostile.toml: line 1: expected a list in brackets, as in [\"a\", \"b\"], not text. The previous one is still running.");

    put(folder, "hostile.toml", format!("{GRANTS}\n[limits]\ncpu-ms = 50").as_bytes());
    assert!(matches!(changes.next("hostile").await, PluginChange::Replaced { from, to } if from == to));
    assert!(!bot.say("/maro plugins").await.contains("newer version"));
    changes.assert_no_more();
}

#[tokio::test]
async fn a_bad_build_leaves_the_last_good_one_and_is_told_once() {
    let (bot, mut changes) = watching(first_version()).await;
    let folder = bot.plugins_folder();
    put(folder, "hostile.wasm", &fs::read(fixture("describe-traps")).unwrap());
    let (reason, kept) = changes.refusal("hostile.wasm").await;
    assert!(reason.starts_with("it couldn't describe itself: it crashed"), "{reason}");
    assert_eq!(kept.as_deref(), Some("hostile"));
    assert_eq!(answer(&bot).await, "Version 1 here.");
    let messages = bot.messages("ada", "general", "/maro plugins reload").await;
    assert!(messages[0].text.contains("The previous one is still running."), "{}", messages[0].text);
    changes.assert_no_more();

    put(folder, "hostile.wasm", &version(2));
    assert!(matches!(changes.next("hostile").await, PluginChange::Replaced { .. }));
    assert_eq!(answer(&bot).await, "Version 2 here.");
    changes.assert_no_more();
}

#[tokio::test]
async fn a_file_that_takes_long_to_load_is_listed() {
    let bot = TestBot::with_settings(PluginsFolder::shipped(), |config| {
        config.plugins.hot_reload = true;
        config.plugins.cache_dir = None;
    })
    .await;
    let mut changes = Changes::of(bot.bot().registry());
    // Large ones come one after the other, so the last ones, whichever, take longer than a command waits for them.
    for number in 0..8 {
        put(bot.plugins_folder(), &format!("large-{number}.wasm"), &large(number));
    }
    let says = async |command: &str, text: &str| bot.say(command).await.contains(text);
    until("it is listed", async || says("/maro plugins", ".wasm is still loading").await).await;
    let said = (0..8).map(|number| {
        let says = &says;
        async move {
            says(&format!("/maro large-{number}"), &format!("large-{number} is still loading. Try again"))
                .await
        }
    });
    assert!(join_all(said).await.contains(&true));
    for number in 0..8 {
        changes.refusal(&format!("large-{number}.wasm")).await;
    }
    assert!(!bot.say("/maro plugins").await.contains("is still loading"));
}

#[tokio::test]
async fn those_who_reload_the_same_file_at_once_let_it_load() {
    let bot =
        TestBot::with_settings(PluginsFolder::shipped(), |config| config.plugins.cache_dir = None).await;
    put(bot.plugins_folder(), "large.wasm", &large(0));
    let reload = || bot.say("/maro plugins reload large");
    tokio::join!(reload(), reload(), reload());
    until("all have ended", async || !bot.say("/maro plugins").await.contains("is still loading")).await;
    let list = bot.say("/maro plugins").await;
    assert!(list.contains("large.wasm") && !list.contains("being written"), "{list}");
}

#[tokio::test]
async fn a_file_never_serves_under_the_name_of_another() {
    let grants = "grants = [\"storage\", \"settings\", \"clock\", \"http\"]";
    let (bot, mut changes) =
        watching(PluginsFolder::shipped().with_fixture("capable", "capable", grants)).await;
    let folder = bot.plugins_folder();
    assert_eq!(bot.say("/maro capable set plugin rate 41-secret").await, "set");
    let capable = fs::read(folder.join("capable.wasm")).unwrap();
    put(folder, "menu.toml", grants.as_bytes());
    put(folder, "menu.wasm", &capable);
    let (reason, kept) = changes.refusal("menu.wasm").await;
    assert!(reason.contains("rename it to capable.wasm"), "{reason}");
    assert_eq!(kept, None);

    fs::remove_file(folder.join("capable.wasm")).unwrap();
    assert_eq!(changes.next("capable").await, PluginChange::Removed);
    bot.say("/maro plugins reload").await;
    for (name, expected) in [
        ("capable", "capable isn't a MARO command."),
        ("menu", "/maro menu is installed but isn't running right now."),
    ] {
        let shown = bot.say(&format!("/maro {name} get plugin rate")).await;
        assert!(shown.starts_with(expected), "{shown}");
    }
    let shown = bot.say("/maro plugins disable capable").await;
    assert!(shown.starts_with("There's no plugin called capable."), "{shown}");

    put(folder, "capable.wasm", &capable);
    assert!(matches!(changes.next("capable").await, PluginChange::Loaded { .. }));
    assert_eq!(bot.say("/maro capable get plugin rate").await, "Some(\"41-secret\")");
}

#[tokio::test]
async fn a_file_whose_name_is_wrong_is_listed_with_the_cure() {
    use std::{ffi::OsStr, os::unix::ffi::OsStrExt as _};

    let (bot, mut changes) = watching(PluginsFolder::shipped()).await;
    let folder = bot.plugins_folder();
    fs::write(folder.join("OTHER.WASM"), version(1)).unwrap();
    fs::write(folder.join(OsStr::from_bytes(b"caf\xe9.wasm")), version(1)).unwrap();
    symlink("nowhere", folder.join("lost.wasm")).unwrap();
    let upper = "its name must end in .wasm, in lowercase: rename it";
    assert_eq!(changes.refusal("OTHER.WASM").await, (upper.to_owned(), None));
    assert_eq!(
        changes.refusal("caf\u{fffd}.wasm").await,
        ("its name isn't UTF-8 text: rename it".to_owned(), None)
    );
    let (reason, _) = changes.refusal("lost.wasm").await;
    assert!(reason.starts_with("it can't be read: it's a link to nowhere, which doesn't exist"), "{reason}");
    let list = bot.say("/maro plugins").await;
    assert!(list.contains(&format!("• OTHER.WASM couldn't be loaded: {upper}")), "{list}");
    fs::remove_file(folder.join("OTHER.WASM")).unwrap();

    // The file's own name comes first, whatever else is missing.
    put(folder, "hostile.toml", GRANTS.as_bytes());
    put(folder, "Hostile.wasm", &version(1));
    let (reason, _) = changes.refusal("Hostile.wasm").await;
    assert!(reason.ends_with(": rename it to hostile.wasm"), "{reason}");
    let (reason, _) = changes.refusal("hostile.toml").await;
    assert_eq!(
        reason,
        "it and the component beside it differ in capital letters: give both the same name, in lowercase"
    );
    fs::remove_file(folder.join("Hostile.wasm")).unwrap();
    put(folder, "hostile.toml", GRANTS.as_bytes());
    put(folder, "hostile.wasm", &version(1));
    changes.next("hostile").await;
    assert!(!bot.say("/maro plugins").await.contains("OTHER.WASM"));
    changes.assert_no_more();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_command_fails_while_plugins_are_swapped() {
    const SWAPS: u32 = 200;
    let bot = TestBot::with_plugins(first_version()).await;
    let (done, answered) = (AtomicBool::new(false), AtomicU32::new(0));
    let (done, answered) = (&done, &answered);
    let typing = (0..4).map(|_| async {
        while !done.load(Ordering::Relaxed) {
            let messages = bot.messages("ada", "general", "/maro hostile").await;
            assert!(!messages[0].is_delayed);
            let text = &messages[0].text;
            assert!(text.starts_with("Version 1 here.") || text.starts_with("Version 2 here."), "{text}");
            answered.fetch_add(1, Ordering::Relaxed);
        }
    });
    let swapping = async {
        let mut changes = Changes::of(bot.bot().registry());
        for number in 0..SWAPS {
            put(bot.plugins_folder(), "hostile.wasm", &version(number % 2 + 1));
            bot.bot().registry().load().await.unwrap();
            if number > 0 {
                assert!(matches!(changes.next("hostile").await, PluginChange::Replaced { .. }));
            }
        }
        done.store(true, Ordering::Relaxed);
    };
    tokio::join!(futures_util::future::join_all(typing), swapping);
    assert!(answered.load(Ordering::Relaxed) > SWAPS, "few commands were typed in between");
}
