//! Reading interactions as Slack documents them, and the answers that Slack waits for.

use std::fmt::Write;

use maro_process::secret::Secret;
use maro_slack::{
    config::SlackConfig,
    events::sender::Sender,
    interaction::{
        self, Interaction,
        answer::{SubmissionResponse, options_json},
        error::InteractionError,
    },
    outgoing::response_url::ResponseUrlPolicy,
    view::{View, input::Choice},
};
use serde_json::{Value, json};
use url::Url;

fn policy() -> ResponseUrlPolicy {
    ResponseUrlPolicy::new(&SlackConfig::new(
        Url::parse("https://slack.com/api").unwrap(),
        Secret::new("xoxb-1"),
    ))
}

fn form(payload: &str) -> Vec<u8> {
    let encoded: String = url::form_urlencoded::byte_serialize(payload.as_bytes()).collect();
    format!("payload={encoded}").into_bytes()
}

/// How a payload is read, which is the same over HTTP and Socket Mode.
fn parse(payload: &Value) -> Result<Interaction, InteractionError> {
    let json = payload.to_string();
    let (over_http, over_socket) =
        (interaction::parse_form(&form(&json), &policy()), interaction::parse_json(&json, &policy()));
    assert_eq!(format!("{over_http:?}"), format!("{over_socket:?}"));
    over_http.map(|received| received.interaction)
}

fn view(state: Value) -> Value {
    json!({
        "id": "VNHU13V36", "team_id": "T8N1K1JN", "type": "modal", "hash": "1582588422.QgHnSbvn",
        "title": { "type": "plain_text", "text": "Create", "emoji": true }, "submit": null, "blocks": [],
        "private_metadata": "shhh-its-secret", "callback_id": "create_issue", "state": { "values": state },
        "clear_on_close": false, "notify_on_close": false, "close": null, "previous_view_id": null,
        "root_view_id": "VNHU13V36", "app_id": "ABC123", "external_id": "", "bot_id": "B123",
    })
}

fn inputs() -> Value {
    json!({
        "summary": { "summary": { "type": "plain_text_input", "value": "Log in <again>" } },
        "description": { "description": { "type": "plain_text_input", "value": null } },
        "renamed-block": { "project": { "type": "external_select", "selected_option": {
            "text": { "type": "plain_text", "text": "Scrum (SCRUM)", "emoji": true }, "value": "SCRUM",
        } } },
        "issue_type": { "issue_type": { "type": "external_select", "selected_option": null } },
        "days": { "days": { "type": "multi_static_select", "selected_options": [] } },
    })
}

fn person() -> Value {
    json!({ "id": "U8N1K1JN", "username": "ada", "name": "ada", "team_id": "T8N1K1JN" })
}

fn team() -> Value {
    json!({ "id": "T8N1K1JN", "domain": "coverbands" })
}

#[test]
fn a_submitted_view_brings_its_inputs() {
    let submitted = parse(&json!({
        "type": "view_submission", "team": team(), "user": person(), "view": view(inputs()), "hash": "156772938.1827394",
        "api_app_id": "ABC123", "token": "x", "trigger_id": "12466734323.1395872398.0", "response_urls": [],
    }));
    let Ok(Interaction::ViewSubmitted(submitted)) = submitted else { panic!("{submitted:?}") };
    assert_eq!(submitted.user.as_str(), "U8N1K1JN");
    assert_eq!(submitted.team.as_deref(), Some("T8N1K1JN"));
    assert_eq!(submitted.trigger_id.as_deref(), Some("12466734323.1395872398.0"));
    let view = &submitted.view;
    assert_eq!((view.id.as_str(), view.hash.as_str()), ("VNHU13V36", "1582588422.QgHnSbvn"));
    assert_eq!(
        (view.callback_id.as_str(), view.private_metadata.as_str()),
        ("create_issue", "shhh-its-secret")
    );
    assert_eq!(view.values.text("summary"), Some("Log in <again>"));
    assert_eq!(view.values.text("description"), None);
    assert_eq!(view.values.selected("project"), Some(&Choice::new("SCRUM", "Scrum (SCRUM)")));
    assert_eq!(view.values.selected("issue_type"), None);
    assert_eq!(
        (view.values.selected("summary"), view.values.text("project"), view.values.text("nobody")),
        (None, None, None)
    );
}

