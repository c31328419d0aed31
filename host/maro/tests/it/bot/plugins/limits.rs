//! Limits as quantities: how long, how many, how much. Times are held to a lower bound, and to an upper one that a
//! busy machine keeps and ten times the limit doesn't.

use std::{
    ops::Range,
    time::{Duration, Instant},
};

use maro_process::secret::Secret;
use maro_simulation::jira::faults::JiraFault;

use crate::{bot::TestBot, built_components::PluginsFolder, handwritten_components::Guest, log::Log};

const fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// What is shown for a command, and whether it took as long as it should.
async fn say_within(bot: &TestBot, typed: &str, expected: Range<Duration>) -> String {
    let began = Instant::now();
    let shown = bot.say(typed).await;
    let took = began.elapsed();
    assert!(expected.contains(&took), "{typed}: {took:?} is not within {expected:?}");
    shown
}

async fn bot_with(fixture: &str, manifest: &str) -> TestBot {
    TestBot::with_plugins(PluginsFolder::shipped().with_fixture(fixture, fixture, manifest)).await
}

fn last_fault(bot: &TestBot, plugin: &str) -> String {
    bot.bot().registry().plugins().get(plugin).unwrap().last_fault().unwrap().fault
}

#[tokio::test]
async fn a_plugin_that_waits_is_stopped_when_its_time_is_up() {
    let bot =
        bot_with("hostile", "grants = [\"jira\", \"tracker\", \"tracker-edit\"]\n[limits]\nwall-ms = 1000")
            .await;
    let shown = say_within(&bot, "/maro hostile sleep", seconds(1)..seconds(7)).await;
    assert!(shown.contains("took too long and was stopped"), "{shown}");
    assert_eq!(last_fault(&bot, "hostile"), "it ran longer than its limit of 1000 ms (`wall-ms`)");
}

