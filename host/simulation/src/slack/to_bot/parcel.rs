//! What is sent to the bot, and what comes back.

use axum::http::{HeaderMap, header};
use bytes::Bytes;
use serde_json::{Map, Value, json};
use url::{Url, form_urlencoded};

#[derive(Debug, Clone)]
pub(crate) enum Parcel {
    /// The fields of a slash command.
    Command(Vec<(&'static str, String)>),
    /// The payload of an interaction.
    Interaction(Value),
    /// The body of an event.
    Event(Value),
}

impl Parcel {
    /// Where the bot receives it, given the address for its commands.
    pub(crate) fn address(&self, command_url: &Url) -> Result<Url, NoAnswer> {
        match self {
            Self::Command(_) => Ok(command_url.clone()),
            Self::Interaction(_) => command_url.join("interactions").map_err(|_| NoAnswer::Unreachable),
            Self::Event(_) => command_url.join("events").map_err(|_| NoAnswer::Unreachable),
        }
    }

    /// The same, sent another time: Slack never signs the same bytes twice.
    pub(crate) fn marked(&self, mark: &str) -> Self {
        let mut parcel = self.clone();
        if let Self::Interaction(payload) = &mut parcel
            && let Some(fields) = payload.as_object_mut()
        {
            fields.insert("sending".to_owned(), json!(mark));
        }
        parcel
    }

    pub(crate) fn body(&self) -> (&'static str, String) {
        const FORM: &str = "application/x-www-form-urlencoded";
        let form = |pairs: &mut dyn Iterator<Item = (&str, &str)>| {
            form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish()
        };
        match self {
            Self::Command(fields) => {
                (FORM, form(&mut fields.iter().map(|(name, value)| (*name, value.as_str()))))
            }
            Self::Interaction(payload) => {
                (FORM, form(&mut std::iter::once(("payload", payload.to_string().as_str()))))
            }
            Self::Event(body) => ("application/json", body.to_string()),
        }
    }

    /// The envelope's `type`, whether its acknowledgement may carry a payload, and the payload.
    pub(crate) fn envelope(&self) -> (&'static str, bool, Value) {
        match self {
            Self::Command(fields) => {
                let fields: Map<_, _> =
                    fields.iter().map(|(name, value)| ((*name).to_owned(), json!(value))).collect();
                ("slash_commands", true, Value::Object(fields))
            }
            Self::Interaction(payload) => ("interactive", true, payload.clone()),
            Self::Event(body) => ("events_api", false, body.clone()),
        }
    }
}

/// What the bot answered in time, with status 200.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BotAnswer {
    pub is_json: bool,
    pub body: Bytes,
}

impl BotAnswer {
    pub fn is_empty(&self) -> bool {
        self.body.iter().all(u8::is_ascii_whitespace)
    }

    /// The answer as JSON, if its headers say that it is JSON and it is.
    pub fn json(&self) -> Option<Value> {
        self.is_json.then(|| serde_json::from_slice(&self.body).ok()).flatten()
    }
}

/// Why there was no answer. The messages are Slack's own words for a failed slash command.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoAnswer {
    #[error("operation_timeout")]
    Timeout,
    #[error("dispatch_failed")]
    Unreachable,
    #[error("http_service_error")]
    ServerError,
    #[error("http_client_error")]
    ClientError,
}

/// Whether the headers say that it is JSON.
pub(crate) fn is_json(headers: &HeaderMap) -> bool {
    let content_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    content_type.is_some_and(|kind| kind.starts_with("application/json"))
}
