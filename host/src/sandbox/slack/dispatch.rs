//! Sending a slash command to the bot as Slack sends it, and showing what comes back as Slack shows it.

use std::time::Duration;

use reqwest::{Response, StatusCode, header};
use serde_json::Value;
use url::form_urlencoded;

use crate::{
    sandbox::slack::{
        Shared, checks,
        history::{Author, ShownMessage, Typed},
        random_text,
        workspace::{Person, Place},
    },
    slack::signature,
};

/// Why nothing was sent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SendError {
    #[error("There is no channel {name:?}. There are {known}.")]
    UnknownChannel { name: String, known: String },
    #[error("There is nobody called {name:?}. There are {known}.")]
    UnknownUser { name: String, known: String },
    #[error("A command begins with a slash, such as /maro help.")]
    NotACommand,
    #[error("The bot is not running yet.")]
    NoBot,
}

/// A command that was sent, and what was shown within Slack's three seconds.
#[derive(Debug, Clone)]
pub struct Invocation {
    /// Counts the commands of this workspace from 1.
    pub number: u64,
    /// At most one; none if the bot only acknowledged.
    pub immediate: Vec<ShownMessage>,
}

pub(super) async fn send(
    shared: &Shared,
    channel: &str,
    user: &str,
    typed: &str,
) -> Result<Invocation, SendError> {
    let (person, place) = find(shared, channel, user)?;
    let typed = typed.trim();
    if !typed.starts_with('/') {
        return Err(SendError::NotACommand);
    }
    let bot = shared.command_url.read().unwrap_or_else(std::sync::PoisonError::into_inner).clone();
    let bot = bot.ok_or(SendError::NoBot)?;
    let now = shared.settings.clock.now();
    let path = format!(
        "/commands/{}/{}/{}",
        shared.workspace.team_id,
        now.as_microsecond().unsigned_abs(),
        random_text(24)
    );
    let opened = shared.history.open(path.clone(), place.id.clone(), person.id.clone(), now);
    let (command, text) = typed.split_once(char::is_whitespace).unwrap_or((typed, ""));
    let response_url = format!("{}{path}", shared.base.as_str().trim_end_matches('/'));
    let body = form(shared, person, &place, command, text.trim(), &response_url);
    let timestamp = now.as_second().to_string();
    let signature = signature::sign(&shared.settings.signing_secret, &timestamp, body.as_bytes());
    let request = shared
        .client
        .post(bot)
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .header(header::ACCEPT, "application/json,*/*")
        .header("X-Slack-Request-Timestamp", timestamp)
        .header("X-Slack-Signature", signature)
        .body(body);
    let shown = match read(request.send().await).await {
        Ok(answer) => take_answer(shared, &opened, command, &answer),
        Err(word) => Some(failure(&opened, command, word)),
    };
    if let Some(message) = &shown {
        shared.history.show(message.clone());
    }
    Ok(Invocation { number: opened.invocation, immediate: shown.into_iter().collect() })
}

pub(super) async fn run(
    shared: &Shared,
    channel: &str,
    user: &str,
    typed: &str,
    patience: Duration,
) -> Result<Vec<ShownMessage>, SendError> {
    let Invocation { number, immediate } = send(shared, channel, user, typed).await?;
    if !immediate.is_empty() {
        return Ok(immediate);
    }
    let answers = |message: &ShownMessage| message.invocation == number;
    let messages = shared.history.wait_for(patience, |shown| shown.iter().any(answers)).await;
    Ok(messages.into_iter().flatten().filter(answers).collect())
}

/// Turns a payload into the message that people see, and notes what Slack would not have taken.
/// `None` if Slack shows nothing of it.
pub(super) fn shown(
    shared: &Shared,
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
        visible_to: (payload["response_type"] != "in_channel").then(|| typed.user.to_string()),
        is_delayed,
        text: payload["text"].as_str().unwrap_or_default().to_owned(),
        blocks: payload["blocks"].as_array().cloned().unwrap_or_default(),
    })
}