#[tokio::test]
async fn an_invocation_has_exactly_the_calls_that_its_limit_says() {
    const MANIFEST: &str = "grants = [\"storage\", \"settings\", \"clock\", \"http\"]
        http.hosts = [\"nowhere.example\"]\nlimits.host-calls = 7";
    let bot = bot_with("capable", MANIFEST).await;
    // They are denied, which counts as a call all the same.
    let shown = bot.say("/maro capable fetch-often https://elsewhere.example/ 7").await;
    assert_eq!(shown.matches("Denied").count(), 7, "{shown}");
    bot.say("/maro capable fetch-often https://elsewhere.example/ 8").await;
    assert_eq!(
        last_fault(&bot, "capable"),
        "it made more than its limit of 7 capability calls (`host-calls`)"
    );
}

#[tokio::test]
async fn memory_grows_to_the_limit_and_no_further() {
    // It begins with 2 pages, and 8 MiB are 128.
    for (pages, is_too_much) in [(126, false), (127, true)] {
        let run = format!("(drop (memory.grow (i32.const {pages})))");
        let guest = Guest { run: &run, ..Guest::default() }.component();
        let plugins = PluginsFolder::shipped()
            .with_file("wat.wasm", &guest)
            .with_file("wat.toml", b"limits.memory-mib = 8");
        let bot = TestBot::with_plugins(plugins).await;
        // What one invocation had is no other's.
        for _ in 0..3 {
            let shown = bot.say("/maro wat").await;
            assert_eq!(shown == "done", !is_too_much, "{pages}: {shown}");
        }
        if is_too_much {
            let expected = "it asked for more than its limit of 8 MiB of memory (`memory-mib`)";
            assert_eq!(last_fault(&bot, "wat"), expected);
        }
    }
}

#[tokio::test]
async fn as_many_lines_are_logged_as_the_limit_says_and_the_rest_is_counted() {
    let (log, _guard) = Log::start();
    let bot = bot_with("every-call", &format!("{}\n[limits]\nlog-lines = 5", every_grant())).await;
    for (lines, logged, dropped) in [(5, 5, None), (12, 5, Some("dropped=7"))] {
        let before = log.lines(" of many").lines().count();
        assert_eq!(bot.say(&format!("/maro every-call log-often {lines}")).await, "logged");
        assert_eq!(log.lines(" of many").lines().count() - before, logged);
        let told = log.lines("dropped log lines over the limit");
        assert_eq!(told.split_whitespace().find(|word| word.starts_with("dropped=")), dropped);
    }
    let long = "x".repeat(1_500);
    bot.say(&format!("/maro every-call log {long}")).await;
    let (longest, over) = ("x".repeat(1_000), "x".repeat(1_025));
    let lines = log.lines(&longest);
    assert_eq!(lines.lines().count(), 3, "info, warn and error");
    assert!(!lines.contains(&over));
}

fn every_grant() -> String {
    let grants = maro_runtime::policy::grants::Grant::ALL.map(|grant| format!("{:?}", grant.as_str()));
    format!("grants = [{}]\nhttp.hosts = [\"nowhere.example\"]", grants.join(", "))
}

#[tokio::test]
async fn all_calls_of_jira_by_one_command_have_one_time_together() {
    // The plugin itself may take longer than all four.
    let manifest = "grants = [\"jira\", \"jira-edit\", \"tracker-edit\"]\n[limits]\nwall-ms = 60000";
    let bot = bot_with("jira-calls", manifest).await;
    // Each of the four is answered in time; together they take too long.
    bot.jira.set_fault(JiraFault::Slow(seconds(3)));
    let typed = "/maro jira-calls pages 1 key in (SCRUM-101, SCRUM-102, SCRUM-103, SCRUM-104)";
    let shown = say_within(&bot, typed, Duration::from_millis(7_500)..seconds(14)).await;
    assert_eq!(shown, "Jira took too long to respond. Nothing was changed. Try again in a few minutes.");
    bot.jira.clear_fault();
    assert!(bot.say(typed).await.starts_with("(4, 4, "), "the next command has its own time");
}

#[tokio::test]
async fn a_command_waits_for_a_hanging_jira_as_long_as_for_a_slow_one() {
    for fault in [JiraFault::Hang, JiraFault::Drips] {
        let bot = TestBot::start().await;
        bot.jira.set_fault(fault.clone());
        let range = Duration::from_millis(7_500)..seconds(16);
        let shown = say_within(&bot, "/maro track SCRUM-123", range).await;
        assert!(shown.starts_with("Jira took too long to respond."), "{fault:?}: {shown}");
    }
}

#[tokio::test]
async fn an_answer_of_jira_without_end_is_not_read_to_its_end() {
    let bot = TestBot::start().await;
    bot.jira.set_fault(JiraFault::EndlessBody);
    let shown = bot.say("/maro track SCRUM-123").await;
    assert!(shown.starts_with("Jira ") && shown.contains("Nothing was changed"), "{shown}");
    assert!(!shown.contains("took too long"), "it was read until the time was up: {shown}");
}

#[tokio::test]
async fn a_call_takes_a_hundred_keys() {
    let bot = bot_with("jira-calls", r#"grants = ["jira", "jira-edit", "tracker-edit"]"#).await;
    let keys = |count: usize| (1..=count).map(|number| format!(" SCRUM-{number}")).collect::<String>();
    let shown = bot.say(&format!("/maro jira-calls get{}", keys(100))).await;
    assert!(!shown.contains("InvalidArgument"), "{shown}");
    let shown = bot.say(&format!("/maro jira-calls get{}", keys(101))).await;
    assert!(shown.contains("InvalidArgument"), "{shown}");
}

#[tokio::test]
async fn a_command_is_answered_at_once_over_http_and_later_over_a_socket_if_it_takes_a_second() {
    let by_socket = TestBot::with_settings_of(PluginsFolder::shipped(), |config, slack| {
        config.slack.app_token = Some(Secret::new(slack.app_token().expose()));
        config.slack.signing_secret = None;
    })
    .await;
    assert!(by_socket.slack.wait_for_sockets(2).await);
    let by_http = TestBot::start().await;
    // A connection handles one request at a time: a guest that waits there makes others wait.
    for (bot, delay, is_delayed) in [(by_http, 700, false), (by_socket, 2_000, true)] {
        bot.jira.set_fault(JiraFault::Slow(Duration::from_millis(delay)));
        let messages = bot.messages("ada", "general", "/maro track SCRUM-123").await;
        let [message] = &*messages else { panic!("{messages:?}") };
        assert_eq!(message.is_delayed, is_delayed, "{}", message.text);
    }
}
