//! Plugins that loop, hoard, trap and lie: the person gets one short sentence, the operator the whole
//! story, and nobody else notices.

use std::fs;

use insta::assert_snapshot;
use maro_runtime::policy::grants::Grant;

use crate::{
    bot::{TestBot, key},
    built_components::PluginsFolder,
    structure::root,
};

/// All capabilities, and little of everything but time: guests that compute in other tests at the same moment share
/// one thread with these.
const GRANTED: &str = r#"
grants = ["jira", "tracker", "tracker-edit"]
[limits]
memory-mib = 8
cpu-ms = 100
wall-ms = 120000
"#;

async fn hostile_bot(manifest: &str) -> TestBot {
    TestBot::with_plugins(PluginsFolder::shipped().with_fixture("hostile", "hostile", manifest)).await
}

/// What a person reads, with the incident's id made equal, and the fault that operators see.
async fn fault(bot: &TestBot, what: &str) -> (String, String) {
    let shown = bot.say(&format!("/maro hostile {what}")).await;
    let (sentence, incident) =
        shown.split_once(" include the ID ").unwrap_or_else(|| panic!("{what}: {shown}"));
    let incident = incident.trim_end_matches('.');
    assert!(incident.len() == 8 && incident.bytes().all(|byte| byte.is_ascii_hexdigit()), "{shown}");
    let plugins = bot.bot().registry().plugins();
    (format!("{sentence} include the ID …"), plugins.get("hostile").unwrap().last_fault().unwrap().fault)
}

#[tokio::test]
async fn every_limit_stops_a_plugin_with_one_sentence() {
    let bot = hostile_bot(GRANTED).await;
    let fault_sentence = "/maro hostile crashed. If you report this, include the ID …";
    for (what, expected) in [
        ("loop", "it used more than its limit of 100 ms of processor time (`cpu-ms`)"),
        ("memory", "it asked for more than its limit of 8 MiB of memory (`memory-mib`)"),
        ("host-calls", "it made more than its limit of "),
        ("stack", "it crashed: "),
        ("trap a reason", "it crashed: "),
        ("exit", "it crashed: "),
        ("huge-reply", "it asked for more than its limit of 8 MiB of memory (`memory-mib`)"),
        ("huge-strings", "it asked for more than its limit of 8 MiB of memory (`memory-mib`)"),
        ("deep", "it"),
        ("clock-spin", "it used more than its limit of 100 ms of processor time (`cpu-ms`)"),
        ("stderr-spin", "it used more than its limit of 100 ms of processor time (`cpu-ms`)"),
        ("yield-spin", "it "),
    ] {
        let (sentence, fault) = fault(&bot, what).await;
        assert_eq!(sentence, fault_sentence, "{what}");
        assert!(fault.starts_with(expected), "{what}: {fault:?} does not start with {expected:?}");
        assert_eq!(bot.say("/maro hostile state").await, "1", "a plugin that trapped is whole again");
    }
    let hurried = hostile_bot(&GRANTED.replace("wall-ms = 120000", "wall-ms = 500")).await;
    let (sentence, fault) = fault(&hurried, "sleep").await;
    assert_eq!(sentence, "/maro hostile took too long and was stopped. If you report this, include the ID …");
    assert_eq!(fault, "it ran longer than its limit of 500 ms (`wall-ms`)");
    assert_eq!(
        bot.say("/maro track SCRUM-123").await,
        "Now tracking SCRUM-123: User authentication flow (Open)"
    );
}

#[tokio::test]
async fn what_a_guest_hands_over_is_bounded_before_it_is_copied() {
    let bot = hostile_bot(
        &GRANTED.replace("memory-mib = 8", "memory-mib = 256").replace("cpu-ms = 100", "cpu-ms = 5000"),
    )
    .await;
    for what in ["huge-reply", "huge-error", "huge-strings", "huge-log", "deep"] {
        let shown = bot.say(&format!("/maro hostile {what}")).await;
        assert!(shown.contains(" crashed."), "{what}: {shown}");
    }
}

/// Much of everything, for the new capabilities.
const CAPABLE: &str = r#"
grants = ["storage", "settings", "clock", "http"]
[http]
hosts = ["nowhere.example"]
[limits]
memory-mib = 256
cpu-ms = 5000
"#;

/// The functions of `wit/` that a grant is needed for, as `interface.function`.
fn granted_functions() -> Vec<String> {
    let mut functions = Vec::new();
    let mut interface = None;
    for file in fs::read_dir(root().join("wit")).unwrap() {
        let path = file.unwrap().path();
        let text = if path.is_file() { fs::read_to_string(path).unwrap() } else { String::new() };
        for line in text.lines().map(str::trim) {
            if let Some(name) = line.strip_prefix("interface ").and_then(|rest| rest.strip_suffix(" {")) {
                interface = Grant::from_interface(name);
            } else if let (Some(grant), Some((name, _))) = (interface, line.split_once(": func(")) {
                functions.push(format!("{grant}.{name}"));
            }
        }
    }
    functions
}

