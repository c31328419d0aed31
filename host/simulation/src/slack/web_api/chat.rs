//! `chat.postMessage`, `chat.postEphemeral`, `chat.update`, `chat.delete`.

use std::sync::Arc;

use serde_json::{Value, json};

use crate::slack::{
    checks,
    modals::views::completed_blocks,
    shown::history::{Author, ShownMessage},
    state::WorkspaceState,
    to_bot::payloads,
    web_api::{
        arguments::text,
        result::{ApiResult, Refused},
    },
};
use maro_domain::ids::UserId;

/// A conversation that the bot may post in, and what kind it is to Slack.
pub(super) struct Target {
    pub(super) channel: String,
}

pub(super) fn post_message(shared: &WorkspaceState, arguments: &Value) -> ApiResult {
    let is_public_writer = shared.api.scopes().iter().any(|scope| scope == "chat:write.public");
    let target = place(shared, arguments, is_public_writer)?;
    let message = message(shared, arguments, target, None)?;
    shared.history.show(message.clone());
    Ok(json!({
        "channel": message.channel,
        "ts": message.ts,
        "message": payloads::message_object(shared, &message),
    }))
}

pub(super) fn post_ephemeral(shared: &WorkspaceState, arguments: &Value) -> ApiResult {
    let target = target(shared, arguments)?;
    let user = text(arguments, "user").ok_or("user_not_in_channel")?;
    let person = shared.workspace.people.iter().find(|person| person.id.as_str() == user);
    let person = person.ok_or("user_not_in_channel")?;
    let message = message(shared, arguments, target, Some(&person.id))?;
    shared.history.show(message.clone());
    Ok(json!({ "message_ts": message.ts }))
}

/// Replaces what a message of the bot's own says, blocks included. Without new metadata it keeps what it has.
pub(super) fn update(shared: &WorkspaceState, arguments: &Value) -> ApiResult {
    let target = target(shared, arguments)?;
    let ts = text(arguments, "ts").ok_or("message_not_found")?;
    let is_it = |message: &ShownMessage| message.channel == target.channel && message.ts == ts;
    let found = shared.history.messages().into_iter().find(is_it).ok_or("message_not_found")?;
    if found.author != Author::Bot || !found.is_posted {
        return Err("cant_update_message".into());
    }
    let mut arguments = arguments.clone();
    if arguments["metadata"].is_null() {
        arguments["metadata"] =
            found.payload.as_ref().map(|payload| payload["metadata"].clone()).unwrap_or_default();
    }
    let message = message(shared, &arguments, target, None)?;
    shared.history.replace(ts, message.clone());
    Ok(json!({ "channel": message.channel, "ts": ts, "text": message.text }))
}

/// Deletes a message of the bot's own.
pub(super) fn delete(shared: &WorkspaceState, arguments: &Value) -> ApiResult {
    let target = target(shared, arguments)?;
    let ts = text(arguments, "ts").ok_or("message_not_found")?;
    let is_it = |message: &ShownMessage| message.channel == target.channel && message.ts == ts;
    let found = shared.history.messages().into_iter().find(is_it).ok_or("message_not_found")?;
    if found.author != Author::Bot || !found.is_posted {
        return Err("cant_delete_message".into());
    }
    shared.history.delete(ts);
    Ok(json!({ "channel": target.channel, "ts": ts }))
}

/// Shows blocks below the links of a person's message.
pub(super) fn unfurl(shared: &WorkspaceState, arguments: &Value) -> ApiResult {
    let target = target(shared, arguments)?;
    let ts = text(arguments, "ts").ok_or("missing_ts")?;
    let is_it = |message: &ShownMessage| message.channel == target.channel && message.ts == ts;
    let found = shared.history.messages().into_iter().find(is_it).ok_or("cannot_unfurl_message")?;
    let unfurls = arguments["unfurls"].as_object().filter(|unfurls| !unfurls.is_empty());
    let unfurls = unfurls.ok_or("missing_unfurls")?;
    let mut blocks = match found.blocks.is_empty() {
        true => vec![json!({ "type": "section", "text": { "type": "mrkdwn", "text": found.text } })],
        false => found.blocks.clone(),
    };
    let mut shown_links = found.unfurls.clone();
    blocks.truncate(blocks.len() - shown_links.iter().map(|(_, blocks)| blocks.len()).sum::<usize>());
    for (url, unfurl) in unfurls {
        if !found.text.contains(url.as_str()) {
            return Err("cannot_unfurl_url".into());
        }
        let shown = unfurl["blocks"].as_array().map_or(&[][..], Vec::as_slice);
        let problems = checks::message_problems(&json!({ "text": found.text, "blocks": shown }));
        if shown.is_empty() || !problems.is_empty() {
            return Err(Refused { messages: problems, ..Refused::from("invalid_blocks") });
        }
        let shown = completed_blocks(shown);
        match shown_links.iter_mut().find(|(link, _)| link == url) {
            Some((_, blocks)) => *blocks = shown,
            None => shown_links.push((url.clone(), shown)),
        }
    }
    blocks.extend(shown_links.iter().flat_map(|(_, blocks)| blocks.clone()));
    shared.history.replace(ts, ShownMessage { blocks, unfurls: shown_links, ..found });
    Ok(json!({}))
}

