//! The breaker counts every kind of fault, and nothing else.

use jiff::{SignedDuration, Timestamp};
use maro_process::clock::Clock;

use crate::{
    bot::TestBot, built_components::PluginsFolder, handwritten_components::Guest, log::Log,
    plugin_changes::Changes,
};

const MANIFEST: &str = "grants = [\"jira\", \"tracker\", \"tracker-edit\"]
    [limits]\nmemory-mib = 8\ncpu-ms = 50\nreply-kib = 1\nhost-calls = 20\n";

/// A bot at a time that stands still.
async fn bot_with(plugins: PluginsFolder) -> TestBot {
    let now: Timestamp = "2026-01-31T09:30:00Z".parse().unwrap();
    TestBot::in_surroundings(plugins, Clock::stopped(now).into(), |_, _| {}).await
}

/// Time enough that a busy machine comes to any other limit first, and less for those who wait.
const PATIENT: &str = "wall-ms = 30000\n";
const HURRIED: &str = "wall-ms = 1000\n";

async fn bot(limits: &str) -> TestBot {
    bot_with(PluginsFolder::shipped().with_fixture("hostile", "hostile", &format!("{MANIFEST}{limits}")))
        .await
}

fn last_fault(bot: &TestBot, plugin: &str) -> String {
    bot.bot().registry().plugins().get(plugin).unwrap().last_fault().unwrap().fault
}

async fn is_resting(bot: &TestBot, plugin: &str) -> bool {
    let is_open = bot.bot().registry().plugins().get(plugin).unwrap().breaker().is_open();
    let shown = bot.say(&format!("/maro {plugin} usage A sentence.")).await;
    assert_eq!(shown.contains("is paused after"), is_open, "{shown}");
    is_open
}

#[tokio::test]
async fn five_faults_of_any_one_kind_make_a_plugin_rest() {
    let long = format!("arguments {}", "x".repeat(1_100));
    for (what, expected) in [
        ("sleep", "it ran longer than its limit of 1000 ms"),
        ("loop", "it used more than its limit of 50 ms of processor time"),
        ("memory", "it asked for more than its limit of 8 MiB of memory"),
        ("host-calls", "it made more than its limit of 20 capability calls"),
        ("trap a reason", "it crashed: "),
        ("stack", "it crashed: "),
        ("exit", "it crashed: "),
        (&long, "its reply has over 1 KiB of text"),
        (&long.replace("arguments", "failed"), "its reply has over 1 KiB of text"),
        (&long.replace("arguments", "usage"), "its reply has over 1 KiB of text"),
    ] {
        let bot = bot(if what == "sleep" { HURRIED } else { PATIENT }).await;
        for number in 1..=5 {
            let plugins = bot.bot().registry().plugins();
            assert!(!plugins.get("hostile").unwrap().breaker().is_open(), "{what}: {number}");
            bot.say(&format!("/maro hostile {what}")).await;
            let fault = last_fault(&bot, "hostile");
            assert!(fault.starts_with(expected), "{what}: {fault:?} does not start with {expected:?}");
        }
        assert!(is_resting(&bot, "hostile").await, "{what}");
        assert!(bot.say("/maro tracked").await.starts_with("No Jira issues are tracked"));
    }
}

#[tokio::test]
async fn a_table_that_grows_without_end_makes_a_plugin_rest() {
    let run = "(loop $again (drop (table.grow $table (ref.null func) (i32.const 10000))) (br $again))";
    let guest = Guest { items: "(table $table 1 funcref)", run, ..Guest::default() }.component();
    let bot = bot_with(PluginsFolder::shipped().with_file("wat.wasm", &guest)).await;
    for _ in 0..5 {
        bot.say("/maro wat").await;
        assert_eq!(last_fault(&bot, "wat"), "it asked for a larger table than a plugin can have");
    }
    assert!(is_resting(&bot, "wat").await);
}

#[tokio::test]
async fn faults_of_different_kinds_add_up() {
    let bot = bot(HURRIED).await;
    let mut changes = Changes::of(bot.bot().registry());
    for what in ["sleep", "loop", "trap", "memory"] {
        bot.say(&format!("/maro hostile {what}")).await;
    }
    changes.assert_no_more();
    bot.say("/maro hostile sleep").await;
    assert!(is_resting(&bot, "hostile").await);
}

#[tokio::test]
async fn a_trial_that_takes_too_long_has_failed() {
    let bot = bot(HURRIED).await;
    for _ in 0..5 {
        bot.say("/maro hostile trap").await;
    }
    bot.clock.set(bot.clock.now() + SignedDuration::from_secs(30));
    bot.say("/maro hostile sleep").await;
    let shown = bot.say("/maro hostile state").await;
    assert_eq!(shown, "/maro hostile is paused after repeated failures. Try again in 60 seconds.");
}

#[tokio::test]
async fn what_is_refused_or_reported_is_no_fault() {
    let bot = bot("wall-ms = 30000\n[scope]\ntracker.admins-only = true").await;
    for what in ["usage A sentence.", "failed for a reason", "ignore-error", "bad-key nonsense", "many-rows"]
    {
        for _ in 0..6 {
            bot.say_as("grace", "general", &format!("/maro hostile {what}")).await;
        }
        assert!(!is_resting(&bot, "hostile").await, "{what}");
    }
}

#[tokio::test]
async fn who_waits_for_a_place_in_vain_is_told_and_it_is_no_fault() {
    const MANIFEST: &str = "grants = [\"jira\", \"tracker\", \"tracker-edit\"]
        [limits]\nconcurrency = 1\nwall-ms = 20000";
    let bot =
        TestBot::with_plugins(PluginsFolder::shipped().with_fixture("hostile", "hostile", MANIFEST)).await;
    bot.slack.send_command("general", "ada", "/maro hostile sleep").await.unwrap();
    let (log, _guard) = Log::start();
    let began = std::time::Instant::now();
    let waiting = (0..6).map(|_| bot.say_as("grace", "random", "/maro hostile state"));
    let shown = futures_util::future::join_all(waiting).await;
    let took = began.elapsed().as_secs();
    assert_eq!(shown, ["MARO is busy right now. Nothing was changed. Try again in a moment."; 6]);
    assert!((4..16).contains(&took), "{took} s");
    let plugins = bot.bot().registry().plugins();
    let hostile = plugins.get("hostile").unwrap();
    assert!(!hostile.breaker().is_open());
    assert_eq!(hostile.last_fault(), None, "it says nothing of the plugin");
    let count = |what: &str| log.text().lines().filter(|line| line.contains(what)).count();
    assert_eq!((count("MARO is too busy"), count("no invocation: ")), (1, 6), "{}", log.text());
    assert_eq!(count("ERROR "), 0, "{}", log.text());
}