#[tokio::test]
async fn every_function_of_every_capability_counts() {
    const MANIFEST: &str = r#"
        grants = ["caller", "clock", "http", "jira", "jira-edit", "settings", "storage", "tracker", "tracker-edit"]
        limits.host-calls = 7
    "#;
    let plugins = PluginsFolder::shipped().with_fixture("endless-calls", "endless-calls", MANIFEST);
    let bot = TestBot::with_plugins(plugins).await;
    let functions = granted_functions();
    assert!(functions.len() > 20, "{functions:?}");
    for function in functions {
        let shown = bot.say(&format!("/maro endless-calls {function}")).await;
        assert!(shown.contains(" crashed."), "{function}: {shown}");
        let plugins = bot.bot().registry().plugins();
        let plugin = plugins.get("endless-calls").unwrap();
        let fault = plugin.last_fault().unwrap().fault;
        assert_eq!(fault, "it made more than its limit of 7 capability calls (`host-calls`)", "{function}");
        // So that it is not rested.
        plugin.forgive();
    }
}

#[tokio::test]
async fn no_capability_takes_in_what_is_huge() {
    let bot =
        TestBot::with_plugins(PluginsFolder::shipped().with_fixture("capable", "capable", CAPABLE)).await;
    for what in ["key", "value", "expected", "prefix", "setting", "url", "header", "headers", "body"] {
        let shown = bot.say(&format!("/maro capable huge {what}")).await;
        assert!(shown.contains(" crashed."), "{what}: {shown}");
        assert_eq!(bot.say("/maro capable get plugin k").await, "None");
    }
}

#[tokio::test]
async fn wasi_gives_no_way_around_the_limits() {
    let plugins = PluginsFolder::shipped().with_fixture(
        "hostile-wasi",
        "wasi",
        "[limits]\nmemory-mib = 8\ncpu-ms = 100\nwall-ms = 8000",
    );
    let bot = TestBot::with_plugins(plugins).await;
    for (what, expected) in [
        ("random-numbers", "it "),
        ("random-bytes", "it "),
        ("random-huge", "it crashed: requested len"),
        ("insecure-huge", "it crashed: requested len"),
        ("poll-crowd", "it ran longer than its limit of 8000 ms (`wall-ms`)"),
        ("poll-ready", "it "),
        ("poll-flood", "it crashed: "),
        ("timers", "it crashed: "),
        ("streams", "it crashed: "),
        ("networks", "it crashed: "),
        ("sleep", "it ran longer than its limit of 8000 ms (`wall-ms`)"),
        ("sleep-often", "it "),
        ("stderr-huge", "it crashed: "),
        ("stderr-zeroes", "it crashed: "),
        ("stderr-spin", "it "),
    ] {
        let hostile = async {
            let shown = bot.say(&format!("/maro wasi {what}")).await;
            assert_eq!(shown.lines().count(), 1, "{what}: {shown}");
            assert!(shown.contains(" If you report this, include the ID "), "{what}: {shown}");
        };
        let other = bot.say_as("grace", "random", "/maro tracked");
        let (_, answered) = tokio::join!(hostile, other);
        assert!(answered.starts_with("No Jira issues are tracked"), "{what}: {answered}");
        let plugins = bot.bot().registry().plugins();
        let fault = plugins.get("wasi").unwrap().last_fault().unwrap().fault;
        assert!(fault.starts_with(expected), "{what}: {fault:?} does not start with {expected:?}");
        assert!(fault.len() < 8 * 1024, "{what}: what it said is bounded");
        // So that it is not rested.
        assert_eq!(bot.say("/maro wasi stdin-huge").await, "true", "{what}");
    }
    assert_eq!(bot.say("/maro wasi sockets").await, "false");
}

#[tokio::test]
async fn others_are_answered_while_plugins_loop() {
    let bot = hostile_bot(&GRANTED.replace("cpu-ms = 100", "cpu-ms = 1500")).await;
    let loops = (0..4).map(|_| bot.say("/maro hostile loop"));
    let loops = futures_util::future::join_all(loops);
    let others = async {
        for _ in 0..10 {
            let messages = bot.messages("grace", "random", "/maro tracked").await;
            assert!(!messages[0].is_delayed, "it was answered late");
        }
    };
    tokio::join!(loops, others);
}

