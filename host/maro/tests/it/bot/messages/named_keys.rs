//! Issues that messages name by their keys are shown in a thread, where the channel wants that.

use std::time::Duration;

use maro_simulation::slack::{
    Sharing, people::pressing::Press, shown::terminal, web_api::faults::SlackFault,
};

use crate::{
    bot::{TestBot, access::foreign_requests::counted, until},
    built_components::PluginsFolder,
    raw::{execute, query},
};

const SCOPES: [&str; 10] = [
    "commands",
    "chat:write",
    "channels:read",
    "groups:read",
    "channels:history",
    "groups:history",
    "links:read",
    "links:write",
    "users:read",
    "users:read.email",
];

async fn start(change: impl FnOnce(&mut maro_bot::config::Config)) -> TestBot {
    let bot = TestBot::with_settings_of(PluginsFolder::shipped(), |config, slack| {
        slack.grant_scopes(&SCOPES);
        slack.unfurl_links_to(config.jira.base_url.host_str().unwrap());
        change(config);
    });
    bot.await
}

/// What the bot has posted in #general.
fn posted(bot: &TestBot) -> Vec<String> {
    let names = bot.slack.workspace().names();
    bot.slack.posted("C0GENERAL01").iter().map(|message| terminal::message_text(message, &names)).collect()
}

/// Writes a message, and returns how many the bot has posted once it has nothing more to do with it.
async fn write(bot: &TestBot, text: &str) -> usize {
    let before = posted(bot).len();
    bot.slack.write_to_bot("ada", "general", text).await.unwrap();
    let answered = async { until("an answer", async || posted(bot).len() > before).await };
    // Nothing is to come of some messages.
    let _ = tokio::time::timeout(Duration::from_secs(2), answered).await;
    assert_eq!(bot.slack.problems(), [""; 0]);
    posted(bot).len() - before
}

async fn keys_are_answered_where_the_channel_wants_that(bot: &TestBot) {
    assert_eq!(write(bot, "Who is at SCRUM-124?").await, 0, "nobody asked for it");
    assert!(bot.say("/maro notify keys").await.starts_with("MARO doesn't answer messages here"));
    assert!(bot.say("/maro notify keys off").await.starts_with("Nothing changed"));
    let said = bot.say("/maro notify keys on").await;
    assert!(
        said.starts_with("From now on, MARO replies in a thread when a message here mentions an issue key"),
        "{said}"
    );
    assert!(said.contains("message.channels") && !said.contains("channels:history"), "{said}");
    assert!(bot.say("/maro notify KEYS on").await.starts_with("Nothing changed"));
    // What the channel hears of changes stays as it was.
    assert!(bot.say("/maro notify").await.contains("between to do, in progress and done"));
    assert_eq!(write(bot, "Who is at SCRUM-124? It blocks SCRUM-9999, UTF-8 and SHA-256.").await, 1);
    let answer = posted(bot).pop().unwrap();
    assert!(answer.contains("SCRUM-124: Database migration (In Progress)\nTask · "), "{answer}");
    assert!(answer.ends_with("\n[Track]\n[Assign]"), "{answer}");
    let message = bot.slack.posted("C0GENERAL01").pop().unwrap();
    let question =
        bot.slack.messages().into_iter().rfind(|message| message.text.starts_with("Who is at")).unwrap();
    assert_eq!(message.thread_ts, Some(question.ts), "it's answered in a thread");
    // Once in half an hour, whether by its key or by a link.
    assert_eq!(write(bot, "SCRUM-124 again").await, 0);
    execute(&bot.config.database, "UPDATE shown_links SET shown_ms = shown_ms - 1800000").await;
    assert_eq!(write(bot, "SCRUM-121, SCRUM-122, SCRUM-123 and SCRUM-124").await, 1);
    let answer = posted(bot).pop().unwrap();
    assert!(answer.contains("SCRUM-121: ") && answer.contains("SCRUM-122: "), "{answer}");
    assert!(!answer.contains("SCRUM-123: ") && !answer.contains("SCRUM-124: "), "{answer}");
    for quiet in ["scrum-124", "feature/SCRUM-124-fix", "```\nSCRUM-124\n```", "A-1 B-2 C-3"] {
        assert_eq!(write(bot, quiet).await, 0, "{quiet}");
    }
    let noted = "SELECT subject FROM audit_log WHERE action = 'notify keys' AND outcome = 'done'";
    assert!(query(&bot.config.database, noted).await.contains(&"on".to_owned()));
    assert!(bot.say("/maro notify keys off").await.starts_with("From now on, MARO won't answer"));
    execute(&bot.config.database, "DELETE FROM shown_links").await;
    assert_eq!(write(bot, "SCRUM-124").await, 0);
}

#[tokio::test]
async fn keys_are_answered_where_the_channel_wants_them_to_be() {
    keys_are_answered_where_the_channel_wants_that(&start(|_| {}).await).await;
}

#[tokio::test]
async fn keys_are_answered_where_the_channel_wants_them_to_be_on_postgresql() {
    let Some(mut bot) = TestBot::on_postgres(PluginsFolder::shipped()).await else { return };
    bot.slack.grant_scopes(&SCOPES);
    bot.restart().await;
    keys_are_answered_where_the_channel_wants_that(&bot).await;
}

