//! What channels hear when Slack or Jira can't be asked for a moment, when one issue can't be served, and when
//! answers are lost: all of it, once, and nobody waits for what another channel waits for.

use std::time::{Duration, Instant};

use maro_process::secret::Secret;
use maro_simulation::{jira::faults::JiraFault, slack::web_api::faults::SlackFault};
use serde_json::{Value, json};

use crate::{
    bot::{
        TestBot, key,
        notices::told::{
            FIRST, HEAD, on_postgres, set_status, stays, told, told_in, until_told, waiting, with_history,
        },
        server::http::{signed, status},
        sync::webhooks::{SECRET, id_of, start},
        until,
    },
    built_components::PluginsFolder,
    raw::{execute, query},
};

const EDITED: &str = "  SCRUM-124: In Progress → Open (Ada Lovelace)\n[Fewer]\n[Off]";
const OPEN_HEAD: &str = "SCRUM-124: Database migration (Open)";

fn first() -> String {
    FIRST.replace("In Review", "In Progress")
}

async fn states(bot: &TestBot) -> Vec<String> {
    query(&bot.config.database, "SELECT state FROM notice_outbox WHERE kind <> 'head' ORDER BY id").await
}

/// The last answers are too old to be changed.
async fn let_answers_age(bot: &TestBot) {
    execute(&bot.config.database, "UPDATE notice_threads SET reply_ms = reply_ms - 60000").await;
}

/// How often Slack is asked before an answer counts as missing.
const ATTEMPTS: usize = 4;

async fn hurry(bot: &TestBot) {
    execute(&bot.config.database, "UPDATE channel_notices SET due_ms = 1 WHERE due_ms IS NOT NULL").await;
}

#[tokio::test]
async fn what_may_be_told_is_asked_again_where_slack_did_not_say() {
    let mut bot = start().await;
    bot.say("/maro track SCRUM-124").await;
    // It forgets what it knows of the channel.
    bot.restart().await;
    let before = bot.slack.calls_of("conversations.info").len();
    bot.slack.set_fault("conversations.info", SlackFault::Status(503));
    set_status(&bot, "SCRUM-124", "In Progress", "Done", "Grace Hopper").await;
    until("Slack was asked in vain", async || {
        bot.slack.calls_of("conversations.info").len() >= before + ATTEMPTS
    })
    .await;
    let given_back = "SELECT channel_id FROM channel_notices WHERE holder IS NULL AND due_ms IS NOT NULL";
    until("it waits", async || query(&bot.config.database, given_back).await == ["C0GENERAL01"]).await;
    assert_eq!((told(&bot), states(&bot).await), (vec![], vec!["waiting".to_owned()]));
    bot.slack.clear_faults();
    let first = first();
    until_told(&bot, &[HEAD, &first]).await;
    stays(&bot, &[HEAD, &first]).await;
    assert_eq!(states(&bot).await, ["sent"]);
}

/// Somebody removes the message that began the tracking, below which changes are told.
#[tokio::test]
async fn a_thread_whose_first_message_is_gone_gets_a_head_line() {
    let bot = start().await;
    bot.say("/maro track SCRUM-124").await;
    let id = id_of(&bot, "SCRUM-124").await;
    let gone = format!(
        "INSERT INTO notice_threads (channel_id, issue_id, head_ts, is_head_line)
         VALUES ('C0GENERAL01', '{id}', '1795478399.002139', 0)"
    );
    execute(&bot.config.database, &gone).await;
    set_status(&bot, "SCRUM-124", "In Progress", "Done", "Grace Hopper").await;
    let first = first();
    // Slack has refused the first message, as the thread is gone.
    until("it's told", async || told(&bot) == [HEAD, &first]).await;
}

/// A change that waits, as Slack takes no messages for a moment.
async fn a_change_waits() -> TestBot {
    let bot = start().await;
    bot.say("/maro track SCRUM-124").await;
    bot.slack.set_next_faults("chat.postMessage", [Some(SlackFault::RateLimited { retry_after: 12 })]);
    set_status(&bot, "SCRUM-124", "In Progress", "Done", "Grace Hopper").await;
    until("Slack was asked", async || !bot.slack.calls_of("chat.postMessage").is_empty()).await;
    bot
}

