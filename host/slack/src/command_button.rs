//! Buttons in messages that run a command, when they come back pressed.

use crate::{
    interaction::BlockAction,
    message::button::{RUN_COMMAND, TURN_PAGE},
};

/// A pressed button that runs a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PressedCommand<'a> {
    /// What stands behind `/maro`.
    pub command: &'a str,
    /// Whether the answer takes the place of the message with the button. Never so in a message that others
    /// see too.
    pub replaces_message: bool,
}

impl<'a> PressedCommand<'a> {
    /// What a pressed button runs, if it is one that runs a command.
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
