//! Buttons in messages that run a command, as MARO sends them.

use serde::{Serialize, Serializer, ser::SerializeMap as _};

use maro_domain::reply::Button;

/// The action ids of such buttons, before `:` and a number that distinguishes the buttons of a message.
pub(crate) const RUN_COMMAND: &str = "run_command";
pub(crate) const TURN_PAGE: &str = "turn_page";

/// A button in Slack's format.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CommandButton {
    button: Button,
    number: usize,
}

impl CommandButton {
    /// `number` is different for each button of a message.
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
