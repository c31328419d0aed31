//! An issue that Jira hangs on, or that it can't serve: that one alone is late, in lists and in channels.

use std::time::{Duration, Instant};

use maro_process::secret::Secret;
use maro_simulation::jira::faults::JiraFault;

use crate::{
    bot::{
        TestBot, key,
        notices::told::{on_postgres, set_status, stays, told_in, waiting},
        sync::webhooks::{SECRET, change, id_of, start},
        until,
    },
    built_components::PluginsFolder,
    log::Log,
    raw::{execute, query},
};

/// How soon channels have a change in its thread on a full machine. Jira hangs for longer.
const SOON: Duration = Duration::from_secs(8);

const HEAD: &str = "SCRUM-123: User authentication flow (Done)";
const LINE: &str = "  SCRUM-123: Open → Done (Grace Hopper)\n[Fewer]\n[Off]";
const LATE_HEAD: &str = "SCRUM-124: Database migration (Done)";
const LATE_LINE: &str = "  SCRUM-124: In Progress → Done (Grace Hopper)";

async fn of_data_center() -> TestBot {
    let mut bot = TestBot::with_plugins(PluginsFolder::shipped()).await;
    bot.config.jira = bot.jira.data_center_config();
    bot.config.jira.webhook_secret = Some(Secret::new(SECRET));
    bot.restart().await;
    bot
}

async fn hears(bot: &TestBot, channel: &str, lines: &[&str], began: Instant, within: Duration) {
    until(channel, async || told_in(bot, channel) == lines).await;
    assert!(began.elapsed() < within, "{channel}: {:?}", began.elapsed());
}

/// The change of one issue can't be read, when that of another comes with it.
async fn one_issue_hangs(bot: &TestBot) {
    bot.say("/maro track SCRUM-124 SCRUM-123").await;
    bot.say_as("ada", "random", "/maro track SCRUM-123").await;
    bot.jira.set_fault_of_issue(&key("SCRUM-124"), Some(JiraFault::Hang));
    set_status(bot, "SCRUM-124", "In Progress", "Done", "Grace Hopper").await;
    let began = Instant::now();
    set_status(bot, "SCRUM-123", "Open", "Done", "Grace Hopper").await;
    hears(bot, "random", &[HEAD, LINE], began, SOON).await;
    hears(bot, "general", &[HEAD, LINE], began, SOON).await;
    bot.jira.clear_fault();
    let all = [HEAD, LINE, LATE_HEAD, LATE_LINE];
    until("it is told after all", async || told_in(bot, "general") == all).await;
    stays_in_both(bot, &all).await;
}

async fn stays_in_both(bot: &TestBot, general: &[&str]) {
    stays(bot, general).await;
    assert_eq!(told_in(bot, "random"), [HEAD, LINE]);
}

#[tokio::test]
async fn an_issue_that_cloud_hangs_on_holds_up_no_other() {
    one_issue_hangs(&start().await).await;
}

#[tokio::test]
async fn an_issue_that_data_center_hangs_on_holds_up_no_other() {
    one_issue_hangs(&of_data_center().await).await;
}

#[tokio::test]
async fn an_issue_that_cloud_hangs_on_holds_up_no_other_on_postgresql() {
    const LEADER: &str = "SELECT CAST(leader AS TEXT) FROM jira_polls";
    let Some(bot) = on_postgres().await else { return };
    let replica = bot.start_replica().await;
    let leader = query(&bot.config.database, LEADER).await;
    one_issue_hangs(&bot).await;
    assert_eq!(query(&bot.config.database, LEADER).await, leader, "it was one issue, and not Jira");
    replica.stop().await;
}

/// The change was read, and Jira hangs on the issue when it's about to be told.
async fn one_channel_waits(bot: &TestBot) {
    bot.say("/maro track SCRUM-124 SCRUM-123").await;
    bot.say_as("ada", "random", "/maro track SCRUM-123").await;
    set_status(bot, "SCRUM-124", "In Progress", "Done", "Grace Hopper").await;
    until("the change is known", async || waiting(bot).await == ["1"]).await;
    bot.jira.set_fault_of_issue(&key("SCRUM-124"), Some(JiraFault::Hang));
    let began = Instant::now();
    set_status(bot, "SCRUM-123", "Open", "Done", "Grace Hopper").await;
    hears(bot, "random", &[HEAD, LINE], began, SOON).await;
    // The same channel waits until Jira has had its time, and then hears what it says, and the rest later.
    hears(bot, "general", &[HEAD, LINE], began, Duration::from_secs(15)).await;
    bot.jira.clear_fault();
    let all = [HEAD, LINE, LATE_HEAD, LATE_LINE];
    until("it is told after all", async || told_in(bot, "general") == all).await;
    stays_in_both(bot, &all).await;
}

