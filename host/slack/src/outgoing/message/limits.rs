//! Slack's limits of a message, and where a text is cut to keep them.
//!
//! They are from <https://docs.slack.dev/reference/block-kit/blocks/section-block> and
//! <https://docs.slack.dev/changelog/2018-truncating-really-long-messages>. Lengths are in UTF-16 units,
//! because none of the ways in which Slack may count characters gives more.

use std::fmt::Write;

use crate::view::plain_text::length;

/// The longest `text`; Slack silently cuts off the rest.
const MAX_TEXT: usize = 40_000;

/// Room for the line that says how much was left out.
const NOTE_ROOM: usize = 40;

/// The longest text in one section block.
pub(super) const MAX_SECTION: usize = 3_000;

/// The most blocks in one message.
pub(super) const MAX_BLOCKS: usize = 50;

/// The longest text of all blocks together. Slack doesn't document a limit, but rejects messages with more
/// than about 13,000 characters in blocks (`msg_blocks_too_long`).
pub(super) const MAX_ALL_SECTIONS: usize = 11_000;

/// The longest text of all blocks with that of their buttons, and of what Slack asks before some of them. It leaves
/// some room below that number, too.
pub(super) const MAX_ALL_TEXTS: usize = 12_500;

pub(super) fn bounded(mut text: String) -> String {
    if text.len() <= MAX_TEXT || length(&text) <= MAX_TEXT {
        return text;
    }
    let room = cut_point(&text, MAX_TEXT - NOTE_ROOM);
    match text[..room].rfind('\n') {
        Some(line_end) => {
            let left_out = text[line_end + 1..].split('\n').count();
            text.truncate(line_end);
            let plural = if left_out == 1 { "" } else { "s" };
            // Writing to a String can't fail.
            let _ = write!(text, "\n… and {left_out} more line{plural}");
        }
        None => {
            text.truncate(room);
            text.push('…');
        }
    }
    text
}

/// The last position within `max_length` where a cut splits neither a link nor an entity; after a space if
/// there is one in the second half. Never the very start, so that every cut makes progress.
pub(crate) fn cut_point(text: &str, max_length: usize) -> usize {
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
