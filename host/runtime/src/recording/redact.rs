//! Removing from a recorded case what says who and where: ids, e-mail addresses, names of people, tokens.
//!
//! Each is replaced by the same stand-in throughout the case, so that the case still plays back. What people
//! wrote in summaries and comments stays, so read a case before you share it.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::recording::{bodies, cases::Case};

/// Parts of a setting's or header's name that show that its value is secret.
const SECRET_NAMES: [&str; 7] =
    ["token", "secret", "password", "authorization", "cookie", "api-key", "apikey"];

/// The shortest text without spaces that counts as a token if it mixes letters and digits.
const TOKEN_LENGTH: usize = 20;

/// The case without ids of people and channels, e-mail addresses, names of Jira accounts, and tokens.
///
/// # Errors
/// No recorded case can cause one; an error is a bug.
pub fn redact(case: &Case) -> Result<Case, serde_json::Error> {
    let mut value = serde_json::to_value(case)?;
    let mut standins = Standins::default();
    standins.collect(&value);
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

/// What is replaced, and by what.
#[derive(Default)]
struct Standins {
    by_original: BTreeMap<String, String>,
    counts: BTreeMap<&'static str, usize>,
}

impl Standins {
    fn collect(&mut self, value: &Value) {
        match value {
            Value::String(text) => self.collect_words(text),
            Value::Array(items) => {
                // A pair of texts, as `settings.all` answers them.
                if let [Value::String(name), Value::String(text)] = &**items
                    && is_secret(name)
                {
                    self.add("SECRET", text);
                }
                items.iter().for_each(|item| self.collect(item));
            }
            Value::Object(fields) if bodies::is_encoded(fields) => {}
            Value::Object(fields) => {
                let text = |name: &str| fields.get(name).and_then(Value::as_str);
                // As Jira knows people.
                if let (2, Some(id), Some(name)) = (fields.len(), text("id"), text("name")) {
                    self.add("account-", id);
                    self.add("Person ", name);
                }
                // A header, and a call of `settings.get`.
                if let (Some(name), Some(content)) = (text("name"), text("value"))
                    && is_secret(name)
                {
                    self.add("SECRET", content);
                }
                let asked = fields.get("arguments").and_then(|arguments| arguments["name"].as_str());
                if let (Some("settings.get"), Some(name), Some(content)) =
                    (text("call"), asked, text("answer"))
                    && is_secret(name)
                {
                    self.add("SECRET", content);
                }
                fields.values().for_each(|field| self.collect(field));
            }
            _ => {}
        }
    }

    fn collect_words(&mut self, text: &str) {
        let is_boundary = |letter: char| letter.is_whitespace() || "<>|()[]{}\"',;`".contains(letter);
        for word in text.split(is_boundary) {
            if is_email(word.trim_end_matches('.')) {
                self.add("person", word.trim_end_matches('.'));
            }
            for part in word.split(|letter: char| !(letter.is_ascii_alphanumeric() || "-_".contains(letter)))
            {
                match part.chars().next() {
                    Some('U' | 'W') if is_slack_id(part) => self.add("U", part),
                    Some('C' | 'G' | 'D') if is_slack_id(part) => self.add("C", part),
                    _ if is_token(part) => self.add("TOKEN", part),
                    _ => {}
                }
            }
        }
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

    fn replace(&self, value: &mut Value) {
        match value {
            Value::String(text) => *text = self.replaced(text),
            Value::Array(items) => items.iter_mut().for_each(|item| self.replace(item)),
            Value::Object(fields) if bodies::is_encoded(fields) => {}
            Value::Object(fields) => fields.values_mut().for_each(|field| self.replace(field)),
            _ => {}
        }
    }

    /// Replaces originals where they are whole words, longer ones first.
    fn replaced(&self, text: &str) -> String {
        let mut out = String::with_capacity(text.len());
        let mut rest = text;
        while !rest.is_empty() {
            let starts_word = out.chars().next_back().is_none_or(|before| !before.is_alphanumeric());
            let found = self.by_original.iter().rev().find(|(original, _)| {
                starts_word
                    && rest
                        .strip_prefix(original.as_str())
                        .is_some_and(|after| !after.starts_with(char::is_alphanumeric))
            });
            let length = match found {
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

fn is_secret(name: &str) -> bool {
    let name = name.to_ascii_lowercase().replace('_', "-");
    SECRET_NAMES.iter().any(|secret| name.contains(secret))
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn redacted(arguments: &str, call: &str, answer: Value, reply: &str) -> (String, Value, Value) {
        let case: Case = serde_json::from_value(json!({
            "plugin": "assign",
            "arguments": arguments,
            "calls": [{ "call": call, "arguments": { "name": "api-token" }, "answer": answer }],
            "ending": { "failed": reply },
        }))
        .unwrap();
        let case = serde_json::to_value(redact(&case).unwrap()).unwrap();
        (
            case["arguments"].as_str().unwrap().to_owned(),
            case["calls"][0]["answer"].clone(),
            case["ending"]["failed"].clone(),
        )
    }

    #[test]
    fn people_and_channels_get_the_same_stand_in_throughout() {
        let answer = json!([{ "id": "712020:ab12", "name": "Grace Hopper" }, { "tracked_by": "U024BE7LH" }]);
        let (arguments, answer, reply) = redacted(
            "SCRUM-1 <@U024BE7LH> in <#C024BE91L> ada@corp.example.org",
            "jira-edit.find-assignable",
            answer,
            "SCRUM-1 is Grace Hopper's, says <@U024BE7LH>.",
        );
        assert_eq!(arguments, "SCRUM-1 <@U000000001> in <#C000000001> person1@example.com");
        assert_eq!(
            answer,
            json!([{ "id": "account-1", "name": "Person 1" }, { "tracked_by": "U000000001" }])
        );
        assert_eq!(reply, "SCRUM-1 is Person 1's, says <@U000000001>.");
    }

    #[test]
    fn secrets_go_by_their_name_or_by_their_look() {
        let (arguments, answer, reply) =
            redacted("xoxb-12-ab", "settings.get", json!("hunter2"), "It is hunter2, 4f9a0c21d88e47b1a2c3.");
        assert_eq!((arguments.as_str(), answer), ("TOKEN1", json!("SECRET1")));
        assert_eq!(reply, "It is SECRET1, TOKEN2.");
    }

    #[test]
    fn no_part_of_a_case_shows_what_is_hidden_in_another() {
        const HIDDEN: [&str; 4] = ["U024BE7LH", "C024BE91L", "ada@corp.example.org", "xoxb-12-ab"];
        let said = HIDDEN.join(" ");
        let call = |name: &str| {
            json!({
                "call": name,
                "arguments": { "key": "SCRUM-1", "text": said, "list": [said], "deep": { "text": said } },
                "answer": { "Ok": [said, { "text": said }] },
            })
        };
        let calls = [call("jira-edit.comment"), call("http.send"), call("storage.set")];
        for ending in ["failed", "usage"] {
            let case =
                json!({ "plugin": "assign", "arguments": said, "calls": calls, "ending": { ending: said } });
            let case: Case = serde_json::from_value(case).unwrap();
            let redacted = serde_json::to_string(&redact(&case).unwrap()).unwrap();
            for hidden in HIDDEN {
                assert!(!redacted.contains(hidden), "{hidden} is in {redacted}");
            }
            assert_eq!(redacted.matches("SCRUM-1").count(), calls.len());
            assert_eq!(redacted.matches("TOKEN1").count(), 2 + 5 * calls.len());
        }
    }

    #[test]
    fn words_that_hide_nothing_stay() {
        let text = "SCRUM-123: User authentication flow (In Progress), 2026-01-01T00:00:00Z, CUSTOMERS";
        assert_eq!(redacted(text, "jira.search", json!([]), text).0, text);
    }

    #[test]
    fn texts_that_http_carried_are_redacted_and_what_is_no_text_stays_whole() {
        let binary = json!({ "base64": "AAECAwQFBgcICQoLDA0ODxAREhMUFRYX" });
        let answer = |body: &Value| json!({ "Ok": { "status": 200, "body": body } });
        let (_, text, _) = redacted("", "http.send", answer(&json!("for xoxb-12-ab")), "");
        assert_eq!(text["Ok"]["body"], "for TOKEN1");
        let (_, kept, _) = redacted("", "http.send", answer(&binary), "");
        assert_eq!(kept["Ok"]["body"], binary);
    }
}
