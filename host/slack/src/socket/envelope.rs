//! The frames of Socket Mode: <https://docs.slack.dev/apis/events-api/using-socket-mode>.

use serde::Deserialize;
use serde_json::value::RawValue;
use sha2::{Digest as _, Sha256};

use crate::{
    command,
    events::event,
    interaction,
    outgoing::response_url::ResponseUrlPolicy,
    signature::{self, RequestId},
    socket::request::SocketRequest,
};

/// A frame that came in.
pub(super) enum Frame<'a> {
    Hello,
    Disconnect { reason: String },
    Envelope(Envelope<'a>),
}

/// Something to acknowledge.
#[derive(Deserialize)]
pub(super) struct Envelope<'a> {
    #[serde(rename = "envelope_id")]
    pub(super) id: String,
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    accepts_response_payload: bool,
    #[serde(borrow)]
    payload: Option<&'a RawValue>,
}

/// What the acknowledgement of an envelope needs.
pub(super) struct Receipt {
    id: String,
    accepts_payload: bool,
}

/// Reads a frame. `None` if there is nothing to act on or to acknowledge.
pub(super) fn parse(frame: &str) -> Option<Frame<'_>> {
    #[derive(Deserialize)]
    struct Head {
        #[serde(rename = "type")]
        kind: String,
        reason: Option<String>,
    }
    let head: Head = serde_json::from_str(frame).ok()?;
    match head.kind.as_str() {
        "hello" => Some(Frame::Hello),
        "disconnect" => Some(Frame::Disconnect { reason: head.reason.unwrap_or_default() }),
        _ => serde_json::from_str(frame).ok().map(Frame::Envelope),
    }
}

impl Envelope<'_> {
    /// The request inside; `None` if MARO doesn't know it or can't read it, which is logged.
    pub(super) fn request(&self, policy: &ResponseUrlPolicy) -> Option<SocketRequest> {
        let payload = self.payload.map_or("null", RawValue::get);
        match self.kind.as_str() {
            "slash_commands" => match command::parse_json(payload, policy) {
                Ok(command) => Some(SocketRequest::Command(Box::new(command))),
                Err(error) => self.unreadable(&error),
            },
            "interactive" => match interaction::parse_json(payload, policy) {
                Ok(interaction) => Some(SocketRequest::Interaction(interaction)),
                Err(error) => self.unreadable(&error),
            },
            "events_api" => match event::parse(payload.as_bytes()) {
                Ok(event) if !event.id.is_empty() => Some(SocketRequest::Event(Box::new(event))),
                _ => self.unreadable(&"it isn't the documented JSON"),
            },
            _ => self.unreadable(&"unknown kind"),
        }
    }

    /// What identifies the request, also if another connection, or another replica, gets it again.
    pub(super) fn request_id(&self) -> RequestId {
        signature::request_id(0, &Sha256::digest(&self.id))
    }

    fn unreadable(&self, error: &dyn std::fmt::Display) -> Option<SocketRequest> {
        let kind: String = self.kind.chars().take(40).collect();
        tracing::warn!(%error, kind, "ignored a Socket Mode envelope");
        None
    }

    pub(super) fn receipt(&self) -> Receipt {
        Receipt { id: self.id.clone(), accepts_payload: self.accepts_response_payload }
    }
}

impl Receipt {
    /// The frame that acknowledges an envelope, with `payload` if there is one and Slack accepts it.
    pub(super) fn with_payload(&self, payload: &[u8]) -> String {
        let id = serde_json::Value::from(self.id.as_str());
        match std::str::from_utf8(payload) {
            Ok(payload) if !payload.is_empty() && self.accepts_payload => {
                format!(r#"{{"envelope_id":{id},"payload":{payload}}}"#)
            }
            _ => format!(r#"{{"envelope_id":{id}}}"#),
        }
    }
}
