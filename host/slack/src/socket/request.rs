//! What comes over a socket, and what answers it.

use std::sync::Arc;

use futures_util::future::BoxFuture;

use crate::{command::SlashCommand, interaction::Interaction};

/// Something that Slack sent and wants acknowledged within three seconds.
#[derive(Debug)]
pub enum SocketRequest {
    Command(Box<SlashCommand>),
    Interaction(Interaction),
    Event(SocketEvent),
}

/// Something that happened in the workspace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SocketEvent {
    /// The same for each time that Slack sends it.
    pub id: String,
    /// Such as `channel_id_changed`.
    pub kind: String,
    /// The whole payload.
    pub json: String,
}

/// Answers requests: the future gives the acknowledgement's payload as JSON, or nothing.
pub(super) type Handler = Arc<dyn Fn(SocketRequest) -> BoxFuture<'static, Vec<u8>> + Send + Sync>;
