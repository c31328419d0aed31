//! `maro say` prints what Slack would show, and nothing else.

use std::path::Path;

use axum::{
    Router,
    body::Bytes,
    response::{IntoResponse, Response},
    routing::post,
};
use insta::assert_snapshot;
use maro_dev::{
    say::{self, SayArguments},
    session_file::DevSession,
};
use maro_domain::{
    issue::IssueKey,
    reply::{Block, Button, ButtonKind, Item, Maker, Reply, Span, Visibility},
};
use maro_process::clock::Clock;
use maro_simulation::slack::SimulatedSlack;
use serde_json::{Value, json};
use url::Url;

use crate::support::{
    answer_with,
    forms::{call_at, duplicates, form, plain},
    serve, start_bot, start_slack, text,
};

fn arguments(channel: &str, user: &str, words: &[&str]) -> SayArguments {
    SayArguments {
        channel: channel.to_owned(),
        user: user.to_owned(),
        words: words.iter().map(|word| (*word).to_owned()).collect(),
        ..SayArguments::default()
    }
}

fn note(slack: &SimulatedSlack, folder: &Path) {
    let nowhere = Url::parse("http://127.0.0.1:1/").unwrap();
    let session = DevSession {
        bot: nowhere.clone(),
        slack: slack.url().clone(),
        jira: nowhere,
        token: slack.operator_token().clone(),
        process_id: std::process::id(),
    };
    session.write(folder).unwrap();
}

async fn start_list_bot() -> (SimulatedSlack, tempfile::TempDir) {
    let slack = start_slack(Clock::system()).await;
    start_bot(&slack, Clock::system(), |command| async move {
        let key = Span::Issue(IssueKey::parse("SCRUM-123").unwrap());
        let title = vec![text("Tracked Jira issues in "), Span::Channel, text(":")];
        let items = vec![vec![key, text(": R&D <login> *now* (Open)")]];
        let visibility = if command.text == "tracked" { Visibility::Caller } else { Visibility::Channel };
        let blocks = vec![Block::Paragraph(title), Block::items(items)];
        answer_with(&Reply { visibility, blocks }, &command)
    })
    .await;
    let folder = tempfile::tempdir().unwrap();
    note(&slack, folder.path());
    (slack, folder)
}

/// A bot that answers `list` with two buttons of one label, and anything else with a sentence.
async fn start_button_bot() -> (SimulatedSlack, tempfile::TempDir) {
    let slack = start_slack(Clock::system()).await;
    start_bot(&slack, Clock::system(), |command| async move {
        let item = |key: &str| {
            let button = Button {
                label: "Stop".to_owned(),
                command: format!("untrack {key}"),
                kind: ButtonKind::Runs,
                maker: Maker::Host,
                question: None,
                is_confirmed_first: false,
            };
            Item { spans: vec![Span::Issue(IssueKey::parse(key).unwrap())], button: Some(button) }
        };
        let items = Block::Items(vec![item("SCRUM-1"), item("SCRUM-2")]);
        let blocks =
            if command.text == "list" { vec![items] } else { vec![Block::Paragraph(vec![text("Ok.")])] };
        answer_with(&Reply { visibility: Visibility::Caller, blocks }, &command)
    })
    .await;
    let folder = tempfile::tempdir().unwrap();
    note(&slack, folder.path());
    (slack, folder)
}

async fn said(folder: &Path, arguments: &SayArguments) -> (String, String) {
    let shown = say::say(arguments, folder).await.unwrap();
    let (mut out, mut notes) = (Vec::new(), Vec::new());
    say::print(&shown, &mut out, &mut notes).unwrap();
    (String::from_utf8(out).unwrap(), String::from_utf8(notes).unwrap())
}

async fn refused(folder: &Path, arguments: &SayArguments) -> String {
    say::say(arguments, folder).await.unwrap_err().to_string()
}

#[tokio::test]
async fn the_reply_is_printed_as_slack_shows_it_and_its_visibility_beside() {
    let (_slack, folder) = start_list_bot().await;
    let (out, notes) = said(folder.path(), &arguments("general", "ada", &["/maro tracked"])).await;
    assert_eq!(out, "Tracked Jira issues in #general:\n• SCRUM-123: R&D <login> *now* (Open)\n");
    assert_eq!(notes, "Only visible to ada\n");
    let unquoted = arguments("#random", "@grace", &["/maro", "track", "SCRUM-123"]);
    let (out, notes) = said(folder.path(), &unquoted).await;
    assert_eq!(out, "Tracked Jira issues in #random:\n• SCRUM-123: R&D <login> *now* (Open)\n");
    assert_eq!(notes, "Visible to everyone in #random\n");
}

