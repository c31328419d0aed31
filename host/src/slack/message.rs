//! A message within Slack's limits, ready to be sent.
//!
//! The limits are Slack's: <https://docs.slack.dev/reference/block-kit/blocks/section-block> and
//! <https://docs.slack.dev/changelog/2018-truncating-really-long-messages>. Lengths count UTF-16 units, the
//! largest of the ways in which Slack may count characters.

use std::{fmt::Write, ops::Range};

use serde::{Serialize, ser::SerializeMap};

use crate::domain::reply::Visibility;

/// The longest text of one section block.
const MAX_SECTION: usize = 3_000;

/// The most blocks of one message.
const MAX_BLOCKS: usize = 50;

/// The longest text of all blocks together. Slack does not document it; messages with more than about
/// 13,000 characters in blocks are refused with `msg_blocks_too_long`.
const MAX_ALL_SECTIONS: usize = 11_000;

/// The longest `text`; Slack cuts the rest off without a word.
const MAX_TEXT: usize = 40_000;

/// Room for the line that says how much was left out.
const NOTE_ROOM: usize = 40;

/// One message in Slack's markup. Made by `slack/render.rs`, which has escaped everything.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    visibility: Visibility,
    text: String,
    /// The parts of `text` that the section blocks show; none if it is too long for blocks.
    sections: Vec<Range<usize>>,
}

impl Message {
    /// Takes text in Slack's markup, in which every literal `&`, `<` and `>` is an entity. What is beyond
    /// 40,000 characters is left out at the end of a line, and a last line says so.
    pub(in crate::slack) fn new(visibility: Visibility, text: String) -> Self {
        let text = bounded(text);
        let sections = sections(&text);
        Self { visibility, text, sections }
    }

    pub fn visibility(&self) -> Visibility {
        self.visibility
    }

    /// The whole message in Slack's markup. Slack shows it where it shows no blocks.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The texts of the section blocks, in order.
    pub fn sections(&self) -> impl ExactSizeIterator<Item = &str> {
        self.sections.iter().map(|section| &self.text[section.clone()])
    }

    /// The section blocks as Slack takes them; none if the message is too long for blocks.
    pub(in crate::slack) fn blocks(&self) -> Vec<serde_json::Value> {
        let sections = self.sections().map(SectionBlock::new);
        sections.map(|section| serde_json::to_value(section).expect("texts have a JSON form")).collect()
    }

    /// The JSON body that answers a slash command's request.
    pub fn to_answer(&self) -> Vec<u8> {
        self.to_json(false)
    }

    /// The JSON body for a `response_url`: the same, as a message of its own.
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

/// How a message looks on the wire. Slack's payload types are written here and not taken from a client
/// library so that one pass writes the text into the body, without a copy for each block.
struct Payload<'a> {
    message: &'a Message,
    follow_up: bool,
}

impl Serialize for Payload<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Payload { message, follow_up } = self;
        let mut map = serializer.serialize_map(None)?;
        match message.visibility {
            Visibility::Caller => map.serialize_entry("response_type", "ephemeral")?,
            Visibility::Channel => {
                map.serialize_entry("response_type", "in_channel")?;
                // A preview of each issue would bury the answer.
                map.serialize_entry("unfurl_links", &false)?;
            }
        }
        if *follow_up {
            map.serialize_entry("replace_original", &false)?;
        }
        map.serialize_entry("text", &message.text)?;
        if !message.sections.is_empty() {
            map.serialize_entry("blocks", &Sections(message))?;
        }
        map.end()
    }
}

struct Sections<'a>(&'a Message);

impl Serialize for Sections<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.sections().map(SectionBlock::new))
    }
}

#[derive(Serialize)]
struct SectionBlock<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    text: MarkdownText<'a>,
}

impl<'a> SectionBlock<'a> {
    fn new(text: &'a str) -> Self {
        Self { kind: "section", text: MarkdownText { kind: "mrkdwn", text, verbatim: true } }
    }
}

