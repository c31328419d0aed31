//! `POST /slack`: what a person does in the workspace. The stream shows the result.

use std::sync::Arc;

use axum::{body::Bytes, extract::State, http::StatusCode, response::Response};
use serde::Deserialize;
use serde_json::json;

use crate::playground::{answers, state::PlaygroundState};
use maro_simulation::slack::{
    SimulatedSlack,
    people::{act_error::ActError, pressing::Press},
    shown::history::ShownMessage,
};

/// Who does what, and in which channel.
#[derive(Debug, Deserialize)]
struct ActRequest {
    user: String,
    channel: String,
    act: SlackAct,
}

/// One thing that a person does. `values` are the texts typed into the open modal so far, by block id.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
enum SlackAct {
    /// A slash command.
    Command {
        text: String,
    },
    /// A message. With `thread_of`, a reply in that message's thread.
    Write {
        text: String,
        thread_of: Option<String>,
    },
    /// Chooses something in the open modal.
    Fill {
        values: Vec<(String, String)>,
    },
    /// Types into a select whose options the bot suggests.
    Suggest {
        field: String,
        typed: String,
    },
    Submit {
        values: Vec<(String, String)>,
    },
    /// Presses a button in the given message, or else in the open modal.
    Press {
        block_id: String,
        action_id: String,
        message: Option<String>,
        values: Vec<(String, String)>,
    },
    Close,
    /// Opens the Home tab.
    Home,
    /// A shortcut, on the given message if there is one.
    Shortcut {
        callback_id: String,
        message: Option<String>,
    },
}

pub(super) async fn act(State(shared): State<Arc<PlaygroundState>>, body: Bytes) -> Response {
    let Ok(request) = serde_json::from_slice::<ActRequest>(&body) else {
        return answers::refusal(
            StatusCode::BAD_REQUEST,
            "The body must be JSON with user, channel and act.",
        );
    };
    match perform(&shared.playground.slack, request).await {
        Ok(answer) => answers::json(StatusCode::OK, &answer),
        Err(error) => answers::refusal(StatusCode::UNPROCESSABLE_ENTITY, &error.to_string()),
    }
}

async fn perform(slack: &SimulatedSlack, request: ActRequest) -> Result<serde_json::Value, ActError> {
    let ActRequest { user, channel, act } = request;
    match act {
        SlackAct::Command { text } => drop(slack.send_command(&channel, &user, &text).await?),
        SlackAct::Write { text, thread_of: None } => drop(slack.write_to_bot(&user, &channel, &text).await?),
        SlackAct::Write { text, thread_of: Some(ts) } => {
            let message = message(slack, &user, &channel, &ts)?;
            slack.reply_to_bot(&user, &message, &text).await?;
        }
        SlackAct::Fill { values } => fill(slack, &user, &values).await?,
        SlackAct::Suggest { field, typed } => {
            let choices = slack.suggestions(&user, &field, &typed).await?;
            let options =
                choices.iter().map(|choice| json!({ "label": choice.label, "value": choice.value }));
            return Ok(json!({ "options": options.collect::<Vec<_>>() }));
        }
        SlackAct::Submit { values } => {
            fill(slack, &user, &values).await?;
            slack.submit(&user).await?;
        }
        SlackAct::Press { block_id, action_id, message: None, values } => {
            fill(slack, &user, &values).await?;
            slack.press(&user, Press::action(&action_id).in_block(&block_id)).await?;
        }
        SlackAct::Press { block_id, action_id, message: Some(ts), .. } => {
            let message = message(slack, &user, &channel, &ts)?;
            slack.press_in(&user, &message, Press::action(&action_id).in_block(&block_id)).await?;
        }
        SlackAct::Home => slack.open_home(&user).await?,
        SlackAct::Close => slack.close(&user).await?,
        SlackAct::Shortcut { callback_id, message: None } => slack.use_shortcut(&user, &callback_id).await?,
        SlackAct::Shortcut { callback_id, message: Some(ts) } => {
            let message = message(slack, &user, &channel, &ts)?;
            slack.use_message_shortcut(&user, &message, &callback_id).await?;
        }
    }
    Ok(json!({}))
}

async fn fill(slack: &SimulatedSlack, user: &str, values: &[(String, String)]) -> Result<(), ActError> {
    let values: Vec<_> = values.iter().map(|(field, value)| (field.as_str(), value.as_str())).collect();
    if values.is_empty() { Ok(()) } else { slack.fill(user, &values).await.map(drop) }
}

/// A message that the person sees.
fn message(slack: &SimulatedSlack, user: &str, channel: &str, ts: &str) -> Result<ShownMessage, ActError> {
    let messages = slack.messages_seen_by(user, channel);
    messages.into_iter().find(|message| message.ts == ts).ok_or(ActError::MessageGone)
}