#[test]
fn a_closed_view_is_told() {
    let closed = parse(&json!({
        "type": "view_closed", "team": null, "user": person(), "view": view(json!({})), "is_cleared": true,
        "api_app_id": "ABC123", "is_enterprise_install": true,
    }));
    let Ok(Interaction::ViewClosed(closed)) = closed else { panic!("{closed:?}") };
    assert!(closed.is_cleared);
    // An organization's app gets the team from the person.
    assert_eq!(closed.team.as_deref(), Some("T8N1K1JN"));
}

#[test]
fn a_button_in_a_view_brings_the_view() {
    let pressed = parse(&json!({
        "type": "block_actions", "team": team(), "user": person(), "api_app_id": "A02", "token": "x",
        "container": { "type": "view", "view_id": "VNHU13V36" }, "trigger_id": "12321423423.333649436676.d8c1",
        "view": view(inputs()),
        "actions": [{
            "type": "button", "block_id": "/V2vj", "action_id": "link_duplicate", "value": "SCRUM-1",
            "text": { "type": "plain_text", "text": "Link this one" }, "action_ts": "1548426417.840180",
        }],
    }));
    let Ok(Interaction::ButtonPressed(pressed)) = pressed else { panic!("{pressed:?}") };
    assert_eq!(
        (pressed.action_id.as_str(), pressed.block_id.as_str(), pressed.value.as_str()),
        ("link_duplicate", "/V2vj", "SCRUM-1")
    );
    assert_eq!(pressed.user_name.as_deref(), Some("ada"));
    assert_eq!(pressed.trigger_id.as_deref(), Some("12321423423.333649436676.d8c1"));
    assert_eq!(pressed.view.as_ref().unwrap().values.text("summary"), Some("Log in <again>"));
    assert!(pressed.channel.is_none() && pressed.message_ts.is_none() && pressed.response_url.is_none());
}

#[test]
fn a_button_below_a_message_brings_the_channel() {
    let pressed = parse(&json!({
        "type": "block_actions", "team": team(), "user": person(), "api_app_id": "A02", "token": "x",
        "container": {
            "type": "message", "message_ts": "1548261231.000200", "channel_id": "CBR2V3XEX",
            "is_ephemeral": false, "thread_ts": "1548261000.000100",
        },
        "trigger_id": "12321423423.333649436676.d8c1", "channel": { "id": "CBR2V3XEX", "name": "review-updates" },
        "message": { "bot_id": "BAH5CA16Z", "type": "message", "text": "3 of 4", "user": "UAJ2RU415", "ts": "1548261231.000200" },
        "response_url": "https://hooks.slack.com/actions/AABA1ABCD/1232321423432/D09sSasdasdAS9091209",
        "actions": [{ "action_id": "retry_stories", "block_id": "=qXel", "type": "button", "value": "1.e30.AA", "action_ts": "1" }],
    }));
    let Ok(Interaction::ButtonPressed(pressed)) = pressed else { panic!("{pressed:?}") };
    assert_eq!(pressed.channel.as_ref().unwrap().as_str(), "CBR2V3XEX");
    assert_eq!(pressed.message_ts.as_deref(), Some("1548261231.000200"));
    assert_eq!(pressed.thread_ts.as_deref(), Some("1548261000.000100"));
    assert!(pressed.response_url.is_some() && pressed.view.is_none());
}

#[test]
fn a_choice_that_is_told_at_once_is_no_press() {
    let chosen = parse(&json!({
        "type": "block_actions", "team": team(), "user": person(), "trigger_id": "1.2.3", "view": view(inputs()),
        "container": { "type": "view", "view_id": "VNHU13V36" },
        "actions": [{
            "type": "external_select", "action_id": "project", "block_id": "project", "action_ts": "1",
            "selected_option": { "text": { "type": "plain_text", "text": "Scrum" }, "value": "SCRUM" },
        }],
    }));
    let Ok(Interaction::OptionChosen(chosen)) = chosen else { panic!("{chosen:?}") };
    assert_eq!((chosen.action_id.as_str(), chosen.value.as_str()), ("project", "SCRUM"));
}

