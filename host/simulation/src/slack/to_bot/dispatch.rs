//! Sends slash commands to the bot as Slack does, and shows the answers as Slack does.

use std::{sync::Arc, time::Duration};

use serde_json::Value;

use crate::slack::{
    checks,
    modals::views::completed_blocks,
    people::act_error::ActError,
    random::random_text,
    shown::history::{Author, ShownMessage, Typed, TypedCommand},
    state::WorkspaceState,
    to_bot::{
        delivery,
        parcel::{BotAnswer, Parcel},
    },
    workspace::{Conversation, Person},
};

/// A command that was sent, and what was shown within Slack's three seconds.
#[derive(Debug, Clone)]
pub struct SentCommand {
    /// The number of the command in this workspace, counting from 1.
    pub number: u64,
    /// At most one message. None if the bot only acknowledged.
    pub immediate: Vec<ShownMessage>,
}

pub(crate) async fn send(
    shared: &WorkspaceState,
    channel: &str,
    user: &str,
    typed: &str,
) -> Result<SentCommand, ActError> {
    let person = shared.person(user)?;
    let place = shared.place(channel, person)?;
    let typed = typed.trim();
    if !typed.starts_with('/') {
        return Err(ActError::NotACommand);
    }
    if !shared.has_bot() {
        return Err(ActError::NoBot);
    }
    let mut typed_by = shared.history.number(place.id.clone(), person.id.clone());
    typed_by.command = Some(TypedCommand { user: person.id.to_string(), text: typed.to_owned() });
    let (command, text) = typed.split_once(char::is_whitespace).unwrap_or((typed, ""));
    let response_url = shared.new_response_url("commands", &typed_by);
    let fields = fields(shared, person, &place, command, &sent_text(text.trim()), &response_url);
    let shown = match delivery::deliver(shared, &Parcel::Command(fields)).await {
        Ok(answer) => take_answer(shared, &typed_by, command, &answer),
        Err(why) => Some(failure(shared, &typed_by, command, &why.to_string())),
    };
    if let Some(message) = &shown {
        shared.history.show(message.clone());
    }
    Ok(SentCommand { number: typed_by.invocation, immediate: shown.into_iter().collect() })
}

pub(crate) async fn run(
    shared: &WorkspaceState,
    channel: &str,
    user: &str,
    typed: &str,
    patience: Duration,
) -> Result<Vec<ShownMessage>, ActError> {
    let SentCommand { number, immediate } = send(shared, channel, user, typed).await?;
    if !immediate.is_empty() {
        return Ok(immediate);
    }
    let look = || {
        let mut messages = shared.history.messages();
        messages.retain(|message| message.invocation == number);
        (!messages.is_empty()).then_some(messages)
    };
    Ok(shared.changes.wait_until(patience, look).await.unwrap_or_default())
}

/// Turns a payload into the message that people see, and records what Slack would have refused. Returns
/// `None` if Slack would show nothing.
pub(crate) fn shown(
    shared: &WorkspaceState,
    typed: &Typed,
    payload: &Value,
    is_delayed: bool,
) -> Option<ShownMessage> {
    let problems = checks::message_problems(payload);
    let is_fit = problems.is_empty();
    problems.into_iter().for_each(|problem| shared.history.report(problem));
    is_fit.then(|| ShownMessage {
        invocation: typed.invocation,
        channel: typed.channel.to_string(),
        author: Author::Bot,
        user: None,
        visible_to: (payload["response_type"] != "in_channel").then(|| typed.user.to_string()),
        is_delayed,
        is_posted: false,
        ts: shared.history.new_ts(shared.settings.clock.now()),
        thread_ts: None,
        text: payload["text"].as_str().unwrap_or_default().to_owned(),
        blocks: completed_blocks(payload["blocks"].as_array().map_or(&[], Vec::as_slice)),
        unfurls: Vec::new(),
        command: typed.command.clone(),
        payload: Some(Arc::new(payload.clone())),
    })
}

/// What Slack sends for typed text: three characters become entities. What Slack itself writes between `<`
/// and `>`, such as `<https://…|label>` and `<@U1>`, stays as it is, so that people can try that too.
fn sent_text(typed: &str) -> String {
    let mut sent = String::with_capacity(typed.len());
    let mut rest = typed;
    while let Some(position) = rest.find(['&', '<', '>']) {
        sent.push_str(&rest[..position]);
        rest = &rest[position..];
        let reference = reference_length(rest);
        match (reference, &rest[..1]) {
            (Some(length), _) => sent.push_str(&rest[..length]),
            (None, "&") => sent.push_str("&amp;"),
            (None, "<") => sent.push_str("&lt;"),
            (None, _) => sent.push_str("&gt;"),
        }
        rest = &rest[reference.unwrap_or(1)..];
    }
    sent + rest
}

