//! Reading JSON, and the ids and keys in it. What can be an id here is safe in an address.

use serde::Deserialize;

use crate::error::JiraError;
use maro_domain::issue::{IssueId, IssueKey};
use maro_process::http::gate_pages;

/// The longest issue id that is accepted, in characters. Jira's are 64-bit numbers.
pub(crate) const MAX_ID_LENGTH: usize = 32;

/// The longest id of anything but an issue, in characters. Custom fields have long ones.
const MAX_OTHER_ID_LENGTH: usize = 100;

/// The longest project key, in characters: Data Center's limit. Cloud's is 10.
const MAX_KEY_LENGTH: usize = 80;

/// Whether this can be an id of Jira's, and so is safe in an address.
pub(crate) fn is_id(text: &str) -> bool {
    (1..=MAX_OTHER_ID_LENGTH).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

/// Whether this can be an issue's id, which Jira numbers, and so is safe in an address.
pub(crate) fn is_issue_id(text: &str) -> bool {
    (1..=MAX_ID_LENGTH).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Whether this can be a project key, and so is safe in an address and in JQL.
pub(crate) fn is_project_key(text: &str) -> bool {
    text.len() <= MAX_KEY_LENGTH
        && text.starts_with(|first: char| first.is_ascii_uppercase())
        && text.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_')
}

/// The id and key of an issue, if they are valid.
pub(crate) fn identify(id: &str, key: &str) -> Result<(IssueId, IssueKey), JiraError> {
    let key = IssueKey::parse(key).map_err(|_| JiraError::invalid("an issue has no valid key"))?;
    if !(1..=MAX_ID_LENGTH).contains(&id.len()) {
        return Err(JiraError::invalid("an issue has no valid id"));
    }
    Ok((IssueId::new(id), key))
}

/// Reads JSON. An error names only the place, not the text there, which belongs to Jira's users.
pub(crate) fn parse<'a, T: Deserialize<'a>>(body: &'a [u8], what: &str) -> Result<T, JiraError> {
    use serde_json::error::Category;
    serde_json::from_slice(body).map_err(|error| {
        if gate_pages::is_web_page(body) {
            return JiraError::invalid(format!(
                "a web page instead of {what}: something stands in front of Jira, such as a page that asks to sign in"
            ));
        }
        let problem = match error.classify() {
            Category::Data => "has an unexpected shape",
            Category::Eof => "ends too early",
            Category::Syntax | Category::Io => "isn't JSON",
        };
        let (length, line, column) = (body.len(), error.line(), error.column());
        JiraError::invalid(format!(
            "{what} in a body of {length} bytes: it {problem} at line {line}, column {column}"
        ))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_project_key_cannot_lead_elsewhere() {
        for good in ["SCRUM", "A1", "A_B"] {
            assert!(is_project_key(good), "{good}");
        }
        for bad in ["", "scrum", "A-1", "A/B", "..", "A\" OR \"1", "1A", &"A".repeat(81)] {
            assert!(!is_project_key(bad), "{bad}");
        }
    }
}
