//! Presses of buttons in messages that run a command.

use crate::{
    interaction::BlockAction,
    message::{
        button::{RUN_COMMAND, TURN_PAGE, opened},
        redrawing,
    },
    sealed::Sealer,
};
use maro_domain::{command_name::CommandName, reply::Maker};

/// A pressed button that runs a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PressedCommand<'a> {
    /// The text after `/maro`.
    pub command: &'a str,
    /// Whether the answer replaces the message with the button. Never true if others see that message too.
    pub replaces_message: bool,
    /// Who made the button. `None` if that isn't known, as of messages that were sent before MARO noted it.
    pub maker: Option<Maker>,
    /// Whether Slack has shown the command and asked.
    pub is_confirmed: bool,
    /// What the command would be typed after, if the button says so.
    pub command_name: Option<CommandName>,
    /// The command that shows the message anew, if one does and only this person sees it.
    pub redraws_with: Option<&'a str>,
}

impl<'a> PressedCommand<'a> {
    /// The command that a pressed button runs; `None` for other buttons.
    pub fn of(action: &'a BlockAction, sealer: &Sealer) -> Option<Self> {
        let (kind, _) = action.action_id.split_once(':')?;
        let turns_page = match kind {
            RUN_COMMAND => false,
            TURN_PAGE => true,
            _ => return None,
        };
        let opened = opened(&action.action_id, &action.value, sealer);
        let is_confirmed = opened.as_ref().is_some_and(|opened| opened.is_confirmed);
        let command_name = opened.as_ref().and_then(|opened| opened.name.clone());
        Some(Self {
            command: &action.value,
            replaces_message: turns_page && action.is_ephemeral,
            maker: opened.map(|opened| opened.maker),
            is_confirmed,
            command_name,
            redraws_with: redrawing::command(&action.block_id, sealer).filter(|_| action.is_ephemeral),
        })
    }
}
