//! `storage`, `settings` and `clock`.

use jiff::{SignedDuration, Timestamp};
use maro_bot::bot::Surroundings;
use maro_process::clock::Clock;
use maro_runtime::policy::grants::Grant;
use sqlx::Executor as _;

use crate::{
    bot::{
        TestBot, key,
        plugins::capabilities::{capable_bot, with_capable},
        until,
    },
    built_components::PluginsFolder,
    raw::{Raw, query},
};

const EVERY_GRANT: &str = "grants = [\"jira\", \"jira-edit\", \"tracker\", \"tracker-edit\", \"storage\", \
                           \"settings\", \"clock\", \"http\", \"caller\"]";

#[tokio::test]
async fn the_list_says_what_became_of_each_issue() {
    let plugins = PluginsFolder::shipped().with_fixture("every-call", "every-call", EVERY_GRANT);
    let bot = TestBot::with_plugins(plugins).await;
    bot.say("/maro track SCRUM-123 SCRUM-125").await;
    let rows = bot.say("/maro every-call tracker.list-details").await;
    assert!(rows.contains("StatusCategory::ToDo, moved-from: None"), "{rows}");
    assert!(rows.contains("StatusCategory::Done, moved-from: None"), "{rows}");
    bot.jira.move_issue(&key("SCRUM-123"), &key("AUTH-7"));
    bot.say("/maro track SCRUM-123").await;
    let rows = bot.say("/maro every-call tracker.list-filtered").await;
    assert!(rows.contains("key: \"AUTH-7\"") && rows.contains("moved-from: Some(\"SCRUM-123\")"), "{rows}");
    assert!(!rows.contains("SCRUM-125"), "{rows}");
}

#[tokio::test]
async fn of_a_row_that_may_not_be_shown_there_is_only_its_key() {
    let plugins = PluginsFolder::shipped().with_fixture("every-call", "every-call", EVERY_GRANT);
    let mut bot = TestBot::with_plugins(plugins).await;
    bot.say("/maro track SCRUM-123").await;
    bot.jira.move_issue(&key("SCRUM-123"), &key("AUTH-7"));
    bot.say("/maro track SCRUM-123").await;
    bot.config.access = toml::from_str("projects = [\"SCRUM\"]").unwrap();
    bot.restart_and_load().await;
    let rows = bot.say("/maro every-call tracker.list-details").await;
    assert!(rows.contains("key: \"AUTH-7\", summary: \"\", status: \"\""), "{rows}");
    assert!(rows.contains("StatusCategory::Unknown, moved-from: None"), "{rows}");
    assert!(rows.contains("last-read: None") && !rows.contains("SCRUM-123"), "{rows}");
}

#[tokio::test]
async fn values_are_kept_by_channel_and_for_all() {
    let mut bot = capable_bot("").await;
    assert_eq!(bot.say("/maro capable get channel seen").await, "None");
    assert_eq!(bot.say("/maro capable set channel seen here").await, "set");
    assert_eq!(bot.say("/maro capable set plugin seen everywhere").await, "set");
    assert_eq!(bot.say_as("grace", "general", "/maro capable get channel seen").await, "Some(\"here\")");
    assert_eq!(bot.say_as("ada", "random", "/maro capable get channel seen").await, "None");
    assert_eq!(bot.say_as("ada", "random", "/maro capable get plugin seen").await, "Some(\"everywhere\")");
    assert_eq!(bot.say("/maro capable set channel other x").await, "set");
    assert_eq!(bot.say("/maro capable keys channel").await, "[\"other\", \"seen\"]");
    assert_eq!(bot.say("/maro capable keys channel s").await, "[\"seen\"]");
    assert_eq!(bot.say("/maro capable swap channel seen there gone").await, "false");
    assert_eq!(bot.say("/maro capable swap channel seen here -").await, "true");
    assert_eq!(bot.say("/maro capable delete channel seen").await, "false");
    assert_eq!(bot.say("/maro capable delete channel other").await, "true");
    bot.restart().await;
    assert_eq!(bot.say("/maro capable get plugin seen").await, "Some(\"everywhere\")");
}