#[derive(Serialize)]
struct MarkdownText<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    text: &'a str,
    /// Keeps Slack from linking what merely looks like a channel, a person or an address.
    verbatim: bool,
}

/// The length in UTF-16 units.
pub(in crate::slack) fn length(text: &str) -> usize {
    // Each character has one byte that does not continue another; four bytes mean two units.
    text.bytes().map(|byte| usize::from(byte & 0xc0 != 0x80) + usize::from(byte >= 0xf0)).sum()
}

fn bounded(mut text: String) -> String {
    if text.len() <= MAX_TEXT || length(&text) <= MAX_TEXT {
        return text;
    }
    let room = cut_point(&text, MAX_TEXT - NOTE_ROOM);
    match text[..room].rfind('\n') {
        Some(line_end) => {
            let left_out = text[line_end + 1..].split('\n').count();
            text.truncate(line_end);
            let plural = if left_out == 1 { "" } else { "s" };
            // Writing to a String cannot fail.
            let _ = write!(text, "\n… and {left_out} more line{plural}");
        }
        None => {
            text.truncate(room);
            text.push('…');
        }
    }
    text
}

/// Splits at line ends, and within a line only if it fills more than a section by itself. Empty if the
/// text is too much for blocks.
fn sections(text: &str) -> Vec<Range<usize>> {
    // No text has more units than bytes.
    if text.len() <= MAX_SECTION {
        return std::iter::once(0..text.len()).collect();
    }
    let mut sections: Vec<Range<usize>> = Vec::new();
    let (mut line_start, mut filled, mut total) = (0, MAX_SECTION, 0);
    for line in text.split('\n') {
        let mut start = line_start;
        for piece in line_pieces(line) {
            let end = start + piece.len();
            let added = length(piece) + 1;
            match sections.last_mut() {
                Some(section) if filled + added <= MAX_SECTION => {
                    section.end = end;
                    filled += added;
                }
                _ => {
                    sections.push(start..end);
                    filled = added - 1;
                }
            }
            total += added;
            start = end;
        }
        line_start += line.len() + 1;
    }
    // Slack refuses a section without text.
    sections.retain(|section| !text[section.clone()].trim().is_empty());
    if total > MAX_ALL_SECTIONS || sections.len() > MAX_BLOCKS { Vec::new() } else { sections }
}

/// A line in parts of which each fits into a section.
fn line_pieces(line: &str) -> impl Iterator<Item = &str> {
    let mut rest = Some(line);
    std::iter::from_fn(move || {
        let line = rest.take()?;
        if line.len() <= MAX_SECTION || length(line) <= MAX_SECTION {
            return Some(line);
        }
        let (piece, after) = line.split_at(cut_point(line, MAX_SECTION));
        rest = Some(after);
        Some(piece)
    })
}

/// The last place within `max_length` where cutting harms neither a link nor an entity; behind a space
/// if there is one in the second half. Never the very start, so that every cut gets on.
pub(in crate::slack) fn cut_point(text: &str, max_length: usize) -> usize {
    let (mut units, mut anywhere, mut behind_space) = (0, 0, 0);
    let (mut in_link, mut in_entity) = (false, false);
    for (index, character) in text.char_indices() {
        if !in_link && !in_entity {
            anywhere = index;
        }
        units += character.len_utf16();
        if units > max_length {
            break;
        }
        // Every literal `<` and `&` is an entity, so these are markup.
        match character {
            '<' => in_link = true,
            '>' => in_link = false,
            '&' => in_entity = true,
            ';' => in_entity = false,
            ' ' | '\n' if !in_link && units > max_length / 2 => behind_space = index + 1,
            _ => {}
        }
    }
    let first = text.chars().next().map_or(0, char::len_utf8);
    if behind_space > 0 { behind_space } else { anywhere.max(first) }
}
