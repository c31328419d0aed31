//! What arrives over a socket, and what answers it.

use std::sync::Arc;

use futures_util::future::BoxFuture;

use crate::{command::SlashCommand, events::event::SlackEvent, interaction::Received, signature::RequestId};

/// Something that Slack sent. It has to be acknowledged within three seconds.
#[derive(Debug)]
pub enum SocketRequest {
    Command(Box<SlashCommand>),
    Interaction(Received),
    Event(Box<SlackEvent>),
}

/// Answers requests, each with what identifies it. The future returns the acknowledgement's payload as JSON, or
/// nothing.
pub(super) type Handler = Arc<dyn Fn(SocketRequest, RequestId) -> BoxFuture<'static, Vec<u8>> + Send + Sync>;
