//! How Jira says what is wrong with a request.

use std::collections::BTreeMap;

use serde::{Deserialize, de::IgnoredAny};

use maro_domain::issue::one_line;

/// How much is kept of what Jira says about one field, in characters.
pub(crate) const MAX_TEXT_LENGTH: usize = 300;

/// How many fields and how many messages are kept of one refusal.
const MAX_TEXTS: usize = 20;

/// The longest field id that is kept, in characters.
const MAX_FIELD_LENGTH: usize = 100;

/// What is wrong, by field id, and what isn't about a field.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Refusal {
    #[serde(default, rename = "errorMessages")]
    messages: Vec<String>,
    #[serde(default)]
    errors: BTreeMap<String, String>,
}

/// Everything that Jira says about a refusal, as one bounded line.
pub(crate) fn joined(fields: BTreeMap<String, String>, messages: Vec<String>) -> String {
    let texts: Vec<String> = messages.into_iter().chain(fields.into_values()).collect();
    one_line(&texts.join(" "), MAX_TEXT_LENGTH)
}

/// Why Jira rejects a request, as one bounded line; `None` if the words aren't Jira's.
pub(crate) fn reason(body: &[u8]) -> Option<String> {
    serde_json::from_slice::<Refusal>(body).ok().and_then(|errors| errors.reason())
}

impl Refusal {
    pub(crate) fn is_empty(&self) -> bool {
        self.messages.is_empty() && self.errors.is_empty()
    }

    /// Everything as one bounded line, if Jira says anything.
    pub(crate) fn reason(&self) -> Option<String> {
        let (fields, messages) = self.tidied();
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
    fn only_jira_itself_says_not_found() {
        assert!(is_jira_error(br#"{"errorMessages":["Issue does not exist"],"errors":{}}"#));
        for other in ["", "<html></html>", "{}", r#"{"message":"null for uri","status-code":404}"#] {
            assert!(!is_jira_error(other.as_bytes()), "{other}");
        }
    }
}
