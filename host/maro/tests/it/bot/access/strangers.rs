//! People of other workspaces, in channels that two organizations share: they learn nothing, and are told why.

use maro_domain::ids::TeamId;
use maro_simulation::slack::web_api::faults::SlackFault;
use serde_json::{Value, json};

use crate::{
    bot::{
        TestBot,
        plugins::capabilities::with_capable,
        server::http::{client, signed},
        until,
    },
    built_components::PluginsFolder,
    raw::{execute, query},
};

const STRANGER: &str = "MARO belongs to another workspace";

fn form(fields: &[(&str, &str)]) -> Vec<u8> {
    url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish().into_bytes()
}

/// What comes back for a command of somebody in a workspace and an organization.
async fn command(bot: &TestBot, team: &str, enterprise: &str) -> Value {
    say(bot, team, enterprise, "tracked").await
}

async fn say(bot: &TestBot, team: &str, enterprise: &str, text: &str) -> Value {
    let mut fields = vec![
        ("command", "/maro"),
        ("text", text),
        ("channel_id", "C0GENERAL01"),
        ("user_id", "U09TOMAS44"),
        ("team_id", team),
    ];
    if !enterprise.is_empty() {
        fields.push(("enterprise_id", enterprise));
    }
    let answer = signed(bot, "slack/commands", &form(&fields), 0).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    serde_json::from_str(&answer.text().await.unwrap()).unwrap()
}

async fn interaction(bot: &TestBot, payload: &Value) -> String {
    let body = form(&[("payload", &payload.to_string())]);
    let answer = signed(bot, "slack/interactions", &body, 0).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    answer.text().await.unwrap()
}

/// A payload of somebody of another workspace, in a channel of the bot's own.
fn of_stranger(kind: &str, own: Value) -> Value {
    let mut payload = json!({
        "type": kind,
        "user": { "id": "U09TOMAS44", "username": "tomas.ferreira", "team_id": "T09QUARRY7" },
        "team": { "id": "T0SIMULATED", "domain": "maro-simulation" },
        "enterprise": null,
        "is_enterprise_install": false,
        "trigger_id": "8123456789012.4123456789.0a1b2c3d4e5f60718293a4b5c6d7e8f9",
    });
    payload.as_object_mut().unwrap().extend(own.as_object().unwrap().clone());
    payload
}

fn select() -> Value {
    let view = json!({ "id": "V0AFORM0001", "callback_id": "create_issue", "private_metadata": "", "state": { "values": {} } });
    let own = json!({ "action_id": "project", "block_id": "project", "value": "", "view": view });
    of_stranger("block_suggestion", own)
}

fn shortcut() -> Value {
    let message = json!({ "type": "message", "ts": "1795478399.002139", "text": "Tide gauge 6" });
    let own = json!({
        "callback_id": "create_from_message", "channel": { "id": "C0GENERAL01", "name": "general" },
        "message_ts": "1795478399.002139", "message": message,
    });
    of_stranger("message_action", own)
}

async fn rejected(bot: &TestBot) -> u64 {
    let metrics = client().get(bot.url("metrics")).send().await.unwrap().text().await.unwrap();
    let line = metrics.lines().find(|line| line.contains("reason=\"stranger\""));
    line.and_then(|line| line.rsplit(' ').next()).map_or(0, |count| count.parse().unwrap())
}

