//! A scripted bot, and the forms that it shows.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use axum::{
    Router,
    body::Bytes,
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
    routing::post,
};
use maro_process::{
    clock::Clock,
    http::client::{self, ClientOptions, Trust},
};
use maro_simulation::slack::SimulatedSlack;
use maro_slack::signature::SignatureVerifier;
use reqwest::Client;
use serde_json::{Value, json};
use url::Url;

use super::{BOT_TOKEN, SIGNING_SECRET, serve};

pub(crate) fn client() -> Client {
    client::build(&ClientOptions::new(Trust::Nobody)).unwrap()
}

/// Calls a method of the Web API with JSON.
pub(crate) async fn call(slack: &SimulatedSlack, method: &str, arguments: &Value) -> Value {
    call_at(&slack.api_url(), method, arguments).await
}

pub(crate) async fn call_at(api_url: &Url, method: &str, arguments: &Value) -> Value {
    let request = client()
        .post(format!("{api_url}/{method}"))
        .bearer_auth(BOT_TOKEN)
        .header("content-type", "application/json")
        .body(arguments.to_string());
    serde_json::from_slice(&request.send().await.unwrap().bytes().await.unwrap()).unwrap()
}

/// What a scripted bot answers; `None` is status 500.
type Script = Box<dyn Fn(&Value) -> Option<String> + Send + Sync>;

/// A bot that checks signatures and answers interactions by a script, and commands with nothing.
pub(crate) async fn start_scripted_bot(
    slack: &SimulatedSlack,
    clock: Clock,
    script: impl Fn(&Value) -> Option<String> + Send + Sync + 'static,
) -> Arc<Mutex<Vec<BTreeMap<String, String>>>> {
    let commands = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&commands);
    let shared: Arc<(Script, Clock)> = Arc::new((Box::new(script), clock));
    let interactions = move |headers: HeaderMap, body: Bytes| {
        let shared = Arc::clone(&shared);
        async move {
            let header = |name| headers.get(name).map(|value: &axum::http::HeaderValue| value.as_bytes());
            SignatureVerifier::new(&maro_process::secret::Secret::new(SIGNING_SECRET))
                .verify(
                    header("x-slack-request-timestamp"),
                    header("x-slack-signature"),
                    &body,
                    shared.1.now(),
                )
                .unwrap();
            let (name, payload) = url::form_urlencoded::parse(&body).next().unwrap();
            assert_eq!(name, "payload");
            answer((shared.0)(&serde_json::from_str(&payload).unwrap()))
        }
    };
    let take_command = move |body: Bytes| async move {
        seen.lock().unwrap().push(url::form_urlencoded::parse(&body).into_owned().collect());
    };
    let router = Router::new()
        .route("/slack/commands", post(take_command))
        .route("/slack/interactions", post(interactions));
    let bot = serve(router).await;
    slack.connect_bot(bot.join("/slack/commands").unwrap());
    commands
}

fn answer(body: Option<String>) -> Response {
    match body {
        Some(body) => ([("content-type", "application/json")], body).into_response(),
        None => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

pub(crate) fn plain(text: &str) -> Value {
    json!({ "type": "plain_text", "text": text })
}

pub(crate) fn option(label: &str, value: &str) -> Value {
    json!({ "text": plain(label), "value": value })
}

pub(crate) fn input(id: &str, label: &str, element: Value) -> Value {
    let mut element = element;
    element["action_id"] = json!(id);
    json!({ "type": "input", "block_id": id, "label": plain(label), "element": element })
}

/// A form as MARO might show it.
pub(crate) fn form() -> Value {
    let mut project = input(
        "project",
        "Project",
        json!({ "type": "external_select", "min_query_length": 0,
                "initial_option": option("Scrum (SCRUM)", "SCRUM") }),
    );
    project["dispatch_action"] = json!(true);
    let kinds = json!([option("Story", "10001"), option("Bug", "10002")]);
    let mut description =
        input("description", "Description", json!({ "type": "plain_text_input", "multiline": true }));
    description["optional"] = json!(true);
    json!({
        "type": "modal",
        "callback_id": "create_issue",
        "title": plain("Create an issue"),
        "submit": plain("Create"),
        "private_metadata": "sealed",
        "notify_on_close": true,
        "blocks": [
            project,
            input("issue_type", "Type", json!({ "type": "static_select", "options": kinds })),
            input("summary", "Summary", json!({ "type": "plain_text_input", "max_length": 255 })),
            description,
        ],
    })
}

pub(crate) fn duplicates() -> Value {
    let section = |key: &str| {
        let button = json!({ "type": "button", "action_id": "link_duplicate", "text": plain("Link this one"), "value": key });
        json!({ "type": "section", "text": { "type": "mrkdwn", "text": format!("*{key}* is alike") }, "accessory": button })
    };
    json!({
        "type": "modal",
        "callback_id": "create_issue_anyway",
        "title": plain("Is it one of these?"),
        "submit": plain("Create anyway"),
        "blocks": [section("SCRUM-5"), section("SCRUM-7")],
    })
}
