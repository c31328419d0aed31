//! How Jira says what is wrong with a request.
//!
//! The documented shape is `{"errorMessages": ["…"], "errors": {"field": "…"}}`. Apps, gateways and older releases
//! write other ones. Whatever the shape, a person has to read the reason.

use std::collections::BTreeMap;

use serde::{Deserialize, de::IgnoredAny};
use serde_json::{Map, Value};

use maro_domain::{issue::one_line, screen::ScreenField};

/// How much is kept of what Jira says about one field, in characters.
pub(crate) const MAX_TEXT_LENGTH: usize = 300;

/// How many fields and how many messages are kept of one refusal.
const MAX_TEXTS: usize = 20;

/// The longest field id that is kept, in characters.
const MAX_FIELD_LENGTH: usize = 100;

const SUMMARY: &str = "summary";

/// Where an object says what is wrong. If it has none of these, all its texts do.
const MESSAGE_NAMES: [&str; 5] = ["message", "errorMessage", "errorMessages", "detail", "error"];

/// What an object has besides: never a reason.
const OTHER_NAMES: [&str; 6] = ["value", "code", "key", "id", "link", "url"];

/// Where an object in a list of errors names the field that it is about.
const FIELD_NAMES: [&str; 3] = ["field", "fieldId", "fieldName"];

/// What is wrong, by field id, and what isn't about a field.
#[derive(Debug, Default, Deserialize)]
#[serde(from = "Value")]
pub(crate) struct JiraRefusal {
    messages: Vec<String>,
    errors: BTreeMap<String, String>,
}

impl From<Value> for JiraRefusal {
    fn from(value: Value) -> Self {
        let mut refusal = Self::default();
        match value {
            Value::Object(members) => refusal.read(&members),
            other => refusal.messages = texts_in(&other).into_iter().map(str::to_owned).collect(),
        }
        refusal
    }
}

/// Everything that Jira says about a refusal, as one bounded line.
pub(crate) fn joined(fields: BTreeMap<String, String>, messages: Vec<String>) -> String {
    let texts: Vec<String> = messages.into_iter().chain(fields.into_values()).collect();
    one_line(&texts.join(" "), MAX_TEXT_LENGTH)
}

/// Why Jira rejects a request, as one bounded line; `None` if the words aren't Jira's.
pub(crate) fn reason(body: &[u8]) -> Option<String> {
    serde_json::from_slice::<JiraRefusal>(body).ok().and_then(|errors| errors.reason())
}