fn find<'a>(shared: &'a Shared, channel: &str, user: &str) -> Result<(&'a Person, Place), SendError> {
    let workspace = &shared.workspace;
    let person = workspace.person(user).ok_or_else(|| SendError::UnknownUser {
        name: user.to_owned(),
        known: listed(workspace.people.iter().map(|person| person.name.as_str())),
    })?;
    let place = workspace.place(channel, person).ok_or_else(|| SendError::UnknownChannel {
        name: channel.to_owned(),
        known: listed(workspace.channels.iter().map(|channel| channel.name.as_str()).chain(["dm"])),
    })?;
    Ok((person, place))
}

fn listed<'a>(names: impl Iterator<Item = &'a str>) -> String {
    names.collect::<Vec<_>>().join(", ")
}

/// The fields that Slack documents, in its order.
fn form(
    shared: &Shared,
    person: &Person,
    place: &Place,
    command: &str,
    text: &str,
    response_url: &str,
) -> String {
    let workspace = &shared.workspace;
    let trigger_id = format!("{}.{}", random_digits(13), random_text(32).to_ascii_lowercase());
    form_urlencoded::Serializer::new(String::new())
        .append_pair("token", &random_text(24))
        .append_pair("team_id", &workspace.team_id)
        .append_pair("team_domain", &workspace.team_domain)
        .append_pair("channel_id", place.id.as_str())
        .append_pair("channel_name", &place.sent_name)
        .append_pair("user_id", person.id.as_str())
        .append_pair("user_name", &person.name)
        .append_pair("command", command)
        .append_pair("text", text)
        .append_pair("api_app_id", &workspace.app_id)
        .append_pair("is_enterprise_install", "false")
        .append_pair("response_url", response_url)
        .append_pair("trigger_id", &trigger_id)
        .finish()
}

fn random_digits(count: usize) -> String {
    (0..count).map(|_| char::from(b'0' + rand::random_range(0..10))).collect()
}

/// What the bot answered in time.
struct Answer {
    is_json: bool,
    body: Vec<u8>,
}

/// The answer, or Slack's word for why there is none.
async fn read(outcome: Result<Response, reqwest::Error>) -> Result<Answer, &'static str> {
    let word = |error: reqwest::Error| {
        if error.is_timeout() { "operation_timeout" } else { "dispatch_failed" }
    };
    let response = outcome.map_err(word)?;
    match response.status() {
        StatusCode::OK => {}
        status if status.is_server_error() => return Err("http_service_error"),
        _ => return Err("http_client_error"),
    }
    let content_type = response.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let is_json = content_type.is_some_and(|kind| kind.starts_with("application/json"));
    let body = response.bytes().await.map_err(word)?;
    Ok(Answer { is_json, body: body.to_vec() })
}

fn take_answer(shared: &Shared, typed: &Typed, command: &str, answer: &Answer) -> Option<ShownMessage> {
    if answer.body.iter().all(u8::is_ascii_whitespace) {
        return None;
    }
    let payload = if answer.is_json {
        serde_json::from_slice(&answer.body).ok()
    } else {
        // Slack takes any other answer for the text itself.
        std::str::from_utf8(&answer.body).ok().map(|text| serde_json::json!({ "text": text }))
    };
    let Some(payload) = payload else {
        shared.history.report("The answer to a command is neither JSON nor text.".to_owned());
        return Some(failure(typed, command, "invalid_command_response"));
    };
    let message = shown(shared, typed, &payload, false);
    Some(message.unwrap_or_else(|| failure(typed, command, "invalid_command_response")))
}

/// What Slack itself tells the person when the bot fails.
fn failure(typed: &Typed, command: &str, word: &str) -> ShownMessage {
    ShownMessage {
        invocation: typed.invocation,
        channel: typed.channel.to_string(),
        author: Author::Slack,
        visible_to: Some(typed.user.to_string()),
        is_delayed: false,
        text: format!("{command} failed with the error \"{word}\""),
        blocks: Vec::new(),
    }
}
