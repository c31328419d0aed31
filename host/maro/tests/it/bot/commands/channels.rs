//! A channel's id changes, and it is archived: what MARO keeps for it stays, and follows it.

use std::time::Duration;

use maro_simulation::{jira::faults::JiraFault, slack::people::act_error::SubmitOutcome};
use serde_json::{Value, json};

use crate::{
    bot::{
        TestBot, key,
        server::http::{signed, status},
        tickets::create::open_create,
        until,
    },
    built_components::PluginsFolder,
    raw::query,
};

const GENERAL: &str = "C0GENERAL01";

/// An event as Slack sends it.
fn event(id: &str, event: Value) -> Vec<u8> {
    json!({ "type": "event_callback", "event_id": id, "event_time": 1_795_479_001, "event": event })
        .to_string()
        .into_bytes()
}

async fn random(bot: &TestBot) -> String {
    bot.slack.workspace().channels.iter().find(|channel| channel.name == "random").unwrap().id.to_string()
}

/// Slack says that #general has the id of #random from now on.
async fn moved(bot: &TestBot, id: &str) -> Vec<u8> {
    event(
        id,
        json!({ "type": "channel_id_changed", "old_channel_id": GENERAL, "new_channel_id": random(bot).await }),
    )
}

/// A plugin that may not track in #general, and a draft that was begun there.
async fn everything_follows(bot: TestBot) {
    bot.say_as("ada", "random", "/maro track SCRUM-124").await;
    let rows = format!(
        "INSERT INTO channel_tracked_issues (channel_id, issue_key, tracked_at, tracked_by, last_jira_status,
            last_jira_summary)
         SELECT '{GENERAL}', issue_key, '2020-01-31T09:00:00Z', 'U0GRACE0001', last_jira_status, last_jira_summary
         FROM channel_tracked_issues"
    );
    crate::raw::execute(&bot.config.database, &rows).await;
    open_create(&bot, "Zeppelin hangar").await;

    let body = moved(&bot, "Ev1").await;
    assert_eq!(status(signed(&bot, "slack/events", &body, 0)).await, 200);
    let list = bot.say_as("ada", "random", "/maro tracked").await;
    assert!(list.matches("SCRUM-124").count() == 1, "{list}");
    let stored = "SELECT channel_id || ' ' || tracked_by FROM channel_tracked_issues";
    assert_eq!(query(&bot.config.database, stored).await, [format!("{} U0GRACE0001", random(&bot).await)]);
    // What the operator wrote of the old id holds.
    assert_eq!(
        bot.say_as("ada", "random", "/maro track SCRUM-123").await,
        "This command can't use the tracker-edit permission in this channel."
    );
    // The draft goes where the channel is now.
    assert_eq!(bot.slack.submit("ada").await.unwrap(), SubmitOutcome::Closed);
    assert_eq!(bot.slack.posted("random").len(), 1);
    until("it is on the list", async || {
        bot.say_as("ada", "random", "/maro tracked").await.contains("Zeppelin hangar")
    })
    .await;
    // The same event again changes nothing.
    let back =
        format!("UPDATE channel_tracked_issues SET channel_id = '{GENERAL}' WHERE issue_key = 'SCRUM-124'");
    crate::raw::execute(&bot.config.database, &back).await;
    assert_eq!(status(signed(&bot, "slack/events", &body, 0)).await, 200);
    let lists = "SELECT count(DISTINCT channel_id) || '' FROM channel_tracked_issues";
    assert_eq!(query(&bot.config.database, lists).await, ["2"]);
}

fn plugins() -> PluginsFolder {
    let manifest = format!(
        "grants = [\"jira\", \"tracker-edit\"]\n[scope]\ntracker-edit.not-in-channels = [\"{GENERAL}\"]"
    );
    PluginsFolder::shipped().with_file("track.toml", manifest.as_bytes())
}

#[tokio::test]
async fn a_channel_that_gets_another_id_keeps_everything() {
    let bot =
        TestBot::with_settings(plugins(), |config| config.jira.default_project = Some("SCRUM".to_owned()))
            .await;
    everything_follows(bot).await;
}

#[tokio::test]
async fn a_channel_that_gets_another_id_keeps_everything_on_postgresql() {
    let Some(bot) = TestBot::on_postgres(plugins()).await else { return };
    everything_follows(bot).await;
}

