//! What takes the place of ids, email addresses, names and tokens in recordings.

pub(crate) mod encodings;
mod headers;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::recording::{
    bodies,
    secret_names::{SECRET, UNMISTAKABLE_LENGTH, is_secret},
};

/// The shortest text without spaces that counts as a token if it mixes letters and digits.
const TOKEN_LENGTH: usize = 20;

/// The words of a value that would be replaced, and stand-ins for such.
pub(super) fn replaceable(value: &Value) -> BTreeSet<String> {
    let mut standins = Standins::default();
    standins.collect_words_in(value);
    standins.note_standins(value);
    standins.by_original.into_keys().chain(standins.taken).collect()
}

/// A text with one mark of its kind in place of each word that is replaced and isn't `known`, and of each stand-in for one:
/// the same for what a plugin says and for what was recorded of it.
pub(super) fn marked(text: &str, known: &BTreeSet<String>) -> String {
    let mut standins = Standins::default();
    standins.collect_words(text);
    standins.note_standins(&Value::from(text));
    let of_each = std::mem::take(&mut standins.taken).into_iter().map(|standin| (standin.clone(), standin));
    standins.by_original.extend(of_each);
    standins.by_original.retain(|original, _| !known.contains(original));
    for standin in standins.by_original.values_mut() {
        standin.retain(|letter| !letter.is_ascii_digit());
    }
    standins.replaced(text)
}

/// What is replaced, and by what.
#[derive(Default)]
pub(super) struct Standins {
    by_original: BTreeMap<String, String>,
    counts: BTreeMap<&'static str, usize>,
    /// Stand-ins that were there before.
    taken: BTreeSet<String>,
}

impl Standins {
    /// Secrets among the answers of `settings`: by their names, or by their look.
    pub(super) fn collect_settings(&mut self, call: &Value) {
        let answer = call["answer"].get("Ok").unwrap_or(&call["answer"]);
        match call["call"].as_str() {
            Some("settings.get") => {
                self.collect_setting(call["arguments"]["name"].as_str(), answer.as_str());
            }
            Some("settings.all") => {
                for pair in answer.as_array().into_iter().flatten() {
                    self.collect_setting(pair[0].as_str(), pair[1].as_str());
                }
            }
            _ => {}
        }
    }

    fn collect_setting(&mut self, name: Option<&str>, value: Option<&str>) {
        let (Some(name), Some(value)) = (name, value) else { return };
        if is_secret(name) {
            self.add(SECRET, value);
        } else {
            self.collect_words(value);
        }
    }

    /// Accounts of Jira, and what is secret in headers.
    pub(super) fn collect_names(&mut self, value: &Value) {
        match value {
            Value::Array(items) => items.iter().for_each(|item| self.collect_names(item)),
            Value::Object(fields) if bodies::is_encoded(fields) => {}
            Value::Object(fields) => {
                let text = |name: &str| fields.get(name).and_then(Value::as_str);
                // As Jira knows people.
                if let (2, Some(id), Some(name)) = (fields.len(), text("id"), text("name")) {
                    self.add("account-", id);
                    self.add("Person ", name);
                }
                if let (Some(name), Some(content)) = (text("name"), text("value"))
                    && is_secret(name)
                {
                    for part in headers::secrets(name, content) {
                        self.add_unless_known(&part);
                    }
                }
                fields.values().for_each(|field| self.collect_names(field));
            }
            _ => {}
        }
    }

    /// Adds what is secret in a header, unless it is made of a secret that is known.
    fn add_unless_known(&mut self, part: &str) {
        // The host keeps what stands behind it.
        if part.contains("${secret:") {
            return;
        }
        if self.replaced(part) == part
            && encodings::base64_replaced(part, |text| self.replaced(text)).is_none()
        {
            self.add(SECRET, part);
        }
    }

    pub(super) fn collect_words_in(&mut self, value: &Value) {
        match value {
            Value::String(text) => self.collect_words(text),
            Value::Array(items) => items.iter().for_each(|item| self.collect_words_in(item)),
            Value::Object(fields) if bodies::is_encoded(fields) => {}
            Value::Object(fields) => fields.values().for_each(|field| self.collect_words_in(field)),
            _ => {}
        }
    }

    fn collect_words(&mut self, text: &str) {
        let is_boundary = |letter: char| letter.is_whitespace() || "<>|()[]{}\"',;`".contains(letter);
        for word in text.split(is_boundary) {
            if is_email(word.trim_end_matches('.')) {
                self.add("person", word.trim_end_matches('.'));
            }
            // A secret in base64 looks like a token, too.
            let word = encodings::base64_replaced(word, |text| self.replaced(text)).map_or(word, |_| "");
            for part in word.split(|letter: char| !(letter.is_ascii_alphanumeric() || "-_".contains(letter)))
            {
                for word in part.split(['-', '_']).filter(|word| is_slack_id(word)) {
                    match word.chars().next() {
                        Some('U' | 'W') => self.add("U", word),
                        Some('C' | 'G' | 'D') => self.add("C", word),
                        _ => {}
                    }
                }
                // What a plugin makes of an id and words of its own is replaced as the id is.
                if is_token(part) && is_token(&self.without_ids(part)) {
                    self.add("TOKEN", part);
                }
            }
        }
    }

