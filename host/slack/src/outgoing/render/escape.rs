//! Text in Slack's markup that stays text.

/// Ends a word for Slack's parser, but is invisible.
pub(super) const ZERO_WIDTH_SPACE: char = '\u{200b}';

/// Whether a byte is, or starts, a character that [`push_special`] must handle.
const fn is_special(byte: u8) -> bool {
    matches!(byte, b'&' | b'<' | b'>' | b'*' | b'_' | b'~' | b'`' | 0..=0x1f | 0x7f | 0xc2 | 0xe2)
}

pub(super) fn push_text(out: &mut String, text: &str) {
    let bytes = text.as_bytes();
    let mut copied = 0;
    let mut index = 0;
    while let Some(offset) = bytes[index..].iter().position(|byte| is_special(*byte)) {
        index += offset;
        out.push_str(&text[copied..index]);
        let mut rest = text[index..].chars();
        let Some(character) = rest.next() else { break };
        push_special(out, character, rest.next());
        index += character.len_utf8();
        copied = index;
    }
    out.push_str(&text[copied..]);
}

pub(super) fn push_special(out: &mut String, character: char, next: Option<char>) {
    match character {
        '&' => out.push_str("&amp;"),
        '<' => out.push_str("&lt;"),
        '>' => {
            if out.is_empty() || out.ends_with('\n') {
                out.push(ZERO_WIDTH_SPACE);
            }
            out.push_str("&gt;");
        }
        '`' => out.extend(['`', ZERO_WIDTH_SPACE]),
        '*' | '_' | '~' => {
            let opens =
                !out.ends_with(char::is_alphanumeric) && next.is_none_or(|next| !next.is_whitespace());
            out.push(character);
            if opens {
                out.push(ZERO_WIDTH_SPACE);
            }
        }
        '\r' if next == Some('\n') => {}
        '\n' | '\r' | '\t' | '\u{b}' | '\u{c}' | '\u{85}' | '\u{2028}' | '\u{2029}' => out.push(' '),
        '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => {}
        control if control.is_control() => {}
        other => out.push(other),
    }
}