#[test]
fn a_select_asks_for_options_with_what_was_typed() {
    let wanted = parse(&json!({
        "type": "block_suggestion", "user": person(), "team": team(), "api_app_id": "ABC", "token": "x",
        "container": { "type": "view", "view_id": "VNHU13V36" },
        "action_id": "issue_type", "block_id": "issue_type", "value": "bu", "view": view(inputs()),
    }));
    let Ok(Interaction::OptionsWanted(wanted)) = wanted else { panic!("{wanted:?}") };
    assert_eq!((wanted.action_id.as_str(), wanted.typed.as_str()), ("issue_type", "bu"));
    assert_eq!(wanted.view.as_ref().unwrap().values.selected("project").unwrap().value, "SCRUM");
}

#[test]
fn shortcuts_bring_a_trigger_and_a_message() {
    let global = parse(&json!({
        "type": "shortcut", "token": "x", "action_ts": "1581106241.371594", "team": team(), "user": person(),
        "callback_id": "create_issue", "trigger_id": "944799105734.773906753841.38b5894552bdd4a780554ee59d1f3638",
    }));
    assert!(
        matches!(&global, Ok(Interaction::Shortcut(it)) if it.callback_id == "create_issue"),
        "{global:?}"
    );

    let on_message = parse(&json!({
        "type": "message_action", "token": "x", "callback_id": "create_from_message", "team": team(), "user": person(),
        "trigger_id": "13345224609.8534564800.6f8ab1f53e13d0cd15f96106292d5536",
        "response_url": "https://hooks.slack.com/app-actions/T0MJR11A4/21974584944/yk1S9ndf35Q1flupVG5JbpM6",
        "channel": { "id": "D0LFFBKLZ", "name": "directmessage" }, "message_ts": "1494377399.862463",
        "message": { "type": "message", "user": "U0MJRG1AL", "ts": "1494377399.862463", "thread_ts": "1494377000.1", "text": "*login* is &lt;broken&gt;" },
    }));
    let Ok(Interaction::MessageShortcut(on_message)) = on_message else { panic!("{on_message:?}") };
    assert_eq!(on_message.channel.as_str(), "D0LFFBKLZ");
    assert_eq!(on_message.words.text, "*login* is &lt;broken&gt;");
    assert_eq!(
        (on_message.message_ts.as_str(), on_message.thread_ts.as_deref()),
        ("1494377399.862463", Some("1494377000.1"))
    );
    assert!(on_message.response_url.is_some());
}

#[test]
fn what_is_null_hinders_nothing() {
    let none = json!({ "id": null });
    let mut state = inputs();
    state["empty"] = Value::Null;
    state["summary"]["other"] = Value::Null;
    let mut view = view(state);
    for field in ["hash", "callback_id", "private_metadata", "blocks"] {
        view[field] = Value::Null;
    }
    let action =
        json!({ "type": "button", "action_id": "run", "block_id": null, "value": null, "text": null });
    let pressed = parse(&json!({
        "type": "block_actions", "team": none, "enterprise": none, "user": person(), "channel": none, "view": view,
        "container": { "type": "message", "message_ts": "1.2", "channel_id": "C1", "is_ephemeral": null,
            "is_app_unfurl": null, "app_unfurl_url": null, "thread_ts": null },
        "message": null, "state": null, "response_url": null, "trigger_id": null, "actions": [action],
    }));
    let Ok(Interaction::ButtonPressed(pressed)) = pressed else { panic!("{pressed:?}") };
    assert_eq!(pressed.team.as_deref(), Some("T8N1K1JN"));
    assert_eq!(pressed.channel.unwrap().as_str(), "C1");
    assert_eq!(pressed.view.unwrap().values.text("summary"), Some("Log in <again>"));
    let closed = json!({ "type": "view_closed", "user": person(), "view": view, "is_cleared": null });
    assert!(matches!(parse(&closed), Ok(Interaction::ViewClosed(closed)) if !closed.is_cleared));
}