#[tokio::test]
async fn what_is_as_it_was_before_it_could_be_told_is_not_told() {
    let bot = a_change_waits().await;
    set_status(&bot, "SCRUM-124", "Done", "In Progress", "Ada Lovelace").await;
    stays(&bot, &[]).await;
}

#[tokio::test]
async fn what_was_turned_off_before_it_could_be_told_is_not_told() {
    let bot = a_change_waits().await;
    bot.say("/maro notify off").await;
    stays(&bot, &[]).await;
    let reasons = query(&bot.config.database, "SELECT reason FROM notice_outbox").await;
    assert_eq!(reasons, ["turned off"]);
}

/// A key may be another issue's by the time that something is told.
#[tokio::test]
async fn what_has_got_the_key_of_a_changed_issue_is_not_told_of() {
    let bot = a_change_waits().await;
    bot.jira.move_issue(&key("SCRUM-124"), &key("OPS-9"));
    bot.jira.add_issue(&key("SCRUM-124"), "Salaries of the pilots", "Done");
    stays(&bot, &[]).await;
}

/// Jira fails for one issue, for as long as the test lasts.
async fn one_issue_fails(bot: TestBot, is_cloud: bool) {
    bot.say("/maro track SCRUM-124 SCRUM-123").await;
    bot.say_as("ada", "random", "/maro track SCRUM-123").await;
    let failing = JiraFault::Status(500, None);
    bot.jira.set_fault_of("/issue/SCRUM-124", Some(failing.clone()));
    if is_cloud {
        bot.jira.set_fault_of("/issue/bulkfetch", Some(failing));
    }
    // The one that can't be served is the first in the queue.
    set_status(&bot, "SCRUM-124", "In Progress", "Done", "Grace Hopper").await;
    let began = Instant::now();
    set_status(&bot, "SCRUM-123", "Open", "Done", "Grace Hopper").await;
    let (head, line) = (
        "SCRUM-123: User authentication flow (Done)",
        "  SCRUM-123: Open → Done (Grace Hopper)\n[Fewer]\n[Off]",
    );
    for channel in ["general", "random"] {
        until("others are told", async || told_in(&bot, channel) == [head, line]).await;
    }
    assert!(began.elapsed() < Duration::from_secs(12), "{:?}", began.elapsed());
    bot.jira.clear_fault();
    let second = "  SCRUM-124: In Progress → Done (Grace Hopper)";
    until_told(&bot, &[head, line, HEAD, second]).await;
}

#[tokio::test]
async fn an_issue_that_cloud_cannot_serve_holds_up_no_other() {
    one_issue_fails(start().await, true).await;
}

#[tokio::test]
async fn an_issue_that_data_center_cannot_serve_holds_up_no_other() {
    let mut bot = TestBot::with_plugins(PluginsFolder::shipped()).await;
    bot.config.jira = bot.jira.data_center_config();
    bot.config.jira.webhook_secret = Some(Secret::new(SECRET));
    bot.restart().await;
    one_issue_fails(bot, false).await;
}

/// An answer is corrected, Slack's answer to that is lost, and by the time that MARO looks again the answer is too
/// old to be corrected.
async fn a_lost_correction(bot: &TestBot) {
    bot.say("/maro track SCRUM-124").await;
    set_status(bot, "SCRUM-124", "In Progress", "Done", "Grace Hopper").await;
    let first = first();
    until_told(bot, &[HEAD, &first]).await;
    until("it is noted", async || waiting(bot).await == ["0"]).await;
    bot.slack.set_next_faults("chat.update", [(); 4].map(|()| Some(SlackFault::LostAnswer)));
    set_status(bot, "SCRUM-124", "Done", "Open", "Ada Lovelace").await;
    until("it is corrected", async || told(bot).get(1).map(String::as_str) == Some(EDITED)).await;
    let_answers_age(bot).await;
    until("nothing waits", async || {
        hurry(bot).await;
        waiting(bot).await == ["0"]
    })
    .await;
    until_told(bot, &[OPEN_HEAD, EDITED]).await;
    stays(bot, &[OPEN_HEAD, EDITED]).await;
    assert_eq!(states(bot).await, ["sent", "sent"]);
}

