//! Channels that read digests: one message at a time of day, once over all replicas.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use maro_bot::bot::Surroundings;
use maro_process::{clock::Clock, secret::Secret};
use maro_simulation::{
    jira::faults::JiraFault,
    slack::{people::pressing::Press, shown::terminal, web_api::faults::SlackFault},
};
use maro_store::config::DatabaseConfig;

use crate::{
    bot::{
        HASTE, TestBot,
        notices::told::{set_status, stays, told, until_told},
        sync::webhooks::SECRET,
        until,
    },
    built_components::PluginsFolder,
    postgres,
    raw::{execute, query},
};

const SCOPES: [&str; 5] = ["commands", "chat:write", "channels:read", "groups:read", "users:read"];

/// A Thursday, two days before clocks go back in Berlin.
const THURSDAY: &str = "2026-10-22T10:00:00Z";

async fn start(database: Option<Secret>) -> TestBot {
    let clock = Clock::stopped(THURSDAY.parse().unwrap());
    let surroundings = Surroundings { patience: HASTE, ..clock.into() };
    TestBot::in_surroundings(PluginsFolder::shipped(), surroundings, |config, slack| {
        slack.grant_scopes(&SCOPES);
        config.jira.webhook_secret = Some(Secret::new(SECRET));
        if let Some(url) = database {
            config.database = DatabaseConfig::postgres(url);
        }
    })
    .await
}

fn turn(bot: &TestBot, time: &str) {
    bot.clock.set(time.parse::<Timestamp>().unwrap());
}

/// When the next digest is due.
async fn due(bot: &TestBot) -> Vec<String> {
    let due = "SELECT digest_due_at || '' FROM channel_notices WHERE mode = 'digest'";
    query(&bot.config.database, due).await
}

async fn until_due(bot: &TestBot, time: &str) {
    let time = time.replace('T', " ");
    until(&time, async || due(bot).await[0].replace('T', " ").starts_with(&time)).await;
}

const DIGEST: &str = "2 tracked issues changed status:\nDone\n\
                      • SCRUM-124: Database migration, was In Progress (Grace Hopper), since Thu Oct 22, 13:00\n\
                      In Progress\n\
                      • SCRUM-123: User authentication flow, was Open (Ada Lovelace), since Fri Oct 23, 08:59";

/// What changed since the last digest is one message, in the zone of the person who asked for it.
async fn a_digest(bot: &TestBot) {
    bot.say("/maro track SCRUM-123 SCRUM-124").await;
    let answer = bot.say("/maro notify digest daily 9:00").await;
    let says = "this channel gets a digest of what changed, every day at 9:00 (Europe/Berlin). If nothing \
    changed, no digest is posted.";
    assert_eq!(answer, format!("From now on, {says}"));
    assert_eq!(bot.say("/maro notify digest").await, format!("Nothing changed: {says}"));
    let setting = bot.say("/maro notify").await;
    assert!(
        setting.starts_with("This channel gets a digest of what changed, every day at 9:00"),
        "{setting}"
    );
    turn(bot, "2026-10-22T11:00:00Z");
    set_status(bot, "SCRUM-124", "In Progress", "Done", "Grace Hopper").await;
    let kept = "SELECT issue_key FROM notice_outbox WHERE state = 'kept' ORDER BY id";
    until("it's kept", async || query(&bot.config.database, kept).await == ["SCRUM-124"]).await;
    turn(bot, "2026-10-23T06:59:00Z");
    set_status(bot, "SCRUM-123", "Open", "In Progress", "Ada Lovelace").await;
    until("it's kept", async || query(&bot.config.database, kept).await == ["SCRUM-124", "SCRUM-123"]).await;
    stays(bot, &[]).await;
    turn(bot, "2026-10-23T07:00:00Z");
    until_told(bot, &[DIGEST]).await;
    until_due(bot, "2026-10-24T07:00:00").await;
    // Nothing happens for a day, and nothing is sent; then summer time ends.
    turn(bot, "2026-10-24T07:00:01Z");
    until_due(bot, "2026-10-25T08:00:00").await;
    stays(bot, &[DIGEST]).await;
}

#[tokio::test]
async fn a_digest_has_what_changed_and_comes_at_its_time() {
    a_digest(&start(None).await).await;
}

