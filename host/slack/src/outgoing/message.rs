//! A message within Slack's limits, ready to be sent.

pub(crate) mod button;
pub(crate) mod layout;
pub(crate) mod limits;
pub(crate) mod redraw_tag;
mod response_type;

use serde::{Serialize, ser::SerializeMap};

use crate::{
    outgoing::message::{
        button::{CommandButton, Making},
        layout::{Part, Placement},
        limits::bounded,
        redraw_tag::Redrawing,
    },
    sealed::Sealer,
};
use maro_domain::reply::{Button, Visibility};

/// One message in Slack's markup. Made by `slack/src/outgoing/render.rs`, which has escaped everything.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    visibility: Visibility,
    text: String,
    /// The blocks that show it. Empty if it is too long for blocks.
    parts: Vec<Part>,
    /// A small line below them, in Slack's markup.
    context: Option<String>,
    /// What the ids of blocks with buttons say.
    redrawing: Option<Redrawing>,
    replaces_original: bool,
}

impl Message {
    /// Takes text in Slack's markup, in which every literal `&`, `<` and `>` is an entity. A text of more
    /// than 40,000 characters is cut at the end of a line, and a last line says so. `controls` are in the
    /// order of the text; if it is cut, they are left out. With a sealer, each says who made it.
    pub(crate) fn new(
        visibility: Visibility,
        text: String,
        controls: &[(Placement, Vec<Button>)],
        making: Making<'_>,
    ) -> Self {
        let whole_length = text.len();
        let text = bounded(text);
        let parts = layout::parts(&text, if text.len() == whole_length { controls } else { &[] }, making);
        Self { visibility, text, parts, context: None, redrawing: None, replaces_original: false }
    }

    /// With a small line below the blocks, which isn't part of the text.
    pub(crate) fn with_context(self, context: String) -> Self {
        Self { context: Some(context), ..self }
    }

    /// Notes which command redraws this message, for a button in it that changes what it shows.
    #[must_use]
    pub fn redrawn_by(self, command: &str, sealer: &Sealer) -> Self {
        Self { redrawing: Redrawing::new(command, sealer), ..self }
    }

    /// Sent to the `response_url` of a message, it replaces that message.
    #[must_use]
    pub fn replacing_original(self) -> Self {
        Self { replaces_original: true, ..self }
    }

    /// As [`Message::replacing_original`], of one that wasn't shown to one person alone.
    #[must_use]
    pub fn replacing_posted(self) -> Self {
        Self { visibility: Visibility::Update, ..self.replacing_original() }
    }

    pub fn visibility(&self) -> Visibility {
        self.visibility
    }

    /// The whole message in Slack's markup. Slack shows it where it doesn't show blocks.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The texts of the section blocks, in order.
    pub fn sections(&self) -> impl Iterator<Item = &str> {
        self.parts.iter().filter_map(Part::section).map(|section| &self.text[section.clone()])
    }

    /// How many buttons it shows.
    pub fn button_count(&self) -> usize {
        self.parts.iter().map(|part| part.buttons().len()).sum()
    }

    /// Whether it is shown as blocks: what is too long for them is text alone.
    pub fn has_blocks(&self) -> bool {
        !self.parts.is_empty()
    }

    /// The blocks in Slack's format; empty if the message is too long for blocks.
    pub(crate) fn blocks(&self) -> serde_json::Value {
        serde_json::to_value(Blocks { message: self, has_context: true }).expect("texts have a JSON form")
    }

    /// The JSON body that answers a slash command's request. Above that, Slack shows who typed what.
    pub fn to_answer(&self) -> Vec<u8> {
        self.to_json(false)
    }

    /// The JSON body for a `response_url`: the same as a separate message, unless it replaces one.
    pub fn to_follow_up(&self) -> Vec<u8> {
        self.to_json(true)
    }

    fn to_json(&self, follow_up: bool) -> Vec<u8> {
        let mut json = Vec::with_capacity(256 + self.text.len() * 2 + self.text.len() / 4);
        serde_json::to_writer(&mut json, &Payload { message: self, follow_up })
            .expect("texts and flags always have a JSON form");
        json
    }
}

/// A message on the wire. Slack's payload types are written here rather than taken from a client library, so
/// that one pass writes the text into the body, without a copy for each block.
struct Payload<'a> {
    message: &'a Message,
    follow_up: bool,
}

impl Serialize for Payload<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Payload { message, follow_up } = self;
        let mut map = serializer.serialize_map(None)?;
        response_type::serialize(message.visibility, &mut map)?;
        if *follow_up {
            map.serialize_entry("replace_original", &message.replaces_original)?;
        }
        map.serialize_entry("text", &message.text)?;
        if !message.parts.is_empty() {
            map.serialize_entry("blocks", &Blocks { message, has_context: *follow_up })?;
        }
        map.end()
    }
}

struct Blocks<'a> {
    message: &'a Message,
    /// Whether the context is among them.
    has_context: bool,
}

impl Serialize for Blocks<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let message = self.message;
        let block_id = |number| message.redrawing.as_ref().map(|redrawing| redrawing.block_id(number));
        let parts = message.parts.iter().enumerate().map(|(number, part)| match part {
            Part::Section(text) => Block::section(&message.text[text.clone()], None, None),
            Part::SectionWithButton(text, button) => {
                Block::section(&message.text[text.clone()], Some(button), block_id(number))
            }
            Part::Row(buttons) => Block::Actions { elements: buttons, block_id: block_id(number) },
        });
        let context = message.context.as_deref().filter(|_| self.has_context && !message.parts.is_empty());
        let context = context.filter(|_| message.parts.len() < limits::MAX_BLOCKS);
        serializer.collect_seq(parts.chain(context.map(Block::context)))
    }
}

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Block<'a> {
    Section {
        text: MarkdownText<'a>,
        #[serde(skip_serializing_if = "Option::is_none")]
        accessory: Option<&'a CommandButton>,
        #[serde(skip_serializing_if = "Option::is_none")]
        block_id: Option<String>,
    },
    Actions {
        elements: &'a [CommandButton],
        #[serde(skip_serializing_if = "Option::is_none")]
        block_id: Option<String>,
    },
    Context {
        elements: [MarkdownText<'a>; 1],
    },
}

impl<'a> Block<'a> {
    fn section(text: &'a str, accessory: Option<&'a CommandButton>, block_id: Option<String>) -> Self {
        Self::Section { text: MarkdownText { kind: "mrkdwn", text, verbatim: true }, accessory, block_id }
    }

    fn context(text: &'a str) -> Self {
        Self::Context { elements: [MarkdownText { kind: "mrkdwn", text, verbatim: true }] }
    }
}

#[derive(Serialize)]
struct MarkdownText<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    text: &'a str,
    /// Keeps Slack from linking what only looks like a channel, a person or an address.
    verbatim: bool,
}
