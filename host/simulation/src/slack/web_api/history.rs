//! `conversations.history`, `conversations.replies`.

use serde_json::{Value, json};

use crate::slack::{
    shown::history::{Author, ShownMessage},
    state::WorkspaceState,
    to_bot::payloads,
    web_api::{
        arguments::text,
        chat::target,
        result::{ApiResult, Refused},
    },
};

/// Slack's default for a page, and its maximum.
const PAGE: usize = 100;
const MAX_PAGE: usize = 999;

/// Newest first.
pub(super) fn history(shared: &WorkspaceState, arguments: &Value) -> ApiResult {
    let channel = readable(shared, arguments)?;
    let mut messages = seen(shared, &channel);
    messages.retain(|message| message.thread_ts.is_none());
    messages.reverse();
    page(shared, arguments, messages)
}

/// Oldest first, with the message that begins the thread.
pub(super) fn replies(shared: &WorkspaceState, arguments: &Value) -> ApiResult {
    let channel = readable(shared, arguments)?;
    let ts = text(arguments, "ts").ok_or("thread_not_found")?;
    let mut messages = seen(shared, &channel);
    if !messages.iter().any(|message| message.ts == ts) {
        return Err("thread_not_found".into());
    }
    messages.retain(|message| message.ts == ts || message.thread_ts.as_deref() == Some(ts));
    page(shared, arguments, messages)
}

/// The channel, if the token has the scope for its kind.
fn readable(shared: &WorkspaceState, arguments: &Value) -> Result<String, Refused> {
    let channel = target(shared, arguments)?.channel;
    let is_private = shared.workspace.channel(&channel).is_some_and(|channel| channel.is_private);
    let needed = match (channel.starts_with('D'), is_private) {
        (true, _) => "im:history",
        (_, true) => "groups:history",
        _ => "channels:history",
    };
    if !shared.api.scopes().iter().any(|granted| granted == needed) {
        return Err(Refused { needed: Some(needed), ..Refused::from("missing_scope") });
    }
    Ok(channel)
}

/// What everyone in the channel sees.
fn seen(shared: &WorkspaceState, channel: &str) -> Vec<ShownMessage> {
    let mut messages = shared.history.messages();
    messages.retain(|message| message.channel == channel && message.visible_to.is_none());
    messages
}

fn page(shared: &WorkspaceState, arguments: &Value, mut messages: Vec<ShownMessage>) -> ApiResult {
    let parent = text(arguments, "ts");
    if let Some(oldest) = text(arguments, "oldest") {
        messages.retain(|message| message.ts.as_str() > oldest || parent == Some(message.ts.as_str()));
    }
    let limit = text(arguments, "limit").and_then(|limit| limit.parse().ok()).unwrap_or(PAGE).min(MAX_PAGE);
    let start = text(arguments, "cursor").and_then(|cursor| cursor.parse().ok()).unwrap_or(0);
    let has_more = messages.len() > start + limit;
    let next = if has_more { (start + limit).to_string() } else { String::new() };
    let with_metadata = arguments["include_all_metadata"] == true;
    let shown = messages.iter().skip(start).take(limit).map(|message| {
        let mut object = payloads::message_object(shared, message);
        let metadata = message.payload.as_ref().map(|payload| payload["metadata"].clone());
        if let Some(metadata) = metadata.filter(|metadata| with_metadata && metadata.is_object())
            && message.author == Author::Bot
        {
            object["metadata"] = metadata;
        }
        object
    });
    let shown: Vec<Value> = shown.collect();
    Ok(json!({ "messages": shown, "has_more": has_more, "response_metadata": { "next_cursor": next } }))
}
