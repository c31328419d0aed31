//! What a channel may not show it isn't told either: not as a notice, and not in a digest.

use jiff::Timestamp;
use maro_access::JiraAs;
use maro_bot::bot::Surroundings;
use maro_process::{clock::Clock, secret::Secret};
use maro_simulation::slack::{Sharing, web_api::faults::SlackFault};
use maro_store::config::DatabaseConfig;
use serde_json::json;

use crate::{
    bot::{
        HASTE, TestBot, key,
        notices::{
            field_notices::report,
            told::{set_status, stays, told, told_in, until_told, waiting},
        },
        sync::webhooks::SECRET,
        until,
    },
    built_components::PluginsFolder,
    postgres,
    raw::{execute, query},
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
    // Another organization is in the channel since. It hears of nothing.
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

/// Of an issue that somebody tracks whom Slack knows no more, nothing waits.
async fn an_unassigned_issue(mut bot: TestBot) {
    bot.slack.grant_scopes(&[&SCOPES[..], &["users:read.email"]].concat());
    bot.say("/maro track SCRUM-123 SCRUM-124").await;
    let gone = "UPDATE channel_tracked_issues SET tracked_by = 'U0GONE00001' WHERE issue_key = 'SCRUM-124'";
    execute(&bot.config.database, gone).await;
    execute(&bot.config.database, "DELETE FROM slack_workspace").await;
    bot.config.jira_as = JiraAs::Person;
    bot.restart().await;
    set_status(&bot, "SCRUM-124", "In Progress", "Done", "Grace Hopper").await;
    until("it's withheld", async || withheld(&bot).await == ["SCRUM-124 not allowed"]).await;
    set_status(&bot, "SCRUM-123", "Open", "Done", "Grace Hopper").await;
    until("the other is told", async || told(&bot) == [HEAD, FIRST]).await;
    // While Slack doesn't answer, nobody knows.
    bot.slack.set_fault("users.info", SlackFault::Status(503));
    let other = "UPDATE channel_tracked_issues SET tracked_by = 'U0GONE00002' WHERE issue_key = 'SCRUM-124'";
    execute(&bot.config.database, other).await;
    set_status(&bot, "SCRUM-124", "Done", "Open", "Grace Hopper").await;
    until("it waits", async || waiting(&bot).await == ["1"]).await;
    tokio::time::sleep(std::time::Duration::from_secs(2)).await;
    assert_eq!(waiting(&bot).await, ["1"]);
    bot.slack.clear_faults();
    until("it's withheld, too", async || withheld(&bot).await.len() == 2).await;
}

#[tokio::test]
async fn what_somebody_tracks_whom_slack_does_not_know_does_not_wait() {
    an_unassigned_issue(start(None).await).await;
}

/// People of other organizations don't read who is at an issue.
#[tokio::test]
async fn a_shared_channel_reads_no_names() {
    let mut bot = start(None).await;
    let issue = key("SCRUM-124");
    bot.say("/maro track SCRUM-124 SCRUM-123").await;
    bot.say("/maro notify all").await;
    let known = "SELECT issue_id FROM issue_fields";
    until("its fields are known", async || query(&bot.config.database, known).await.len() == 2).await;
    bot.config.access = toml::from_str("shared-channels = [\"SCRUM\"]").unwrap();
    bot.slack.share("C0GENERAL01", Some(Sharing::External));
    bot.restart().await;
    bot.jira.assign_issue(&issue, Some("Ada Lovelace"));
    let items = json!([{ "field": "assignee", "fromString": null, "toString": "Ada Lovelace" }]);
    report(&bot, "jira:issue_updated", "Grace Hopper", items).await;
    let head = "SCRUM-124: Database migration (In Progress)";
    until_told(&bot, &[head, "  SCRUM-124: assigned"]).await;
    bot.jira.assign_issue(&issue, Some("Grace Hopper"));
    bot.jira.set_priority(&issue, "High");
    bot.jira.comment_on(&issue, "Grace Hopper", "the secret of the north quay");
    let items = json!([
        { "field": "assignee", "fromString": "Ada Lovelace", "toString": "Grace Hopper" },
        { "field": "priority", "fromString": "Medium", "toString": "High" },
    ]);
    report(&bot, "jira:issue_updated", "Ada Lovelace", items).await;
    let edited = "  SCRUM-124: assigned\nSCRUM-124: priority Medium → High\nSCRUM-124: 1 new comment";
    until_told(&bot, &[head, edited]).await;
    set_status(&bot, "SCRUM-124", "In Progress", "Done", "Grace Hopper").await;
    let (head, edited) =
        (head.replace("In Progress", "Done"), format!("{edited}\nSCRUM-124: In Progress → Done"));
    let (head, edited) = (head.as_str(), edited.as_str());
    until_told(&bot, &[head, edited]).await;
    bot.say("/maro notify digest daily 13:00").await;
    set_status(&bot, "SCRUM-123", "Open", "Done", "Grace Hopper").await;
    let kept = "SELECT issue_key FROM notice_outbox WHERE state = 'kept'";
    until("it's kept", async || query(&bot.config.database, kept).await == ["SCRUM-123"]).await;
    bot.clock.set("2026-10-22T11:00:00Z".parse::<Timestamp>().unwrap());
    let digest = "1 tracked issue changed status:\nDone\n• SCRUM-123: User authentication flow, was Open, since Thu \
                  Oct 22, 12:00";
    until_told(&bot, &[head, edited, digest]).await;
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
