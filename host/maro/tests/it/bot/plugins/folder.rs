//! A plugins folder with anything in it: what is wrong is named, and the others serve.

use std::{fs, os::unix::fs::PermissionsExt as _, process::Command};

use crate::{
    bot::TestBot,
    built_components::PluginsFolder,
    handwritten_components::{Guest, renamed},
};

fn component(body: &str) -> Vec<u8> {
    wat::parse_str(format!("(component {body})")).unwrap()
}

/// Why `file` does not serve, as `/maro plugins` says it, while `/maro tracked` does.
async fn refusal(plugins: PluginsFolder, file: &str) -> String {
    let bot = TestBot::with_plugins(plugins).await;
    assert!(bot.say("/maro tracked").await.starts_with("No Jira issues are tracked"));
    let list = bot.say("/maro plugins").await;
    let start = format!("• {file}.wasm couldn't be loaded: ");
    list.lines()
        .find_map(|line| line.strip_prefix(&start))
        .unwrap_or_else(|| panic!("{file} is not refused:\n{list}"))
        .trim_end_matches('.')
        .to_owned()
}

#[tokio::test]
async fn files_that_are_no_plugins_are_named_with_the_reason() {
    let command = r#"(instance $c) (export "maro:plugin/command@0.2.0" (instance $c))"#;
    let newer = component(&format!(r#"(import "maro:plugin/jira@0.9.0" (instance)) {command}"#));
    let garbage: Vec<u8> = (0..=255).collect();
    for (content, reason) in [
        (garbage, "it isn't WebAssembly"),
        (Vec::new(), "it's empty"),
        (wat::parse_str("(module)").unwrap(), "it's a core module, not a component"),
        (component(""), "it doesn't export maro:plugin/command"),
        (newer, "it was built for maro:plugin 0.9.0, but this host has 0.1.0 and 0.2.0: update MARO"),
        (component(command), "it doesn't match this host's interface"),
    ] {
        let plugins = PluginsFolder::shipped().with_file("other.wasm", &content);
        let shown = refusal(plugins, "other").await;
        assert!(shown.starts_with(reason), "{shown:?} does not start with {reason:?}");
    }
}

#[tokio::test]
async fn a_missing_grant_is_named_with_the_line_to_add() {
    let plugins = PluginsFolder::shipped().with_file("track.toml", b"grants = [\"jira\"]");
    assert_eq!(
        refusal(plugins, "track").await,
        "it needs tracker-edit, which isn't granted: add \"tracker-edit\" to grants in track.toml"
    );
    let plugins = PluginsFolder::shipped().without("track.toml");
    assert_eq!(
        refusal(plugins, "track").await,
        "it needs jira, tracker-edit, which isn't granted: add \"jira\", \"tracker-edit\" to grants in track.toml"
    );
    let plugins = PluginsFolder::shipped().with_file("track.toml", b"grants = [\"all\"]");
    assert!(refusal(plugins, "track").await.starts_with("track.toml: line 1: unknown variant all"));
}

#[tokio::test]
async fn names_are_taken_by_none_but_their_own_file() {
    // Whether that other file is there or not, and whether its own name could be a command's.
    for plugins in [PluginsFolder::shipped(), PluginsFolder::shipped().without("track.wasm")] {
        let plugins = plugins.with_fixture("takes-track", "aaa", "").with_fixture("takes-track", "a_A", "");
        let bot = TestBot::with_plugins(plugins).await;
        let list = bot.say("/maro plugins").await;
        for file in ["aaa", "a_A"] {
            let expected = format!(
                "• {file}.wasm couldn't be loaded: it calls itself track, but a plugin must have its file's name: rename it to track.wasm."
            );
            assert!(list.contains(&expected), "{list}");
        }
    }
    let plugins = PluginsFolder::shipped().with_fixture("reserved-name", "help", "");
    assert_eq!(
        refusal(plugins, "help").await,
        "it calls itself help, which is built into MARO: give it another name"
    );
    let plugins = PluginsFolder::shipped().with_fixture("bad-name", "bad", "");
    assert!(
        refusal(plugins, "bad")
            .await
            .starts_with("its description of itself is invalid: \"Not A Name\" isn't a command name")
    );
}

#[tokio::test]
async fn a_plugin_that_cannot_describe_itself_does_not_serve() {
    let plugins = PluginsFolder::shipped().with_fixture("describe-traps", "traps", "");
    assert!(refusal(plugins, "traps").await.starts_with("it couldn't describe itself: it crashed"));
    let plugins = PluginsFolder::shipped().with_fixture("describe-loops", "loops", "[limits]\ncpu-ms = 50");
    let expected =
        "it couldn't describe itself: it used more than its limit of 50 ms of processor time (cpu-ms)";
    assert_eq!(refusal(plugins, "loops").await, expected);
    let mut plugins = PluginsFolder::shipped();
    for number in 0..6 {
        plugins = plugins.with_fixture("describe-sleeps", &format!("sleeps-{number}"), "");
    }
    let reason = refusal(plugins, "sleeps-5").await;
    assert_eq!(reason, "it couldn't describe itself: it ran longer than its limit of 2000 ms (wall-ms)");
    let plugins = PluginsFolder::shipped().with_fixture("no-plugin", "none", "");
    assert!(refusal(plugins, "none").await.starts_with("it doesn't export maro:plugin/command"));
}

#[tokio::test]
async fn plugins_that_hold_one_another_up_as_they_describe_themselves_serve() {
    // As many as describe themselves at once, each with a part of what all of them may take.
    let threads = std::thread::available_parallelism().map_or(1, |threads| threads.get().max(2) - 1);
    let describe = format!(
        "(local $left i64) (local.set $left (i64.const {}))
         (loop $again (br_if $again (i64.ne (i64.const 0) (local.tee $left (i64.sub (local.get $left) (i64.const 1))))))",
        200_000_000 * threads
    );
    let guest = Guest { describe: &describe, ..Guest::default() }.component();
    let mut plugins = PluginsFolder::shipped();
    for number in 0..16_u8 {
        let name = format!("wa{}", char::from(b'a' + number));
        plugins = plugins
            .with_file(&format!("{name}.wasm"), &renamed(&guest, "wat", &name))
            .with_file(&format!("{name}.toml"), b"[limits]\ncpu-ms = 60000");
    }
    let bot = TestBot::with_plugins(plugins).await;
    let list = bot.say("/maro plugins").await;
    assert!(!list.contains("couldn't be loaded"), "{list}");
    assert!(bot.say("/maro wap").await.starts_with("done"));
}

#[tokio::test]
async fn an_unreadable_file_is_named() {
    // Root reads everything; a folder in a file's place is unreadable for all.
    let plugins = PluginsFolder::shipped();
    fs::create_dir(plugins.path().join("folder.wasm")).unwrap();
    let secret = plugins.path().join("secret.wasm");
    fs::write(&secret, b"?").unwrap();
    fs::set_permissions(&secret, fs::Permissions::from_mode(0o000)).unwrap();
    std::os::unix::fs::symlink("/nowhere/at/all", plugins.path().join("away.wasm")).unwrap();
    let bot = TestBot::with_plugins(plugins).await;
    let list = bot.say("/maro plugins").await;
    for told in [
        "• folder.wasm couldn't be loaded: it can't be read: it's a folder, not a file",
        "• away.wasm couldn't be loaded: it can't be read: it's a link to /nowhere/at/all, which doesn't exist or",
    ] {
        assert!(list.contains(told), "{list}");
    }
}

#[tokio::test]
async fn a_named_pipe_in_a_files_place_does_not_keep_the_others_waiting() {
    let plugins = PluginsFolder::shipped().with_file("other.wasm", b"?");
    for name in ["pipe.wasm", "other.toml"] {
        let made = Command::new("mkfifo").arg(plugins.path().join(name)).status().unwrap();
        assert!(made.success());
    }
    let bot = TestBot::with_plugins(plugins).await;
    let list = bot.say("/maro plugins").await;
    assert!(
        list.contains("• pipe.wasm couldn't be loaded: it can't be read: it's a pipe, not a file"),
        "{list}"
    );
    assert!(
        list.contains(
            "• other.wasm couldn't be loaded: it can't be read: other.toml: it's a pipe, not a file"
        ),
        "{list}"
    );
}

#[tokio::test]
async fn a_truncated_or_flipped_plugin_never_harms_the_others() {
    let whole = fs::read(PluginsFolder::shipped().path().join("track.wasm")).unwrap();
    let mut plugins = PluginsFolder::shipped();
    for part in 1..8 {
        plugins = plugins.with_file(&format!("cut-{part}.wasm"), &whole[..whole.len() * part / 8]);
        let mut flipped = whole.clone();
        flipped[whole.len() * part / 8] ^= 0x40;
        plugins = plugins.with_file(&format!("flipped-{part}.wasm"), &flipped);
    }
    let bot = TestBot::with_plugins(plugins).await;
    assert!(bot.say("/maro track SCRUM-123").await.starts_with("Now tracking"));
    let list = bot.say("/maro plugins").await;
    for part in 1..8 {
        assert!(list.contains(&format!("cut-{part}.wasm couldn't be loaded")), "{list}");
    }
}

#[tokio::test]
async fn a_grant_that_is_never_used_is_listed() {
    let plugins = PluginsFolder::shipped().with_file("tracked.toml", b"grants = [\"tracker\", \"jira\"]");
    let list = TestBot::with_plugins(plugins).await.say("/maro plugins").await;
    let line = list.lines().find(|line| line.starts_with("• tracked ")).unwrap();
    assert!(
        line.contains("healthy. Permissions: tracker, jira. Warning: it's granted jira but never uses it"),
        "{line}"
    );
}
