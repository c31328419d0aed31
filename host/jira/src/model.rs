//! The shapes of issues in Jira's answers, and how they become domain types.
//!
//! Answers are read in place: texts are borrowed from the body unless they hold JSON escapes.

use std::borrow::Cow;

use serde::{Deserialize, Serialize, de::IgnoredAny};

use crate::error::JiraError;
use maro_domain::issue::{Issue, IssueId, IssueKey};

/// The longest issue id that is accepted, in characters. Jira's are 64-bit numbers.
const MAX_ID_LENGTH: usize = 32;

/// The longest id of anything but an issue, in characters. Custom fields have long ones.
const MAX_OTHER_ID_LENGTH: usize = 100;

/// The longest project key, in characters: Data Center's limit. Cloud's is 10.
const MAX_KEY_LENGTH: usize = 80;

/// The issue fields that are asked for.
pub(super) const FIELDS: [&str; 2] = ["summary", "status"];

/// The body of `POST /rest/api/3/issue/bulkfetch`.
#[derive(Debug, Serialize)]
pub(super) struct BulkFetchRequest<'a> {
    #[serde(rename = "issueIdsOrKeys")]
    pub(super) keys: &'a [&'a str],
    pub(super) fields: [&'static str; 2],
}

/// The answer to it. What is missing or not visible is in neither list.
#[derive(Debug, PartialEq)]
pub(super) struct BulkFetchAnswer {
    pub(super) issues: Vec<Issue>,
    /// Whether Jira says that it failed to read some of the issues. Those aren't missing.
    pub(super) has_errors: bool,
}

#[derive(Deserialize)]
struct RawBulkFetchAnswer<'a> {
    #[serde(borrow)]
    issues: Vec<RawIssue<'a>>,
    #[serde(default, rename = "issueErrors")]
    issue_errors: Vec<IgnoredAny>,
}

#[derive(Deserialize)]
struct RawIssue<'a> {
    #[serde(borrow)]
    id: Cow<'a, str>,
    #[serde(borrow)]
    key: Cow<'a, str>,
    #[serde(borrow)]
    fields: RawFields<'a>,
}

#[derive(Deserialize)]
struct RawFields<'a> {
    #[serde(borrow)]
    summary: Cow<'a, str>,
    #[serde(borrow)]
    status: RawStatus<'a>,
}

#[derive(Deserialize)]
struct RawStatus<'a> {
    #[serde(borrow)]
    name: Cow<'a, str>,
}

/// The body of Jira's own 404. A proxy's, or that of a wrong address, looks different.
#[derive(Deserialize)]
struct RawErrors {
    #[serde(rename = "errorMessages")]
    _messages: Vec<IgnoredAny>,
}

#[derive(Deserialize)]
struct RawEventName<'a> {
    #[serde(borrow, rename = "webhookEvent")]
    name: Cow<'a, str>,
    /// A number, used only to order events.
    #[serde(default)]
    timestamp: serde_json::Value,
}

#[derive(Deserialize)]
struct RawEvent<I> {
    issue: I,
}

/// What is left of a deleted issue: enough to identify it.
#[derive(Deserialize)]
struct RawReference<'a> {
    #[serde(borrow)]
    id: Cow<'a, str>,
    #[serde(borrow)]
    key: Cow<'a, str>,
}

