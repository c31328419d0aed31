//! What channels read is true by the time that they read it: head lines, and what had to wait.

use std::time::Duration;

use maro_simulation::slack::{people::pressing::Press, web_api::faults::SlackFault};

use crate::{
    bot::{
        TestBot,
        notices::told::{FIRST, HEAD, on_postgres, set_status, stays, told, until_told},
        sync::webhooks::start,
        until,
    },
    raw::{execute, query},
};

fn head(status: &str) -> String {
    format!("SCRUM-123: User authentication flow ({status})")
}

/// Slack takes no messages in #general, and says why.
async fn refuse(bot: &TestBot, word: &str) {
    bot.slack.set_fault_in("chat.postMessage", "C0GENERAL01", SlackFault::Error(word.to_owned()));
}

async fn until_paused(bot: &TestBot) {
    let paused = "SELECT channel_id FROM channel_notices WHERE paused_for IS NOT NULL AND holder IS NULL";
    until("it is paused", async || query(&bot.config.database, paused).await == ["C0GENERAL01"]).await;
}

async fn accept(bot: &TestBot) {
    bot.slack.clear_faults();
    execute(&bot.config.database, "UPDATE channel_notices SET due_ms = 1").await;
}

/// The status that the list has.
async fn until_listed(bot: &TestBot, issue: &str, status: &str) {
    let listed = format!("SELECT last_jira_status FROM channel_tracked_issues WHERE issue_key = '{issue}'");
    until(status, async || query(&bot.config.database, &listed).await == [status]).await;
}

async fn what_waits_is_told_as_it_is(bot: TestBot) {
    bot.say("/maro track SCRUM-123").await;
    refuse(&bot, "not_in_channel").await;
    set_status(&bot, "SCRUM-123", "Open", "In Progress", "Grace Hopper").await;
    until_paused(&bot).await;
    let setting = bot.say("/maro notify").await;
    let reason = "Slack takes no messages from MARO here: the bot isn't in the channel. 1 change is waiting.";
    assert!(setting.ends_with(reason), "{setting}");
    set_status(&bot, "SCRUM-123", "In Progress", "In Review", "Ada Lovelace").await;
    until_listed(&bot, "SCRUM-123", "In Review").await;
    accept(&bot).await;
    let line = "  SCRUM-123: Open → In Review\n[Fewer]\n[Off]";
    until_told(&bot, &[&head("In Review"), line]).await;
    stays(&bot, &[&head("In Review"), line]).await;
    assert!(!bot.say("/maro notify").await.contains("Slack takes"), "it's over");
}

#[tokio::test]
async fn what_waited_while_slack_refused_is_told_as_it_is_now() {
    what_waits_is_told_as_it_is(start().await).await;
}

#[tokio::test]
async fn what_waited_while_slack_refused_is_told_as_it_is_now_on_postgresql() {
    let Some(bot) = on_postgres().await else { return };
    what_waits_is_told_as_it_is(bot).await;
}

#[tokio::test]
async fn what_was_done_for_a_moment_is_not_told_where_done_is_what_counts() {
    let bot = start().await;
    bot.say("/maro track SCRUM-124").await;
    bot.say("/maro notify done").await;
    refuse(&bot, "not_in_channel").await;
    set_status(&bot, "SCRUM-124", "In Progress", "Done", "Grace Hopper").await;
    until_paused(&bot).await;
    set_status(&bot, "SCRUM-124", "Done", "Open", "Ada Lovelace").await;
    until_listed(&bot, "SCRUM-124", "Open").await;
    accept(&bot).await;
    stays(&bot, &[]).await;
}

/// The status changes within its category while Slack takes long over the head line.
async fn a_head_line_in_flight(bot: TestBot) {
    bot.say("/maro track SCRUM-123").await;
    let slow = SlackFault::Slow(Duration::from_secs(4));
    bot.slack.set_next_faults("chat.postMessage", [Some(slow)]);
    set_status(&bot, "SCRUM-123", "Open", "In Progress", "Grace Hopper").await;
    let begun = "SELECT channel_id FROM notice_threads WHERE head_ts = ''";
    until("it is being sent", async || query(&bot.config.database, begun).await == ["C0GENERAL01"]).await;
    set_status(&bot, "SCRUM-123", "In Progress", "In Review", "Ada Lovelace").await;
    let line = "  SCRUM-123: Open → In Review\n[Fewer]\n[Off]";
    until_told(&bot, &[&head("In Review"), line]).await;
    stays(&bot, &[&head("In Review"), line]).await;
}

#[tokio::test]
async fn what_changes_while_a_head_line_is_sent_is_seen_in_it() {
    a_head_line_in_flight(start().await).await;
}

#[tokio::test]
async fn what_changes_while_a_head_line_is_sent_is_seen_in_it_on_postgresql() {
    let Some(bot) = on_postgres().await else { return };
    a_head_line_in_flight(bot).await;
}