#[tokio::test]
async fn a_correction_whose_answer_was_lost_is_not_told_twice() {
    a_lost_correction(&start().await).await;
}

#[tokio::test]
async fn a_correction_whose_answer_was_lost_is_not_told_twice_where_history_can_be_read() {
    a_lost_correction(&with_history().await).await;
}

#[tokio::test]
async fn a_correction_whose_answer_was_lost_is_not_told_twice_on_postgresql() {
    let Some(bot) = on_postgres().await else { return };
    a_lost_correction(&bot).await;
}

/// A worker sleeps before its message leaves, and another one tells the same meanwhile.
#[tokio::test]
async fn what_a_worker_says_after_its_claim_is_taken_back() {
    let bot = with_history().await;
    bot.say("/maro track SCRUM-124").await;
    bot.slack.set_next_faults("chat.postMessage", [None, Some(SlackFault::Slow(Duration::from_secs(6)))]);
    set_status(&bot, "SCRUM-124", "In Progress", "Done", "Grace Hopper").await;
    until("it is being sent", async || states(&bot).await == ["sending"]).await;
    execute(&bot.config.database, "UPDATE channel_notices SET held_until_ms = 0, due_ms = 1").await;
    let first = first();
    until_told(&bot, &[HEAD, &first]).await;
    // The first one's message comes, and goes.
    until("it is taken back", async || bot.slack.calls_of("chat.delete").len() == 1).await;
    stays(&bot, &[HEAD, &first]).await;
    assert_eq!(states(&bot).await, ["sent"]);
}

#[tokio::test]
async fn a_channel_that_slack_is_slow_in_holds_up_no_other() {
    let bot = with_history().await;
    bot.say("/maro track SCRUM-124").await;
    bot.say_as("ada", "random", "/maro track SCRUM-123").await;
    lose_sight_of_answers(&bot, THREADS).await;
    bot.slack.set_fault("conversations.replies", SlackFault::Slow(Duration::from_secs(3)));
    set_status(&bot, "SCRUM-124", "In Progress", "Done", "Grace Hopper").await;
    until("answers are looked for", async || !bot.slack.calls_of("conversations.replies").is_empty()).await;
    set_status(&bot, "SCRUM-123", "Open", "Done", "Grace Hopper").await;
    until("another channel is told", async || told_in(&bot, "random").len() == 2).await;
    // Looking takes 27 s in all.
    let looked = bot.slack.calls_of("conversations.replies").len();
    assert!(looked < THREADS, "{looked} of them were looked for before");
    bot.slack.clear_faults();
    let first = first();
    until("this one is told, too", async || told(&bot) == [HEAD, &first]).await;
}

const THREADS: usize = 9;

/// A worker stopped while it sent answers into as many threads, and nobody knows whether they are there.
async fn lose_sight_of_answers(bot: &TestBot, count: usize) {
    for number in 0..count {
        let (issue, head) = (format!("{}", 900_000 + number), format!("1795478399.00{number:04}"));
        for statement in [
            format!(
                "INSERT INTO notice_threads (channel_id, issue_id, head_ts) VALUES ('C0GENERAL01', '{issue}', '{head}')"
            ),
            format!(
                "INSERT INTO notice_outbox (channel_id, issue_id, issue_key, kind, from_status, to_status, noted_at,
                    state)
                 VALUES ('C0GENERAL01', '{issue}', 'SCRUM-{issue}', 'status', 'Open', 'Done',
                    '2026-11-24T10:00:00.000000Z', 'sending')"
            ),
        ] {
            execute(&bot.config.database, &statement).await;
        }
    }
}

