//! Plugins beside one that takes all it can get: they answer, and it is nobody's fault but its own.

use std::{fs, time::Duration};

use maro_process::breaker::BreakerStatus;

use crate::{
    bot::TestBot,
    built_components::{PluginsFolder, fixture},
    handwritten_components::{Guest, crowded},
};

const GRANTS: &str = "grants = [\"jira\", \"tracker\", \"tracker-edit\"]\n";

const BUSY: &str = "MARO is busy right now.";

/// Those who want something else meanwhile.
const OTHERS: [(&str, &str); 3] = [
    ("/maro track SCRUM-123", "Now tracking"),
    ("/maro tracked", "Tracked Jira issues in"),
    ("/maro untrack SCRUM-123", "Stopped tracking"),
];

/// Whether nobody's breaker is open.
fn all_are_healthy(bot: &TestBot) -> bool {
    let plugins = bot.bot().registry().plugins();
    let healthy = plugins.all().all(|plugin| plugin.breaker() == BreakerStatus::Closed);
    healthy && plugins.all().count() > 3
}

/// Has others type their commands five times each, while `hogging` goes on.
async fn assert_that_others_are_answered(bot: &TestBot, hogging: impl Future<Output = ()>) {
    let others = async {
        tokio::time::sleep(Duration::from_millis(500)).await;
        let mut answered = 0;
        for _ in 0..5 {
            for (typed, start) in OTHERS {
                let shown = bot.say_as("grace", "random", typed).await;
                assert!(shown.starts_with(start) || shown.starts_with(BUSY), "{typed}: {shown}");
                answered += u32::from(shown.starts_with(start));
            }
        }
        assert!(answered >= 14, "{answered} of 15 were answered");
    };
    tokio::select! {
        () = others => {}
        () = async { hogging.await; std::future::pending().await } => {}
    }
    assert!(all_are_healthy(bot));
}

async fn hog(bot: &TestBot, typed: &str, times: usize) {
    let commands = (0..times).map(|_| bot.say(typed));
    futures_util::future::join_all(commands).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_guest_of_many_parts_that_sleeps_takes_nobodys_place() {
    // It has four core instances of its own.
    for more in [31, 60] {
        let component = crowded(&fs::read(fixture("hostile")).unwrap(), more);
        let manifest = format!("{GRANTS}limits.wall-ms = 12000");
        let plugins = PluginsFolder::shipped()
            .with_file("hostile.wasm", &component)
            .with_file("hostile.toml", manifest.as_bytes());
        let bot = TestBot::with_plugins(plugins).await;
        assert_eq!(bot.say("/maro hostile state").await, "1", "{more}");
        assert_that_others_are_answered(&bot, hog(&bot, "/maro hostile sleep", 40)).await;
    }
}

#[tokio::test]
async fn a_guest_for_which_there_is_never_room_is_refused_with_the_number() {
    let component = crowded(&fs::read(fixture("hostile")).unwrap(), 100);
    let bot = TestBot::with_plugins(PluginsFolder::shipped().with_file("hostile.wasm", &component)).await;
    let list = bot.say("/maro plugins").await;
    assert!(list.contains("core modules, over this host's limit of 64"), "{list}");
}

/// A guest that takes so many MiB and then waits for its time to be up.
fn greedy(mib: u32) -> Vec<u8> {
    let run = format!("(drop (memory.grow (i32.const {}))) (loop $again (br $again))", mib * 16);
    Guest { run: &run, ..Guest::default() }.component()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn greedy_guests_stay_within_the_memory_of_all_plugins() {
    let plugins = PluginsFolder::shipped()
        .with_file("wat.wasm", &greedy(60))
        .with_file("wat.toml", b"[limits]\ncpu-ms = 5000\nwall-ms = 5000\nconcurrency = 64");
    let bot = TestBot::with_settings(plugins, |config| config.plugins.memory_mib = Some(256)).await;
    assert_that_others_are_answered(&bot, hog(&bot, "/maro wat", 64)).await;
}

#[tokio::test]
async fn one_guest_has_no_more_than_a_share_and_that_is_its_own_fault() {
    let plugins = PluginsFolder::shipped()
        .with_file("wat.wasm", &greedy(60))
        .with_file("wat.toml", b"limits.cpu-ms = 2000");
    let bot = TestBot::with_settings(plugins, |config| config.plugins.memory_mib = Some(64)).await;
    assert!(bot.say("/maro wat").await.starts_with("/maro wat crashed"));
    let fault = bot.bot().registry().plugins().get("wat").unwrap().last_fault().unwrap().fault;
    let expected = "it asked for more than 32 MiB of memory, the most that one plugin can have \
    (`MARO_PLUGIN_MEMORY_MIB`)";
    assert_eq!(fault, expected);
}

#[tokio::test]
async fn a_guest_that_is_too_large_for_here_is_refused_with_the_cure() {
    let module = format!(
        "(component (core module $m (memory 1000)) (core instance (instantiate $m)) {})",
        "(instance $command) (export \"maro:plugin/command@0.2.0\" (instance $command))"
    );
    let component = wat::parse_str(module).unwrap();
    let plugins = PluginsFolder::shipped().with_file("wat.wasm", &component);
    let bot = TestBot::with_settings(plugins, |config| config.plugins.memory_mib = Some(64)).await;
    let list = bot.say("/maro plugins").await;
    let expected = "wat.wasm couldn't be loaded: it needs 64 MiB of memory for each command, but one plugin \
    can have only 32 MiB here: raise MARO_PLUGIN_MEMORY_MIB";
    assert!(list.contains(expected), "{list}");
    assert!(bot.say("/maro tracked").await.starts_with("No Jira issues are tracked"));
}
