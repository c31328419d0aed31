//! Links to issues in people's messages are shown below them, once and only where they may be.

use std::time::Duration;

use maro_simulation::slack::{Sharing, pressing::Press, terminal};

use crate::{
    bot::{TestBot, key, until},
    plugins::PluginsFolder,
    raw::{execute, query},
};

const SCOPES: [&str; 6] =
    ["commands", "chat:write", "channels:read", "groups:read", "links:read", "links:write"];

async fn start(change: impl FnOnce(&mut maro_bot::config::Config)) -> TestBot {
    let bot = TestBot::with_settings_of(PluginsFolder::shipped(), |config, slack| {
        slack.grant_scopes(&SCOPES);
        slack.unfurl_links_to(config.jira.base_url.host_str().unwrap());
        slack.unfurl_links_to("jira.elsewhere.example");
        change(config);
    });
    bot.await
}

fn link(bot: &TestBot, issue: &str) -> String {
    let base = bot.config.jira.base_url.as_str().trim_end_matches('/');
    format!("{base}/browse/{issue}")
}

/// Writes a message and returns what it looks like once the bot has nothing more to do with it.
async fn write(bot: &TestBot, channel: &str, text: &str) -> String {
    let calls = bot.slack.calls_of("chat.unfurl").len();
    let written = bot.slack.write_to_bot("ada", channel, text).await.unwrap();
    let asked = async { until("a call", async || bot.slack.calls_of("chat.unfurl").len() > calls).await };
    // Nothing is to come of some messages.
    let _ = tokio::time::timeout(Duration::from_secs(2), asked).await;
    assert_eq!(bot.slack.problems(), [""; 0]);
    let message = bot.slack.messages().into_iter().find(|message| message.ts == written.ts).unwrap();
    terminal::message_text(&message, &bot.slack.workspace().names())
}

#[tokio::test]
async fn a_link_is_shown_once_in_half_an_hour_with_a_button_to_track() {
    let bot = start(|_| {}).await;
    let text = format!("look at {}", link(&bot, "SCRUM-124"));
    let shown = write(&bot, "general", &text).await;
    let unfurled = "SCRUM-124: Database migration (In Progress)\nTask · ";
    assert!(shown.starts_with(&format!("{text}\n{unfurled}")), "{shown}");
    assert!(shown.ends_with("\n[Track]"), "{shown}");
    // The same again, and then half an hour later.
    assert_eq!(write(&bot, "general", &text).await, text);
    execute(&bot.config.database, "UPDATE shown_links SET shown_ms = shown_ms - 1800000").await;
    assert!(write(&bot, "general", &text).await.contains(unfurled));
    let message = bot.slack.messages().into_iter().rfind(|message| message.text == text).unwrap();
    bot.slack.press_in("ada", &message, Press::button("Track")).await.unwrap();
    let tracked = "SELECT issue_key FROM channel_tracked_issues";
    until("it's tracked", async || query(&bot.config.database, tracked).await == ["SCRUM-124"]).await;
}

#[tokio::test]
async fn two_links_of_a_message_are_shown_and_none_that_lead_elsewhere() {
    let bot = start(|_| {}).await;
    let links: Vec<String> =
        ["SCRUM-121", "SCRUM-122", "SCRUM-121", "SCRUM-123"].map(|key| link(&bot, key)).into();
    let shown = write(&bot, "general", &links.join(" ")).await;
    let heads: Vec<&str> = shown.lines().filter(|line| line.starts_with("SCRUM-")).collect();
    assert_eq!(heads.len(), 2, "{shown}");
    assert!(heads[0].starts_with("SCRUM-121: ") && heads[1].starts_with("SCRUM-122: "), "{shown}");
    for text in [
        "https://jira.elsewhere.example/browse/SCRUM-124".to_owned(),
        link(&bot, "SCRUM-9999"),
        link(&bot, "SCRUM-124").replace("/browse/SCRUM-124", "/dashboards"),
    ] {
        assert_eq!(write(&bot, "general", &text).await, text);
    }
    assert_eq!(bot.slack.calls_of("chat.unfurl").len(), 1);
}

#[tokio::test]
async fn what_may_not_be_shown_in_a_channel_is_not_and_a_shared_one_reads_no_names() {
    let bot = start(|config| {
        config.access = toml::from_str("shared-channels = [\"SCRUM\"]\nprojects = [\"SCRUM\"]").unwrap();
    })
    .await;
    bot.jira.set_security_level(&key("SCRUM-122"), "Board");
    bot.slack.share("C0GENERAL01", Some(Sharing::External));
    let text = link(&bot, "SCRUM-124");
    let shown = write(&bot, "general", &text).await;
    assert!(shown.contains("SCRUM-124: Database migration (In Progress)\nTask\n"), "{shown}");
    let hidden = link(&bot, "SCRUM-122");
    assert_eq!(write(&bot, "general", &hidden).await, hidden);
}

#[tokio::test]
async fn without_a_policy_for_it_a_shared_channel_reads_nothing() {
    let bot = start(|_| {}).await;
    bot.slack.share("C0GENERAL01", Some(Sharing::External));
    let text = link(&bot, "SCRUM-124");
    assert_eq!(write(&bot, "general", &text).await, text);
}
