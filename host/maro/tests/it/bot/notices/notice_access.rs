//! What a channel may not show it isn't told either: not as a notice, and not in a digest.

use jiff::Timestamp;
use maro_bot::bot::Surroundings;
use maro_process::{clock::Clock, secret::Secret};
use maro_simulation::slack::Sharing;
use maro_store::config::DatabaseConfig;

use crate::{
    bot::{
        HASTE, TestBot,
        following::webhooks::SECRET,
        key,
        notices::told::{set_status, stays, told, told_in, until_told},
        until,
    },
    plugins::PluginsFolder,
    postgres,
    raw::query,
};

const SCOPES: [&str; 5] = ["commands", "chat:write", "channels:read", "groups:read", "users:read"];

const HEAD: &str = "SCRUM-123: User authentication flow (Done)";
const FIRST: &str = "  SCRUM-123: Open → Done (Grace Hopper)\n[Fewer]\n[Off]";

/// A bot on a Thursday at noon in Berlin.
async fn start(database: Option<postgres::Database>) -> TestBot {
    let clock = Clock::stopped("2026-10-22T10:00:00Z".parse().unwrap());
    let surroundings = Surroundings { patience: HASTE, ..clock.into() };
    TestBot::in_surroundings(PluginsFolder::shipped(), surroundings, |config, slack| {
        slack.grant_scopes(&SCOPES);
        config.jira.webhook_secret = Some(Secret::new(SECRET));
        if let Some(database) = database {
            config.database = DatabaseConfig::postgres(Secret::new(database.url));
        }
    })
    .await
}

async fn withheld(bot: &TestBot) -> Vec<String> {
    let reasons = "SELECT issue_key || ' ' || reason FROM notice_outbox WHERE state = 'withheld' ORDER BY id";
    query(&bot.config.database, reasons).await
}

/// A policy that is tightened, and a level that an issue gets, hold for what is told from then on.
async fn a_notice_is_withheld(mut bot: TestBot) {
    bot.say("/maro track SCRUM-122 SCRUM-123 SCRUM-124").await;
    bot.config.access =
        toml::from_str("security-levels = \"deny\"\n[channel.C0RANDOM001]\nprojects = []").unwrap();
    bot.say_as("ada", "random", "/maro track SCRUM-123").await;
    bot.restart().await;
    bot.jira.set_security_level(&key("SCRUM-124"), "Board");
    set_status(&bot, "SCRUM-124", "In Progress", "Done", "Grace Hopper").await;
    set_status(&bot, "SCRUM-123", "Open", "Done", "Grace Hopper").await;
    until_told(&bot, &[HEAD, FIRST]).await;
    stays(&bot, &[HEAD, FIRST]).await;
    assert_eq!(told_in(&bot, "random"), [""; 0]);
    // Another organisation is in the channel since. It hears of nothing.
    bot.slack.share("C0GENERAL01", Some(Sharing::External));
    bot.restart().await;
    set_status(&bot, "SCRUM-122", "Open", "Done", "Grace Hopper").await;
    until("it's withheld", async || withheld(&bot).await == ["SCRUM-122 not allowed"]).await;
    stays(&bot, &[HEAD, FIRST]).await;
}

/// What was noted for a digest before may be out of policy by the time that it's posted.
async fn a_digest_leaves_it_out(mut bot: TestBot) {
    bot.say("/maro track SCRUM-123 SCRUM-124").await;
    bot.say("/maro notify digest daily 13:00").await;
    for (issue, from) in [("SCRUM-124", "In Progress"), ("SCRUM-123", "Open")] {
        set_status(&bot, issue, from, "Done", "Grace Hopper").await;
    }
    let kept = "SELECT issue_key FROM notice_outbox WHERE state = 'kept' ORDER BY issue_key";
    until("both are kept", async || query(&bot.config.database, kept).await == ["SCRUM-123", "SCRUM-124"])
        .await;
    bot.config.access = toml::from_str("security-levels = \"private\"").unwrap();
    bot.jira.set_security_level(&key("SCRUM-124"), "Board");
    bot.restart().await;
    bot.clock.set("2026-10-22T11:00:00Z".parse::<Timestamp>().unwrap());
    until("the digest is there", async || !told(&bot).is_empty()).await;
    let digest = "1 tracked issue changed status:\nDone\n• SCRUM-123: User authentication flow, was Open (Grace \
                  Hopper), since Thu Oct 22, 12:00";
    stays(&bot, &[digest]).await;
}

#[tokio::test]
async fn a_channel_hears_nothing_of_what_it_may_not_show() {
    a_notice_is_withheld(start(None).await).await;
}

#[tokio::test]
async fn a_channel_hears_nothing_of_what_it_may_not_show_on_postgresql() {
    let Some(database) = postgres::Database::new().await else { return };
    a_notice_is_withheld(start(Some(database)).await).await;
}

#[tokio::test]
async fn a_digest_has_nothing_of_what_the_channel_may_not_show() {
    a_digest_leaves_it_out(start(None).await).await;
}

#[tokio::test]
async fn a_digest_has_nothing_of_what_the_channel_may_not_show_on_postgresql() {
    let Some(database) = postgres::Database::new().await else { return };
    a_digest_leaves_it_out(start(Some(database)).await).await;
}
