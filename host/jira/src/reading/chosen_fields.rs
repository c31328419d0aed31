//! Issues with chosen fields, whatever these hold.

use std::collections::HashMap;

use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use tokio::time::Instant;

use crate::{
    client::JiraClient,
    connection::request::{JiraRequest, RequestKind},
    connection::site::JiraSite,
    connection::transport::Answer,
    error::JiraError,
    searching::plugin_search::{DetailFields, FIELDS},
    wire::{
        issue::RawIssue,
        parse::{is_id, parse},
        refusal::is_jira_error,
    },
};
use maro_domain::{
    issue::{IssueKey, one_line},
    issue_details::IssueDetails,
};

/// The longest text of a field, in characters.
const MAX_FIELD_LENGTH: usize = 1_000;

/// How many requests to Data Center one call has open at a time.
const CONCURRENCY: usize = 4;

/// How deep a field's value is looked into.
const MAX_DEPTH: usize = 8;

/// What names a value, in the order of preference: a person, an option, anything else, an issue.
const NAMES: [&str; 4] = ["displayName", "value", "name", "key"];

/// What wraps an issue in a link.
const LINKED: [&str; 2] = ["inwardIssue", "outwardIssue"];

/// An issue with the fields that were asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FullIssue {
    pub details: IssueDetails,
    /// One line for each field, in the order asked for. Empty if the issue has none, or Jira knows no such field.
    pub fields: Vec<String>,
    /// The issues that stand in these fields by their keys.
    pub named: Vec<IssueKey>,
}

pub(crate) type RawFull = RawIssue<Map<String, Value>>;

#[derive(Serialize)]
struct BulkFetch<'a> {
    #[serde(rename = "issueIdsOrKeys")]
    keys: &'a [&'a str],
    fields: &'a [&'a str],
}

#[derive(Deserialize)]
struct BulkFetched {
    issues: Vec<RawFull>,
}

/// Whether this can be the id of a field.
pub fn is_field(name: &str) -> bool {
    is_id(name)
}

impl JiraClient {
    /// Reads fields of issues by the keys that they have now. What Jira doesn't show any more isn't in the answer,
    /// and a field that it doesn't know is empty. This takes one request on Cloud, and one per key on Data Center.
    ///
    /// # Errors
    /// Any [`JiraError`], for all keys together.
    pub async fn read_issues(
        &self,
        keys: &[&str],
        fields: &[String],
        deadline: Instant,
    ) -> Result<HashMap<IssueKey, FullIssue>, JiraError> {
        let found = self.read_raw(keys, fields, deadline).await?;
        let issues = found.into_iter().map(|raw| full(raw, fields)).collect::<Result<Vec<_>, _>>()?;
        Ok(issues.into_iter().map(|issue| (issue.details.issue.key.clone(), issue)).collect())
    }

    /// As [`JiraClient::read_issues`], with the fields as Jira sends them.
    pub(crate) async fn read_raw(
        &self,
        keys: &[&str],
        fields: &[String],
        deadline: Instant,
    ) -> Result<Vec<RawFull>, JiraError> {
        if keys.is_empty() {
            return Ok(Vec::new());
        }
        let mut names: Vec<&str> = FIELDS.to_vec();
        names.extend(fields.iter().map(String::as_str).filter(|field| !FIELDS.contains(field)));
        Ok(if self.site.is_cloud() {
            read_together(&self.site, keys, &names, deadline).await?
        } else {
            let names = names.join(",");
            let questions: Vec<_> =
                keys.iter().map(|key| read_one(&self.site, key, &names, deadline)).collect();
            let found: Vec<Option<RawFull>> =
                stream::iter(questions).buffered(CONCURRENCY).try_collect().await?;
            found.into_iter().flatten().collect()
        })
    }
}

async fn read_together(
    site: &JiraSite,
    keys: &[&str],
    fields: &[&str],
    deadline: Instant,
) -> Result<Vec<RawFull>, JiraError> {
    let body = BulkFetch { keys, fields };
    let request = JiraRequest::post(RequestKind::GetIssues, site.url(&["issue", "bulkfetch"]), &body);
    Ok(parse::<BulkFetched>(&site.ask(&request, deadline).await?.found()?, "the issues")?.issues)
}

async fn read_one(
    site: &JiraSite,
    key: &str,
    fields: &str,
    deadline: Instant,
) -> Result<Option<RawFull>, JiraError> {
    let mut url = site.url(&["issue", key]);
    url.query_pairs_mut().append_pair("fields", fields);
    match site.ask(&JiraRequest::get(RequestKind::GetIssue, url), deadline).await? {
        Answer::NotFound(body) if is_jira_error(&body) => Ok(None),
        Answer::NotFound(_) => Err(JiraError::invalid("status 404 for an issue, but not from Jira")),
        answer => parse(&answer.found()?, "an issue").map(Some),
    }
}

pub(crate) fn full(raw: RawFull, fields: &[String]) -> Result<FullIssue, JiraError> {
    let texts = fields.iter().map(|field| raw.fields.get(field).map_or_else(String::new, in_words)).collect();
    let mut named = Vec::new();
    fields
        .iter()
        .filter_map(|field| raw.fields.get(field))
        .for_each(|value| add_issues(value, 0, &mut named));
    let known: DetailFields = serde_json::from_value(Value::Object(raw.fields))
        .map_err(|_| JiraError::invalid("an issue has an unexpected shape"))?;
    let details = IssueDetails::try_from(RawIssue { id: raw.id, key: raw.key, fields: known })?;
    Ok(FullIssue { details, fields: texts, named })
}