#[tokio::test]
async fn a_channel_that_waits_for_one_issue_holds_up_no_other() {
    one_channel_waits(&start().await).await;
}

#[tokio::test]
async fn a_channel_that_waits_for_one_issue_holds_up_no_other_on_data_center() {
    one_channel_waits(&of_data_center().await).await;
}

/// Webhooks name keys that Jira shows nothing under, so their issues are asked for by their ids.
#[tokio::test]
async fn a_webhook_whose_issue_hangs_or_fails_by_its_id_holds_up_no_other() {
    let bot = start().await;
    bot.say("/maro track SCRUM-123 SCRUM-124 SCRUM-125 SCRUM-126").await;
    let issues = ["SCRUM-123", "SCRUM-124", "SCRUM-125", "SCRUM-126"];
    let mut ids = Vec::new();
    for issue in issues {
        ids.push(id_of(&bot, issue).await);
        bot.jira.rename_issue(&key(issue), "New words");
    }
    bot.jira.set_fault_of(&format!("/issue/{}", ids[1]), Some(JiraFault::Hang));
    bot.jira.set_fault_of(&format!("/issue/{}", ids[2]), Some(JiraFault::Status(500, None)));
    let began = Instant::now();
    change(&bot, &ids[1], "GONE-124").await;
    change(&bot, &ids[2], "GONE-125").await;
    change(&bot, &ids[3], "GONE-126").await;
    change(&bot, &ids[0], "SCRUM-123").await;
    let renewed =
        "SELECT issue_key FROM channel_tracked_issues WHERE last_jira_summary = 'New words' ORDER BY 1";
    until("the others are read", async || {
        query(&bot.config.database, renewed).await == ["SCRUM-123", "SCRUM-126"]
    })
    .await;
    assert!(began.elapsed() < Duration::from_secs(3), "{:?}", began.elapsed());
    let waiting = "SELECT issue_key FROM webhook_queue ORDER BY 1";
    assert_eq!(query(&bot.config.database, waiting).await, ["GONE-124", "GONE-125"]);
    bot.jira.clear_fault();
    until("all are read", async || query(&bot.config.database, renewed).await == issues).await;
    until("nothing waits", async || query(&bot.config.database, waiting).await.is_empty()).await;
}

/// Deletions are found by reading issues in turn, which one that waits for its first answer doesn't stop.
#[tokio::test]
async fn an_issue_that_jira_cannot_serve_gives_its_turn_to_others() {
    let (log, _guard) = Log::start();
    let bot = TestBot::with_settings(PluginsFolder::shipped(), |config| {
        config.sync_interval = Duration::from_secs(4);
    })
    .await;
    let polled = "SELECT CAST(count(*) AS TEXT) FROM jira_polls WHERE known_ms > 0";
    bot.say("/maro track SCRUM-123").await;
    until("Jira was asked what has changed", async || query(&bot.config.database, polled).await == ["1"])
        .await;
    bot.jira.set_fault_of_issue(&key("SCRUM-124"), Some(JiraFault::Status(500, None)));
    let row = "INSERT INTO channel_tracked_issues (channel_id, issue_key, tracked_at, tracked_by)
               VALUES ('C9', 'SCRUM-124', '2026-01-01T00:00:00.000000Z', 'U1')";
    execute(&bot.config.database, row).await;
    until("it was asked for", async || bot.asked_for("/issue/SCRUM-124") + bot.asked_for("/bulkfetch") > 1)
        .await;
    bot.jira.delete_issue(&key("SCRUM-123"));
    until("the list shows it", async || bot.say("/maro tracked").await.contains("not found in Jira")).await;
    let lines = || log.lines("Jira can't serve some issues").lines().count();
    until("it's said", async || lines() > 0).await;
    tokio::time::sleep(Duration::from_secs(5)).await;
    assert_eq!(lines(), 1);
    bot.jira.clear_fault();
    let read = "SELECT last_jira_status FROM channel_tracked_issues WHERE issue_key = 'SCRUM-124'";
    until("it is read after all", async || query(&bot.config.database, read).await == ["In Progress"]).await;
}