/// The texts that say what is wrong, whatever they are wrapped in. Of an object that has a message, only that one:
/// its other members are the value that was refused, a code, or a link.
pub(crate) fn texts_in(value: &Value) -> Vec<&str> {
    match value {
        Value::String(text) => vec![text],
        Value::Array(values) => values.iter().flat_map(texts_in).collect(),
        Value::Object(members) => {
            let said = MESSAGE_NAMES.iter().filter_map(|name| members.get(*name)).map(texts_in);
            let texts = said.into_iter().find(|texts| !texts.is_empty());
            let others = members.iter().filter(|(name, _)| !OTHER_NAMES.contains(&name.as_str()));
            texts.unwrap_or_else(|| others.flat_map(|(_, value)| texts_in(value)).collect())
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => Vec::new(),
    }
}

impl JiraRefusal {
    fn read(&mut self, members: &Map<String, Value>) {
        for name in MESSAGE_NAMES {
            let texts = members.get(name).map(texts_in).unwrap_or_default();
            // Several of these names say the same again.
            if self.messages.is_empty() {
                self.messages.extend(texts.into_iter().map(str::to_owned));
            }
        }
        match members.get("errors") {
            Some(Value::Object(fields)) => {
                fields.iter().for_each(|(field, value)| self.add(field, value));
            }
            Some(Value::Array(entries)) => entries.iter().for_each(|entry| self.read_entry(entry)),
            Some(other) => self.messages.extend(texts_in(other).into_iter().map(str::to_owned)),
            None => {}
        }
    }

    /// An element of `errors`, where it is a list.
    fn read_entry(&mut self, entry: &Value) {
        let field = FIELD_NAMES.iter().find_map(|name| entry.get(*name)?.as_str());
        match field {
            Some(field) => {
                let said = MESSAGE_NAMES.iter().find_map(|name| entry.get(*name));
                self.add(field, said.unwrap_or(&Value::Null));
            }
            None => self.messages.extend(texts_in(entry).into_iter().map(str::to_owned)),
        }
    }

    /// If Jira gives no reason in words, at least the field is told.
    fn add(&mut self, field: &str, value: &Value) {
        let text = texts_in(value).join(" ");
        let text = if text.trim().is_empty() { field.to_owned() } else { text };
        self.errors.insert(field.to_owned(), text);
    }

    pub(crate) fn is_empty(&self) -> bool {
        let (fields, messages) = self.tidied();
        fields.is_empty() && messages.is_empty()
    }

    /// Everything as one bounded line, if Jira says anything.
    pub(crate) fn reason(&self) -> Option<String> {
        let (fields, messages) = self.tidied();
        Some(joined(fields, messages)).filter(|reason| !reason.is_empty())
    }

    /// As [`JiraRefusal::reason`], where each reason says which field it is about. That of the summary stands beside
    /// it.
    pub(crate) fn reason_by_name(&self, screen: &[ScreenField]) -> Option<String> {
        let (fields, messages) = self.tidied();
        let named = |(id, reason): (String, String)| {
            let field = screen.iter().find(|field| field.id == id && id != SUMMARY);
            let is_said = |name: &str| reason.to_lowercase().contains(&name.to_lowercase());
            let reason = match field {
                Some(field) if reason == id => field.name.clone(),
                Some(field) if !is_said(&field.name) => format!("{}: {reason}", field.name),
                _ => reason,
            };
            (id, reason)
        };
        let fields = fields.into_iter().map(named).collect();
        Some(joined(fields, messages)).filter(|reason| !reason.is_empty())
    }

    /// What is wrong by field, and what isn't about a field. Each text is one bounded line.
    pub(crate) fn tidied(&self) -> (BTreeMap<String, String>, Vec<String>) {
        let line = |text: &String| one_line(text, MAX_TEXT_LENGTH);
        let fields = self
            .errors
            .iter()
            .take(MAX_TEXTS)
            .map(|(field, text)| (one_line(field, MAX_FIELD_LENGTH), line(text)))
            .collect();
        let messages = self.messages.iter().take(MAX_TEXTS).map(line).filter(|text| !text.is_empty());
        (fields, messages.collect())
    }
}

/// The body of Jira's own 404. A proxy's, or that of a wrong address, looks different.
#[derive(Deserialize)]
struct RawErrors {
    #[serde(rename = "errorMessages")]
    _messages: Vec<IgnoredAny>,
}

/// Whether this body is Jira's own way to say that something is missing or not visible.
pub(crate) fn is_jira_error(body: &[u8]) -> bool {
    serde_json::from_slice::<RawErrors>(body).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_is_read_from_any_shape() {
        for (body, reason) in [
            (r#"{"errorMessages":null,"errors":{"fixVersions":"Fix it."}}"#, "Fix it."),
            (r#"{"errorMessages":"Closed until Monday.","errors":{}}"#, "Closed until Monday."),
            (r#"{"errorMessages":[{"message":"Not you.","code":7}],"errors":null}"#, "Not you."),
            (
                r#"{"errors":{"a":{"message":"Choose.","value":"x"},"b":["Due.","Workday."]}}"#,
                "Choose. Due. Workday.",
            ),
            (r#"{"errorMessages":[],"errors":["Berth."]}"#, "Berth."),
            (r#"{"errors":[{"field":"summary","message":"Long."},{"message":"No."}]}"#, "No. Long."),
            (
                r#"{"errors":[{"errorMessages":["One."]},{"elementErrors":{"errors":{"a":"Two."}}}]}"#,
                "One. Two.",
            ),
            (r#"{"message":"Bad.","status-code":400}"#, "Bad."),
            (r#"{"errors":{"duedate":true}}"#, "duedate"),
            (r#"{"errors":{"duedate":17}}"#, "duedate"),
            (r#"{"errors":{"duedate":{"code":7,"value":"x"}}}"#, "duedate"),
            (r#"["No.","Never."]"#, "No. Never."),
        ] {
            assert_eq!(super::reason(body.as_bytes()).as_deref(), Some(reason), "{body}");
        }
        for body in
            ["", "<html>", "7", "{}", r#"{"errors":{}}"#, r#"{"errorMessages":[null," "],"errors":[]}"#]
        {
            assert_eq!(super::reason(body.as_bytes()), None, "{body}");
        }
    }

    #[test]
    fn a_reason_stays_with_its_field() {
        let body = r#"{"errors":{"customfield_1":{"message":"Choose.","value":null},"duedate":["A.","B."]}}"#;
        let (fields, messages) = serde_json::from_str::<JiraRefusal>(body).unwrap().tidied();
        assert_eq!(fields["customfield_1"], "Choose.");
        assert_eq!(fields["duedate"], "A. B.");
        assert_eq!(messages, [""; 0]);
    }

    #[test]
    fn a_reason_away_from_its_field_says_which_it_is() {
        let field = |id: &str, name: &str| ScreenField {
            id: id.to_owned(),
            name: name.to_owned(),
            is_required: true,
            has_default: false,
            kind: maro_domain::screen::FieldKind::Line,
        };
        let screen = [field("customfield_1", "Berth"), field("summary", "Summary")];
        for (body, reason) in [
            (r#"{"errors":{"customfield_1":"Must be an integer."}}"#, "Berth: Must be an integer."),
            (r#"{"errors":{"customfield_1":"The berth is taken."}}"#, "The berth is taken."),
            (r#"{"errors":{"customfield_1":400}}"#, "Berth"),
            (
                r#"{"errorMessages":["No."],"errors":{"summary":"Too long.","other":"Odd."}}"#,
                "No. Odd. Too long.",
            ),
        ] {
            let refusal: JiraRefusal = serde_json::from_str(body).unwrap();
            assert_eq!(refusal.reason_by_name(&screen).as_deref(), Some(reason), "{body}");
        }
    }

    #[test]
    fn only_jira_itself_says_not_found() {
        assert!(is_jira_error(br#"{"errorMessages":["Issue does not exist"],"errors":{}}"#));
        for other in ["", "<html></html>", "{}", r#"{"message":"null for uri","status-code":404}"#] {
            assert!(!is_jira_error(other.as_bytes()), "{other}");
        }
    }
}