/// Slack says late who is in the channel, and somebody wants to hear nothing in the meantime.
async fn an_off_wins(mut bot: TestBot, command: &str, reason: &str) {
    bot.say("/maro track SCRUM-124").await;
    bot.restart().await;
    bot.slack.set_fault("conversations.info", SlackFault::Slow(Duration::from_secs(2)));
    let bot = &bot;
    set_status(bot, "SCRUM-124", "In Progress", "Done", "Grace Hopper").await;
    let claimed = "SELECT channel_id FROM channel_notices WHERE holder IS NOT NULL";
    until("it's claimed", async || query(&bot.config.database, claimed).await == ["C0GENERAL01"]).await;
    bot.say(command).await;
    stays(bot, &[]).await;
    assert_eq!(query(&bot.config.database, "SELECT reason FROM notice_outbox").await, [reason]);
}

#[tokio::test]
async fn what_is_turned_off_after_its_claim_is_not_told() {
    an_off_wins(start().await, "/maro notify off", "turned off").await;
}

#[tokio::test]
async fn what_is_turned_off_after_its_claim_is_not_told_on_postgresql() {
    let Some(bot) = on_postgres().await else { return };
    an_off_wins(bot, "/maro notify off", "turned off").await;
}

#[tokio::test]
async fn an_issue_that_is_silenced_after_its_claim_is_not_told() {
    an_off_wins(start().await, "/maro notify SCRUM-124 off", "turned off").await;
}

#[tokio::test]
async fn an_issue_that_is_untracked_after_its_claim_is_not_told() {
    an_off_wins(start().await, "/maro untrack SCRUM-124", "not tracked").await;
}

/// Has another channel track the same.
async fn track_as_general(bot: &TestBot, channel: &str) {
    let rows = format!(
        "INSERT INTO channel_tracked_issues (channel_id, issue_key, issue_id, tracked_at, tracked_by,
            last_jira_status, last_jira_summary, last_jira_category, has_security_level)
         SELECT '{channel}', issue_key, issue_id, tracked_at, tracked_by, last_jira_status, last_jira_summary,
            last_jira_category, has_security_level
         FROM channel_tracked_issues WHERE channel_id = 'C0GENERAL01'"
    );
    execute(&bot.config.database, &rows).await;
}

#[tokio::test]
async fn channels_in_which_slack_refuses_or_limits_messages_hold_up_no_other() {
    const REFUSALS: [&str; 4] = ["not_in_channel", "is_archived", "restricted_action", "channel_not_found"];
    let mut bot = start().await;
    // Slack knows none of these channels, so it isn't asked who is in them.
    bot.slack.grant_scopes(&["chat:write", "commands"]);
    bot.restart().await;
    until("Slack has said what the app may do", async || {
        query(&bot.config.database, "SELECT scopes FROM slack_workspace").await == ["chat:write commands"]
    })
    .await;
    bot.restart().await;
    bot.say("/maro track SCRUM-124").await;
    bot.say_as("ada", "random", "/maro track SCRUM-123").await;
    for number in 0..16 {
        let (refused, word) = (format!("C9REFUSED{number:02}"), REFUSALS[number % REFUSALS.len()].to_owned());
        track_as_general(&bot, &refused).await;
        bot.slack.set_fault_in("chat.postMessage", &refused, SlackFault::Error(word));
    }
    for number in 0..80 {
        let limited = format!("C9LIMITED{number:02}");
        track_as_general(&bot, &limited).await;
        bot.slack.set_fault_in("chat.postMessage", &limited, SlackFault::RateLimited { retry_after: 3 });
    }
    set_status(&bot, "SCRUM-124", "In Progress", "Done", "Grace Hopper").await;
    let paused = "SELECT CAST(count(*) AS TEXT) FROM channel_notices WHERE paused_for IS NOT NULL";
    until("those are paused", async || query(&bot.config.database, paused).await == ["16"]).await;
    until_told(&bot, &[HEAD, &first()]).await;
    // All of them are due once more.
    execute(&bot.config.database, "UPDATE channel_notices SET due_ms = 1 WHERE channel_id LIKE 'C9%'").await;
    let began = Instant::now();
    set_status(&bot, "SCRUM-123", "Open", "Done", "Grace Hopper").await;
    until("another channel is told", async || told_in(&bot, "random").len() == 2).await;
    assert!(began.elapsed() < Duration::from_secs(6), "{:?}", began.elapsed());
    // What was told is noted a moment after it's there.
    until("nothing was dropped", async || waiting(&bot).await == ["96"]).await;
}

