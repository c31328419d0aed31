//! Checks requests and answers against Atlassian's description of the API.

use std::sync::LazyLock;

use maro_simulation::jira::received::ReceivedRequest;
use serde_json::{Value, json};
use url::form_urlencoded;

static DESCRIPTION: LazyLock<Value> =
    LazyLock::new(|| serde_json::from_str(include_str!("jira-cloud-v3.extract.json")).unwrap());

/// What isn't part of the platform's API: Jira Software's own, and what only Data Center has.
const UNDESCRIBED: [&str; 2] = ["/rest/agile/1.0/", "/rest/api/2/projects/picker"];

/// What only Data Center before 8.4 needs.
const OLD_CREATEMETA: &str = "/rest/api/2/issue/createmeta";

/// Fails unless the description has this operation, with these parameters and a body like this one.
pub(super) fn assert_request(request: &ReceivedRequest) {
    let (path, query) = request.path.split_once('?').unwrap_or((&request.path, ""));
    if path == OLD_CREATEMETA || UNDESCRIBED.iter().any(|start| path.starts_with(start)) {
        return;
    }
    let operation = operation(&request.method, path);
    for (name, _) in form_urlencoded::parse(query.as_bytes()) {
        let known = operation["parameters"].as_array().unwrap();
        assert!(
            known.iter().any(|known| known["in"] == "query" && known["name"] == *name),
            "{name} in {path}"
        );
    }
    match operation.get("requestBody") {
        Some(described) => {
            assert_eq!(request.header("content-type"), Some("application/json"));
            let mut body: Value = serde_json::from_slice(&request.body).unwrap();
            if path.ends_with("/assignee") {
                // `null` means nobody, which the description says in a text rather than in the schema.
                body.as_object_mut().unwrap().retain(|_, account| !account.is_null());
            }
            if path.ends_with("/api/2/search")
                && let Some(is_validated) = body.get_mut("validateQuery")
            {
                // Data Center takes a boolean where Cloud takes its name.
                *is_validated = Value::String(is_validated.to_string());
            }
            assert_valid(&described["content"]["application/json"]["schema"], &body);
        }
        None => assert!(request.body.is_empty(), "{path} takes no body"),
    }
    assert_eq!(request.header("accept"), Some("application/json"));
}

/// Fails unless the description has this status and a body like this one for the operation.
pub(super) fn assert_answer(method: &str, path: &str, status: u16, body: &Value) {
    let described = &operation(method, path)["responses"][status.to_string()];
    assert!(described.is_object(), "{method} {path} never answers {status}");
    match described.pointer("/content/application~1json/schema") {
        Some(schema) => assert_valid(schema, body),
        // The description doesn't mention the body. It is the usual one.
        None => assert_valid(&reference("ErrorCollection"), body),
    }
}

pub(super) fn assert_is_a(schema: &str, value: &Value) {
    assert_valid(&reference(schema), value);
}

/// The operation at a path of version 3, or at the same path of version 2.
fn operation(method: &str, path: &str) -> &'static Value {
    let path = path.replace("/rest/api/2/", "/rest/api/3/");
    let paths = DESCRIPTION["paths"].as_object().unwrap();
    let found = paths.get(&path).or_else(|| {
        let (_, operations) = paths.iter().find(|(template, _)| fits(&path, template))?;
        Some(operations)
    });
    let operation = found.and_then(|operations| operations.get(method.to_ascii_lowercase()));
    operation.unwrap_or_else(|| panic!("{method} {path} is not described"))
}

/// Whether a path matches this template, in which `{name}` stands for any segment.
fn fits(path: &str, template: &str) -> bool {
    let (segments, names) = (path.split('/'), template.split('/'));
    segments.clone().count() == names.clone().count()
        && segments.zip(names).all(|(segment, name)| name.starts_with('{') || segment == name)
}

fn reference(schema: &str) -> Value {
    json!({ "$ref": format!("#/components/schemas/{schema}") })
}

#[track_caller]
fn assert_valid(schema: &Value, value: &Value) {
    let mut problems = Vec::new();
    check(schema, value, "$", &mut problems);
    assert!(problems.is_empty(), "{problems:#?} in {value:#}");
}

