//! Buttons in messages that run a command, as MARO sends them.
//!
//! A button's value is its command. Who made it, and whether Slack shows the command before it's run, stand in its
//! action id with a seal over all of it.

use std::fmt;

use serde::{Serialize, Serializer, ser::SerializeMap as _};

use crate::{sealed::Sealer, view::plain_text::length};
use maro_domain::{
    command_name::CommandName,
    issue::IssueKey,
    reply::{Button, ButtonKind, MAX_CONFIRMED_COMMAND, Maker},
};

/// The action ids of such buttons, before `:` and a number that distinguishes the buttons of a message.
pub(crate) const RUN_COMMAND: &str = "run_command";
pub(crate) const TURN_PAGE: &str = "turn_page";
pub(crate) const ASSIGN_ISSUE: &str = "assign_issue";

/// What a seal is for.
const PURPOSE: &str = "button";

/// The longest text for screen readers.
const MAX_SPOKEN: usize = 75;

/// In the place of whether Slack asks first.
const ASKS: &str = "asks";
const RUNS: &str = "runs";

/// What all buttons of a message have in common.
#[derive(Clone, Copy)]
pub(crate) struct Making<'a> {
    /// Notes who made each button, if anybody asks.
    pub(crate) sealer: Option<&'a Sealer>,
    /// What their command would be typed after.
    pub(crate) name: &'a CommandName,
}

/// What a button says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Opened {
    pub(crate) maker: Maker,
    /// Whether Slack asked before the press.
    pub(crate) is_confirmed: bool,
    /// What its command would be typed after. `None` is the usual name.
    pub(crate) name: Option<CommandName>,
}

/// A button in Slack's format.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CommandButton {
    button: Button,
    number: usize,
    name: CommandName,
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
    pub(crate) fn new(button: Button, number: usize, making: Making<'_>) -> Self {
        let seal = making.sealer.map(|sealer| {
            let asks = if button.is_confirmed_first { ASKS } else { RUNS };
            let mut parts = vec![kind(&button), asks, maker(&button.maker), &button.command];
            parts.extend(unusual(making.name));
            Seal { asks, tag: sealer.tag(PURPOSE, &parts) }
        });
        Self { button, number, name: making.name.clone(), seal }
    }

    /// How long all its texts are that count as the message's, in UTF-16 units.
    pub(super) fn text_length(&self) -> usize {
        let Button { label, command, is_confirmed_first, question, .. } = &self.button;
        let typed = || length(&self.name.typed(&asked_text(command)));
        let asked = match question {
            _ if *is_confirmed_first => Confirmation::FIXED_LENGTH + typed(),
            Some(question) => Confirmation::FIXED_LENGTH + length(question),
            None => 0,
        };
        length(label) + asked
    }
}

/// The name, if it isn't the usual one. Buttons from before it was noted have the usual one.
fn unusual(name: &CommandName) -> Option<&str> {
    (!name.is_usual()).then(|| name.as_str())
}

/// What Slack's dialog shows of a command.
fn asked_text(command: &str) -> String {
    format!("/maro {command}")
}

fn kind(button: &Button) -> &'static str {
    match button.kind {
        ButtonKind::Runs => RUN_COMMAND,
        ButtonKind::TurnsPage => TURN_PAGE,
        ButtonKind::Assigns => ASSIGN_ISSUE,
    }
}

/// No plugin has an empty name.
fn maker(maker: &Maker) -> &str {
    match maker {
        Maker::Host => "",
        Maker::Plugin(name) => name,
    }
}

/// What the action id of a button with this command says, if its seal is whole.
pub(crate) fn opened(action_id: &str, command: &str, sealer: &Sealer) -> Option<Opened> {
    let mut parts = action_id.split(':');
    let (kind, _number) = (parts.next()?, parts.next()?);
    let (asks, maker, tag) = (parts.next()?, parts.next()?, parts.next()?);
    let name = parts.next();
    let mut signed = vec![kind, asks, maker, command];
    signed.extend(name);
    let is_whole = parts.next().is_none() && sealer.is_tag(PURPOSE, &signed, tag);
    let maker = if maker.is_empty() { Maker::Host } else { Maker::Plugin(maker.into()) };
    let name = name.and_then(CommandName::parse);
    is_whole.then_some(Opened { maker, is_confirmed: asks == ASKS, name })
}

impl fmt::Display for CommandButton {
    /// The action id.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}:{}", kind(&self.button), self.number)?;
        match &self.seal {
            Some(Seal { asks, tag }) => write!(formatter, ":{asks}:{}:{tag}", maker(&self.button.maker))?,
            None => return Ok(()),
        }
        unusual(&self.name).map_or(Ok(()), |name| write!(formatter, ":{name}"))
    }
}

impl Serialize for CommandButton {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Button { label, command, is_confirmed_first, question, .. } = &self.button;
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("type", "button")?;
        map.serialize_entry("action_id", &format_args!("{self}"))?;
        map.serialize_entry("text", &PlainText::new(label))?;
        map.serialize_entry("value", command)?;
        if let Some(spoken) = spoken(label, command) {
            map.serialize_entry("accessibility_label", &spoken)?;
        }
        if *is_confirmed_first {
            let (usual, most) = (asked_text(command), MAX_CONFIRMED_COMMAND + asked_text("").len());
            let typed = self.name.typed(&usual);
            // The dialog has room for the usual name: the command itself is what has to be seen.
            let shown = if length(&typed) > most { command } else { &*typed };
            map.serialize_entry("confirm", &Confirmation::of(shown))?;
        } else if let Some(question) = question {
            map.serialize_entry("confirm", &Confirmation::asking(question))?;
        }
        map.end()
    }
}

/// What a screen reader says instead of the label, which is the same on twenty buttons of a list: with the issue's key.
fn spoken(label: &str, command: &str) -> Option<String> {
    let mut keys = command.split_whitespace().filter(|word| IssueKey::parse(word).is_ok());
    let (key, None) = (keys.next()?, keys.next()) else { return None };
    let spoken = format!("{label} {key}");
    (!label.contains(key) && length(&spoken) <= MAX_SPOKEN).then_some(spoken)
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
    const QUESTION_TITLE: &'static str = "Are you sure?";
    const QUESTION_CONFIRM: &'static str = "Yes";
    const DENY: &'static str = "Cancel";

    /// How long its texts are beside the command itself.
    const FIXED_LENGTH: usize = Self::TITLE.len() + Self::CONFIRM.len() + Self::DENY.len();

    fn of(command: &'a str) -> Self {
        Self {
            title: PlainText::new(Self::TITLE),
            text: PlainText::new(command),
            confirm: PlainText::new(Self::CONFIRM),
            deny: PlainText::new(Self::DENY),
        }
    }

    /// A question of the plugin's own, about its own command.
    fn asking(question: &'a str) -> Self {
        Self {
            title: PlainText::new(Self::QUESTION_TITLE),
            text: PlainText::new(question),
            confirm: PlainText::new(Self::QUESTION_CONFIRM),
            deny: PlainText::new(Self::DENY),
        }
    }
}
