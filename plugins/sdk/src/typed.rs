//! What people typed, as Slack sends it.

use std::borrow::Cow;

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
