//! What counts as said in the parts of a message, and links in Slack's markup.

use serde_json::Value;

/// What Slack and client libraries write where there is nothing to show.
const PLACEHOLDERS: [&str; 5] = [
    "this content can't be displayed.",
    "this message contains interactive elements.",
    "this message can't be displayed.",
    "[no preview available]",
    "no preview available",
];

/// Whether the sender wrote none of this.
pub(super) fn is_placeholder(text: &str) -> bool {
    let text = text.trim().replace('\u{2019}', "'").to_lowercase();
    text.is_empty() || PLACEHOLDERS.contains(&text.as_str())
}

/// A text that is there and says something.
pub(super) fn said<'a>(object: &'a Value, name: &str) -> Option<&'a str> {
    object[name].as_str().filter(|text| !is_placeholder(text))
}

/// A link whose label is in Slack's markup.
pub(super) fn linked(address: &str, label: &str) -> String {
    let address = address.replace('<', "%3C").replace('>', "%3E").replace('|', "%7C");
    let address = address.replace("&amp;", "&").replace('&', "&amp;");
    // A label has no markup of its own.
    format!("<{address}|{}>", label.replace(['<', '>', '\n'], " ").trim())
}

/// A text in which a link within code has the code in its label: what is code has no links.
pub(super) fn with_linked_code(mrkdwn: &str) -> String {
    let mut out = String::with_capacity(mrkdwn.len());
    let mut rest = mrkdwn;
    while let Some(position) = rest.find("`<") {
        let (before, found) = rest.split_at(position);
        out.push_str(before);
        let inside = found[2..].find(['<', '>', '`', '\n']).map(|end| found[2..].split_at(end));
        let link = inside.filter(|(_, after)| after.starts_with(">`") && !after.starts_with(">``"));
        match link.and_then(|(inside, after)| Some((inside.split_once('|')?, after))) {
            Some(((target, label), after)) if target.contains("://") && !before.ends_with('`') => {
                out.push_str(&format!("<{target}|`{label}`>"));
                rest = &after[2..];
            }
            _ => {
                out.push_str("`<");
                rest = &found[2..];
            }
        }
    }
    out + rest
}

/// A text in Slack's markup without `*`, `_` and `~` around words. What is code or between `<` and `>` stays as it is.
pub(super) fn without_emphasis(mrkdwn: &str) -> String {
    let mut plain = mrkdwn.to_owned();
    for marker in ['*', '_', '~'] {
        plain = without_marker(&plain, marker);
    }
    plain
}

fn without_marker(text: &str, marker: char) -> String {
    let is_edge = |letter: Option<char>| letter.is_none_or(|letter| !letter.is_alphanumeric());
    let mut out = String::with_capacity(text.len());
    let mut opened: Option<usize> = None;
    // Until this letter, nothing is markup.
    let mut closing: Option<char> = None;
    let mut letters = text.chars().peekable();
    let mut before: Option<char> = None;
    while let Some(letter) = letters.next() {
        let after = letters.peek().copied();
        let is_marker = letter == marker && closing.is_none();
        let opens = is_edge(before) && after.is_some_and(|after| !after.is_whitespace() && after != marker);
        let closes =
            is_edge(after) && before.is_some_and(|before| !before.is_whitespace() && before != marker);
        match opened {
            Some(start) if is_marker && closes => {
                out.remove(start);
                opened = None;
            }
            _ => {
                if is_marker && opens {
                    opened = Some(out.len());
                }
                out.push(letter);
            }
        }
        match closing {
            Some(end) if letter == end => closing = None,
            None if letter == '<' => closing = Some('>'),
            None if letter == '`' => closing = Some('`'),
            _ => {}
        }
        before = Some(letter);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_within_code_stays_a_link() {
        for (text, expected) in [
            (
                "on `<https://x.example|a1>`, `<https://y.example|b>`",
                "on <https://x.example|`a1`>, <https://y.example|`b`>",
            ),
            ("`<https://x.example>` `<@U1|a>` `<b|c>` `<", "`<https://x.example>` `<@U1|a>` `<b|c>` `<"),
            ("```<https://x.example|a>```", "```<https://x.example|a>```"),
            ("`a <https://x.example|b>`", "`a <https://x.example|b>`"),
        ] {
            assert_eq!(with_linked_code(text), expected, "{text}");
        }
    }

    #[test]
    fn emphasis_is_left_out() {
        for (text, expected) in [
            ("Shard *7* &amp; 8, _eu-north_", "Shard 7 &amp; 8, eu-north"),
            ("*a* *b* ~c~ *_d_*", "a b c d"),
            ("2*3*4 a_b_c * not * snake_case_", "2*3*4 a_b_c * not * snake_case_"),
            ("`*x*` <https://x.example/*y*|*z*> *w*", "`*x*` <https://x.example/*y*|*z*> w"),
            ("*open", "*open"),
            ("", ""),
        ] {
            assert_eq!(without_emphasis(text), expected, "{text}");
        }
    }
}