/// Adds the issues that a value is or has: as Jira writes an issue, or by its key alone, as an epic stands there. The words
/// in a list are none, whatever they look like: a label may be `UTF-8`.
fn add_issues(value: &Value, depth: usize, issues: &mut Vec<IssueKey>) {
    match value {
        Value::String(text) if depth == 0 => issues.extend(IssueKey::parse(text)),
        Value::Array(items) if depth < MAX_DEPTH => {
            items.iter().for_each(|item| add_issues(item, depth + 1, issues));
        }
        Value::Object(fields) if depth < MAX_DEPTH => match NAMES
            .iter()
            .find(|name| fields.contains_key(**name))
        {
            Some(&"key") => issues.extend(fields["key"].as_str().and_then(|key| IssueKey::parse(key).ok())),
            Some(_) => {}
            None => LINKED
                .iter()
                .filter_map(|name| fields.get(*name))
                .for_each(|linked| add_issues(linked, depth + 1, issues)),
        },
        _ => {}
    }
}

fn in_words(value: &Value) -> String {
    let mut words = String::new();
    add_words(value, 0, &mut words);
    one_line(&words, MAX_FIELD_LENGTH)
}

fn add_words(value: &Value, depth: usize, words: &mut String) {
    // What is longer is cut anyway.
    if depth > MAX_DEPTH || words.len() > 4 * MAX_FIELD_LENGTH {
        return;
    }
    match value {
        Value::Null => {}
        Value::String(text) => words.push_str(text),
        Value::Bool(_) | Value::Number(_) => words.push_str(&value.to_string()),
        Value::Array(items) => {
            let start = words.len();
            for item in items {
                let before = words.len();
                add_words(item, depth + 1, words);
                if words.len() > before && before > start {
                    words.insert_str(before, ", ");
                }
            }
        }
        Value::Object(fields) => match NAMES.iter().find_map(|name| fields.get(*name)) {
            Some(name) => {
                add_words(name, depth + 1, words);
                // The second of two dependent lists.
                if let Some(child) = fields.get("child").and_then(|child| child.get("value")) {
                    words.push_str(" – ");
                    add_words(child, depth + 1, words);
                }
            }
            None => {
                let linked = LINKED.iter().find_map(|name| fields.get(*name));
                // A document, as Cloud keeps long texts, or a link.
                let inner = linked.or(fields.get("text")).or(fields.get("content"));
                if let Some(inner) = inner {
                    add_words(inner, depth + 1, words);
                }
            }
        },
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn whatever_a_field_holds_is_words() {
        for (value, expected) in [
            (json!(null), ""),
            (json!("2026-01-31"), "2026-01-31"),
            (json!(3.5), "3.5"),
            (json!(true), "true"),
            (json!([]), ""),
            (json!(["a", "b"]), "a, b"),
            (json!({ "self": "x", "name": "High", "id": "2" }), "High"),
            (json!({ "accountId": "1", "displayName": "Ada Lovelace", "name": "ada" }), "Ada Lovelace"),
            (json!({ "value": "Hardware", "child": { "value": "Crane" } }), "Hardware – Crane"),
            (json!([{ "name": "Sprint 1" }, { "name": "Sprint 2" }]), "Sprint 1, Sprint 2"),
            (json!({ "key": "A-1", "fields": { "summary": "secret" } }), "A-1"),
            (json!([{ "type": { "name": "Blocks" }, "outwardIssue": { "key": "A-2" } }]), "A-2"),
            (
                json!({ "type": "doc", "content": [
                    { "type": "paragraph", "content": [{ "type": "text", "text": "one" }] },
                    { "type": "paragraph", "content": [{ "type": "text", "text": "two" }] },
                ] }),
                "one, two",
            ),
            (json!({ "progress": 0 }), ""),
            (json!("two\nlines"), "two lines"),
        ] {
            assert_eq!(in_words(&value), expected, "{value}");
        }
        assert_eq!(in_words(&json!("x".repeat(2_000))).chars().count(), MAX_FIELD_LENGTH);
    }

    #[test]
    fn only_issues_count_as_issues() {
        for (value, expected) in [
            (json!("A-1"), "A-1"),
            (json!("A-1 is done"), ""),
            (json!(["UTF-8", "COVID-19"]), ""),
            (json!([{ "name": "REL-2", "id": "3" }]), ""),
            (json!({ "id": "1", "key": "A-1", "fields": { "summary": "B-1" } }), "A-1"),
            (json!([{ "key": "A-1" }, { "key": "A-2" }]), "A-1 A-2"),
            (json!([{ "type": { "name": "Blocks" }, "outwardIssue": { "key": "A-2" } }]), "A-2"),
            (json!({ "key": "SCRUM", "name": "Scrum" }), ""),
            (json!(null), ""),
        ] {
            let mut issues = Vec::new();
            add_issues(&value, 0, &mut issues);
            let issues: Vec<&str> = issues.iter().map(IssueKey::as_str).collect();
            assert_eq!(issues.join(" "), expected, "{value}");
        }
    }
}