#[tokio::test]
async fn a_key_in_a_thread_is_answered_in_that_thread() {
    let bot = start(|_| {}).await;
    bot.say("/maro notify keys on").await;
    let question = bot.slack.write("grace", "general", "What does the launch wait for?").unwrap();
    bot.slack.reply_to_bot("ada", &question, "SCRUM-124, I think").await.unwrap();
    until("an answer", async || !posted(&bot).is_empty()).await;
    // Slack wants the first message of the thread there, and shows the answer elsewhere if it's any other.
    let call = bot.slack.calls_of("chat.postMessage").pop().unwrap();
    assert_eq!(call.arguments["thread_ts"], *question.ts);
}

#[tokio::test]
async fn an_answer_is_redrawn_after_a_press() {
    let bot = start(|_| {}).await;
    bot.say("/maro notify keys on").await;
    assert_eq!(write(&bot, "SCRUM-123 and SCRUM-124").await, 1);
    let last = || posted(&bot).pop().unwrap();
    let press = async |label: &str, beside: &str| {
        let message = bot.slack.posted("C0GENERAL01").pop().unwrap();
        bot.slack.press_in("grace", &message, Press::button(label).beside(beside)).await.unwrap();
    };
    press("Assign", "SCRUM-124").await;
    until("it's assigned", async || last().contains("(In Progress)\nTask · assigned to Grace Hopper")).await;
    assert!(last().contains("SCRUM-123: User authentication flow (Open)"), "{}", last());
    press("Track", "SCRUM-123").await;
    until("it's tracked", async || last().matches("[Track]").count() == 1).await;
    assert_eq!(posted(&bot).len(), 1);
}

#[tokio::test]
async fn an_answer_of_which_a_part_cannot_be_shown_now_stays_as_it_is() {
    let bot = start(|_| {}).await;
    bot.say("/maro notify keys on").await;
    assert_eq!(write(&bot, "SCRUM-123 and SCRUM-124").await, 1);
    let before = posted(&bot);
    bot.jira.delete_issue(&crate::bot::key("SCRUM-124"));
    let answer = bot.slack.posted("C0GENERAL01").pop().unwrap();
    bot.slack.press_in("grace", &answer, Press::button("Track").beside("SCRUM-123")).await.unwrap();
    let says_so = |message: &_| {
        terminal::message_text(message, &bot.slack.workspace().names()).contains("Now tracking")
    };
    until("it's tracked", async || bot.slack.messages().iter().any(says_so)).await;
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!(posted(&bot)[..1], before);
}

#[tokio::test]
async fn a_shared_channel_reads_nothing_private() {
    let bot = start(|config| {
        config.access = toml::from_str("shared-channels = [\"SCRUM\"]").unwrap();
    })
    .await;
    bot.say("/maro notify keys on").await;
    bot.jira.set_security_level(&crate::bot::key("SCRUM-122"), "Board");
    bot.slack.share("C0GENERAL01", Some(Sharing::External));
    assert_eq!(write(&bot, "SCRUM-122 and SCRUM-124").await, 1);
    let answer = posted(&bot).pop().unwrap();
    assert!(answer.contains("SCRUM-124: Database migration (In Progress)\nTask\n"), "{answer}");
    assert!(!answer.contains("SCRUM-122"), "{answer}");
}

#[tokio::test]
async fn a_key_that_a_stranger_names_in_a_shared_channel_is_answered_to_nobody() {
    let bot = start(|config| {
        config.access = toml::from_str("shared-channels = [\"SCRUM\"]").unwrap();
    })
    .await;
    bot.say("/maro notify keys on").await;
    bot.slack.share("C0GENERAL01", Some(Sharing::External));
    bot.slack.set_team_of("U0GRACE0001", "T09QUARRY7");
    bot.slack.write_to_bot("grace", "general", "SCRUM-124 is late").await.unwrap();
    // What comes later is answered, so the first isn't only slow.
    assert_eq!(write(&bot, "SCRUM-123 and SCRUM-124").await, 1);
    assert!(posted(&bot)[0].contains("SCRUM-123"), "{:?}", posted(&bot));
    assert_eq!(posted(&bot).len(), 1);
    // Of whom Slack doesn't say whose they are, nobody knows that they aren't one.
    assert_eq!(counted(&bot).await, 1);
    bot.slack.set_fault("users.info", SlackFault::Status(503));
    bot.slack.write_to_bot("margaret", "general", "SCRUM-122 is late").await.unwrap();
    until("it's refused", async || counted(&bot).await == 2).await;
    assert_eq!(posted(&bot).len(), 1);
}

#[tokio::test]
async fn without_the_scopes_the_person_reads_what_is_missing() {
    let mut bot = start(|_| {}).await;
    bot.slack.grant_scopes(&["commands", "chat:write"]);
    execute(&bot.config.database, "DELETE FROM slack_workspace").await;
    bot.restart().await;
    let said = bot.say("/maro notify keys on").await;
    assert!(said.contains("channels:history") && said.contains("groups:history"), "{said}");
}
