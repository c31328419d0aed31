//! Stored statuses follow Jira.

use std::time::Duration;

use maro_simulation::jira::faults::JiraFault;

use crate::{
    bot::{TestBot, key, server::http, until},
    built_components::PluginsFolder,
    log::Log,
    raw::{execute, query},
};

#[tokio::test]
async fn old_statuses_are_read_again_and_moved_issues_follow() {
    let bot = TestBot::with_settings(PluginsFolder::shipped(), |config| {
        config.sync_interval = Duration::from_secs(1);
    })
    .await;
    bot.say("/maro track SCRUM-123 SCRUM-124 SCRUM-125").await;
    bot.jira.transition_issue(&key("SCRUM-123"), "In Review");
    bot.jira.move_issue(&key("SCRUM-124"), &key("DATA-1"));
    bot.jira.delete_issue(&key("SCRUM-125"));
    let expected = "Tracked Jira issues in #general:\n\
                    • SCRUM-123: User authentication flow (In Review)\n\
                    • DATA-1: Database migration (In Progress) · was SCRUM-124\n\
                    • SCRUM-125 (not found in Jira)";
    let followed = async {
        while bot.say("/maro tracked").await != expected {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    let in_time = tokio::time::timeout(Duration::from_secs(20), followed).await;
    assert!(in_time.is_ok(), "the list is still\n{}", bot.say("/maro tracked").await);
}

/// Many more than a round reads are refreshed without a pause between rounds.
#[tokio::test]
async fn a_backlog_is_drained_as_fast_as_jira_answers() {
    let mut bot = TestBot::start().await;
    bot.say("/maro track SCRUM-101").await;
    // Lists of another channel each, as far as the database is concerned.
    let rows = "WITH RECURSIVE number (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM number WHERE n < 3500)
        INSERT INTO channel_tracked_issues (channel_id, issue_key, tracked_at, tracked_by)
        SELECT 'C' || (n / 40), 'SCRUM-' || (101 + n % 40), '2026-01-01T00:00:00.000000Z', 'U1' FROM number";
    execute(&bot.config.database, rows).await;
    bot.config.sync_interval = Duration::from_secs(120);
    bot.jira.take_requests();
    bot.restart().await;
    let unsynced = "SELECT CAST(count(*) AS TEXT) FROM channel_tracked_issues WHERE last_jira_status IS NULL";
    until("all are read", async || query(&bot.config.database, unsynced).await == ["0"]).await;
    let asked = bot.asked_for("/issue/bulkfetch");
    assert!(asked <= 12, "{asked} requests for 40 issues, of which rounds may meet each several times");
    let metrics = http::text(&bot, "metrics").await;
    assert!(metrics.contains("maro_sync_lag_seconds "), "{metrics}");
    assert!(waiting(&bot).await == ["0"], "nothing has changed");
}

#[tokio::test]
async fn the_status_of_a_new_issue_is_read_although_jira_does_not_show_it_at_once() {
    let bot = TestBot::start().await;
    let nothing = JiraFault::Answer(200, r#"{"issueErrors":[],"issues":[]}"#.to_owned());
    bot.jira.set_next_faults_of("/issue/bulkfetch", [Some(nothing)]);
    bot.create("Zeppelin anchor").await;
    bot.until_tracked(&["SCRUM-151: Zeppelin anchor (To Do)"]).await;
}

async fn waiting(bot: &TestBot) -> Vec<String> {
    query(&bot.config.database, "SELECT CAST(count(*) AS TEXT) FROM notice_outbox").await
}

/// Without a webhook, and long before the row's own turn comes.
async fn hears_of_what_changed(bot: &TestBot) {
    bot.say("/maro track SCRUM-123").await;
    let polled = "SELECT CAST(count(*) AS TEXT) FROM jira_polls WHERE known_ms > 0";
    until("Jira was asked", async || query(&bot.config.database, polled).await == ["1"]).await;
    bot.jira.transition_issue(&key("SCRUM-123"), "Done");
    until("the list shows it", async || bot.say("/maro tracked").await.contains("(Done)")).await;
    until("the channel hears", async || bot.slack.posted("general").len() == 2).await;
    let asked = bot.asked_for("/issue/bulkfetch");
    execute(&bot.config.database, "UPDATE jira_polls SET asked_ms = 1").await;
    let turns =
        "SELECT CAST(count(*) AS TEXT) FROM jira_polls WHERE known_ms > asked_ms - 1 AND asked_ms > 1";
    until("another turn", async || query(&bot.config.database, turns).await == ["1"]).await;
    assert_eq!(bot.asked_for("/issue/bulkfetch"), asked, "what is known isn't read again");
}

const OFTEN: Duration = Duration::from_secs(40);

#[tokio::test]
async fn a_channel_hears_of_a_change_without_a_webhook() {
    let bot = TestBot::with_settings(PluginsFolder::shipped(), |config| config.sync_interval = OFTEN).await;
    hears_of_what_changed(&bot).await;
}

#[tokio::test]
async fn a_channel_hears_of_a_change_without_a_webhook_on_postgresql() {
    let Some(mut bot) = TestBot::on_postgres(PluginsFolder::shipped()).await else { return };
    bot.config.sync_interval = OFTEN;
    bot.restart().await;
    hears_of_what_changed(&bot).await;
}

#[tokio::test]
async fn all_that_has_changed_is_read_however_many_pages_it_takes() {
    // Each row's own turn comes later than this test lasts.
    let interval = Duration::from_secs(100);
    let bot =
        TestBot::with_settings(PluginsFolder::shipped(), |config| config.sync_interval = interval).await;
    // The simulated site tells a hundred at a time.
    let keys: Vec<String> = (1..=105).map(|number| format!("MANY-{number}")).collect();
    for issue in &keys {
        bot.jira.add_issue(&key(issue), "Zeppelin", "Open");
    }
    for keys in keys.chunks(35) {
        bot.say(&format!("/maro track {}", keys.join(" "))).await;
    }
    let polled = "SELECT CAST(count(*) AS TEXT) FROM jira_polls WHERE known_ms > 0";
    until("Jira was asked", async || query(&bot.config.database, polled).await == ["1"]).await;
    for issue in &keys {
        bot.jira.transition_issue(&key(issue), "Done");
    }
    let done = "SELECT CAST(count(*) AS TEXT) FROM channel_tracked_issues WHERE last_jira_status = 'Done'";
    until("all are read", async || query(&bot.config.database, done).await == ["105"]).await;
}

#[tokio::test]
async fn what_jira_cannot_serve_when_it_has_changed_is_the_next_to_be_read() {
    let interval = Duration::from_secs(100);
    let bot =
        TestBot::with_settings(PluginsFolder::shipped(), |config| config.sync_interval = interval).await;
    bot.say("/maro track SCRUM-123 SCRUM-124").await;
    let polled = "SELECT CAST(count(*) AS TEXT) FROM jira_polls WHERE known_ms > 0";
    until("Jira was asked", async || query(&bot.config.database, polled).await == ["1"]).await;
    let due = "SELECT issue_key FROM issue_freshness WHERE due_at = ''";
    assert!(query(&bot.config.database, due).await.is_empty());
    for part in ["/issue/bulkfetch", "/issue/SCRUM-123"] {
        bot.jira.set_fault_of(part, Some(JiraFault::Status(500, None)));
    }
    for issue in ["SCRUM-123", "SCRUM-124"] {
        bot.jira.transition_issue(&key(issue), "Done");
    }
    bot.until_tracked(&["SCRUM-124: Database migration (Done)"]).await;
    until("it's the next", async || query(&bot.config.database, due).await == ["SCRUM-123"]).await;
}

#[tokio::test]
async fn rounds_that_fail_in_the_same_way_are_logged_once() {
    let (log, _guard) = Log::start();
    let bot = TestBot::with_settings(PluginsFolder::shipped(), |config| {
        config.sync_interval = Duration::from_secs(1);
    })
    .await;
    bot.say("/maro track SCRUM-123").await;
    bot.jira.take_requests();
    bot.jira.set_fault(JiraFault::Status(403, None));
    until("several rounds", async || bot.asked_for("/issue/bulkfetch") >= 4).await;
    let lines = log.lines("couldn't refresh statuses");
    assert_eq!(lines.lines().count(), 1, "{lines}");
}