fn event(id: &str, second: u64, event: &Value) -> Vec<u8> {
    let mut event = event.clone();
    event["event_ts"] = json!(format!("{second}.000100"));
    let body = json!({ "type": "event_callback", "event_id": id, "event_time": second, "event": event });
    body.to_string().into_bytes()
}

/// Slack repeats what it couldn't deliver, after what came later.
#[tokio::test]
async fn a_channel_whose_events_come_in_the_wrong_order_hears_of_changes() {
    let bot = start().await;
    bot.say("/maro track SCRUM-124").await;
    let general = "C0GENERAL01";
    let send = async |id, second, kind: &str| {
        let body = event(id, second, &json!({ "type": kind, "channel": general, "user": "U1" }));
        assert_eq!(status(signed(&bot, "slack/events", &body, 0)).await, 200);
    };
    send("Ev2", 1_795_479_002, "channel_unarchive").await;
    send("Ev1", 1_795_479_001, "channel_archive").await;
    let paused = "SELECT reason FROM paused_channels";
    assert!(query(&bot.config.database, paused).await.is_empty());
    set_status(&bot, "SCRUM-124", "In Progress", "Done", "Grace Hopper").await;
    let first = first();
    until_told(&bot, &[HEAD, &first]).await;
    // Whatever was said of it: nobody types in an archived channel.
    send("Ev3", 1_795_479_003, "channel_archive").await;
    assert_eq!(query(&bot.config.database, paused).await, ["archived"]);
    bot.say("/maro tracked").await;
    until("it is no longer paused", async || query(&bot.config.database, paused).await.is_empty()).await;
}

/// Word that the bot was removed comes after word that it was let in again, or word of that never comes.
#[tokio::test]
async fn a_channel_that_the_bot_is_back_in_is_not_left_alone() {
    let mut bot = start().await;
    bot.say("/maro track SCRUM-124").await;
    let general = "C0GENERAL01";
    let paused = "SELECT reason FROM paused_channels";
    let own = bot.slack.workspace().bot_user.to_string();
    let mut joined: Value = serde_json::from_slice(&event(
        "Ev2",
        1_795_479_002,
        &json!({ "type": "member_joined_channel", "channel": general, "user": own, "channel_type": "C" }),
    ))
    .unwrap();
    joined["authorizations"] = json!([{ "user_id": own, "is_bot": true }]);
    let left = event("Ev1", 1_795_479_001, &json!({ "type": "channel_left", "channel": general }));
    for body in [joined.to_string().into_bytes(), left] {
        assert_eq!(status(signed(&bot, "slack/events", &body, 0)).await, 200);
    }
    assert!(query(&bot.config.database, paused).await.is_empty());
    // Slack says where the bot is.
    let pause = "INSERT INTO paused_channels (channel_id, reason, paused_at)
                 VALUES ('C0GENERAL01', 'left', '2026-01-31T09:00:00.000000Z')";
    for is_in in [false, true] {
        bot.slack.set_bot_in("general", is_in);
        execute(&bot.config.database, "DELETE FROM paused_channels").await;
        execute(&bot.config.database, pause).await;
        let asked = bot.slack.calls_of("conversations.info").len();
        bot.restart().await;
        let asks = async || bot.slack.calls_of("conversations.info").len() > asked;
        until("Slack is asked", asks).await;
        if is_in {
            until("it is no longer paused", async || query(&bot.config.database, paused).await.is_empty())
                .await;
        } else {
            assert_eq!(query(&bot.config.database, paused).await, ["left"]);
        }
    }
}
