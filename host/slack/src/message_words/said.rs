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

/// Whether this is no word of the sender's.
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
    format!("<{address}|{}>", label.replace(['<', '>', '|', '\n'], " ").trim())
}