/// Slack changes no message for a while.
async fn a_late_head_line(bot: TestBot) {
    bot.say("/maro track SCRUM-123").await;
    set_status(&bot, "SCRUM-123", "Open", "In Progress", "Grace Hopper").await;
    let line = "  SCRUM-123: Open → In Progress (Grace Hopper)\n[Fewer]\n[Off]";
    until_told(&bot, &[&head("In Progress"), line]).await;
    // It's asked for longer than one call may take.
    bot.slack.set_next_faults("chat.update", [Some(SlackFault::RateLimited { retry_after: 6 })]);
    set_status(&bot, "SCRUM-123", "In Progress", "In Review", "Ada Lovelace").await;
    until_told(&bot, &[&head("In Review"), line]).await;
    // The same where the change is told.
    execute(&bot.config.database, "UPDATE notice_threads SET reply_ms = reply_ms - 60000").await;
    bot.slack.set_next_faults("chat.update", [Some(SlackFault::RateLimited { retry_after: 6 })]);
    set_status(&bot, "SCRUM-123", "In Review", "Done", "Ada Lovelace").await;
    let next = "  SCRUM-123: In Review → Done (Ada Lovelace)";
    until_told(&bot, &[&head("Done"), line, next]).await;
}

#[tokio::test]
async fn a_head_line_that_slack_did_not_change_is_changed_later() {
    a_late_head_line(start().await).await;
}

#[tokio::test]
async fn a_head_line_that_slack_did_not_change_is_changed_later_on_postgresql() {
    let Some(bot) = on_postgres().await else { return };
    a_late_head_line(bot).await;
}

/// Nobody keeps head lines up to date while a channel hears nothing.
async fn a_channel_that_hears_again(bot: TestBot) {
    bot.say("/maro track SCRUM-123").await;
    set_status(&bot, "SCRUM-123", "Open", "In Progress", "Grace Hopper").await;
    let line = "  SCRUM-123: Open → In Progress (Grace Hopper)\n[Fewer]\n[Off]";
    until_told(&bot, &[&head("In Progress"), line]).await;
    bot.say("/maro notify off").await;
    execute(&bot.config.database, "UPDATE notice_threads SET reply_ms = reply_ms - 60000").await;
    set_status(&bot, "SCRUM-123", "In Progress", "Done", "Ada Lovelace").await;
    until_listed(&bot, "SCRUM-123", "Done").await;
    stays(&bot, &[&head("In Progress"), line]).await;
    bot.say("/maro notify status").await;
    until_told(&bot, &[&head("Done"), line]).await;
    stays(&bot, &[&head("Done"), line]).await;
}

#[tokio::test]
async fn head_lines_are_true_again_once_a_channel_hears_again() {
    a_channel_that_hears_again(start().await).await;
}

#[tokio::test]
async fn head_lines_are_true_again_once_a_channel_hears_again_on_postgresql() {
    let Some(bot) = on_postgres().await else { return };
    a_channel_that_hears_again(bot).await;
}

#[tokio::test]
async fn fewer_is_never_more() {
    let bot = start().await;
    bot.say("/maro track SCRUM-124").await;
    set_status(&bot, "SCRUM-124", "In Progress", "Done", "Grace Hopper").await;
    until_told(&bot, &[HEAD, &FIRST.replace("In Review", "In Progress")]).await;
    let message = bot.slack.messages().into_iter().rfind(|message| message.is_posted).unwrap();
    for (mode, nothing) in [("off", "is not notified about"), ("digest", "gets a digest")] {
        bot.say(&format!("/maro notify {mode}")).await;
        bot.slack.press_in("grace", &message, Press::button("Fewer")).await.unwrap();
        until("it's answered", async || {
            let said = bot.slack.messages();
            let answer = format!("Nothing changed: this channel {nothing}");
            said.iter().any(|message| message.text.contains(&answer))
        })
        .await;
        assert_eq!(query(&bot.config.database, "SELECT mode FROM channel_notices").await, [mode]);
    }
}

/// MARO is in the channel and may not write there.
#[tokio::test]
async fn people_who_track_what_maro_may_not_tell_are_told_so_once() {
    let bot = start().await;
    bot.say("/maro track SCRUM-124").await;
    refuse(&bot, "restricted_action").await;
    set_status(&bot, "SCRUM-124", "In Progress", "Done", "Grace Hopper").await;
    until_paused(&bot).await;
    let calls = bot.slack.calls_of("chat.postMessage");
    let to_ada: Vec<_> = calls.iter().filter(|call| call.arguments["channel"] == "U0ADA000001").collect();
    assert_eq!(to_ada.len(), 1, "{calls:?}");
    assert!(to_ada[0].arguments["text"].as_str().unwrap().contains("don't let it"), "{to_ada:?}");
    assert_eq!(told(&bot), [""; 0]);
}
