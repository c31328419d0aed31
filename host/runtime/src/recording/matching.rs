//! Whether a call is the one that was recorded, although secrets were taken out of what was recorded.
//!
//! Where an answer has a secret's stand-in, the plugin works with that, and makes the same of it. A secret that no answer
//! has comes from the plugin itself: it asks with the secret, and what was recorded has a stand-in there. So it is with ids,
//! email addresses and tokens that are written in the plugin's code.

use std::collections::BTreeSet;

use base64::{Engine as _, prelude::BASE64_STANDARD};
use serde_json::Value;

use crate::recording::{
    secret_names::{SECRET, is_secret},
    standins::{marked, replaceable},
};

/// What a plugin can know of stand-ins.
#[derive(Debug, Default)]
pub(super) struct Known {
    /// Those for secrets that an answer has.
    secrets: BTreeSet<String>,
    /// Ids and the like that an answer has, or what was typed.
    words: BTreeSet<String>,
}

impl Known {
    /// From what was typed, and the recorded answers.
    pub(super) fn of<'a>(arguments: &str, answers: impl IntoIterator<Item = &'a Value>) -> Self {
        let mut known = Self { words: replaceable(&Value::from(arguments)), ..Self::default() };
        for answer in answers {
            known.words.extend(replaceable(answer));
            known.secrets.extend(standins(answer));
        }
        known
    }
}

/// Whether arguments, or a reply, are those that were recorded.
pub(super) fn same(recorded: &Value, actual: &Value, known: &Known) -> bool {
    match (recorded, actual) {
        (Value::Object(recorded), Value::Object(actual)) => {
            if let (Some(Value::String(name)), Some(Value::String(before)), Some(Value::String(now))) =
                (recorded.get("name"), recorded.get("value"), actual.get("value"))
                && is_secret(name)
                && actual.get("name").and_then(Value::as_str) == Some(name)
            {
                return same_header(before, now, &known.secrets);
            }
            recorded.len() == actual.len()
                && recorded
                    .iter()
                    .all(|(key, before)| actual.get(key).is_some_and(|now| same(before, now, known)))
        }
        (Value::Array(recorded), Value::Array(actual)) => {
            recorded.len() == actual.len()
                && recorded.iter().zip(actual).all(|(before, now)| same(before, now, known))
        }
        (Value::String(before), Value::String(now)) => same_text(before, now, known),
        _ => recorded == actual,
    }
}

/// Whether a text is the one that was recorded, apart from what is replaced in recordings and comes from the plugin.
pub(super) fn same_text(recorded: &str, actual: &str, known: &Known) -> bool {
    recorded == actual || marked(recorded, &known.words) == marked(actual, &known.words)
}

/// The stand-ins for secrets in a value.
fn standins(value: &Value) -> Vec<String> {
    match value {
        Value::String(text) => pieces(text).into_iter().filter_map(|(_, standin)| standin).collect(),
        Value::Array(items) => items.iter().flat_map(standins).collect(),
        Value::Object(fields) => fields.values().flat_map(standins).collect(),
        _ => Vec::new(),
    }
}

fn same_header(recorded: &str, actual: &str, known: &BTreeSet<String>) -> bool {
    let basic = |header: &str| {
        let decoded = BASE64_STANDARD.decode(header.strip_prefix("Basic ")?).ok()?;
        String::from_utf8(decoded).ok()
    };
    match (basic(recorded), basic(actual)) {
        (Some(recorded), Some(actual)) => fits(&recorded, &actual, known),
        _ => fits(recorded, actual, known),
    }
}

/// Whether a text is the one that was recorded with something in place of each stand-in that isn't known.
fn fits(recorded: &str, actual: &str, known: &BTreeSet<String>) -> bool {
    let mut literals = vec![String::new()];
    for (text, standin) in pieces(recorded) {
        let Some(last) = literals.last_mut() else { return false };
        last.push_str(&text);
        match standin {
            Some(standin) if known.contains(&standin) => last.push_str(&standin),
            Some(_) => literals.push(String::new()),
            None => {}
        }
    }
    let Some((first, others)) = literals.split_first() else { return false };
    let Some(mut rest) = actual.strip_prefix(first.as_str()) else { return false };
    for (position, literal) in others.iter().enumerate() {
        // A secret has at least one letter.
        let Some(first) = rest.chars().next() else { return false };
        let after = &rest[first.len_utf8()..];
        let is_last = position + 1 == others.len();
        let found = if is_last {
            after.ends_with(literal.as_str()).then_some(after.len() - literal.len())
        } else {
            after.find(literal.as_str())
        };
        let Some(at) = found else { return false };
        rest = &after[at + literal.len()..];
    }
    rest.is_empty()
}