#[tokio::test]
async fn a_digest_has_what_changed_and_comes_at_its_time_on_postgresql() {
    let Some(database) = postgres::Database::new().await else { return };
    a_digest(&start(Some(Secret::new(database.url))).await).await;
}

/// What changes many times is told once, and what came back to where it began not at all. What Jira can't serve just
/// then holds the digest up a little, and is no second one.
async fn one_message(bot: &TestBot) {
    bot.say("/maro track SCRUM-122 SCRUM-123 SCRUM-124").await;
    bot.say("/maro notify digest daily 9:00").await;
    for (issue, from, to, by) in [
        ("SCRUM-124", "In Progress", "Open", "Ada Lovelace"),
        ("SCRUM-122", "Open", "Done", "Ada Lovelace"),
        ("SCRUM-123", "Open", "In Progress", "Ada Lovelace"),
        ("SCRUM-124", "Open", "Done", "Grace Hopper"),
        ("SCRUM-122", "Done", "Open", "Ada Lovelace"),
    ] {
        set_status(bot, issue, from, to, by).await;
        let last =
            format!("SELECT to_status FROM notice_outbox WHERE issue_key = '{issue}' AND state = 'kept'");
        until("it's kept", async || query(&bot.config.database, &last).await == [to]).await;
    }
    let failing = JiraFault::Status(500, None);
    bot.jira.set_fault_of("/issue/SCRUM-124", Some(failing.clone()));
    bot.jira.set_fault_of("/issue/bulkfetch", Some(failing));
    turn(bot, "2026-10-23T07:00:00Z");
    until_due(bot, "2026-10-24T07:00:00").await;
    tokio::time::sleep(Duration::from_secs(8)).await;
    assert_eq!(told(bot), [""; 0], "half of a digest");
    bot.jira.clear_fault();
    let digest = "2 tracked issues changed status:\nDone\n\
                  • SCRUM-124: Database migration, was In Progress (Grace Hopper), since Thu Oct 22, 12:00\nIn Progress\n\
                  • SCRUM-123: User authentication flow, was Open (Ada Lovelace), since Thu Oct 22, 12:00";
    until("it's told", async || !told(bot).is_empty()).await;
    stays(bot, &[digest]).await;
}

#[tokio::test]
async fn a_digest_is_one_message_with_each_issue_once() {
    one_message(&start(None).await).await;
}

#[tokio::test]
async fn a_digest_is_one_message_with_each_issue_once_on_postgresql() {
    let Some(database) = postgres::Database::new().await else { return };
    one_message(&start(Some(Secret::new(database.url))).await).await;
}

/// Slack takes no digest at first.
#[tokio::test]
async fn a_digest_that_was_refused_is_still_one_message() {
    let bot = start(None).await;
    bot.say("/maro track SCRUM-122 SCRUM-123 SCRUM-124").await;
    bot.say("/maro notify digest daily 9:00").await;
    for issue in ["SCRUM-122", "SCRUM-123", "SCRUM-124"] {
        set_status(&bot, issue, "Open", "Done", "Ada Lovelace").await;
    }
    bot.slack.set_fault_in("chat.postMessage", "C0GENERAL01", SlackFault::Error("not_in_channel".to_owned()));
    turn(&bot, "2026-10-23T07:00:00Z");
    let paused = "SELECT channel_id FROM channel_notices WHERE paused_for IS NOT NULL AND holder IS NULL";
    until("it's refused", async || query(&bot.config.database, paused).await == ["C0GENERAL01"]).await;
    bot.slack.clear_faults();
    execute(&bot.config.database, "UPDATE channel_notices SET due_ms = 1").await;
    until("it's told", async || !told(&bot).is_empty()).await;
    stays(&bot, &[&told(&bot)[0]]).await;
    assert!(told(&bot)[0].starts_with("3 tracked issues changed status"), "{:?}", told(&bot));
}

#[tokio::test]
async fn replicas_that_were_down_for_days_tell_one_digest() {
    let Some(database) = postgres::Database::new().await else { return };
    let mut bot = start(Some(Secret::new(database.url))).await;
    bot.say("/maro track SCRUM-124").await;
    bot.say("/maro notify digest weekly mon 9:00").await;
    set_status(&bot, "SCRUM-124", "In Progress", "Done", "Grace Hopper").await;
    let kept = "SELECT issue_key FROM notice_outbox WHERE state = 'kept'";
    until("it's kept", async || query(&bot.config.database, kept).await == ["SCRUM-124"]).await;
    turn(&bot, "2026-11-03T10:00:00Z");
    let replica = bot.start_replica().await;
    bot.restart().await;
    let digest = "1 tracked issue changed status:\nDone\n• SCRUM-124: Database migration, was In Progress \
                  (Grace Hopper), since Thu Oct 22, 12:00";
    until_told(&bot, &[digest]).await;
    until_due(&bot, "2026-11-09T08:00:00").await;
    stays(&bot, &[digest]).await;
    replica.stop().await;
}

