//! The Web API of the simulated workspace rejects what Slack rejects, and fails when told to.

use std::time::Duration;

use maro_process::clock::Clock;
use maro_simulation::slack::{SimulatedSlack, web_api::faults::SlackFault};
use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::support::{
    BOT_TOKEN,
    forms::{call, client, plain, start_scripted_bot},
    start_slack,
};

/// Calls a method with a form.
async fn call_form(slack: &SimulatedSlack, method: &str, form: &[(&str, &str)]) -> Value {
    let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
    let request = client()
        .post(format!("{}/{method}", slack.api_url()))
        .bearer_auth(BOT_TOKEN)
        .header("content-type", "application/x-www-form-urlencoded")
        .body(body);
    serde_json::from_slice(&request.send().await.unwrap().bytes().await.unwrap()).unwrap()
}

async fn post(slack: &SimulatedSlack, channel: &str, text: &str) -> Value {
    call(slack, "chat.postMessage", &json!({ "channel": channel, "text": text })).await
}

#[tokio::test]
async fn a_message_is_posted_where_the_bot_is() {
    let slack = start_slack(Clock::system()).await;
    let posted = post(&slack, "C0GENERAL01", "Created <https://x/browse/SCRUM-5|SCRUM-5>").await;
    assert_eq!(posted["message"]["bot_id"], "B0MAROBOT01");
    assert_eq!(posted["ts"], slack.posted("general")[0].ts);
    assert_eq!(post(&slack, "C0HIRING001", "x").await["error"], "not_in_channel");
    slack.grant_scopes(&["chat:write", "chat:write.public"]);
    assert_eq!(post(&slack, "C0HIRING001", "x").await["ok"], true);
    assert_eq!(post(&slack, "C0NOWHERE01", "x").await["error"], "channel_not_found");
    assert_eq!(post(&slack, "C0LAUNCH001", "x").await["ok"], true);
    slack.set_bot_in("launch", false);
    assert_eq!(post(&slack, "C0LAUNCH001", "x").await["error"], "channel_not_found");
    slack.set_bot_in("hiring", true);
    assert_eq!(post(&slack, "C0HIRING001", "x").await["ok"], true);
    assert_eq!(post(&slack, "U0ADA000001", "x").await["channel"], "D0ADA000001");
    assert_eq!(post(&slack, "C0GENERAL01", "").await["error"], "no_text");
    let blocks = json!([{ "type": "section", "text": plain(&"x".repeat(3_001)) }]);
    let refused =
        call(&slack, "chat.postMessage", &json!({ "channel": "C0GENERAL01", "text": "x", "blocks": blocks }))
            .await;
    assert_eq!(refused["error"], "invalid_blocks");
    let blocks = json!([{ "type": "divider" }]).to_string();
    let form = [("channel", "C0GENERAL01"), ("text", "x"), ("blocks", blocks.as_str())];
    assert_eq!(call_form(&slack, "chat.postMessage", &form).await["message"]["blocks"][0]["type"], "divider");
}

#[tokio::test]
async fn threads_and_permalinks_lead_to_messages_that_exist() {
    let slack = start_slack(Clock::system()).await;
    let root = slack.write("ada", "general", "The log-in is broken").unwrap();
    let reply = json!({ "channel": "C0GENERAL01", "text": "Created", "thread_ts": root.ts });
    let reply = call(&slack, "chat.postMessage", &reply).await;
    assert_eq!(reply["message"]["thread_ts"], root.ts);
    let lost = json!({ "channel": "C0GENERAL01", "text": "x", "thread_ts": "1.000001" });
    assert_eq!(call(&slack, "chat.postMessage", &lost).await["error"], "invalid_thread_ts");
    let link = async |ts: &str| {
        call_form(&slack, "chat.getPermalink", &[("channel", "C0GENERAL01"), ("message_ts", ts)]).await
    };
    let number = root.ts.replace('.', "");
    assert_eq!(
        link(&root.ts).await["permalink"],
        format!("https://maro-simulation.slack.com/archives/C0GENERAL01/p{number}")
    );
    let of_reply = link(reply["ts"].as_str().unwrap()).await["permalink"].to_string();
    assert!(of_reply.contains(&format!("?thread_ts={}&cid=C0GENERAL01", root.ts)));
    assert_eq!(link("1.000001").await["error"], "message_not_found");
    // Slack doesn't read JSON here.
    let json = json!({ "channel": "C0GENERAL01", "message_ts": root.ts });
    assert_eq!(call(&slack, "chat.getPermalink", &json).await["error"], "channel_not_found");
}

