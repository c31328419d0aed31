//! What people do with messages: write them and use shortcuts on them. Acting on a message opens a response
//! URL.

use std::sync::Arc;

use serde_json::Value;

use crate::slack::{
    people::act_error::ActError,
    shown::history::{Author, ShownMessage, Typed},
    state::WorkspaceState,
    to_bot::{delivery, parcel::Parcel, payloads},
    workspace::Person,
};
use maro_domain::ids::ChannelId;

pub(crate) fn write(
    shared: &WorkspaceState,
    user: &str,
    channel: &str,
    text: &str,
    thread_ts: Option<String>,
) -> Result<ShownMessage, ActError> {
    let person = shared.person(user)?;
    let place = shared.place(channel, person)?;
    let message = ShownMessage {
        invocation: 0,
        channel: place.id.to_string(),
        author: Author::Person,
        user: Some(person.id.to_string()),
        visible_to: None,
        is_delayed: false,
        is_posted: false,
        ts: shared.history.new_ts(shared.settings.clock.now()),
        thread_ts,
        text: text.to_owned(),
        blocks: Vec::new(),
        unfurls: Vec::new(),
        command: None,
        payload: None,
    };
    shared.history.show(message.clone());
    Ok(message)
}

/// Writes a message of another app, with the fields of `message`.
pub(crate) fn write_as_app(
    shared: &WorkspaceState,
    user: &str,
    channel: &str,
    message: Value,
) -> Result<ShownMessage, ActError> {
    let text = message["text"].as_str().unwrap_or_default().to_owned();
    let written = write(shared, user, channel, &text, None)?;
    Ok(ShownMessage { payload: Some(Arc::new(message)), ..written })
}

pub(crate) async fn use_shortcut(
    shared: &WorkspaceState,
    user: &str,
    callback_id: &str,
) -> Result<(), ActError> {
    let person = shared.person(user)?;
    let payload = payloads::global_shortcut(shared, person, callback_id);
    let answer = delivery::deliver(shared, &Parcel::Interaction(payload)).await;
    answer.map(drop).map_err(ActError::Unanswered)
}

pub(crate) async fn use_message_shortcut(
    shared: &WorkspaceState,
    user: &str,
    message: &ShownMessage,
    callback_id: &str,
) -> Result<(), ActError> {
    let person = shared.person(user)?;
    let (_, url) = open_response_url(shared, person, message, None);
    let payload = payloads::message_shortcut(shared, person, message, &url, callback_id);
    let answer = delivery::deliver(shared, &Parcel::Interaction(payload)).await;
    answer.map(drop).map_err(ActError::Unanswered)
}

/// Opens a response URL for something done to a message. An answer may replace the message `original_ts`.
pub(crate) fn open_response_url(
    shared: &WorkspaceState,
    person: &Person,
    message: &ShownMessage,
    original_ts: Option<&str>,
) -> (Typed, String) {
    let channel = ChannelId::parse(&message.channel).unwrap_or_else(|_| person.direct_message.clone());
    let mut typed = shared.history.number(channel, person.id.clone());
    typed.original_ts = original_ts.map(str::to_owned);
    let url = shared.new_response_url("actions", &typed);
    (typed, url)
}