/// Jira is asked for a ticket, and the channel gets another id before it has answered.
#[tokio::test]
async fn what_is_under_way_follows_the_channel() {
    let bot = TestBot::with_settings(PluginsFolder::shipped(), |config| {
        config.jira.default_project = Some("SCRUM".to_owned());
    })
    .await;
    open_create(&bot, "Zeppelin hangar").await;
    bot.jira.set_next_faults_of("/issue", [Some(JiraFault::Slow(Duration::from_secs(8)))]);
    assert!(matches!(bot.slack.submit("ada").await.unwrap(), SubmitOutcome::Updated(_)));
    let body = moved(&bot, "Ev1").await;
    assert_eq!(status(signed(&bot, "slack/events", &body, 0)).await, 200);
    until("it's told where the channel is", async || bot.slack.posted("random").len() == 1).await;
    until("it's on the list there", async || {
        bot.say_as("ada", "random", "/maro tracked").await.contains("SCRUM-151: Zeppelin hangar")
    })
    .await;
    assert_eq!(bot.slack.posted("general"), []);
}

#[tokio::test]
async fn a_former_id_is_known_after_a_restart_and_to_other_replicas() {
    let mut bot = TestBot::with_plugins(plugins()).await;
    let body = moved(&bot, "Ev1").await;
    assert_eq!(status(signed(&bot, "slack/events", &body, 0)).await, 200);
    bot.restart().await;
    assert!(bot.say_as("ada", "random", "/maro track SCRUM-123").await.contains("can't use"));
}

#[tokio::test]
async fn an_archived_channel_keeps_its_list() {
    let bot = TestBot::start().await;
    bot.say("/maro track SCRUM-123").await;
    for (id, kind) in [("Ev1", "channel_archive"), ("Ev2", "channel_rename"), ("Ev3", "channel_deleted")] {
        let body = event(id, json!({ "type": kind, "channel": GENERAL, "user": "U1" }));
        assert_eq!(status(signed(&bot, "slack/events", &body, 0)).await, 200, "{kind}");
    }
    let paused = "SELECT channel_id || ' ' || reason FROM paused_channels";
    assert_eq!(query(&bot.config.database, paused).await, [format!("{GENERAL} deleted")]);
    assert!(bot.say("/maro tracked").await.contains("SCRUM-123"));
    let body = event("Ev4", json!({ "type": "channel_unarchive", "channel": GENERAL, "user": "U1" }));
    assert_eq!(status(signed(&bot, "slack/events", &body, 0)).await, 200);
    assert_eq!(query(&bot.config.database, paused).await, [""; 0]);
}

async fn send(bot: &TestBot, id: &str, happened: Value) {
    assert_eq!(status(signed(bot, "slack/events", &event(id, happened), 0)).await, 200, "{id}");
}

/// While #general is archived, its list isn't read again and it isn't told of changes; #random goes on.
async fn a_paused_channel_is_left_alone(bot: TestBot) {
    bot.say("/maro track SCRUM-124").await;
    bot.say_as("ada", "random", "/maro track SCRUM-124").await;
    send(&bot, "Ev1", json!({ "type": "channel_archive", "channel": GENERAL, "user": "U1" })).await;
    bot.jira.transition_issue(&key("SCRUM-124"), "Done");
    until("the other channel is told", async || bot.slack.posted("random").len() == 2).await;
    // Longer than each row's turn takes.
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert!(bot.say("/maro tracked").await.contains("SCRUM-124: Database migration (In Progress)"));
    assert_eq!(bot.slack.posted("general"), []);
    send(&bot, "Ev2", json!({ "type": "channel_unarchive", "channel": GENERAL, "user": "U1" })).await;
    until("it is told when it's back", async || bot.slack.posted("general").len() == 2).await;
    assert!(bot.say("/maro tracked").await.contains("SCRUM-124: Database migration (Done)"));

    // A bot that is removed comes back when it's invited, or when somebody uses it.
    let paused = "SELECT channel_id || ' ' || reason FROM paused_channels";
    for (id, back) in [("Ev3", true), ("Ev5", false)] {
        send(&bot, id, json!({ "type": "channel_left", "channel": GENERAL, "actor_id": "U1" })).await;
        assert_eq!(query(&bot.config.database, paused).await, [format!("{GENERAL} left")]);
        if back {
            let joined = json!({ "type": "member_joined_channel", "channel": GENERAL, "user": "U1",
                "channel_type": "C", "team": "T1", "inviter": "U2" });
            send(&bot, "Ev4", joined).await;
        } else {
            assert!(bot.say("/maro tracked").await.contains("SCRUM-124"));
        }
        until("it isn't left alone any more", async || query(&bot.config.database, paused).await.is_empty())
            .await;
    }
}

#[tokio::test]
async fn a_channel_that_is_archived_or_left_is_left_alone_until_it_is_back() {
    let bot = TestBot::with_settings(PluginsFolder::shipped(), |config| {
        config.sync_interval = Duration::from_secs(1);
    });
    a_paused_channel_is_left_alone(bot.await).await;
}

#[tokio::test]
async fn a_channel_is_left_alone_on_postgresql() {
    let Some(mut bot) = TestBot::on_postgres(PluginsFolder::shipped()).await else { return };
    bot.config.sync_interval = Duration::from_secs(1);
    bot.restart().await;
    a_paused_channel_is_left_alone(bot).await;
}
