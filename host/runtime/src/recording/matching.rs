//! Whether a call is the one that was recorded, although secrets were taken out of what was recorded.
//!
//! Where an answer has a secret's stand-in, the plugin works with that, and makes the same of it. A secret that no answer
//! has comes from the plugin itself: it asks with the secret, and what was recorded has a stand-in there.

use std::collections::BTreeSet;

use base64::{Engine as _, prelude::BASE64_STANDARD};
use serde_json::Value;

use crate::recording::secret_names::{SECRET, is_secret};

/// Whether arguments are those that were recorded. `known` are the stand-ins in recorded answers.
pub(super) fn same(recorded: &Value, actual: &Value, known: &BTreeSet<String>) -> bool {
    match (recorded, actual) {
        (Value::Object(recorded), Value::Object(actual)) => {
            if let (Some(Value::String(name)), Some(Value::String(before)), Some(Value::String(now))) =
                (recorded.get("name"), recorded.get("value"), actual.get("value"))
                && is_secret(name)
                && actual.get("name").and_then(Value::as_str) == Some(name)
            {
                return same_header(before, now, known);
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
        _ => recorded == actual,
    }
}

/// The stand-ins for secrets in a value.
pub(super) fn standins(value: &Value) -> Vec<String> {
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
        let known = BTreeSet::from(["SECRET1".to_owned()]);
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
}
