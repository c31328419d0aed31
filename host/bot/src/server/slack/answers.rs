//! From what a command says to the message that shows it.

use crate::{commands::CommandOutcome, server::state::BotState};
use maro_domain::{
    caller::Caller,
    command_name::CommandName,
    ids::{ChannelId, UserId},
    reply::{Block, Button, MAX_CONFIRMED_COMMAND, Maker, Reply, Visibility},
};
use maro_slack::{outgoing::message::Message, view::button::MAX_ROW};
use maro_texts::{self as texts, plugins::left_out};

/// For whom a message is.
#[derive(Clone, Copy)]
pub(crate) struct Reader<'a> {
    pub(crate) channel: &'a ChannelId,
    pub(crate) user: &'a UserId,
    /// What they call the command.
    pub(crate) name: &'a CommandName,
}

impl<'a> Reader<'a> {
    /// The person who runs a command.
    pub(crate) fn of(caller: &'a Caller) -> Self {
        Self { channel: &caller.channel, user: &caller.user, name: &caller.command_name }
    }
}

/// The message, if there is anything to say. What would take the place of another is for everyone.
pub(crate) fn message(state: &BotState, mut outcome: CommandOutcome, reader: Reader<'_>) -> Option<Message> {
    if let CommandOutcome::Replied(reply) = &mut outcome
        && reply.visibility == Visibility::Update
    {
        reply.visibility = Visibility::Channel;
    }
    going_on(state, outcome, reader)
}

/// As [`message`], in the place of one that it goes on with: whoever added to it last isn't the one who says it.
pub(crate) fn going_on(state: &BotState, outcome: CommandOutcome, reader: Reader<'_>) -> Option<Message> {
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
    let message = state.slack.renderer.render_called(&reply, reader.channel, reader.user, reader.name);
    report_left_out(&reply, &message);
    message
}

/// Tells a plugin's author which of its buttons Slack has no room for.
fn report_left_out(reply: &Reply, message: &Message) {
    let buttons: Vec<_> = reply.blocks.iter().flat_map(buttons).collect();
    let missing = buttons.len().saturating_sub(message.button_count());
    let plugin = buttons.iter().find_map(|button| match &button.maker {
        Maker::Plugin(plugin) => Some(plugin),
        Maker::Host => None,
    });
    let Some(plugin) = plugin.filter(|_| missing > 0) else { return };
    let is_long = |block: &Block| matches!(block, Block::Buttons(row) if row.len() > MAX_ROW);
    let why = match reply.blocks.iter().any(is_long) {
        true => left_out::too_many_in_a_row(MAX_ROW),
        false => left_out::too_large(MAX_CONFIRMED_COMMAND),
    };
    tracing::info!(plugin = &**plugin, "in a reply, {}", left_out::buttons(missing, buttons.len(), &why));
}

fn buttons(block: &Block) -> Vec<&Button> {
    match block {
        Block::Titled(_, button) => vec![button],
        Block::Items(items) => items.iter().filter_map(|item| item.button.as_ref()).collect(),
        Block::Buttons(buttons) => buttons.iter().collect(),
        Block::Paragraph(_) | Block::Lines(_) | Block::Context(_) => Vec::new(),
    }
}
