//! What arrives over a socket, and what answers it.

use std::sync::Arc;

use futures_util::future::BoxFuture;

use crate::{command::SlashCommand, events::sender::Sender, interaction::Received, signature::RequestId};

/// Something that Slack sent. It has to be acknowledged within three seconds.
#[derive(Debug)]
pub enum SocketRequest {
    Command(Box<SlashCommand>),
    Interaction(Received),
    Event(SocketEvent),
}

/// Something that happened in the workspace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SocketEvent {
    /// The same each time that Slack sends the event.
    pub id: String,
    /// Such as `channel_id_changed`.
    pub kind: String,
    pub sender: Sender,
    /// The whole payload.
    pub json: String,
}

/// Answers requests, each with what identifies it. The future returns the acknowledgement's payload as JSON, or
/// nothing.
pub(super) type Handler = Arc<dyn Fn(SocketRequest, RequestId) -> BoxFuture<'static, Vec<u8>> + Send + Sync>;