/// Whether this can be an id of Jira's, and so is safe in an address.
pub(super) fn is_id(text: &str) -> bool {
    (1..=MAX_OTHER_ID_LENGTH).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

/// Whether this can be a project key, and so is safe in an address and in JQL.
pub(super) fn is_project_key(text: &str) -> bool {
    text.len() <= MAX_KEY_LENGTH
        && text.starts_with(|first: char| first.is_ascii_uppercase())
        && text.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_')
}

pub(super) fn parse_bulk_fetch(body: &[u8]) -> Result<BulkFetchAnswer, JiraError> {
    let raw: RawBulkFetchAnswer<'_> = parse(body, "the issues")?;
    let issues = raw.issues.into_iter().map(Issue::try_from).collect::<Result<_, _>>()?;
    Ok(BulkFetchAnswer { issues, has_errors: !raw.issue_errors.is_empty() })
}

pub(super) fn parse_issue(body: &[u8]) -> Result<Issue, JiraError> {
    parse::<RawIssue<'_>>(body, "the issue")?.try_into()
}

/// A webhook's event name, and its time if it has one, in milliseconds since 1970.
pub(super) fn parse_event_name(body: &[u8]) -> Result<(Cow<'_, str>, Option<i64>), JiraError> {
    let RawEventName { name, timestamp } = parse(body, "the event")?;
    Ok((name, timestamp.as_i64()))
}

/// A webhook's issue, with its fields.
pub(super) fn parse_event_issue(body: &[u8]) -> Result<Issue, JiraError> {
    parse::<RawEvent<RawIssue<'_>>>(body, "the event's issue")?.issue.try_into()
}

/// The id and key of a webhook's issue, whose fields may be absent.
pub(super) fn parse_event_reference(body: &[u8]) -> Result<(IssueId, IssueKey), JiraError> {
    let raw = parse::<RawEvent<RawReference<'_>>>(body, "the event's issue")?.issue;
    identify(&raw.id, &raw.key)
}

/// Whether this body is Jira's own way to say that something is missing or not visible.
pub(super) fn is_jira_error(body: &[u8]) -> bool {
    serde_json::from_slice::<RawErrors>(body).is_ok()
}

impl TryFrom<RawIssue<'_>> for Issue {
    type Error = JiraError;

    fn try_from(raw: RawIssue<'_>) -> Result<Self, JiraError> {
        let (id, key) = identify(&raw.id, &raw.key)?;
        Ok(Self::new(id, key, &raw.fields.summary, &raw.fields.status.name))
    }
}

/// The id and key of an issue, if they are valid.
pub(super) fn identify(id: &str, key: &str) -> Result<(IssueId, IssueKey), JiraError> {
    let key = IssueKey::parse(key).map_err(|_| JiraError::invalid("an issue has no valid key"))?;
    if !(1..=MAX_ID_LENGTH).contains(&id.len()) {
        return Err(JiraError::invalid("an issue has no valid id"));
    }
    Ok((IssueId::new(id), key))
}

/// Reads JSON. An error names only the place, not the text there, which belongs to Jira's users.
pub(super) fn parse<'a, T: Deserialize<'a>>(body: &'a [u8], what: &str) -> Result<T, JiraError> {
    use serde_json::error::Category;
    serde_json::from_slice(body).map_err(|error| {
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

    fn issue(id: &str, key: &str, summary: &str, status: &str) -> Issue {
        Issue::new(IssueId::new(id), IssueKey::parse(key).unwrap(), summary, status)
    }

    #[test]
    fn issues_are_read_whatever_else_the_answer_holds() {
        let answer = parse_bulk_fetch(
            br#"{"expand":"names","issueErrors":[],"extra":{"a":[1]},"issues":[
                {"id":"10001","key":"SCRUM-1","self":"https://x/","fields":{"summary":"Say \"hi\" \u00e9\nthere",
                 "status":{"self":"x","name":"In Progress","id":"3"},"customfield_1":null}}]}"#,
        );
        let expected = issue("10001", "SCRUM-1", "Say \"hi\" é there", "In Progress");
        assert_eq!(answer.unwrap(), BulkFetchAnswer { issues: vec![expected], has_errors: false });
    }

    #[test]
    fn an_issue_that_jira_failed_to_read_is_noticed() {
        let answer = parse_bulk_fetch(br#"{"issues":[],"issueErrors":[{"id":"1","errorMessage":"busy"}]}"#);
        assert!(answer.unwrap().has_errors);
    }

    #[test]
    fn nonsense_is_told_by_its_place_and_not_by_its_text() {
        let issue_of = |id: &str, key: &str| {
            format!(
                r#"{{"issues":[{{"id":"{id}","key":"{key}","fields":{{"summary":"s","status":{{"name":"n"}}}}}}]}}"#
            )
        };
        let nonsense = [
            String::new(),
            "<html>secret".to_owned(),
            r#"{"issues":"secret"}"#.to_owned(),
            r#"{"total":0}"#.to_owned(),
            r#"{"issues":[{"id":"1","key":"A-1","fields":{}}]}"#.to_owned(),
            r#"{"issues":[]} secret"#.to_owned(),
            issue_of("1", "secret"),
            issue_of("", "A-1"),
            issue_of(&"1".repeat(100), "A-1"),
        ];
        for body in nonsense {
            let error = parse_bulk_fetch(body.as_bytes()).unwrap_err();
            assert!(matches!(error, JiraError::InvalidResponse { .. }), "{body}");
            assert!(!format!("{error} {error:?}").contains("secret"), "{error:?}");
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
