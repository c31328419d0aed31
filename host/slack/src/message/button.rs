//! Buttons in messages that run a command, as MARO sends them.
//!
//! A button's value is its command. Who made it, and whether Slack shows the command before it's run, stand in its
//! action id with a seal over all of it.

use std::fmt;

use serde::{Serialize, Serializer, ser::SerializeMap as _};

use crate::{sealed::Sealer, view::plain_text::length};
use maro_domain::reply::{Button, Maker};

/// The action ids of such buttons, before `:` and a number that distinguishes the buttons of a message.
pub(crate) const RUN_COMMAND: &str = "run_command";
pub(crate) const TURN_PAGE: &str = "turn_page";

/// What a seal is for.
const PURPOSE: &str = "button";

/// In the place of whether Slack asks first.
const ASKS: &str = "asks";
const RUNS: &str = "runs";

/// A button in Slack's format.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CommandButton {
    button: Button,
    number: usize,
    /// Says who made the button, if anybody asks.
    seal: Option<Seal>,
}

/// Who made a button and how it's run, sealed.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Seal {
    asks: &'static str,
    tag: String,
}

impl CommandButton {
    /// `number` is different for each button of a message.
    pub(crate) fn new(button: Button, number: usize, sealer: Option<&Sealer>) -> Self {
        let seal = sealer.map(|sealer| {
            let asks = if button.is_confirmed_first { ASKS } else { RUNS };
            let tag = sealer.tag(PURPOSE, &[kind(&button), asks, maker(&button.maker), &button.command]);
            Seal { asks, tag }
        });
        Self { button, number, seal }
    }

    /// How long all its texts are that count as the message's, in UTF-16 units.
    pub(super) fn text_length(&self) -> usize {
        let Button { label, command, is_confirmed_first, .. } = &self.button;
        let asked = if *is_confirmed_first { Confirmation::FIXED_LENGTH + length(command) } else { 0 };
        length(label) + asked
    }
}

fn kind(button: &Button) -> &'static str {
    if button.turns_page { TURN_PAGE } else { RUN_COMMAND }
}

/// No plugin has an empty name.
fn maker(maker: &Maker) -> &str {
    match maker {
        Maker::Host => "",
        Maker::Plugin(name) => name,
    }
}

/// What the action id of a button with this command says, if its seal is whole: who made it, and whether Slack
/// asked before the press.
pub(crate) fn opened(action_id: &str, command: &str, sealer: &Sealer) -> Option<(Maker, bool)> {
    let mut parts = action_id.split(':');
    let (kind, _number) = (parts.next()?, parts.next()?);
    let (asks, maker, tag) = (parts.next()?, parts.next()?, parts.next()?);
    let is_whole = parts.next().is_none() && sealer.is_tag(PURPOSE, &[kind, asks, maker, command], tag);
    let maker = if maker.is_empty() { Maker::Host } else { Maker::Plugin(maker.into()) };
    is_whole.then_some((maker, asks == ASKS))
}

impl fmt::Display for CommandButton {
    /// The action id.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}:{}", kind(&self.button), self.number)?;
        match &self.seal {
            Some(Seal { asks, tag }) => write!(formatter, ":{asks}:{}:{tag}", maker(&self.button.maker)),
            None => Ok(()),
        }
    }
}

impl Serialize for CommandButton {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Button { label, command, is_confirmed_first, .. } = &self.button;
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("type", "button")?;
        map.serialize_entry("action_id", &format_args!("{self}"))?;
        map.serialize_entry("text", &PlainText::new(label))?;
        map.serialize_entry("value", command)?;
        if *is_confirmed_first {
            map.serialize_entry("confirm", &Confirmation::of(&format!("/maro {command}")))?;
        }
        map.end()
    }
}

#[derive(Serialize)]
struct PlainText<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    text: &'a str,
    emoji: bool,
}

impl<'a> PlainText<'a> {
    fn new(text: &'a str) -> Self {
        Self { kind: "plain_text", text, emoji: false }
    }
}

/// What Slack asks before it reports a press.
#[derive(Serialize)]
struct Confirmation<'a> {
    title: PlainText<'a>,
    text: PlainText<'a>,
    confirm: PlainText<'a>,
    deny: PlainText<'a>,
}

impl<'a> Confirmation<'a> {
    const TITLE: &'static str = "Run this command?";
    const CONFIRM: &'static str = "Run";
    const DENY: &'static str = "Cancel";

    /// How long its texts are beside the command itself.
    const FIXED_LENGTH: usize = Self::TITLE.len() + "/maro ".len() + Self::CONFIRM.len() + Self::DENY.len();

    fn of(command: &'a str) -> Self {
        Self {
            title: PlainText::new(Self::TITLE),
            text: PlainText::new(command),
            confirm: PlainText::new(Self::CONFIRM),
            deny: PlainText::new(Self::DENY),
        }
    }
}
