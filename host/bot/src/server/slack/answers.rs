//! From what a command says to the message that shows it.

use crate::{commands::CommandOutcome, server::state::BotState};
use maro_domain::{
    caller::Caller,
    command_name::CommandName,
    ids::{ChannelId, UserId},
    reply::{Block, Reply, Visibility},
};
use maro_slack::outgoing::message::Message;
use maro_texts as texts;

/// For whom a message is.
#[derive(Clone, Copy)]
pub(crate) struct Reader<'a> {
    pub(crate) channel: &'a ChannelId,
    pub(crate) user: &'a UserId,
    /// What they call the command.
    pub(crate) name: &'a CommandName,
}

impl<'a> Reader<'a> {
    /// Whoever runs a command.
    pub(crate) fn of(caller: &'a Caller) -> Self {
        Self { channel: &caller.channel, user: &caller.user, name: &caller.command_name }
    }
}

/// The message, if there is anything to say.
pub(crate) fn message(state: &BotState, outcome: CommandOutcome, reader: Reader<'_>) -> Option<Message> {
    match outcome {
        CommandOutcome::Replied(reply) | CommandOutcome::Refused(reply) => {
            Some(reply_message(state, reply, reader))
        }
        CommandOutcome::Showed(reply, command) => {
            Some(reply_message(state, reply, reader).redrawn_by(&command, &state.slack.sealer))
        }
        CommandOutcome::InModal => None,
    }
}

/// What a channel reads says who did it.
fn reply_message(state: &BotState, mut reply: Reply, reader: Reader<'_>) -> Message {
    if reply.visibility == Visibility::Channel {
        reply.blocks.push(Block::Context(texts::commands::done_by_caller()));
    }
    state.slack.renderer.render_called(&reply, reader.channel, reader.user, reader.name)
}