#[tokio::test]
async fn mistakes_are_explained() {
    let (slack, folder) = start_list_bot().await;
    let folder = folder.path();
    assert_eq!(
        refused(folder, &arguments("nowhere", "ada", &["/maro tracked"])).await,
        "There's no channel called \"nowhere\". Choose from general, engineering, random, launch, hiring, dm."
    );
    assert_eq!(
        refused(folder, &arguments("general", "bob", &["/maro tracked"])).await,
        "There's no one called \"bob\". Choose from ada, grace, linus, margaret."
    );
    for words in [&["tracked"][..], &["/tracked"], &["maro tracked"]] {
        assert_eq!(
            refused(folder, &arguments("general", "ada", words)).await,
            "Type a MARO command, such as: maro say '/maro tracked'"
        );
    }
    slack.stop().await;
    assert_eq!(
        refused(folder, &arguments("general", "ada", &["/maro tracked"])).await,
        "No running `maro dev` found in this folder or its parents (looked for .maro). Start it with `maro dev`."
    );
}

#[tokio::test]
async fn without_a_dev_session_it_says_how_to_start_one() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(
        refused(folder.path(), &arguments("general", "ada", &["/maro"])).await,
        "No running `maro dev` found in this folder or its parents (looked for .maro). Start it with `maro dev`."
    );
}

/// A view in which nothing can be done.
fn notice(words: &str) -> Value {
    let section = json!({ "type": "section", "text": { "type": "mrkdwn", "text": words } });
    json!({ "type": "modal", "title": plain("Create an issue"), "blocks": [section] })
}

fn json_answer(body: &Value) -> Response {
    ([("content-type", "application/json")], body.to_string()).into_response()
}

/// A bot that opens forms behind loading views and reports late, as MARO does.
async fn start_form_bot() -> (SimulatedSlack, tempfile::TempDir) {
    let slack = start_slack(Clock::system()).await;
    let api = slack.api_url();
    let commands = {
        let api = api.clone();
        move |body: Bytes| async move {
            let fields: std::collections::HashMap<_, _> =
                url::form_urlencoded::parse(&body).into_owned().collect();
            tokio::spawn(open_form(api, fields["trigger_id"].clone()));
        }
    };
    let interactions = move |body: Bytes| async move {
        let (_, payload) = url::form_urlencoded::parse(&body).next().unwrap();
        let payload: Value = serde_json::from_str(&payload).unwrap();
        let view_id = payload["view"]["id"].clone();
        match (payload["type"].as_str().unwrap(), payload["view"]["callback_id"].as_str()) {
            ("shortcut" | "message_action", _) => {
                let trigger = payload["trigger_id"].as_str().unwrap().to_owned();
                tokio::spawn(open_form(api, trigger));
                ().into_response()
            }
            ("view_submission", Some("create_issue")) => {
                json_answer(&json!({ "response_action": "update", "view": duplicates() }))
            }
            ("block_actions", _) => {
                let key = payload["actions"][0]["value"].as_str().unwrap().to_owned();
                tokio::spawn(async move {
                    let linking = json!({ "view_id": view_id, "view": notice("Linking …") });
                    call_at(&api, "views.update", &linking).await;
                    let text = format!("Linked {key}");
                    let done = json!({ "view_id": view_id, "view": notice(&text) });
                    call_at(&api, "views.update", &done).await;
                    call_at(&api, "chat.postMessage", &json!({ "channel": "C0GENERAL01", "text": text }))
                        .await;
                });
                ().into_response()
            }
            _ => json_answer(&json!({ "options": [{ "text": plain("Web (WEB)"), "value": "WEB" }] })),
        }
    };
    let router = Router::new()
        .route("/slack/commands", post(commands))
        .route("/slack/interactions", post(interactions));
    slack.connect_bot(serve(router).await.join("/slack/commands").unwrap());
    let folder = tempfile::tempdir().unwrap();
    note(&slack, folder.path());
    (slack, folder)
}

async fn open_form(api: Url, trigger_id: String) {
    let loading = json!({ "trigger_id": trigger_id, "view": notice("Loading …") });
    let opened = call_at(&api, "views.open", &loading).await;
    call_at(&api, "views.update", &json!({ "view_id": opened["view"]["id"], "view": form() })).await;
}

fn ada() -> SayArguments {
    arguments("general", "ada", &[])
}