#[tokio::test]
async fn one_person_sees_an_ephemeral_message() {
    let slack = start_slack(Clock::system()).await;
    let message = json!({ "channel": "C0GENERAL01", "user": "U0ADA000001", "text": "only you" });
    assert_eq!(call(&slack, "chat.postEphemeral", &message).await["ok"], true);
    assert_eq!(slack.messages_seen_by("ada", "general").len(), 1);
    assert_eq!(slack.messages_seen_by("grace", "general").len(), 0);
    assert_eq!(slack.posted("general").len(), 0);
}

#[tokio::test]
async fn scopes_are_told_and_missed() {
    let slack = start_slack(Clock::system()).await;
    let request = client().post(format!("{}/auth.test", slack.api_url())).bearer_auth(BOT_TOKEN);
    let response = request.send().await.unwrap();
    let scopes = response.headers()["x-oauth-scopes"].to_str().unwrap();
    assert_eq!(scopes, "commands,chat:write,channels:read,groups:read,im:read");
    slack.grant_scopes(&["commands"]);
    let refused = post(&slack, "C0GENERAL01", "x").await;
    assert_eq!((&refused["error"], &refused["needed"]), (&json!("missing_scope"), &json!("chat:write")));
    let info = call_form(&slack, "conversations.info", &[("channel", "C0GENERAL01")]).await;
    assert_eq!(info["error"], "missing_scope");
    slack.grant_scopes(&["channels:read"]);
    let info = call_form(&slack, "conversations.info", &[("channel", "C0HIRING001")]).await;
    assert_eq!((&info["channel"]["name"], &info["channel"]["is_member"]), (&json!("hiring"), &json!(false)));
}

#[tokio::test]
async fn a_method_fails_as_it_is_told_to() {
    let slack = start_slack(Clock::system()).await;
    let send = async || {
        let request = client()
            .post(format!("{}/chat.postMessage", slack.api_url()))
            .bearer_auth(BOT_TOKEN)
            .header("content-type", "application/json")
            .timeout(Duration::from_secs(1))
            .body(json!({ "channel": "C0GENERAL01", "text": "x" }).to_string());
        request.send().await
    };
    slack.set_fault("chat.postMessage", SlackFault::RateLimited { retry_after: 7 });
    let response = send().await.unwrap();
    assert_eq!(response.status(), StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(response.headers()["retry-after"], "7");
    slack.set_fault("chat.postMessage", SlackFault::Status(503));
    assert_eq!(send().await.unwrap().status(), StatusCode::SERVICE_UNAVAILABLE);
    for fault in [SlackFault::Reset, SlackFault::Hang] {
        slack.set_fault("chat.postMessage", fault);
        assert!(send().await.is_err());
    }
    assert_eq!(slack.posted("general").len(), 0);
    slack.set_fault("chat.postMessage", SlackFault::LostAnswer);
    assert!(send().await.is_err());
    assert_eq!(slack.posted("general").len(), 1);
    slack.clear_faults();
    assert_eq!(send().await.unwrap().status(), StatusCode::OK);
    let calls = slack.calls_of("chat.postMessage");
    assert_eq!(calls.len(), 6);
    assert_eq!(calls[0].arguments["text"], "x");
    assert_eq!(slack.problems(), [""; 0]);
    slack.set_fault("chat.postMessage", SlackFault::Hang);
    let _ = send().await;
    slack.stop().await;
}

#[tokio::test]
async fn a_button_in_a_message_carries_its_message_and_a_url_to_replace_it() {
    let slack = start_slack(Clock::system()).await;
    start_scripted_bot(&slack, Clock::system(), |_| Some(String::new())).await;
    let button = json!({ "type": "button", "action_id": "retry_stories", "value": "sealed", "text": plain("Try again") });
    let blocks = json!([
        { "type": "section", "text": plain("2 of 3 failed") },
        { "type": "actions", "elements": [button] },
    ]);
    let message = json!({ "channel": "C0GENERAL01", "text": "2 of 3 failed", "blocks": blocks });
    call(&slack, "chat.postMessage", &message).await;
    let posted = slack.posted("general").remove(0);
    slack.press_in("grace", &posted, "Try again").await.unwrap();
    let payload = slack.interactions().pop().unwrap();
    assert_eq!(payload["container"]["message_ts"], posted.ts);
    assert_eq!(payload["message"]["blocks"][1]["elements"][0]["value"], "sealed");
    assert_eq!(
        (&payload["actions"][0]["value"], &payload["user"]["name"]),
        (&json!("sealed"), &json!("grace"))
    );
    let url = payload["response_url"].as_str().unwrap();
    let answer = json!({ "replace_original": true, "text": "all done" }).to_string();
    let request = client().post(url).header("content-type", "application/json").body(answer);
    assert_eq!(request.send().await.unwrap().status(), StatusCode::OK);
    let messages = slack.messages();
    assert_eq!((messages.len(), messages[0].text.as_str(), &messages[0].ts), (1, "all done", &posted.ts));
    assert_eq!(messages[0].visible_to, None);
}