#[tokio::test]
async fn without_a_persons_zone_it_is_utc_and_says_so() {
    let bot = start(None).await;
    bot.slack.grant_scopes(&SCOPES[..4]);
    let mut bot = bot;
    bot.restart().await;
    let answer = bot.say("/maro notify digest weekly fri 16:30").await;
    assert!(answer.contains("every Friday at 16:30 (UTC)"), "{answer}");
    assert!(answer.ends_with("its Slack app needs the scope users:read."), "{answer}");
    until_due(&bot, "2026-10-23T16:30:00").await;
    assert!(
        bot.say("/maro notify digest often").await.starts_with("Usage: /maro notify status|all|done|off or")
    );
    let answer = bot.say("/maro notify digest 9am asia/tokyo").await;
    assert!(answer.contains("every day at 9:00 (Asia/Tokyo)") && !answer.contains("users:read"), "{answer}");
    until_due(&bot, "2026-10-23T00:00:00").await;
    let answer = bot.say("/maro notify digest 9am PST").await;
    assert!(
        answer.starts_with("PST isn't a time zone MARO knows. Use one such as Europe/Berlin"),
        "{answer}"
    );
    assert!(bot.say("/maro notify status").await.starts_with("From now on"));
    assert!(due(&bot).await.is_empty());
    assert!(bot.say("/maro notify digest every day at 8 am").await.contains("every day at 8:00 (UTC)"));
    let off = "From now on, this channel is not notified about changes to tracked issues.";
    assert!(bot.say("/maro notify digest off").await.starts_with(off));
    assert!(due(&bot).await.is_empty());
}

#[tokio::test]
async fn what_is_done_for_two_weeks_is_offered_for_removal_once() {
    let bot = start(None).await;
    bot.say("/maro track SCRUM-123 SCRUM-124").await;
    bot.say("/maro notify digest").await;
    set_status(&bot, "SCRUM-124", "In Progress", "Done", "Grace Hopper").await;
    let kept = "SELECT issue_key FROM notice_outbox WHERE state = 'kept'";
    until("it's kept", async || query(&bot.config.database, kept).await == ["SCRUM-124"]).await;
    execute(&bot.config.database, "UPDATE notice_outbox SET state = 'sent'").await;
    let day = |days: i64| {
        let start: Timestamp = THURSDAY.parse().unwrap();
        // A minute early: the database's clock goes on while this one stands still.
        let since = SignedDuration::from_hours(24 * days) - SignedDuration::from_mins(1);
        bot.clock.set(start.saturating_add(since).unwrap());
    };
    day(14);
    until_due(&bot, "2026-11-06").await;
    stays(&bot, &[]).await;
    day(15);
    let offer = "1 tracked issue has been done for more than 14 days. You'll only see this once.\n\
                 • SCRUM-124: Database migration (Done)\n[Stop tracking them]";
    until_told(&bot, &[offer]).await;
    day(16);
    until_due(&bot, "2026-11-08").await;
    stays(&bot, &[offer]).await;
    let message = bot.slack.messages().into_iter().rfind(|message| message.is_posted).unwrap();
    bot.slack.press_in("grace", &message, Press::button("Stop tracking them")).await.unwrap();
    let listed = "SELECT issue_key FROM channel_tracked_issues ORDER BY issue_key";
    until("it's removed", async || query(&bot.config.database, listed).await == ["SCRUM-123"]).await;
    let undo = || {
        let names = bot.slack.workspace().names();
        let messages = bot.slack.messages().into_iter();
        messages.rev().find(|message| terminal::message_text(message, &names).contains("[Undo]"))
    };
    until("it can be undone", async || undo().is_some()).await;
    bot.slack.press_in("grace", &undo().unwrap(), Press::button("Undo")).await.unwrap();
    until("it's back", async || query(&bot.config.database, listed).await == ["SCRUM-123", "SCRUM-124"])
        .await;
}
