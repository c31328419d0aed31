//! Removing from a recorded case what says who and where: ids, email addresses, names of people, tokens.
//!
//! Each is replaced by the same stand-in throughout the case, also within base64 and percent-encoding, so that the case
//! still plays back: what a plugin makes of a stand-in is what is recorded. What people wrote in summaries and comments
//! stays, so read a case before you share it.

mod encodings;
mod headers;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use serde_json::Value;

use crate::recording::{
    bodies,
    cases::Case,
    secret_names::{SECRET, UNMISTAKABLE_LENGTH, is_secret},
};

/// The shortest text without spaces that counts as a token if it mixes letters and digits.
const TOKEN_LENGTH: usize = 20;

/// The case without ids of people and channels, email addresses, names of Jira accounts, and tokens.
///
/// # Errors
/// No recorded case can cause one; an error is a bug.
pub fn redact(case: &Case) -> Result<Case, serde_json::Error> {
    let mut value = serde_json::to_value(case)?;
    let mut standins = Standins::default();
    // What the operator sets comes first: a plugin puts it into other texts, which are secret only for that.
    for call in calls(&value) {
        standins.collect_settings(call);
    }
    standins.collect_names(&value);
    standins.collect_words_in(&value);
    standins.add_spellings();
    // The subcommand and the names of calls are words of the interface.
    for part in ["arguments", "ending"] {
        standins.replace(&mut value[part]);
    }
    for call in value["calls"].as_array_mut().into_iter().flatten() {
        standins.replace(&mut call["arguments"]);
        standins.replace(&mut call["answer"]);
    }
    serde_json::from_value(value)
}

fn calls(case: &Value) -> impl Iterator<Item = &Value> {
    case["calls"].as_array().into_iter().flatten()
}

/// What is replaced, and by what.
#[derive(Default)]
struct Standins {
    by_original: BTreeMap<String, String>,
    counts: BTreeMap<&'static str, usize>,
}

impl Standins {
    /// Secrets among the answers of `settings`: by their names, or by their look.
    fn collect_settings(&mut self, call: &Value) {
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
    fn collect_names(&mut self, value: &Value) {
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

    fn collect_words_in(&mut self, value: &Value) {
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

    fn add(&mut self, kind: &'static str, original: &str) {
        if original.is_empty() || self.by_original.contains_key(original) {
            return;
        }
        let count = self.counts.entry(kind).or_default();
        *count += 1;
        let standin = match kind {
            // As long as Slack's ids, since plugins may check that.
            "U" | "C" => format!("{kind}{count:0>9}"),
            "person" => format!("person{count}@example.com"),
            kind => format!("{kind}{count}"),
        };
        self.by_original.insert(original.to_owned(), standin);
    }

    /// Adds what secrets look like in a URL or within JSON.
    fn add_spellings(&mut self) {
        let secrets: Vec<_> =
            self.by_original.clone().into_iter().filter(|(_, standin)| standin.starts_with(SECRET)).collect();
        for (original, standin) in secrets {
            for spelling in encodings::spellings(&original) {
                self.by_original.entry(spelling).or_insert_with(|| standin.clone());
            }
        }
    }

    fn replace(&self, value: &mut Value) {
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