    /// What is left of a text without the ids that it's known to hold.
    fn without_ids(&self, part: &str) -> String {
        let is_id = |standin: &str| ["U", "C", "TOKEN"].iter().any(|kind| standin.starts_with(kind));
        let ids = self.by_original.iter().filter(|(original, standin)| *original != part && is_id(standin));
        ids.fold(part.to_owned(), |left, (original, _)| left.replace(original.as_str(), ""))
    }

    /// Notes the stand-ins that a value has, which stay and stand for nothing else.
    pub(super) fn note_standins(&mut self, value: &Value) {
        match value {
            Value::String(text) => {
                let words = text.split(|letter: char| !letter.is_ascii_alphanumeric());
                self.taken.extend(words.filter_map(standin_of));
            }
            Value::Array(items) => items.iter().for_each(|item| self.note_standins(item)),
            Value::Object(fields) => fields.values().for_each(|field| self.note_standins(field)),
            _ => {}
        }
    }

    fn add(&mut self, kind: &'static str, original: &str) {
        if original.is_empty() || self.by_original.contains_key(original) || self.taken.contains(original) {
            return;
        }
        let count = self.counts.entry(kind).or_default();
        let standin = loop {
            *count += 1;
            let standin = standin(kind, *count);
            if !self.taken.contains(&standin) {
                break standin;
            }
        };
        self.by_original.insert(original.to_owned(), standin);
    }

    /// Adds what secrets look like in a URL or within JSON.
    pub(super) fn add_spellings(&mut self) {
        let secrets: Vec<_> =
            self.by_original.clone().into_iter().filter(|(_, standin)| standin.starts_with(SECRET)).collect();
        for (original, standin) in secrets {
            for spelling in encodings::spellings(&original) {
                self.by_original.entry(spelling).or_insert_with(|| standin.clone());
            }
        }
    }

    pub(super) fn replace(&self, value: &mut Value) {
        match value {
            Value::String(text) => {
                let encoded = encodings::base64_replaced(text, |text| self.replaced(text));
                *text = self.replaced(encoded.as_ref().unwrap_or(text));
            }
            Value::Array(items) => items.iter_mut().for_each(|item| self.replace(item)),
            Value::Object(fields) if bodies::is_encoded(fields) => {
                fields.values_mut().for_each(|body| encodings::replace_in_body(body, &self.by_original));
            }
            Value::Object(fields) => fields.values_mut().for_each(|field| self.replace(field)),
            _ => {}
        }
    }

    /// Replaces originals where they are whole words, and long secrets everywhere; longer ones first.
    fn replaced(&self, text: &str) -> String {
        let mut out = String::with_capacity(text.len());
        let mut rest = text;
        while !rest.is_empty() {
            let starts_word = out.chars().next_back().is_none_or(|before| !before.is_alphanumeric());
            let found = self.by_original.iter().filter(|(original, standin)| {
                let Some(after) = rest.strip_prefix(original.as_str()) else { return false };
                let is_word = starts_word && !after.starts_with(char::is_alphanumeric);
                is_word || standin.starts_with(SECRET) && original.len() >= UNMISTAKABLE_LENGTH
            });
            let length = match found.max_by_key(|(original, _)| original.len()) {
                Some((original, standin)) => {
                    out.push_str(standin);
                    original.len()
                }
                None => {
                    let letter = rest.chars().next().unwrap_or_default();
                    out.push(letter);
                    letter.len_utf8()
                }
            };
            rest = &rest[length..];
        }
        out
    }
}

fn standin(kind: &str, number: usize) -> String {
    match kind {
        // As long as Slack's ids, since plugins may check that.
        "U" | "C" => format!("{kind}{number:0>9}"),
        "person" => format!("person{number}@example.com"),
        kind => format!("{kind}{number}"),
    }
}

/// The stand-in that a word is, or begins: `person1` is that of an address.
fn standin_of(word: &str) -> Option<String> {
    let kinds = ["U", "C", "person", "TOKEN", SECRET];
    let (kind, number) =
        kinds.iter().find_map(|kind| Some((*kind, word.strip_prefix(kind)?.parse().ok()?)))?;
    let standin = standin(kind, number);
    (standin.split('@').next() == Some(word)).then_some(standin)
}

fn is_email(word: &str) -> bool {
    word.split_once('@').is_some_and(|(name, host)| {
        !name.is_empty() && host.contains('.') && !host.contains('@') && !host.starts_with('.')
    })
}

fn is_slack_id(word: &str) -> bool {
    word.len() >= 8
        && word.bytes().any(|byte| byte.is_ascii_digit())
        && word.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
}

/// Whether a word looks randomly generated.
fn is_token(word: &str) -> bool {
    let has = |is: fn(&char) -> bool| word.chars().filter(is).count() >= 4;
    let prefixed = ["xoxb-", "xoxp-", "xapp-", "ATATT", "ghp_"].iter().any(|prefix| word.starts_with(prefix));
    prefixed || word.len() >= TOKEN_LENGTH && has(char::is_ascii_digit) && has(char::is_ascii_alphabetic)
}