#[tokio::test]
async fn somebody_of_another_workspace_reads_and_does_nothing() {
    let bot = TestBot::start().await;
    bot.say("/maro track SCRUM-123").await;
    for (team, enterprise) in [("T09QUARRY7", "E08QUARRY7"), ("T09QUARRY7", "")] {
        let answer = command(&bot, team, enterprise).await;
        assert_eq!((&answer["text"], &answer["response_type"]), (&json!(STRANGER), &json!("ephemeral")));
    }
    let asked = bot.jira.requests().len();
    assert_eq!(interaction(&bot, &select()).await, r#"{"options":[]}"#);
    assert_eq!(interaction(&bot, &shortcut()).await, "");
    let press = json!({
        "channel": { "id": "C0GENERAL01" }, "container": { "message_ts": "1.2", "channel_id": "C0GENERAL01" },
        "actions": [{ "type": "button", "action_id": "run_command:0", "block_id": "1", "value": "untrack SCRUM-123" }],
    });
    assert_eq!(interaction(&bot, &of_stranger("block_actions", press)).await, "");
    until("both are told", async || bot.slack.calls_of("chat.postMessage").len() == 2).await;
    for call in bot.slack.calls_of("chat.postMessage") {
        assert_eq!(
            (&call.arguments["channel"], &call.arguments["text"]),
            (&json!("U09TOMAS44"), &json!(STRANGER))
        );
    }
    assert!(bot.slack.calls_of("views.open").is_empty());
    assert_eq!(bot.jira.requests().len(), asked, "Jira was asked for a stranger");
    assert_eq!(rejected(&bot).await, 5);
    let rows = "SELECT issue_key FROM channel_tracked_issues";
    assert_eq!(query(&bot.config.database, rows).await, ["SCRUM-123"]);
}

#[tokio::test]
async fn a_workspace_that_is_allowed_is_as_good_as_the_own() {
    let allow = |config: &mut maro_bot::config::Config| {
        config.allowed_teams = vec![TeamId::parse("T09QUARRY7").unwrap()];
    };
    let bot = TestBot::with_settings(PluginsFolder::shipped(), allow).await;
    bot.say("/maro track SCRUM-123").await;
    let answer = command(&bot, "T09QUARRY7", "E08QUARRY7").await;
    assert!(answer["text"].as_str().unwrap().contains("SCRUM-123"), "{answer}");
    let options = interaction(&bot, &select()).await;
    assert!(options.contains("ACCAN"), "{options}");
    interaction(&bot, &shortcut()).await;
    until("the form opens", async || !bot.slack.calls_of("views.open").is_empty()).await;
}

#[tokio::test]
async fn the_same_id_in_another_workspace_is_another_person_to_plugins() {
    let allow = |config: &mut maro_bot::config::Config| {
        config.allowed_teams = vec![TeamId::parse("T09QUARRY7").unwrap()];
    };
    let bot = TestBot::with_settings(with_capable(""), allow).await;
    for (team, text, expected) in [
        ("T0SIMULATED", "set person vote yes", "set"),
        ("T09QUARRY7", "get person vote", "None"),
        ("T09QUARRY7", "set person vote no", "set"),
        ("T0SIMULATED", "get person vote", "Some(\"yes\")"),
        ("T09QUARRY7", "keys person", "[\"vote\"]"),
    ] {
        let answer = say(&bot, team, "", &format!("capable {text}")).await;
        assert_eq!(answer["text"], expected, "{team}: {text}");
    }
}

#[tokio::test]
async fn the_own_workspace_is_remembered_while_slack_is_down() {
    let mut bot = TestBot::start().await;
    assert_eq!(command(&bot, "T09QUARRY7", "").await["text"], STRANGER);
    let remembered = "SELECT team_id FROM slack_workspace";
    assert_eq!(query(&bot.config.database, remembered).await, ["T0SIMULATED"]);
    bot.slack.set_fault("auth.test", SlackFault::Status(503));
    bot.restart().await;
    assert_eq!(command(&bot, "T09QUARRY7", "").await["text"], STRANGER);
    assert!(command(&bot, "T0SIMULATED", "").await["text"] != STRANGER);

    // Another bot's memory is corrected as soon as Slack answers.
    execute(&bot.config.database, "UPDATE slack_workspace SET team_id = 'T0LD'").await;
    bot.slack.clear_faults();
    bot.restart().await;
    until("Slack's word wins", async || query(&bot.config.database, remembered).await == ["T0SIMULATED"])
        .await;
    assert!(command(&bot, "T0SIMULATED", "").await["text"] != STRANGER);
}