/// Checks a value against a schema. Knows only the keywords that the extract uses, and panics at any other.
fn check(schema: &Value, value: &Value, at: &str, problems: &mut Vec<String>) {
    if value.is_null() && schema["nullable"] == true {
        return;
    }
    for (keyword, rule) in schema.as_object().unwrap() {
        let holds = match keyword.as_str() {
            "$ref" => {
                let pointer = rule.as_str().and_then(|rule| rule.strip_prefix('#')).unwrap();
                check(DESCRIPTION.pointer(pointer).unwrap(), value, at, problems);
                true
            }
            "allOf" => {
                rule.as_array().unwrap().iter().for_each(|schema| check(schema, value, at, problems));
                true
            }
            "type" => has_type(rule.as_str().unwrap(), value),
            "required" => {
                rule.as_array().unwrap().iter().all(|name| value.get(name.as_str().unwrap()).is_some())
            }
            "properties" => {
                for (name, value) in value.as_object().into_iter().flatten() {
                    if let Some(schema) = rule.get(name) {
                        check(schema, value, &format!("{at}.{name}"), problems);
                    }
                }
                true
            }
            "additionalProperties" => {
                let known = schema.get("properties");
                let others = value.as_object().into_iter().flatten();
                for (name, value) in
                    others.filter(|(name, _)| known.and_then(|known| known.get(name)).is_none())
                {
                    match rule {
                        Value::Bool(true) => {}
                        Value::Bool(false) => problems.push(format!("{at}.{name} is unknown")),
                        schema => check(schema, value, &format!("{at}.{name}"), problems),
                    }
                }
                true
            }
            "items" => {
                for (index, value) in value.as_array().into_iter().flatten().enumerate() {
                    check(rule, value, &format!("{at}[{index}]"), problems);
                }
                true
            }
            "enum" => rule.as_array().unwrap().contains(value),
            "maxLength" => {
                value.as_str().is_none_or(|text| text.chars().count() as u64 <= rule.as_u64().unwrap())
            }
            "maximum" => value.as_f64().is_none_or(|number| number <= rule.as_f64().unwrap()),
            "format" if rule == "uri" => value.as_str().is_none_or(|text| text.parse::<url::Url>().is_ok()),
            "format" if rule == "int32" => value.as_i64().is_none_or(|number| i32::try_from(number).is_ok()),
            "format" if rule == "int64" => !value.is_number() || value.is_i64(),
            "uniqueItems" => value.as_array().is_none_or(|items| {
                items.iter().enumerate().all(|(index, item)| !items[..index].contains(item))
            }),
            // Dates and UUIDs are neither sent nor read.
            "format" if ["date", "date-time", "uuid"].iter().any(|name| rule == *name) => value.is_string(),
            "nullable" | "default" => true,
            other => panic!("the keyword {other}: {rule} is not checked at {at}"),
        };
        if !holds {
            problems.push(format!("{at} breaks {keyword}: {rule}"));
        }
    }
}

fn has_type(name: &str, value: &Value) -> bool {
    match name {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_i64() || value.is_u64(),
        other => panic!("the type {other} is not checked"),
    }
}

#[test]
fn what_differs_from_the_description_is_found() {
    let problems = |schema: &str, value: Value| {
        let mut problems = Vec::new();
        check(&reference(schema), &value, "$", &mut problems);
        problems.len()
    };
    assert_eq!(problems("BulkFetchIssueRequestBean", json!({ "issueIdsOrKeys": ["A-1"] })), 0);
    assert_eq!(problems("BulkFetchIssueRequestBean", json!({ "fields": ["summary"] })), 1);
    assert_eq!(problems("BulkFetchIssueRequestBean", json!({ "issueIdsOrKeys": ["A-1"], "jql": "" })), 1);
    assert_eq!(problems("BulkFetchIssueRequestBean", json!({ "issueIdsOrKeys": [1, 2] })), 2);
    assert_eq!(problems("BulkIssueResults", json!({ "issues": [{ "id": 1, "self": "x" }] })), 2);
    assert_eq!(problems("User", json!({ "accountType": "robot", "avatarUrls": { "1x1": "" } })), 2);
    assert_eq!(problems("ErrorCollection", json!([])), 1);
}