#[tokio::test]
async fn a_person_keeps_values_wherever_they_type() {
    let mut bot = capable_bot("").await;
    assert_eq!(bot.say("/maro capable set person vote yes").await, "set");
    assert_eq!(bot.say_as("grace", "general", "/maro capable get person vote").await, "None");
    assert_eq!(bot.say_as("grace", "general", "/maro capable set person vote no").await, "set");
    assert_eq!(bot.say("/maro capable get channel vote").await, "None");
    bot.restart().await;
    assert_eq!(bot.say_as("ada", "random", "/maro capable get person vote").await, "Some(\"yes\")");
    assert_eq!(bot.say_as("grace", "dm", "/maro capable get person vote").await, "Some(\"no\")");
}

#[tokio::test]
async fn each_who_adds_counts() {
    let bot = capable_bot("").await;
    let votes = (0..20).map(|_| bot.say("/maro capable add channel votes 1"));
    futures_util::future::join_all(votes).await;
    assert_eq!(bot.say("/maro capable add channel votes -5").await, "15");
    assert_eq!(bot.say("/maro capable add plugin votes 2").await, "2");
    assert_eq!(bot.say("/maro capable set channel votes many").await, "set");
    let shown = bot.say("/maro capable add channel votes 1").await;
    assert!(shown.contains("isn't a whole number"), "{shown}");
}

#[tokio::test]
async fn a_value_expires_when_its_time_has_come() {
    let noon: Timestamp = "2026-01-31T12:00:00Z".parse().unwrap();
    let clock = Clock::stopped(noon);
    let bot = TestBot::in_surroundings(with_capable(""), clock.clone().into(), |_, _| {}).await;
    assert_eq!(bot.say("/maro capable set-for channel voted yes 60").await, "set");
    clock.set(noon + SignedDuration::from_secs(59));
    assert_eq!(bot.say("/maro capable get channel voted").await, "Some(\"yes\")");
    clock.set(noon + SignedDuration::from_secs(60));
    assert_eq!(bot.say("/maro capable get channel voted").await, "None");
    assert_eq!(bot.say("/maro capable keys channel").await, "[]");
    for bad in ["0", "315360001", "18446744073709551615"] {
        let shown = bot.say(&format!("/maro capable set-for channel k v {bad}")).await;
        assert!(shown.contains("can expire after 1 to 315360000 seconds"), "{shown}");
    }
}

#[tokio::test]
async fn a_plugin_knows_one_person_from_another_and_no_more() {
    let grants = Grant::ALL.map(|grant| format!("{:?}", grant.as_str())).join(", ");
    let manifest = format!("grants = [{grants}]\nhttp.hosts = [\"nowhere.example\"]");
    let plugins = PluginsFolder::shipped().with_fixture("every-call", "every-call", &manifest);
    let mut bot = TestBot::with_plugins(plugins).await;
    let ada = bot.say("/maro every-call caller.id").await;
    let id = ada.trim_matches('"');
    assert!(id.len() == 32 && id.bytes().all(|byte| byte.is_ascii_hexdigit()), "{ada}");
    assert_eq!(bot.say_as("ada", "random", "/maro every-call caller.id").await, ada);
    assert_ne!(bot.say_as("grace", "general", "/maro every-call caller.id").await, ada);
    assert_eq!(bot.say("/maro every-call caller.is-admin").await, "true");
    assert_eq!(bot.say_as("grace", "general", "/maro every-call caller.is-admin").await, "false");
    bot.restart().await;
    assert_eq!(bot.say("/maro every-call caller.id").await, ada);
}

#[tokio::test]
async fn what_is_too_long_or_empty_is_an_error() {
    let bot = capable_bot("").await;
    let shown = bot.say("/maro capable bad-storage").await;
    assert_eq!(shown.matches("Err(\"StorageErrorKind::InvalidArgument\")").count(), 8, "{shown}");
}

#[tokio::test]
async fn a_full_store_says_so_and_still_lets_go() {
    let bot = capable_bot("[limits]\nstorage-keys = 3").await;
    assert_eq!(bot.say("/maro capable fill channel").await, "3, then StorageErrorKind::Full");
    assert_eq!(
        bot.say("/maro capable set channel one more").await,
        "This command has run out of storage. Nothing was changed. Ask your MARO admin to raise its limit."
    );
    assert_eq!(
        bot.say_as("ada", "random", "/maro capable fill channel").await,
        "3, then StorageErrorKind::Full"
    );

    let bot = capable_bot("[limits]\nstorage-kib = 25\nstorage-total-kib = 45").await;
    assert_eq!(bot.say("/maro capable fill channel").await, "2, then StorageErrorKind::Full");
    assert_eq!(bot.say("/maro capable fill plugin").await, "2, then StorageErrorKind::Full");
    assert_eq!(
        bot.say_as("ada", "random", "/maro capable fill channel").await,
        "0, then StorageErrorKind::Full"
    );
}

