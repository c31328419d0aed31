//! Presses of buttons in messages that run a command.

use crate::{
    interaction::BlockAction,
    message::button::{RUN_COMMAND, TURN_PAGE},
};

/// A pressed button that runs a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PressedCommand<'a> {
    /// The text after `/maro`.
    pub command: &'a str,
    /// Whether the answer replaces the message with the button. Never true if others see that message too.
    pub replaces_message: bool,
}

impl<'a> PressedCommand<'a> {
    /// The command that a pressed button runs; `None` for other buttons.
    pub fn of(action: &'a BlockAction) -> Option<Self> {
        let (kind, _) = action.action_id.split_once(':')?;
        let turns_page = match kind {
            RUN_COMMAND => false,
            TURN_PAGE => true,
            _ => return None,
        };
        Some(Self { command: &action.value, replaces_message: turns_page && action.is_ephemeral })
    }
}
