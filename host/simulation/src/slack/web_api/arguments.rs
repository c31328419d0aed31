//! The arguments of a call, as JSON, as a form or in the query, depending on the method.

use axum::http::{HeaderMap, header};
use serde_json::{Map, Value};
use url::form_urlencoded;

use crate::slack::web_api::result::ApiResult;

/// Methods whose arguments Slack reads only from forms and queries. It ignores JSON.
const FORM_ONLY: [&str; 3] = ["conversations.info", "users.conversations", "chat.getPermalink"];

/// Arguments that are JSON documents within a form.
const JSON_IN_FORMS: [&str; 4] = ["view", "blocks", "attachments", "metadata"];

/// All arguments as one object.
pub(super) fn read(method: &str, query: Option<&str>, headers: &HeaderMap, body: &[u8]) -> ApiResult {
    let mut arguments = Map::new();
    read_form(query.unwrap_or_default().as_bytes(), &mut arguments)?;
    let content_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let content_type = content_type.unwrap_or_default();
    if content_type.starts_with("application/json") {
        if !FORM_ONLY.contains(&method) && !body.is_empty() {
            let json = serde_json::from_slice(body).map_err(|_| "invalid_json")?;
            let Value::Object(fields) = json else { return Err("json_not_object".into()) };
            arguments.extend(fields);
        }
    } else if content_type.starts_with("application/x-www-form-urlencoded") {
        read_form(body, &mut arguments)?;
    } else if !body.is_empty() {
        let word = if content_type.is_empty() { "missing_post_type" } else { "invalid_post_type" };
        return Err(word.into());
    }
    Ok(Value::Object(arguments))
}

fn read_form(form: &[u8], arguments: &mut Map<String, Value>) -> Result<(), &'static str> {
    for (name, text) in form_urlencoded::parse(form) {
        let value = if JSON_IN_FORMS.contains(&name.as_ref()) {
            serde_json::from_str(&text).map_err(|_| "invalid_arguments")?
        } else {
            match text.as_ref() {
                "true" => Value::Bool(true),
                "false" => Value::Bool(false),
                text => Value::String(text.to_owned()),
            }
        };
        arguments.insert(name.into_owned(), value);
    }
    Ok(())
}

/// A string argument. An empty one counts as missing.
pub(super) fn text<'a>(arguments: &'a Value, name: &str) -> Option<&'a str> {
    arguments[name].as_str().filter(|text| !text.is_empty())
}