/// As [`place`], where the bot is.
pub(super) fn target(shared: &WorkspaceState, arguments: &Value) -> Result<Target, Refused> {
    place(shared, arguments, false)
}

/// Finds a conversation by id, by `#name` if the bot can see it, or by a person's id for their direct message.
/// `is_public_writer`: whether the bot needn't be in it if it's public.
fn place(shared: &WorkspaceState, arguments: &Value, is_public_writer: bool) -> Result<Target, Refused> {
    let workspace = &shared.workspace;
    let name = text(arguments, "channel").ok_or("channel_not_found")?;
    let is_direct = workspace
        .people
        .iter()
        .find(|person| person.id.as_str() == name || person.direct_message.as_str() == name);
    if let Some(person) = is_direct {
        return Ok(Target { channel: person.direct_message.to_string() });
    }
    let by_name = |name: &str| workspace.channels.iter().find(|channel| channel.name == name);
    let channel = workspace.channel(name).or_else(|| by_name(name.strip_prefix('#').unwrap_or(name)));
    match channel {
        Some(channel) if shared.has_bot_in(channel) || (is_public_writer && !channel.is_private) => {
            Ok(Target { channel: channel.id.to_string() })
        }
        Some(channel) if !channel.is_private => Err("not_in_channel".into()),
        _ => Err("channel_not_found".into()),
    }
}

fn message(
    shared: &WorkspaceState,
    arguments: &Value,
    target: Target,
    only: Option<&UserId>,
) -> Result<ShownMessage, Refused> {
    let problems = checks::message_problems(arguments);
    let starts_with = |word: &str| problems.iter().any(|problem| problem.starts_with(word));
    if let Some(word) =
        ["no_text", "invalid_blocks", "msg_blocks_too_long"].into_iter().find(|word| starts_with(word))
    {
        return Err(Refused { messages: problems, ..Refused::from(word) });
    }
    // Slack accepts these, but they are mistakes anyway.
    problems.into_iter().for_each(|problem| shared.history.report(problem));
    let thread_ts = match arguments.get("thread_ts") {
        None | Some(Value::Null) => None,
        Some(ts) => Some(thread(shared, &target, ts.as_str().unwrap_or_default())?),
    };
    Ok(ShownMessage {
        invocation: 0,
        channel: target.channel,
        author: Author::Bot,
        user: None,
        visible_to: only.map(ToString::to_string),
        is_delayed: false,
        is_posted: true,
        ts: shared.history.new_ts(shared.settings.clock.now()),
        thread_ts,
        text: text(arguments, "text").unwrap_or_default().to_owned(),
        blocks: completed_blocks(arguments["blocks"].as_array().map_or(&[], Vec::as_slice)),
        unfurls: Vec::new(),
        command: None,
        payload: Some(Arc::new(arguments.clone())),
    })
}

/// The thread that a reply belongs to. The message must exist. If it is a reply itself, its parent counts.
fn thread(shared: &WorkspaceState, target: &Target, ts: &str) -> Result<String, Refused> {
    let messages = shared.history.messages();
    let found = messages.into_iter().find(|message| message.channel == target.channel && message.ts == ts);
    match found {
        Some(message) if message.visible_to.is_none() => Ok(message.thread_ts.unwrap_or(message.ts)),
        Some(_) => Err("cannot_reply_to_message".into()),
        None => Err("invalid_thread_ts".into()),
    }
}