#[test]
fn what_maro_does_not_know_is_told_apart_from_what_is_wrong() {
    let unknown = parse(&json!({ "type": "workflow_step_edit", "user": 7 }));
    assert!(matches!(unknown, Ok(Interaction::Unknown { kind }) if kind == "workflow_step_edit"));
    let picker =
        json!({ "type": "datepicker", "action_id": "a", "block_id": "b", "selected_date": "2025-01-01" });
    let unknown = parse(&json!({ "type": "block_actions", "user": person(), "actions": [picker] }));
    assert!(matches!(unknown, Ok(Interaction::Unknown { kind }) if kind == "datepicker"));

    let missing = |field| InteractionError::Missing { field };
    for (payload, error) in [
        (json!([]), InteractionError::NotJson),
        (json!({ "type": "shortcut" }), missing("user")),
        (
            json!({ "type": "shortcut", "user": { "id": "<@U1>" } }),
            InteractionError::Malformed { field: "user" },
        ),
        (json!({ "type": "shortcut", "user": person() }), missing("callback_id")),
        (json!({ "type": "view_submission", "user": person() }), missing("view")),
        (json!({ "type": "block_actions", "user": person(), "actions": [] }), missing("actions")),
        (json!({ "type": "message_action", "user": person() }), missing("channel")),
        (json!({ "type": "shortcut", "user": [] }), InteractionError::NotJson),
    ] {
        assert_eq!(parse(&payload).unwrap_err(), error, "{payload}");
    }
}

#[test]
fn a_body_has_one_payload_in_utf_8() {
    let parse = |body: &[u8]| interaction::parse_form(body, &policy()).unwrap_err();
    assert_eq!(parse(b"pay=1"), InteractionError::Missing { field: "payload" });
    assert_eq!(parse(b"payload=%ff"), InteractionError::NotUtf8);
    assert_eq!(parse(b"payload=%7B%7D&payload=%7B%7D"), InteractionError::Repeated);
    assert_eq!(parse(b"payload=hello"), InteractionError::NotJson);
    let mut deep = String::new();
    for _ in 0..10_000 {
        write!(deep, "[").unwrap();
    }
    assert_eq!(parse(&form(&format!("{{\"type\":\"shortcut\",\"x\":{deep}"))), InteractionError::NotJson);
    let long = form(&"x".repeat(1024 * 1024 + 1));
    assert!(matches!(parse(&long), InteractionError::TooLong { .. }));
}

#[test]
fn answers_are_what_slack_documents() {
    let text = |json: Vec<u8>| String::from_utf8(json).unwrap();
    assert_eq!(text(SubmissionResponse::Close.to_json()), "");
    assert_eq!(text(SubmissionResponse::CloseAll.to_json()), r#"{"response_action":"clear"}"#);
    insta::assert_snapshot!(
        text(SubmissionResponse::error("summary", "Jira wants a <shorter> one").to_json()),
        @r#"{"errors":{"summary":"Jira wants a <shorter> one"},"response_action":"errors"}"#
    );
    insta::assert_snapshot!(
        text(SubmissionResponse::update(View::modal("x", "Working")).to_json()),
        @r#"{"response_action":"update","view":{"blocks":[],"callback_id":"x","title":{"emoji":false,"text":"Working","type":"plain_text"},"type":"modal"}}"#
    );
    let choices = [Choice::new("SCRUM", "Scrum: \u{202e}&c."), Choice::new("x".repeat(151), "too long")];
    insta::assert_snapshot!(
        text(options_json(&choices)),
        @r#"{"options":[{"text":{"emoji":false,"text":"Scrum: &c.","type":"plain_text"},"value":"SCRUM"}]}"#
    );
    let many: Vec<_> = (0..150).map(|number| Choice::new(number.to_string(), "x".repeat(90))).collect();
    let many: Value = serde_json::from_slice(&options_json(&many)).unwrap();
    assert_eq!(many["options"].as_array().unwrap().len(), 100);
    assert_eq!(many["options"][0]["text"]["text"].as_str().unwrap().chars().count(), 75);
}

#[test]
fn a_payload_says_which_workspaces_it_comes_from() {
    let sender = |team: Value, user_team: Value, enterprise: Value| {
        let payload = json!({
            "type": "shortcut", "callback_id": "create_issue", "trigger_id": "1.2.3", "team": team,
            "user": { "id": "U1", "team_id": user_team }, "enterprise": enterprise,
        });
        let Sender { team, user_team, enterprise } =
            interaction::parse_json(&payload.to_string(), &policy()).unwrap().sender;
        [team, user_team, enterprise].map(Option::unwrap_or_default)
    };
    assert_eq!(sender(json!({ "id": "T1" }), json!("T9"), Value::Null), ["T1", "T9", ""]);
    assert_eq!(sender(Value::Null, json!("T1"), json!({ "id": "E1" })), ["", "T1", "E1"]);
    let of_organization = json!({ "id": "T1", "enterprise_id": "E1" });
    assert_eq!(sender(of_organization, Value::Null, Value::Null), ["T1", "", "E1"]);
}
