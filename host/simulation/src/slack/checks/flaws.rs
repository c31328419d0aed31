//! Collects what is wrong with a piece of Block Kit, and where.

use std::fmt;

use serde_json::Value;

/// The longest id of a block or an element.
pub(super) const MAX_ID: usize = 255;

/// One reason for Slack to refuse something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flaw {
    /// A JSON pointer, such as `/view/blocks/0/label`.
    pub at: String,
    /// Continues the sentence: `has 25 characters, at most 24`.
    pub what: String,
}

impl Flaw {
    /// In Slack's form for `response_metadata.messages`.
    pub fn to_message(&self) -> String {
        format!("[ERROR] {} [json-pointer:{}]", self.what, self.at)
    }
}

impl fmt::Display for Flaw {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} {}.", self.at, self.what)
    }
}

/// Which text objects are allowed in a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TextKind {
    Plain,
    PlainOrMarkup,
}

/// The flaws found so far, and counts for the rules about the whole.
#[derive(Debug, Default)]
pub(super) struct Checker {
    pub(super) flaws: Vec<Flaw>,
    /// The length of all text objects together.
    pub(super) text_length: usize,
    /// How many elements have `focus_on_load`.
    pub(super) focused: usize,
}

impl Checker {
    pub(super) fn flaw(&mut self, at: &str, what: impl Into<String>) {
        self.flaws.push(Flaw { at: at.to_owned(), what: what.into() });
    }

    /// Slack refuses fields that an object doesn't have.
    pub(super) fn only(&mut self, at: &str, object: &Value, known: &[&str]) {
        let fields = object.as_object().into_iter().flatten();
        for (name, _) in fields.filter(|(name, _)| !known.contains(&name.as_str())) {
            self.flaw(at, format!("has the unknown field {name}"));
        }
    }

    /// Checks for a string of 1 to `max` characters, if it is there.
    pub(super) fn string(&mut self, at: &str, object: &Value, name: &str, max: usize) {
        let at = format!("{at}/{name}");
        match object.get(name) {
            None => {}
            Some(Value::String(text)) if length(text) > max => {
                self.flaw(&at, format!("has {} characters, at most {max}", length(text)));
            }
            Some(Value::String(text)) if text.is_empty() => self.flaw(&at, "is empty"),
            Some(Value::String(_)) => {}
            Some(_) => self.flaw(&at, "isn't a string"),
        }
    }

    pub(super) fn required_string(&mut self, at: &str, object: &Value, name: &str, max: usize) {
        if object.get(name).is_none() {
            self.flaw(at, format!("has no {name}"));
        }
        self.string(at, object, name, max);
    }

    pub(super) fn flag(&mut self, at: &str, object: &Value, name: &str) {
        if object.get(name).is_some_and(|flag| !flag.is_boolean()) {
            self.flaw(&format!("{at}/{name}"), "is neither true nor false");
        }
    }

    /// Checks for a whole number between `min` and `max`, if it is there.
    pub(super) fn number(&mut self, at: &str, object: &Value, name: &str, min: u64, max: u64) {
        if let Some(number) = object.get(name)
            && !number.as_u64().is_some_and(|number| (min..=max).contains(&number))
        {
            self.flaw(&format!("{at}/{name}"), format!("is {number}, not between {min} and {max}"));
        }
    }

    /// Checks the text object at `name`, if it is there.
    pub(super) fn text(&mut self, at: &str, object: &Value, name: &str, kind: TextKind, max: usize) {
        if let Some(text) = object.get(name) {
            self.text_object(&format!("{at}/{name}"), text, kind, max);
        }
    }

    pub(super) fn required_text(&mut self, at: &str, object: &Value, name: &str, kind: TextKind, max: usize) {
        if object.get(name).is_none() {
            self.flaw(at, format!("has no {name}"));
        }
        self.text(at, object, name, kind, max);
    }

    pub(super) fn text_object(&mut self, at: &str, object: &Value, kind: TextKind, max: usize) {
        let Some(text) = object["text"].as_str() else {
            return self.flaw(at, "has a text object without text");
        };
        self.text_length += length(text);
        match (object["type"].as_str(), kind) {
            (Some("mrkdwn"), TextKind::PlainOrMarkup) => {
                self.only(at, object, &["type", "text", "verbatim"]);
                self.flag(at, object, "verbatim");
            }
            (Some("plain_text"), _) => {
                self.only(at, object, &["type", "text", "emoji"]);
                self.flag(at, object, "emoji");
            }
            (Some("mrkdwn"), TextKind::Plain) => self.flaw(at, "must be plain_text"),
            _ => self.flaw(at, "has a text object of an unknown type"),
        }
        match length(text) {
            0 => self.flaw(at, "has empty text"),
            _ if text.trim().is_empty() => self.flaw(at, "has blank text"),
            length if length > max => self.flaw(at, format!("has {length} characters, at most {max}")),
            _ => {}
        }
    }

    /// Checks for an array at `name` with `min` to `max` entries, and returns it. Empty if it is missing or
    /// not an array.
    pub(super) fn array<'a>(
        &mut self,
        at: &str,
        object: &'a Value,
        name: &str,
        (min, max): (usize, usize),
    ) -> &'a [Value] {
        let entries = match object.get(name) {
            None => &[][..],
            Some(Value::Array(entries)) => entries,
            Some(_) => {
                self.flaw(&format!("{at}/{name}"), "isn't an array");
                return &[];
            }
        };
        if entries.len() < min || entries.len() > max {
            self.flaw(&format!("{at}/{name}"), format!("has {} entries, not {min} to {max}", entries.len()));
        }
        entries
    }
}

/// Counts as JavaScript does, which is the strictest way.
pub(super) fn length(text: &str) -> usize {
    text.encode_utf16().count()
}
