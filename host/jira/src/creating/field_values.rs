//! The values of fields as Jira takes them, which differs between Cloud and Data Center.

use serde_json::{Value, json};

use crate::{connection::site::JiraSite, formats::adf, formats::wiki};
use maro_domain::{rich_text::RichText, screen::FieldValue};

/// How Jira wants times: `2026-11-30T14:05:00.000+0000`.
const DATE_TIME: &str = "%Y-%m-%dT%H:%M:%S.000+0000";

/// The text in the format of this edition, unless it is empty.
pub(crate) fn formatted(site: &JiraSite, text: &RichText) -> Option<Value> {
    if site.is_cloud() {
        adf::document(text)
    } else {
        Some(wiki::markup(text)).filter(|markup| !markup.is_empty()).map(Value::String)
    }
}

/// A field's value as Jira takes it in this edition.
pub(super) fn to_json(site: &JiraSite, value: &FieldValue) -> Value {
    let with_id = |id: &String| json!({ "id": id });
    let account = |id: &String| json!({ if site.is_cloud() { "accountId" } else { "name" }: id });
    match value {
        FieldValue::Line(text) | FieldValue::Date(text) => json!(text),
        FieldValue::Text(text) => formatted(site, text).unwrap_or(Value::Null),
        // What is no number goes as it is, so that Jira says what is wrong.
        FieldValue::Number(text) => match text.parse::<f64>() {
            Ok(number) if number.is_finite() => json!(number),
            _ => json!(text),
        },
        FieldValue::Option(id) => with_id(id),
        FieldValue::Cascade { parent, child } => json!({ "id": parent, "child": { "id": child } }),
        FieldValue::Options(ids) => ids.iter().map(with_id).collect(),
        FieldValue::DateTime(at) => json!(at.strftime(DATE_TIME).to_string()),
        FieldValue::User(id) => account(id),
        FieldValue::Users(ids) => ids.iter().map(account).collect(),
        FieldValue::Labels(labels) => json!(labels),
        FieldValue::Parent(key) => json!({ "key": key.as_str() }),
        FieldValue::EpicLink(key) => json!(key.as_str()),
        FieldValue::Sprint(id) => json!(id),
        FieldValue::Group(name) => json!({ "name": name }),
        FieldValue::Groups(names) => names.iter().map(|name| json!({ "name": name })).collect(),
        FieldValue::Estimate(text) => json!({ "originalEstimate": text }),
    }
}
