//! Buttons in messages that run a command, on their way out and when they come back pressed.

use serde::{Serialize, Serializer, ser::SerializeMap as _};

use crate::interaction::BlockAction;
use maro_domain::reply::Button;

/// The action ids of such buttons, before `:` and a number that tells a message's buttons apart.
const RUN_COMMAND: &str = "run_command";
const TURN_PAGE: &str = "turn_page";

/// A button as Slack takes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CommandButton {
    button: Button,
    number: usize,
}

impl CommandButton {
    /// `number` is another for each button of a message.
    pub(crate) fn new(button: Button, number: usize) -> Self {
        Self { button, number }
    }
}

impl Serialize for CommandButton {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { button: Button { label, command, turns_page }, number } = self;
        let action = if *turns_page { TURN_PAGE } else { RUN_COMMAND };
        let mut map = serializer.serialize_map(Some(4))?;
        map.serialize_entry("type", "button")?;
        map.serialize_entry("action_id", &format_args!("{action}:{number}"))?;
        map.serialize_entry("text", &Label { kind: "plain_text", text: label, emoji: false })?;
        map.serialize_entry("value", command)?;
        map.end()
    }
}

#[derive(Serialize)]
struct Label<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    text: &'a str,
    emoji: bool,
}

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