#[tokio::test]
async fn each_invocation_starts_afresh() {
    let bot = hostile_bot(GRANTED).await;
    for _ in 0..3 {
        assert_eq!(bot.say("/maro hostile state").await, "1");
    }
}

#[tokio::test]
async fn there_is_no_world_outside() {
    let bot = hostile_bot(GRANTED).await;
    assert_eq!(bot.say("/maro hostile env").await, "variables [], arguments []");
    let files = bot.say("/maro hostile fs").await;
    assert!(files.contains("read Err") && files.contains("write Err"), "{files}");
    let network = bot.say("/maro hostile net").await;
    assert!(network.contains("connect Err"), "{network}");
    assert_eq!(bot.say("/maro hostile stdin").await, "read Ok(0)");
}

#[tokio::test]
async fn only_what_jira_confirmed_is_tracked() {
    let bot = hostile_bot(GRANTED).await;
    assert_eq!(bot.say("/maro hostile unconfirmed SCRUM-123").await, "[TrackOutcome::Unconfirmed]");
    assert!(bot.say("/maro tracked").await.starts_with("No Jira issues are tracked"));

    // Some are confirmed in the same command, one of them missing, and more are tracked, in another order.
    assert_eq!(
        bot.say(
            "/maro hostile half-confirmed SCRUM-123,SCRUM-999,SCRUM-125 \
                 SCRUM-124,SCRUM-125,SCRUM-999,SCRUM-123,SCRUM-126"
        )
        .await,
        "[TrackOutcome::Unconfirmed, TrackOutcome::Tracked, TrackOutcome::Unconfirmed, \
         TrackOutcome::Tracked, TrackOutcome::Unconfirmed]"
    );
    let list = "Tracked Jira issues in #general:\n\
                • SCRUM-125: API documentation (Done)\n\
                • SCRUM-123: User authentication flow (Open)";
    assert_eq!(bot.say("/maro tracked").await, list);
    // What Jira confirmed in the last command is not confirmed in the next.
    assert_eq!(
        bot.say("/maro hostile half-confirmed SCRUM-123 SCRUM-123,SCRUM-124").await,
        "[TrackOutcome::AlreadyTracked, TrackOutcome::Unconfirmed]"
    );
    bot.say("/maro untrack SCRUM-123").await;
    assert_eq!(bot.say("/maro hostile unconfirmed SCRUM-123").await, "[TrackOutcome::Unconfirmed]");
    // A key under which an issue is no longer is not confirmed by it.
    bot.jira.move_issue(&key("SCRUM-127"), &key("OPS-1"));
    assert_eq!(
        bot.say("/maro hostile half-confirmed SCRUM-127 SCRUM-127,OPS-1").await,
        "[TrackOutcome::Unconfirmed, TrackOutcome::Tracked]"
    );
}

#[tokio::test]
async fn impossible_arguments_are_errors_and_not_traps() {
    let bot = hostile_bot(GRANTED).await;
    for what in ["bad-key nonsense", "many-keys", "many-rows"] {
        let shown = bot.say(&format!("/maro hostile {what}")).await;
        assert!(shown.contains("InvalidArgument"), "{what}: {shown}");
        assert!(!shown.contains("Ok("), "{what}: {shown}");
    }
}

#[tokio::test]
async fn markup_of_a_guest_is_text() {
    let bot = hostile_bot(GRANTED).await;
    let messages = bot.messages("ada", "general", "/maro hostile bad-spans").await;
    for forbidden in ["<!channel>", "<!here", "javascript:"] {
        assert!(!messages[0].text.contains(forbidden), "{}", messages[0].text);
    }
    let shown = bot.say("/maro hostile echo <!channel>").await;
    assert_snapshot!(shown.replace('\u{200b}', ""), @"
    <!channel><!channel><!channel><!channel>SCRUM-123#general@ada@U0ADA
    • <!channel><!channel><!channel><!channel>SCRUM-123#general@ada@U0ADA
    • <!channel><!channel><!channel><!channel>SCRUM-123#general@ada@U0ADA
    <!channel><!channel><!channel><!channel>SCRUM-123#general@ada@U0ADA
    <!channel><!channel><!channel><!channel>SCRUM-123#general@ada@U0ADA
    ");
}

#[tokio::test]
async fn a_usage_error_shows_how_the_subcommand_is_used() {
    let bot = hostile_bot(GRANTED).await;
    assert_snapshot!(bot.say("/maro hostile").await, @"
    Say what to do.
    Usage: /maro hostile WHAT [TEXT]
    ");
    assert_snapshot!(bot.say("/maro hostile failed for a reason").await, @"for a reason");
}
