//! What channels hear when Slack changes no message of MARO's, since it's too old or gone, and while it's away.

use std::time::{Duration, Instant};

use maro_simulation::slack::web_api::faults::SlackFault;

use crate::{
    bot::{
        TestBot,
        notices::told::{
            FIRST, HEAD, on_postgres, set_status, stays, tell_of_many, told, until_told, waiting,
        },
        sync::webhooks::start,
        until,
    },
    raw::{execute, query},
};

fn first() -> String {
    FIRST.replace("In Review", "In Progress")
}

const NEXT: &str = "  SCRUM-124: Done → Open (Ada Lovelace)";

fn refuse_edits(bot: &TestBot, word: &str) {
    bot.slack.set_fault("chat.update", SlackFault::Error(word.to_owned()));
}

/// The last answers are too old to be changed.
async fn let_answers_age(bot: &TestBot) {
    execute(&bot.config.database, "UPDATE notice_threads SET reply_ms = reply_ms - 60000").await;
}

/// SCRUM-124 has a thread.
async fn told_once() -> TestBot {
    has_a_thread(start().await).await
}

async fn has_a_thread(bot: TestBot) -> TestBot {
    bot.say("/maro track SCRUM-124 SCRUM-123").await;
    set_status(&bot, "SCRUM-124", "In Progress", "Done", "Grace Hopper").await;
    until_told(&bot, &[HEAD, &first()]).await;
    until("it's noted", async || waiting(&bot).await == ["0"]).await;
    bot
}

#[tokio::test]
async fn below_a_head_line_that_cannot_be_changed_changes_are_told_all_the_same() {
    let bot = told_once().await;
    for (word, [from, to]) in [
        ("edit_window_closed", ["Done", "Open"]),
        ("cant_update_message", ["Open", "Done"]),
        ("is_inactive", ["Done", "Open"]),
    ] {
        refuse_edits(&bot, word);
        let_answers_age(&bot).await;
        let mut expected = told(&bot);
        expected.push(format!("  SCRUM-124: {from} → {to} (Ada Lovelace)"));
        set_status(&bot, "SCRUM-124", from, to, "Ada Lovelace").await;
        let expected: Vec<&str> = expected.iter().map(String::as_str).collect();
        until_told(&bot, &expected).await;
        stays(&bot, &expected).await;
    }
}

/// Slack finds none of the messages that it has just taken.
#[tokio::test]
async fn a_head_line_that_slack_never_finds_is_not_followed_by_others() {
    let bot = start().await;
    refuse_edits(&bot, "message_not_found");
    bot.say("/maro track SCRUM-124").await;
    set_status(&bot, "SCRUM-124", "In Progress", "Done", "Grace Hopper").await;
    let first = first();
    let alone = first.trim_start();
    until_told(&bot, &[HEAD, alone]).await;
    stays(&bot, &[HEAD, alone]).await;
    let_answers_age(&bot).await;
    set_status(&bot, "SCRUM-124", "Done", "Open", "Ada Lovelace").await;
    until_told(&bot, &[HEAD, alone, NEXT]).await;
    stays(&bot, &[HEAD, alone, NEXT]).await;
}

#[tokio::test]
async fn what_the_last_answer_cannot_take_up_is_told_in_another_at_once() {
    let bot = told_once().await;
    refuse_edits(&bot, "edit_window_closed");
    set_status(&bot, "SCRUM-124", "Done", "Open", "Ada Lovelace").await;
    until_told(&bot, &[HEAD, &first(), NEXT]).await;
    stays(&bot, &[HEAD, &first(), NEXT]).await;
}

/// Somebody deletes the last answer, and then its issue and another change.
async fn a_deleted_answer(bot: TestBot) {
    let answer = bot.slack.messages().into_iter().rfind(|message| message.is_posted).unwrap();
    bot.slack.delete_message(&answer.ts);
    let began = Instant::now();
    set_status(&bot, "SCRUM-124", "Done", "Open", "Ada Lovelace").await;
    set_status(&bot, "SCRUM-123", "Open", "Done", "Grace Hopper").await;
    until("both are told", async || told(&bot).len() == 4).await;
    assert!(began.elapsed() < Duration::from_secs(30), "{:?}", began.elapsed());
    let mut shown = told(&bot);
    shown.sort_unstable();
    let other = ["  SCRUM-123: Open → Done (Grace Hopper)", "SCRUM-123: User authentication flow (Done)"];
    assert_eq!(shown, [other[0], NEXT, other[1], "SCRUM-124: Database migration (Open)"]);
}

#[tokio::test]
async fn a_deleted_answer_silences_nobody() {
    a_deleted_answer(told_once().await).await;
}

#[tokio::test]
async fn a_deleted_answer_silences_nobody_on_postgresql() {
    let Some(bot) = on_postgres().await else { return };
    a_deleted_answer(has_a_thread(bot).await).await;
}

/// Somebody deletes the message about many issues, and one of them changes.
async fn a_deleted_message_about_many(bot: TestBot) {
    tell_of_many(&bot).await;
    let many = bot.slack.messages().into_iter().find(|message| message.is_posted).unwrap();
    bot.slack.delete_message(&many.ts);
    let began = Instant::now();
    set_status(&bot, "SCRUM-124", "In Progress", "Done", "Grace Hopper").await;
    let line = "  SCRUM-124: In Progress → Done (Grace Hopper)";
    // Slack has refused to change the one that is gone.
    until("it's told", async || told(&bot) == [HEAD, line]).await;
    assert!(began.elapsed() < Duration::from_secs(30), "{:?}", began.elapsed());
}

#[tokio::test]
async fn a_deleted_message_about_many_issues_silences_nobody() {
    a_deleted_message_about_many(start().await).await;
}

#[tokio::test]
async fn a_deleted_message_about_many_issues_silences_nobody_on_postgresql() {
    let Some(bot) = on_postgres().await else { return };
    a_deleted_message_about_many(bot).await;
}

/// Slack fails after the first head line, and nobody knows what becomes of what it's given then. Nothing else is sent
/// before it answers.
#[tokio::test]
async fn an_outage_of_slack_loses_no_more_than_the_message_in_flight() {
    let bot = start().await;
    bot.say("/maro track SCRUM-122 SCRUM-123 SCRUM-124").await;
    bot.slack.set_next_faults("chat.postMessage", [None]);
    for method in ["chat.postMessage", "auth.test"] {
        bot.slack.set_fault(method, SlackFault::Status(503));
    }
    let asked = bot.slack.calls_of("auth.test").len();
    for (issue, from) in [("SCRUM-122", "Open"), ("SCRUM-123", "Open"), ("SCRUM-124", "In Progress")] {
        set_status(&bot, issue, from, "Done", "Grace Hopper").await;
    }
    until("Slack is asked several times", async || bot.slack.calls_of("auth.test").len() >= asked + 5).await;
    assert_eq!(bot.slack.calls_of("chat.postMessage").len(), 2);
    bot.slack.clear_faults();
    until("nothing waits", async || waiting(&bot).await == ["0"]).await;
    let states = query(&bot.config.database, "SELECT state FROM notice_outbox ORDER BY state").await;
    assert_eq!(states, ["lost", "sent", "sent"]);
    assert_eq!(told(&bot).len(), 5, "{:#?}", told(&bot));
}