/// A text as what stands before each stand-in, and the stand-in.
fn pieces(text: &str) -> Vec<(String, Option<String>)> {
    let mut pieces = Vec::new();
    let mut parts = text.split(SECRET);
    let mut before = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let digits = part.len() - part.trim_start_matches(|letter: char| letter.is_ascii_digit()).len();
        if digits == 0 {
            before.push_str(SECRET);
            before.push_str(part);
            continue;
        }
        pieces.push((std::mem::take(&mut before), Some(format!("{SECRET}{}", &part[..digits]))));
        before.push_str(&part[digits..]);
    }
    pieces.push((before, None));
    pieces
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_secret_of_the_plugins_own_may_be_anything_and_one_of_an_answer_must_be_that() {
        let known = Known { secrets: BTreeSet::from(["SECRET1".to_owned()]), ..Known::default() };
        let header =
            |value: &str| json!({ "request": { "headers": [{ "name": "authorization", "value": value }] } });
        for (recorded, actual, expected) in [
            ("Bearer SECRET1", "Bearer SECRET1", true),
            ("Bearer SECRET1", "Bearer other", false),
            ("Bearer SECRET2", "Bearer anything", true),
            ("Bearer SECRET2", "Bearer ", false),
            ("Bearer SECRET2", "Token anything", false),
            ("SECRET2", "Token token=SECRET1", true),
            ("Token token=\"SECRET1\", nonce=\"SECRET2\"", "Token token=\"SECRET1\", nonce=\"n\"", true),
            ("Token token=\"SECRET1\", nonce=\"SECRET2\"", "Token token=\"x\", nonce=\"n\"", false),
            // svc:SECRET2, and svc:mine
            ("Basic c3ZjOlNFQ1JFVDI=", "Basic c3ZjOm1pbmU=", true),
            ("Basic c3ZjOlNFQ1JFVDI=", "Basic b3RoZXI6bWluZQ==", false),
            ("a SECRET", "a SECRET", true),
        ] {
            assert_eq!(same(&header(recorded), &header(actual), &known), expected, "{recorded}: {actual}");
        }
        let accept = |value: &str| json!({ "headers": [{ "name": "accept", "value": value }] });
        assert!(!same(&accept("SECRET2"), &accept("other"), &known), "it isn't secret");
        assert!(!same(&header("SECRET2"), &json!({ "request": { "headers": [] } }), &known));
    }
    #[test]
    fn what_the_plugin_writes_itself_may_be_anything_of_its_kind_and_what_it_was_told_must_be_that() {
        let answer = json!({ "Ok": [{ "tracked_by": "U000000001" }, "person1@example.com", "TOKEN1"] });
        let known = Known::of("<@U000000002>", [&answer]);
        for (recorded, actual, expected) in [
            ("ask person2@example.com.", "ask help@corp.example.", true),
            ("ask person1@example.com.", "ask help@corp.example.", false),
            ("ask person2@example.com.", "ask person1@example.com.", false),
            ("ask person2@example.com.", "ask nobody.", false),
            ("of U000000003", "of U024BE7LH", true),
            ("of U000000003", "of U000000001", false),
            ("of U000000002", "of U024BE7LH", false),
            ("of C000000001", "of U024BE7LH", false),
            ("key day-U000000003", "key day-U024BE7LH", true),
            ("TOKEN2", "4f9a0c21d88e47b1a2c3", true),
            ("TOKEN1", "4f9a0c21d88e47b1a2c3", false),
            ("TOKEN2", "short", false),
            ("[x](person2@example.com)", "[x](https://rota:duty@corp.example/)", true),
        ] {
            assert_eq!(same_text(recorded, actual, &known), expected, "{recorded}: {actual}");
            assert_eq!(same(&json!([recorded]), &json!([actual]), &known), expected, "{recorded}: {actual}");
        }
    }
}
