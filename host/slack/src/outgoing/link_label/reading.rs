//! A text as people read it on the screen.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;

/// How much beside a link is looked at, in bytes. No name is longer.
const MAX_BESIDE: usize = 300;

/// The end of a text from its last gap on.
pub(super) fn last_word(text: &str) -> &str {
    let near = &text[text.ceil_char_boundary(text.len().saturating_sub(MAX_BESIDE))..];
    near.rsplit(char::is_whitespace).next().unwrap_or_default()
}

/// The beginning of a text up to its first gap.
pub(super) fn first_word(text: &str) -> &str {
    let near = &text[..text.floor_char_boundary(MAX_BESIDE)];
    near.split(char::is_whitespace).next().unwrap_or_default()
}

/// Without what can't be seen, percent-encoding undone, and with the usual sign for each that looks like it.
pub(super) fn as_read(text: &str) -> String {
    let text = if text.contains('%') { decoded(text) } else { Cow::Borrowed(text) };
    // The one emoji that is a sign of its own.
    let text = if text.contains(":hash:") { Cow::Owned(text.replace(":hash:", "#")) } else { text };
    let mut read = String::with_capacity(text.len());
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        if is_invisible(letter) {
            continue;
        }
        let is_latin = |letter: Option<char>| letter.is_some_and(|letter| letter.is_ascii_alphanumeric());
        let beside = [read.chars().next_back(), letters.peek().copied()].map(is_latin);
        read.push(match letter {
            // They end sentences in Chinese and Japanese; beside Latin letters, browsers take them for dots.
            '。' | '｡' if beside.contains(&true) => '.',
            '。' | '｡' => ' ',
            '·' | '‧' | '∙' | '⋅' | '•' | '・' | '･' | '᛫' if beside == [true; 2] => '.',
            letter => usual(letter),
        });
    }
    read
}

/// Twice, as browsers show it decoded and some people encode what is encoded.
fn decoded(text: &str) -> Cow<'_, str> {
    let once = percent_decode_str(text).decode_utf8_lossy();
    Cow::Owned(percent_decode_str(&once).decode_utf8_lossy().into_owned())
}

/// Letters of no width, marks on other letters, gaps that are too narrow to see, and what the renderer drops.
fn is_invisible(letter: char) -> bool {
    matches!(
        letter,
        '\u{ad}'
            | '\u{300}'..='\u{36f}'
            | '\u{483}'..='\u{489}'
            | '\u{61c}'
            | '\u{115f}'
            | '\u{1160}'
            | '\u{17b4}'
            | '\u{17b5}'
            | '\u{180b}'..='\u{180f}'
            | '\u{1ab0}'..='\u{1aff}'
            | '\u{1dc0}'..='\u{1dff}'
            | '\u{2006}'
            | '\u{2009}'..='\u{200f}'
            | '\u{202a}'..='\u{202f}'
            | '\u{205f}'..='\u{206f}'
            | '\u{20d0}'..='\u{20ff}'
            | '\u{2800}'
            | '\u{3164}'
            | '\u{fe00}'..='\u{fe0f}'
            | '\u{fe20}'..='\u{fe2f}'
            | '\u{feff}'
            | '\u{ffa0}'
            | '\u{fff9}'..='\u{fffb}'
            | '\u{1d173}'..='\u{1d17a}'
            | '\u{e0000}'..='\u{e0fff}'
    ) || letter.is_control() && !letter.is_whitespace()
}

/// The usual sign for one that looks like it. Letters stay what they are.
fn usual(letter: char) -> char {
    match letter {
        '．' | '﹒' | '․' | '۔' | '܁' | '܂' | 'ꓸ' | '\u{a60e}' | '\u{10a50}' | '\u{660}' | '\u{6f0}'
        | '\u{2e31}' | '\u{2e33}' => '.',
        '／' | '⁄' | '∕' | '╱' | '⧸' | '⟋' | '\\' | '＼' | '﹨' | '∖' | '⧵' => '/',
        '‐' | '‑' | '‒' | '–' | '—' | '―' | '−' | '﹣' | '－' | '⁃' | '˗' | '֊' | '\u{2cba}' | '➖' => {
            '-'
        }
        '：' | '﹕' | '∶' | '꞉' | 'ː' | '˸' | '։' | '׃' | '︓' => ':',
        '＠' | '﹫' => '@',
        '＃' | '﹟' | '♯' | '⌗' | '⋕' => '#',
        '＜' | '‹' | '〈' | '⟨' | '❮' | '˂' => '<',
        '＞' | '›' | '〉' | '⟩' | '❯' | '˃' => '>',
        '？' => '?',
        '！' | 'ǃ' => '!',
        '［' => '[',
        '］' => ']',
        '\u{ff10}'..='\u{ff19}' | '\u{ff21}'..='\u{ff3a}' | '\u{ff41}'..='\u{ff5a}' => {
            // As wide as Chinese letters, in the order of ASCII.
            u32::from(letter).checked_sub(0xfee0).and_then(char::from_u32).unwrap_or(letter)
        }
        letter => letter,
    }
}