#[tokio::test]
async fn settings_are_what_the_operator_wrote() {
    let bot = capable_bot("[settings]\nteam = \"blue & green\"\nlimit = 7\nquiet = true").await;
    assert_eq!(bot.say("/maro capable setting team").await, "Some(\"blue & green\")");
    assert_eq!(bot.say("/maro capable setting nothing").await, "None");
    assert_eq!(
        bot.say("/maro capable settings").await,
        r#"[("limit", "7"), ("quiet", "true"), ("team", "blue & green")]"#
    );
}

#[tokio::test]
async fn the_clock_is_the_hosts() {
    let noon: Timestamp = "2026-01-31T12:00:00Z".parse().unwrap();
    let clock = Clock::stopped(noon);
    let surroundings = Surroundings::from(clock.clone());
    let bot = TestBot::in_surroundings(with_capable(""), surroundings, |_, _| {}).await;
    assert_eq!(bot.say("/maro capable now").await, noon.as_second().to_string());
    clock.set(noon + SignedDuration::from_secs(90));
    assert_eq!(bot.say("/maro capable now").await, (noon.as_second() + 90).to_string());
    assert_eq!(bot.say("/maro capable wasi-now").await, (noon.as_second() + 90).to_string());
}

#[tokio::test]
async fn where_a_scope_denies_the_clock_no_time_passes_for_the_right_one() {
    let bot = capable_bot("[scope]\nclock.not-in-channels = [\"C0GENERAL01\"]").await;
    assert_eq!(
        bot.say("/maro capable now").await,
        "This command can't use the clock permission in this channel."
    );
    for _ in 0..6 {
        assert_eq!(
            bot.say("/maro capable wasi-now").await,
            "This command can't use the clock permission in this channel."
        );
    }
    let fault = bot.bot().registry().plugins().get("capable").unwrap().last_fault().unwrap().fault;
    assert!(
        fault.contains("`clock.only-in-channels` or `clock.not-in-channels` under [scope] in capable.toml"),
        "{fault}"
    );
    let elsewhere = bot.say_as("ada", "random", "/maro capable wasi-now").await;
    assert!(elsewhere.parse::<u64>().unwrap() > 0, "it isn't paused elsewhere");
}

#[tokio::test]
async fn wasi_tells_the_time_only_to_whom_the_clock_is_granted() {
    // This fixture imports no `clock` of the host, so it loads without the grant.
    for (manifest, is_granted) in [("", false), ("grants = [\"clock\"]", true)] {
        let plugins = PluginsFolder::shipped().with_fixture("hostile-wasi", "wasi", manifest);
        let shown = TestBot::with_plugins(plugins).await.say("/maro wasi time").await;
        assert_eq!(shown != "0", is_granted, "{shown}");
    }
}

#[tokio::test]
async fn a_plugin_may_print_much_and_the_end_of_it_is_told_with_a_fault() {
    let bot = capable_bot("").await;
    assert_eq!(bot.say("/maro capable print 1000").await, "1000 lines");
    let shown = bot.say("/maro capable print-and-panic 1000").await;
    assert!(shown.contains(" crashed."), "{shown}");
    let fault = bot.bot().registry().plugins().get("capable").unwrap().last_fault().unwrap().fault;
    assert!(fault.contains("line 999 of those") && fault.contains("warning 999: all is well"), "{fault}");
    assert!(fault.contains("after 1000 lines") && !fault.contains("line 10 of"), "{fault}");
}

#[tokio::test]
async fn a_write_that_outlives_its_command_may_have_worked() {
    let bot = capable_bot("[limits]\nwall-ms = 1000").await;
    let Raw::Sqlite(mut other) = Raw::connect(&bot.config.database).await else { panic!("not SQLite") };
    other.execute("BEGIN IMMEDIATE").await.unwrap();
    let shown = bot.say("/maro capable set channel colour red").await;
    other.execute("ROLLBACK").await.unwrap();
    let expected = "/maro capable took too long and was stopped. It may have worked all the same, so check before you \
                    try again.";
    assert!(shown.starts_with(expected), "{shown}");
    let stored = "SELECT CAST(value AS TEXT) FROM plugin_storage";
    until("the value is stored", async || query(&bot.config.database, stored).await == ["red"]).await;
}