#[tokio::test]
async fn a_modal_is_opened_filled_submitted_and_answered_from_a_terminal() {
    let (slack, folder) = start_form_bot().await;
    let folder = folder.path();
    let (out, notes) = said(folder, &arguments("general", "ada", &["/maro create"])).await;
    assert_snapshot!(out, @r"
    Modal: Create an issue
    project: Scrum (SCRUM) [required; type to choose]
    issue_type (Type): [required; one of Story, Bug]
    summary: [required]
    description: [optional]
    [Create] [Cancel]
    ");
    assert_eq!(notes, "");
    let fill = ["summary=Log-in fails", r"description=one\ntwo=2"].map(str::to_owned).to_vec();
    let (out, notes) = said(folder, &SayArguments { fill, submit: true, ..ada() }).await;
    assert_snapshot!(out, @r"
    Modal: Create an issue
    project: Scrum (SCRUM) [required; type to choose]
    issue_type (Type): [required; one of Story, Bug]
      ! Please complete this required field.
    summary: Log-in fails [required]
    description: one [optional]
      two=2
    [Create] [Cancel]
    ");
    assert_eq!(notes, "Nothing was sent because the modal is incomplete.\n");
    let fill = vec!["issue_type=bug".to_owned()];
    let (out, _) = said(folder, &SayArguments { fill, submit: true, ..ada() }).await;
    assert_snapshot!(out, @r"
    Modal: Is it one of these?
    SCRUM-5 is alike
      [Link this one]
    SCRUM-7 is alike
      [Link this one]
    [Create anyway] [Cancel]
    ");
    let press = Some("Link this one".to_owned());
    let (out, notes) = said(folder, &SayArguments { press, nth: Some(2), ..ada() }).await;
    assert_snapshot!(out, @r"
    Linked SCRUM-7
    Modal: Create an issue
    Linked SCRUM-7
    [Close]
    ");
    assert_eq!(notes, "Visible to everyone in #general\n");
    let (out, notes) = said(folder, &SayArguments { close: true, ..ada() }).await;
    assert_eq!((out.as_str(), notes.as_str()), ("", "The modal is closed.\n"));
    assert_eq!(slack.problems(), [""; 0]);
}

#[tokio::test]
async fn shortcuts_are_used_on_messages_that_people_wrote() {
    let (slack, folder) = start_form_bot().await;
    let folder = folder.path();
    let post = Some("The log-in is broken".to_owned());
    said(folder, &SayArguments { post, ..ada() }).await;
    let post = Some("Since when?".to_owned());
    let reply = SayArguments { post, on_message: Some(1), ..arguments("general", "grace", &[]) };
    said(folder, &reply).await;
    let (out, _) = said(folder, &SayArguments { show: true, ..ada() }).await;
    assert_snapshot!(out, @r"
    1. ada: The log-in is broken
    2. grace (in the thread of 1): Since when?
    ");
    let shortcut = Some("create_from_message".to_owned());
    let (out, _) = said(folder, &SayArguments { shortcut, on_message: Some(2), ..ada() }).await;
    assert!(out.starts_with("Modal: Create an issue\n"), "{out}");
    let payload = slack.interactions().pop().unwrap();
    let (root, reply) = (&slack.messages()[0], &slack.messages()[1]);
    assert_eq!(payload["type"], "message_action");
    assert_eq!(payload["message"]["text"], "Since when?");
    assert_eq!(
        (&payload["message_ts"], &payload["message"]["thread_ts"]),
        (&json!(reply.ts), &json!(root.ts))
    );
    assert_eq!(payload["channel"], json!({ "id": "C0GENERAL01", "name": "general" }));
}

#[tokio::test]
async fn mistakes_in_a_modal_are_explained() {
    let (_slack, folder) = start_form_bot().await;
    let folder = folder.path();
    let submit = SayArguments { submit: true, ..ada() };
    assert_eq!(refused(folder, &submit).await, "ada has no modal open.");
    said(folder, &arguments("general", "ada", &["/maro create"])).await;
    let fill = |pair: &str| SayArguments { fill: vec![pair.to_owned()], ..ada() };
    assert_snapshot!(refused(folder, &fill("colour=red")).await, @r#"The modal "Create an issue" has no field "colour". It has project, issue_type, summary, description."#);
    assert_snapshot!(refused(folder, &fill("issue_type=Epic")).await, @r#""Epic" isn't an option of issue_type. Its options are: Story, Bug."#);
    assert_snapshot!(refused(folder, &fill("summary")).await, @r#"--fill takes FIELD=VALUE, such as --fill summary="Log-in fails", not "summary"."#);
    let both = SayArguments { close: true, submit: true, ..ada() };
    assert_snapshot!(refused(folder, &both).await, @"--submit and --close can't be used together.");
    let press = SayArguments { press: Some("Delete".to_owned()), ..ada() };
    assert_snapshot!(refused(folder, &press).await, @r#"There's no button called "Delete" here. There are no buttons."#);
    let lost =
        SayArguments { shortcut: Some("create_from_message".to_owned()), on_message: Some(9), ..ada() };
    assert_snapshot!(refused(folder, &lost).await, @"There's no message 9 in this channel.");
}

#[tokio::test]
async fn a_button_of_an_earlier_message_is_shown_and_pressed() {
    let (_slack, folder) = start_button_bot().await;
    let folder = folder.path();
    said(folder, &arguments("general", "ada", &["/maro list"])).await;
    said(folder, &arguments("general", "ada", &["/maro else"])).await;
    let (out, _) = said(folder, &SayArguments { show: true, ..ada() }).await;
    assert_snapshot!(out, @"
    1. maro (only visible to you): • SCRUM-1 [Stop]
       • SCRUM-2 [Stop]
    2. maro (only visible to you): Ok.
    ");
    let press = SayArguments { press: Some("Stop".to_owned()), ..ada() };
    assert_snapshot!(refused(folder, &press).await, @r#"2 buttons are called "Stop". Choose one with --nth 1 or --beside SCRUM-1."#);
}
