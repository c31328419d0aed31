//! Every kind of request of somebody in another workspace, over HTTP, Socket Mode and on both databases: it does
//! nothing, shows nothing and is counted, and the person who asked is told why.

use std::{
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use maro_bot::config::Config;
use maro_process::secret::Secret;
use maro_simulation::slack::{SimulatedSlack, people::pressing::Press};
use maro_store::config::DatabaseConfig;
use serde_json::{Value, json};

use crate::{
    bot::{TestBot, server::http, tickets::create::open_create, until},
    built_components::PluginsFolder,
    postgres,
    raw::query,
};

const STRANGER: &str = "MARO belongs to another workspace";
const OTHER_TEAM: &str = "T09QUARRY7";

const SCOPES: [&str; 7] =
    ["commands", "chat:write", "channels:read", "groups:read", "links:read", "links:write", "users:read"];

fn settings(config: &mut Config, slack: &SimulatedSlack) {
    slack.grant_scopes(&SCOPES);
    slack.unfurl_links_to(config.jira.base_url.host_str().unwrap());
    config.jira.default_project = Some("SCRUM".to_owned());
}

static NUMBER: AtomicUsize = AtomicUsize::new(1);

/// The payload as it comes if its sender is of another workspace.
fn of_another(mut payload: Value) -> Value {
    payload["user"]["team_id"] = json!(OTHER_TEAM);
    payload["trigger_id"] = json!(format!("{}.1.2", NUMBER.fetch_add(1, Ordering::Relaxed)));
    payload
}

fn event(bot: &TestBot, id: &str, event: Value) -> Value {
    let workspace = bot.slack.workspace();
    json!({
        "type": "event_callback",
        "team_id": workspace.team_id,
        "api_app_id": workspace.app_id,
        "event_id": id,
        "event_time": bot.clock.now().as_second(),
        "authorizations": [{
            "enterprise_id": null, "team_id": workspace.team_id, "user_id": workspace.bot_user.as_str(),
            "is_bot": true, "is_enterprise_install": false,
        }],
        "is_ext_shared_channel": true,
        "event": event,
    })
}

/// How many requests of strangers were refused.
pub(crate) async fn counted(bot: &TestBot) -> u64 {
    let metrics = http::text(bot, "metrics").await;
    let line = metrics.lines().find(|line| line.contains("reason=\"stranger\""));
    line.and_then(|line| line.rsplit(' ').next()).map_or(0, |count| count.parse().unwrap())
}

/// How often the person was told, alone.
fn told(bot: &TestBot) -> usize {
    let ada = bot.slack.workspace().people[0].id.as_str();
    let posted = bot.slack.calls_of("chat.postMessage");
    let told = posted.iter().filter(|call| call.arguments["channel"] == ada);
    told.inspect(|call| assert_eq!(call.arguments["text"], STRANGER)).count()
}

/// Whatever can be done with a form, a list and a shortcut.
async fn interact(bot: &TestBot, press: Value) {
    let form = of_another(bot.slack.submission("ada").unwrap());
    let mut closed = form.clone();
    closed["type"] = json!("view_closed");
    let mut chosen = form.clone();
    chosen["type"] = json!("block_actions");
    chosen["actions"] = json!([{
        "type": "external_select", "action_id": "project", "block_id": "project",
        "selected_option": { "text": { "type": "plain_text", "text": "ACCAN" }, "value": "ACCAN" },
    }]);
    let mut shortcut = form.clone();
    shortcut["type"] = json!("shortcut");
    shortcut["callback_id"] = json!("create_ticket");
    shortcut.as_object_mut().unwrap().remove("view");
    for payload in [form.clone(), closed, chosen, shortcut, of_another(press)] {
        let answer = bot.slack.send_interaction(&payload).await.unwrap();
        assert!(answer.is_empty(), "{payload}: {answer:?}");
    }
    let mut wanted = form;
    wanted["type"] = json!("block_suggestion");
    wanted["action_id"] = json!("project");
    wanted["block_id"] = json!("project");
    wanted["value"] = json!("");
    let options = bot.slack.send_interaction(&wanted).await.unwrap();
    assert_eq!(options.json(), Some(json!({ "options": [] })));
}

/// Whatever can be said in a channel and to MARO. Slack may send it twice.
async fn speak(bot: &TestBot) {
    let workspace = bot.slack.workspace();
    let (ada, general) = (workspace.people[0].id.as_str(), workspace.channels[0].id.as_str());
    let ts = "1795478399.002139";
    let said = |kind: &str, more: Value| {
        let mut event = json!({ "type": kind, "user": ada, "ts": ts, "event_ts": ts, "team": OTHER_TEAM, "channel": general });
        event.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        event
    };
    let url = bot.config.jira.base_url.join("browse/SCRUM-124").unwrap();
    let heard = [
        said("message", json!({ "channel_type": "channel", "text": "SCRUM-124 is late" })),
        said("app_mention", json!({ "text": "<@U0MAROBOT01> tracked" })),
        said("message", json!({ "channel_type": "im", "channel": "D0STRANGER1", "text": "track SCRUM-125" })),
        said(
            "link_shared",
            json!({ "message_ts": ts, "source": "conversations_history", "links": [{ "domain": "x", "url": url }] }),
        ),
    ];
    for (number, heard) in heard.into_iter().enumerate() {
        let body = event(bot, &format!("EvSTRANGE{number}"), heard);
        for _ in 0..2 {
            bot.slack.send_event(&body).await.unwrap();
        }
    }
}

async fn every_request_is_refused(bot: TestBot) {
    bot.say("/maro track SCRUM-123").await;
    bot.say("/maro notify keys on").await;
    let list = bot.messages("ada", "general", "/maro tracked").await.remove(0);
    bot.slack.press_in("ada", &list, Press::button("Stop tracking").beside("SCRUM-123")).await.unwrap();
    until("it's removed", async || list_of(&bot).await.is_empty()).await;
    let press = bot.slack.interactions().pop().unwrap();
    bot.say("/maro track SCRUM-123").await;
    open_create(&bot, "Zeppelin mast").await;
    let count = |method: &str| bot.slack.calls_of(method).len();
    let before = (bot.jira.requests().len(), bot.intents().await, list_of(&bot).await, count("views.open"));
    let posted = count("chat.postMessage");

    interact(&bot, press).await;
    speak(&bot).await;
    until("all are counted", async || counted(&bot).await >= 6 + 4).await;
    // The form, the choice, the press, the shortcut, the mention and the message, each once.
    until("people who asked are told", async || told(&bot) >= 6).await;
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert_eq!((told(&bot), count("chat.postMessage") - posted, count("chat.unfurl")), (6, 6, 0));
    let after = (bot.jira.requests().len(), bot.intents().await, list_of(&bot).await, count("views.open"));
    assert_eq!(after, before);
}

async fn list_of(bot: &TestBot) -> Vec<String> {
    query(&bot.config.database, "SELECT issue_key FROM channel_tracked_issues ORDER BY issue_key").await
}

#[tokio::test]
async fn every_request_of_a_stranger_is_refused() {
    every_request_is_refused(TestBot::with_settings_of(PluginsFolder::shipped(), settings).await).await;
}

#[tokio::test]
async fn every_request_of_a_stranger_is_refused_on_postgresql() {
    let Some(database) = postgres::Database::new().await else { return };
    let bot = TestBot::with_settings_of(PluginsFolder::shipped(), |config, slack| {
        settings(config, slack);
        config.database = DatabaseConfig::postgres(Secret::new(database.url));
    });
    every_request_is_refused(bot.await).await;
}

#[tokio::test]
async fn every_request_of_a_stranger_is_refused_over_a_socket() {
    let bot = TestBot::with_settings_of(PluginsFolder::shipped(), |config, slack| {
        settings(config, slack);
        config.slack.app_token = Some(Secret::new(slack.app_token().expose()));
        config.slack.signing_secret = None;
    })
    .await;
    assert!(bot.slack.wait_for_sockets(2).await);
    every_request_is_refused(bot).await;
}
