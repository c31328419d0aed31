//! The payloads of interactions, with every documented field.
//!
//! From <https://docs.slack.dev/reference/interaction-payloads>.

use serde_json::{Map, Value, json};

use crate::slack::{
    modals::{
        form::{Field, ShownButton},
        modal::Modal,
    },
    random::random_text,
    shown::history::{Author, ShownMessage},
    state::WorkspaceState,
    workspace::Person,
};

/// The fields that all interactions have.
fn common(shared: &WorkspaceState, kind: &str, person: &Person) -> Map<String, Value> {
    let workspace = &shared.workspace;
    let user = json!({
        "id": person.id.as_str(),
        "username": person.name,
        "name": person.name,
        "team_id": workspace.team_id,
    });
    let fields = [
        ("type", json!(kind)),
        ("token", json!(random_text(24))),
        ("team", json!({ "id": workspace.team_id, "domain": workspace.team_domain })),
        ("user", user),
        ("api_app_id", json!(workspace.app_id)),
        ("enterprise", Value::Null),
        ("is_enterprise_install", json!(false)),
    ];
    fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

/// Adds these fields to the common ones.
fn with<const N: usize>(mut common: Map<String, Value>, own: [(&str, Value); N]) -> Value {
    common.extend(own.into_iter().map(|(name, value)| (name.to_owned(), value)));
    Value::Object(common)
}

fn trigger(shared: &WorkspaceState, person: &Person) -> Value {
    json!(shared.triggers.issue(&person.id, shared.settings.clock.now()))
}

/// The time of an action, in seconds and microseconds.
fn action_ts(shared: &WorkspaceState) -> Value {
    let micros = shared.settings.clock.now().as_microsecond();
    json!(format!("{}.{:06}", micros / 1_000_000, micros % 1_000_000))
}

pub(crate) fn view_submission(shared: &WorkspaceState, person: &Person, modal: &Modal) -> Value {
    let own =
        [("trigger_id", trigger(shared, person)), ("view", modal.view.clone()), ("response_urls", json!([]))];
    with(common(shared, "view_submission", person), own)
}

pub(crate) fn view_closed(
    shared: &WorkspaceState,
    person: &Person,
    modal: &Modal,
    is_cleared: bool,
) -> Value {
    let own = [("view", modal.view.clone()), ("is_cleared", json!(is_cleared))];
    with(common(shared, "view_closed", person), own)
}

/// Slack leaves out the state of the other fields, see
/// <https://github.com/slackapi/java-slack-sdk/issues/1292>.
pub(crate) fn block_suggestion(
    shared: &WorkspaceState,
    person: &Person,
    modal: &Modal,
    field: &Field,
    typed: &str,
) -> Value {
    let mut view = modal.view.clone();
    view["state"] = json!({ "values": {} });
    let own = [
        ("container", json!({ "type": "view", "view_id": modal.id() })),
        ("action_id", json!(field.action_id)),
        ("block_id", json!(field.block_id)),
        ("value", json!(typed)),
        ("view", view),
    ];
    with(common(shared, "block_suggestion", person), own)
}

/// The entry in `actions` for a button.
pub(crate) fn button_action(shared: &WorkspaceState, button: &ShownButton) -> Value {
    let mut action = button.element.clone();
    action["block_id"] = json!(button.block_id);
    action["action_ts"] = action_ts(shared);
    action
}

/// The entry in `actions` for a field that was changed to `state`.
pub(crate) fn field_action(shared: &WorkspaceState, field: &Field, state: &Value) -> Value {
    let mut action = state.clone();
    action["action_id"] = json!(field.action_id);
    action["block_id"] = json!(field.block_id);
    action["action_ts"] = action_ts(shared);
    action
}

pub(crate) fn modal_action(shared: &WorkspaceState, person: &Person, modal: &Modal, action: Value) -> Value {
    let own = [
        ("container", json!({ "type": "view", "view_id": modal.id() })),
        ("trigger_id", trigger(shared, person)),
        ("view", modal.view.clone()),
        ("actions", json!([action])),
    ];
    with(common(shared, "block_actions", person), own)
}

pub(crate) fn message_action(
    shared: &WorkspaceState,
    person: &Person,
    message: &ShownMessage,
    response_url: &str,
    action: Value,
) -> Value {
    let is_ephemeral = message.visible_to.is_some();
    let mut container = json!({
        "type": "message",
        "message_ts": message.ts,
        "channel_id": message.channel,
        "is_ephemeral": is_ephemeral,
    });
    let is_in = |blocks: &[Value]| blocks.iter().any(|block| block["block_id"] == action["block_id"]);
    if let Some((url, _)) = message.unfurls.iter().find(|(_, blocks)| is_in(blocks)) {
        container["type"] = json!("message_attachment");
        container["attachment_id"] = json!(1);
        container["is_app_unfurl"] = json!(true);
        container["app_unfurl_url"] = json!(url);
    }
    if let Some(thread_ts) = &message.thread_ts {
        container["thread_ts"] = json!(thread_ts);
    }
    let own = [
        ("container", container),
        ("trigger_id", trigger(shared, person)),
        ("channel", channel(shared, &message.channel)),
        ("state", json!({ "values": {} })),
        ("response_url", json!(response_url)),
        ("actions", json!([action])),
    ];
    let mut payload = with(common(shared, "block_actions", person), own);
    // Slack doesn't store messages that only one person sees, so it can't send them.
    if !is_ephemeral {
        payload["message"] = message_object(shared, message);
    }
    payload
}

pub(crate) fn global_shortcut(shared: &WorkspaceState, person: &Person, callback_id: &str) -> Value {
    let own = [
        ("callback_id", json!(callback_id)),
        ("trigger_id", trigger(shared, person)),
        ("action_ts", action_ts(shared)),
    ];
    with(common(shared, "shortcut", person), own)
}

pub(crate) fn message_shortcut(
    shared: &WorkspaceState,
    person: &Person,
    message: &ShownMessage,
    response_url: &str,
    callback_id: &str,
) -> Value {
    let own = [
        ("callback_id", json!(callback_id)),
        ("trigger_id", trigger(shared, person)),
        ("action_ts", action_ts(shared)),
        ("channel", channel(shared, &message.channel)),
        ("message_ts", json!(message.ts)),
        ("message", message_object(shared, message)),
        ("response_url", json!(response_url)),
    ];
    with(common(shared, "message_action", person), own)
}

fn channel(shared: &WorkspaceState, id: &str) -> Value {
    let name = match shared.workspace.channel(id) {
        Some(channel) if channel.is_private => "privategroup",
        Some(channel) => &channel.name,
        None => "directmessage",
    };
    json!({ "id": id, "name": name })
}

/// A message as Slack sends it to apps.
pub(crate) fn message_object(shared: &WorkspaceState, message: &ShownMessage) -> Value {
    let workspace = &shared.workspace;
    let mut object = json!({
        "type": "message",
        "ts": message.ts,
        "text": message.text,
        "team": workspace.team_id,
    });
    if message.author == Author::Person {
        object["user"] = json!(message.user);
        object["client_msg_id"] = json!(uuid());
        object["blocks"] = rich_text(&message.text);
        // What another app has posted is as it was posted.
        for (name, value) in message.payload.iter().filter_map(|payload| payload.as_object()).flatten() {
            object[name] = value.clone();
        }
    } else {
        object["user"] = json!(workspace.bot_user.as_str());
        object["bot_id"] = json!(workspace.bot_id);
        object["app_id"] = json!(workspace.app_id);
        object["blocks"] = json!(message.blocks);
    }
    let replies = shared.history.replies_to(&message.ts);
    if let Some(thread_ts) = &message.thread_ts {
        object["thread_ts"] = json!(thread_ts);
    } else if replies > 0 {
        object["thread_ts"] = json!(message.ts);
        object["reply_count"] = json!(replies);
    }
    object
}

/// What Slack's own composer makes of typed text, without formatting.
fn rich_text(text: &str) -> Value {
    let elements = json!([{ "type": "rich_text_section", "elements": [{ "type": "text", "text": text }] }]);
    json!([{ "type": "rich_text", "block_id": random_text(5), "elements": elements }])
}

/// A random id in the form 8-4-4-4-12.
pub(crate) fn uuid() -> String {
    let digits = format!("{:032x}", rand::random::<u128>());
    [&digits[..8], &digits[8..12], &digits[12..16], &digits[16..20], &digits[20..]].join("-")
}
