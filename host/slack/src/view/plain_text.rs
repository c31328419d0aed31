//! Texts that Slack shows literally: cut to their limit, and without characters that could disguise them.

use std::borrow::Cow;

use serde_json::{Value, json};

/// The longest block id, action id and callback id.
const MAX_ID: usize = 255;

/// Shown instead of an empty text, which Slack rejects.
const NOTHING: &str = "–";

/// The length in UTF-16 units.
pub(crate) fn length(text: &str) -> usize {
    // Each character has one byte that doesn't continue another, and four bytes make two units.
    text.bytes().map(|byte| usize::from(byte & 0xc0 != 0x80) + usize::from(byte >= 0xf0)).sum()
}

/// A plain text object with one line.
pub(crate) fn plain_text(text: &str, max_length: usize) -> Value {
    let line = one_line(text);
    let line = line.trim();
    let line = if line.is_empty() { NOTHING } else { line };
    // Colons in people's words aren't emoji.
    json!({ "type": "plain_text", "text": cut(line, max_length), "emoji": false })
}

/// Line breaks and other control characters become spaces; bidirectional overrides are dropped.
fn one_line(text: &str) -> String {
    text.chars().filter(|letter| !is_override(*letter)).map(space_for_control).collect()
}

fn is_override(letter: char) -> bool {
    matches!(letter, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

fn space_for_control(letter: char) -> char {
    if letter.is_control() || matches!(letter, '\u{2028}' | '\u{2029}') { ' ' } else { letter }
}

/// At most `max_length` UTF-16 units, with `…` for the rest.
pub(crate) fn cut(text: &str, max_length: usize) -> Cow<'_, str> {
    if text.len() <= max_length || length(text) <= max_length {
        return Cow::Borrowed(text);
    }
    let mut units = 1;
    let kept = text.chars().take_while(|letter| {
        units += letter.len_utf16();
        units <= max_length
    });
    Cow::Owned(kept.chain(['…']).collect())
}

/// The first 255 characters of an id. Ids are MARO's own, short and ASCII.
pub(super) fn bounded_id(id: &str) -> &str {
    &id[..id.floor_char_boundary(MAX_ID)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_cut_where_slack_counts() {
        assert_eq!(cut("abc", 3), "abc");
        assert_eq!(cut("abcd", 3), "ab…");
        assert_eq!(cut("ééé", 3), "ééé");
        // Each has two units.
        assert_eq!(cut("😀😀", 4), "😀😀");
        assert_eq!(cut("😀😀", 3), "😀…");
        assert_eq!(cut("😀😀😀", 4), "😀…");
    }

    #[test]
    fn a_plain_text_is_one_honest_line() {
        let text = |text| plain_text(text, 20)["text"].as_str().unwrap().to_owned();
        assert_eq!(text(" two\nlines\t"), "two lines");
        assert_eq!(text("\u{202e}txt.exe"), "txt.exe");
        assert_eq!(text(" \n "), "–");
        assert_eq!(text(":warning: <!here>"), ":warning: <!here>");
    }

    #[test]
    fn an_id_is_bounded() {
        assert_eq!(bounded_id("project"), "project");
        assert_eq!(bounded_id(&"é".repeat(200)).len(), 254);
    }
}
