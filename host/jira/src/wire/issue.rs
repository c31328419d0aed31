//! Issues in Jira's answers, and how they become domain types.
//!
//! Those that lists show are read in place: texts are borrowed from the body unless they hold JSON escapes.

use std::borrow::Cow;

use jiff::Timestamp;
use serde::{Deserialize, Serialize, de::IgnoredAny};
use serde_json::value::RawValue;

use crate::{
    error::JiraError,
    wire::parse::{identify, parse},
};
use maro_domain::issue::{Issue, StatusCategory, StatusId};

/// An issue with the fields that were asked for.
#[derive(Deserialize)]
pub(crate) struct RawIssue<F> {
    pub(crate) id: String,
    pub(crate) key: String,
    pub(crate) fields: F,
}

/// A status, a type, or anything else of which only the name is needed.
#[derive(Deserialize)]
pub(crate) struct Named {
    pub(crate) name: String,
}

/// The issue fields that are asked for.
pub(crate) const FIELDS: [&str; 4] = ["summary", "status", "security", "updated"];

/// The body of `POST /rest/api/3/issue/bulkfetch`.
#[derive(Debug, Serialize)]
pub(crate) struct BulkFetchRequest<'a> {
    #[serde(rename = "issueIdsOrKeys")]
    pub(crate) keys: &'a [&'a str],
    pub(crate) fields: [&'static str; 4],
}

/// The answer to it. What is missing or not visible is in neither list.
#[derive(Debug, PartialEq)]
pub(crate) struct BulkFetchAnswer {
    pub(crate) issues: Vec<Issue>,
    /// Whether Jira says that it failed to read some of the issues. Those aren't missing.
    pub(crate) has_errors: bool,
}

#[derive(Deserialize)]
struct RawBulkFetchAnswer<'a> {
    #[serde(borrow)]
    issues: Vec<BorrowedIssue<'a>>,
    #[serde(default, rename = "issueErrors")]
    issue_errors: Vec<IgnoredAny>,
}

#[derive(Deserialize)]
pub(super) struct BorrowedIssue<'a> {
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
    /// The issue's security level, if it has one.
    security: Option<IgnoredAny>,
    #[serde(borrow, default)]
    updated: Option<Cow<'a, str>>,
}

#[derive(Deserialize)]
struct RawStatus<'a> {
    #[serde(borrow)]
    name: Cow<'a, str>,
    #[serde(borrow, default)]
    id: Option<&'a RawValue>,
    #[serde(borrow, default, rename = "statusCategory")]
    category: Option<RawCategory<'a>>,
}

#[derive(Default, Deserialize)]
struct RawCategory<'a> {
    #[serde(borrow, default)]
    key: Cow<'a, str>,
}

pub(crate) fn parse_bulk_fetch(body: &[u8]) -> Result<BulkFetchAnswer, JiraError> {
    let raw: RawBulkFetchAnswer<'_> = parse(body, "the issues")?;
    let issues = raw.issues.into_iter().map(Issue::try_from).collect::<Result<_, _>>()?;
    Ok(BulkFetchAnswer { issues, has_errors: !raw.issue_errors.is_empty() })
}

/// The issues that a search has found.
pub(crate) fn parse_found(body: &[u8]) -> Result<Vec<Issue>, JiraError> {
    parse_bulk_fetch(body).map(|answer| answer.issues)
}

pub(crate) fn parse_issue(body: &[u8]) -> Result<Issue, JiraError> {
    parse::<BorrowedIssue<'_>>(body, "the issue")?.try_into()
}

impl TryFrom<BorrowedIssue<'_>> for Issue {
    type Error = JiraError;

    fn try_from(raw: BorrowedIssue<'_>) -> Result<Self, JiraError> {
        let (id, key) = identify(&raw.id, &raw.key)?;
        let issue = Self::new(id, key, &raw.fields.summary, &raw.fields.status.name);
        let category = raw.fields.status.category.unwrap_or_default();
        let status_category = StatusCategory::from_key(&category.key);
        let status_id = raw.fields.status.id.and_then(|id| status_id(id.get()));
        let updated_at = raw.fields.updated.and_then(|text| parse_time(&text));
        let has_security_level = raw.fields.security.is_some();
        Ok(Self { status_id, status_category, has_security_level, updated_at, ..issue })
    }
}

/// The id of a status as it stands in JSON, as a text or a number.
pub(crate) fn status_id(json: &str) -> Option<StatusId> {
    StatusId::parse(json.trim_matches('"')).filter(|_| json != "null")
}

/// `2025-06-01T12:00:30.123+0000`
pub(crate) fn parse_time(text: &str) -> Option<Timestamp> {
    Timestamp::strptime("%Y-%m-%dT%H:%M:%S%.f%z", text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use maro_domain::issue::{IssueId, IssueKey};

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
        let expected = Issue {
            status_id: StatusId::parse("3"),
            ..issue("10001", "SCRUM-1", "Say \"hi\" é there", "In Progress")
        };
        assert_eq!(answer.unwrap(), BulkFetchAnswer { issues: vec![expected], has_errors: false });
    }

    #[test]
    fn jiras_times_are_read_in_any_zone() {
        let expected: Timestamp = "2025-06-01T10:00:30.123Z".parse().unwrap();
        for text in ["2025-06-01T10:00:30.123+0000", "2025-06-01T12:00:30.123+0200"] {
            assert_eq!(parse_time(text), Some(expected), "{text}");
        }
        assert_eq!(parse_time("yesterday"), None);
        let issue = |updated: &str| {
            let fields = format!(r#"{{"summary":"s","status":{{"name":"n"}},"updated":{updated}}}"#);
            parse_issue(format!(r#"{{"id":"1","key":"A-1","fields":{fields}}}"#).as_bytes()).unwrap()
        };
        assert_eq!(issue(r#""2025-06-01T10:00:30.123+0000""#).updated_at, Some(expected));
        assert_eq!([issue("null"), issue(r#""soon""#)].map(|issue| issue.updated_at), [None, None]);
    }

    #[test]
    fn the_id_of_a_status_is_read_in_any_form_and_never_hides_the_issue() {
        for (id, expected) in [
            (r#""10001""#, Some("10001")),
            ("10001", Some("10001")),
            ("null", None),
            (r#""""#, None),
            (r#"{"odd":1}"#, None),
        ] {
            let fields = format!(r#"{{"summary":"s","status":{{"id":{id},"name":"n"}}}}"#);
            let issue = parse_issue(format!(r#"{{"id":"1","key":"A-1","fields":{fields}}}"#).as_bytes());
            assert_eq!(issue.unwrap().status_id.as_ref().map(StatusId::as_str), expected, "{id}");
        }
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
}