/// The length in bytes of the link or mention that the text starts with, if any.
fn reference_length(text: &str) -> Option<usize> {
    const KINDS: [&str; 6] = ["http://", "https://", "mailto:", "@", "#", "!"];
    let inside = text.strip_prefix('<')?;
    let end = inside.find(['<', '>', '\n']).filter(|end| inside[*end..].starts_with('>'))?;
    let target = inside[..end].split('|').next()?;
    let is_whole = KINDS.iter().any(|kind| target.len() > kind.len() && target.starts_with(kind));
    (is_whole && !target.contains(char::is_whitespace)).then_some(end + 2)
}

/// The documented fields, in Slack's order.
fn fields(
    shared: &WorkspaceState,
    person: &Person,
    place: &Conversation,
    command: &str,
    text: &str,
    response_url: &str,
) -> Vec<(&'static str, String)> {
    let workspace = &shared.workspace;
    vec![
        ("token", random_text(24)),
        ("team_id", workspace.team_id.clone()),
        ("team_domain", workspace.team_domain.clone()),
        ("channel_id", place.id.to_string()),
        ("channel_name", place.sent_name.clone()),
        ("user_id", person.id.to_string()),
        ("user_name", person.name.clone()),
        ("command", command.to_owned()),
        ("text", text.to_owned()),
        ("api_app_id", workspace.app_id.clone()),
        ("is_enterprise_install", "false".to_owned()),
        ("response_url", response_url.to_owned()),
        ("trigger_id", shared.triggers.issue(&person.id, shared.settings.clock.now())),
    ]
}

fn take_answer(
    shared: &WorkspaceState,
    typed: &Typed,
    command: &str,
    answer: &BotAnswer,
) -> Option<ShownMessage> {
    if answer.is_empty() {
        return None;
    }
    let payload = if answer.is_json {
        serde_json::from_slice(&answer.body).ok()
    } else {
        // Slack uses any other answer as the text itself.
        std::str::from_utf8(&answer.body).ok().map(|text| serde_json::json!({ "text": text }))
    };
    let Some(payload) = payload else {
        shared.history.report("The answer to a command is neither JSON nor text.".to_owned());
        return Some(failure(shared, typed, command, "invalid_command_response"));
    };
    let message = shown(shared, typed, &payload, false);
    Some(message.unwrap_or_else(|| failure(shared, typed, command, "invalid_command_response")))
}

/// What Slack itself says to the person when the bot fails.
fn failure(shared: &WorkspaceState, typed: &Typed, command: &str, word: &str) -> ShownMessage {
    ShownMessage {
        invocation: typed.invocation,
        channel: typed.channel.to_string(),
        author: Author::Slack,
        user: None,
        visible_to: Some(typed.user.to_string()),
        is_delayed: false,
        is_posted: false,
        ts: shared.history.new_ts(shared.settings.clock.now()),
        thread_ts: None,
        text: format!("{command} failed with the error \"{word}\""),
        blocks: Vec::new(),
        unfurls: Vec::new(),
        command: typed.command.clone(),
        payload: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_characters_are_sent_as_entities_outside_of_what_slack_writes_itself() {
        for (typed, sent) in [
            ("R&D a < b > c", "R&amp;D a &lt; b &gt; c"),
            ("&lt;", "&amp;lt;"),
            ("https://x.example/?a=1&b=2", "https://x.example/?a=1&amp;b=2"),
            ("<https://x.example/?a=1&amp;b=2|A-1>&", "<https://x.example/?a=1&amp;b=2|A-1>&amp;"),
            ("<@U1> in <#C1|general>", "<@U1> in <#C1|general>"),
            ("<b>ö</b>", "&lt;b&gt;ö&lt;/b&gt;"),
            ("<https://x example>", "&lt;https://x example&gt;"),
            ("<@> <@U1", "&lt;@&gt; &lt;@U1"),
            ("", ""),
        ] {
            assert_eq!(sent_text(typed), sent, "{typed:?}");
        }
    }
}
