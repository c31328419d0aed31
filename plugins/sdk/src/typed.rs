//! What people typed, as Slack sends it.

use std::borrow::Cow;

use crate::keys::parser::{self, letters};

/// Turns what Slack sent into what was typed: `&`, `<` and `>` arrive as `&amp;`, `&lt;` and `&gt;`, even in
/// URLs.
///
/// ```
/// # use maro_plugin::typed::unescape;
/// assert_eq!(unescape("R&amp;D &lt; 1"), "R&D < 1");
/// ```
pub fn unescape(text: &str) -> Cow<'_, str> {
    if !text.contains('&') {
        return Cow::Borrowed(text);
    }
    let mut decoded = String::with_capacity(text.len());
    for (index, part) in text.split('&').enumerate() {
        let entity = [("amp;", "&"), ("lt;", "<"), ("gt;", ">")]
            .into_iter()
            .find_map(|(name, character)| Some((character, part.strip_prefix(name)?)));
        let (character, rest) = match entity {
            Some(found) if index > 0 => found,
            _ if index > 0 => ("&", part),
            _ => ("", part),
        };
        decoded.push_str(character);
        decoded.push_str(rest);
    }
    Cow::Owned(decoded)
}

/// The words of a short command, such as `all` in `“All”, please!`: without quotes, the ends of sentences and what only
/// joins.
///
/// ```
/// # use maro_plugin::typed::plain_words;
/// assert_eq!(plain_words("“All” of the issues, please!"), ["All", "of", "the", "issues"]);
/// ```
pub fn plain_words(text: &str) -> Vec<String> {
    let text = letters::tidy(&unescape(text));
    let words = text.split(parser::is_separator).filter(|word| !letters::is_filler(word));
    words.map(|word| letters::trim(word).to_owned()).collect()
}

/// What people write before a name, and at a sentence's end.
const BEFORE_NAMES: [&str; 5] = ["to ", "→", "->", "=>", "="];
const COURTESIES: [&str; 3] = [" please", " pls", " thanks"];
const QUOTES: &[char] = &['"', '\'', '`', '“', '”', '„', '‘', '’', '‚', '«', '»'];

/// A name as it was meant, where people type it behind something else: without `to` or an arrow before it, without
/// quotes, and without a sentence's end.
///
/// ```
/// # use maro_plugin::typed::named;
/// assert_eq!(named("to “In Review”, please."), "In Review");
/// ```
pub fn named(text: &str) -> &str {
    let is_end = |letter: char| letter.is_whitespace() || matches!(letter, '.' | ',' | '!' | '?');
    let mut name = text.trim().trim_end_matches(is_end);
    for courtesy in COURTESIES {
        let start = name.len().saturating_sub(courtesy.len());
        if name.get(start..).is_some_and(|end| end.eq_ignore_ascii_case(courtesy)) {
            name = name[..start].trim_end_matches(is_end);
        }
    }
    for before in BEFORE_NAMES {
        if name.get(..before.len()).is_some_and(|start| start.eq_ignore_ascii_case(before)) {
            name = name[before.len()..].trim_start();
        }
    }
    name.trim_matches(QUOTES).trim()
}

#[cfg(test)]
mod tests {
    use super::named;

    #[test]
    fn a_name_is_what_was_meant() {
        for (typed, name) in [
            ("Grace Hopper", "Grace Hopper"),
            ("to Grace", "Grace"),
            ("To \"In Progress\" please", "In Progress"),
            ("→ Done!", "Done"),
            ("-> 'Won't do'", "Won't do"),
            ("Tobias", "Tobias"),
            ("please", "please"),
            ("To Do", "Do"),
            ("é", "é"),
            ("“”", ""),
            ("", ""),
        ] {
            assert_eq!(named(typed), name, "{typed}");
        }
    }
}
