//! Checks that a document is valid Atlassian Document Format, as strictly as Jira does.
//!
//! Written from the format's description, not from what MARO sends. Covers the nodes that text from Slack can
//! contain. Any other node counts as invalid.

use serde_json::{Map, Value};

/// Whether Jira accepts this as a description.
pub(crate) fn is_document(value: &Value) -> bool {
    let Some(document) = node(value, "doc", &["version", "content"]) else { return false };
    document.get("version") == Some(&Value::from(1))
        && children(document).is_some_and(|blocks| blocks.iter().all(is_block))
}

fn is_block(value: &Value) -> bool {
    match type_of(value) {
        Some("blockquote") => has_children(value, is_quotable),
        _ => is_quotable(value),
    }
}

fn is_quotable(value: &Value) -> bool {
    match type_of(value) {
        Some("paragraph") => node(value, "paragraph", &["content"])
            .is_some_and(|node| children(node).is_none_or(|inlines| inlines.iter().all(is_inline))),
        Some("codeBlock") => node(value, "codeBlock", &["content", "attrs"])
            .is_some_and(|node| children(node).is_none_or(|texts| texts.iter().all(is_plain_text))),
        Some("bulletList" | "orderedList") => has_children(value, is_list_item),
        _ => false,
    }
}

fn is_list_item(value: &Value) -> bool {
    let starts_right = |blocks: &Vec<Value>| matches!(type_of(&blocks[0]), Some("paragraph" | "codeBlock"));
    type_of(value) == Some("listItem")
        && has_children(value, is_quotable)
        && value.get("content").and_then(Value::as_array).is_some_and(starts_right)
}

fn is_inline(value: &Value) -> bool {
    match type_of(value) {
        Some("hardBreak") => node(value, "hardBreak", &["attrs"]).is_some(),
        Some("text") => is_text(value),
        _ => false,
    }
}

fn is_plain_text(value: &Value) -> bool {
    is_text(value) && value.get("marks").is_none()
}

fn is_text(value: &Value) -> bool {
    let Some(node) = node(value, "text", &["text", "marks"]) else { return false };
    let has_text = node.get("text").and_then(Value::as_str).is_some_and(|text| !text.is_empty());
    let Some(marks) = node.get("marks") else { return has_text };
    let Some(marks) = marks.as_array() else { return false };
    let types: Vec<_> = marks.iter().filter_map(type_of).collect();
    let is_unique = types.iter().enumerate().all(|(place, name)| !types[..place].contains(name));
    let fits_code = !types.contains(&"code") || types.iter().all(|name| ["code", "link"].contains(name));
    has_text && is_unique && fits_code && marks.iter().all(is_mark)
}

fn is_mark(value: &Value) -> bool {
    match type_of(value) {
        Some(name @ ("strong" | "em" | "strike" | "code")) => node(value, name, &[]).is_some(),
        Some("link") => {
            let href = value.pointer("/attrs/href").and_then(Value::as_str);
            let scheme = href.and_then(|href| url::Url::parse(href).ok()).map(|url| url.scheme().to_owned());
            node(value, "link", &["attrs"]).is_some()
                && scheme.is_some_and(|scheme| ["http", "https", "mailto"].contains(&scheme.as_str()))
        }
        _ => false,
    }
}

/// Whether there is at least one child and all are valid.
fn has_children(value: &Value, is_right: fn(&Value) -> bool) -> bool {
    type_of(value)
        .and_then(|name| node(value, name, &["content"]))
        .and_then(children)
        .is_some_and(|blocks| !blocks.is_empty() && blocks.iter().all(is_right))
}

fn type_of(value: &Value) -> Option<&str> {
    value.get("type")?.as_str()
}

/// The object, if it has this type and no members but these.
fn node<'a>(value: &'a Value, name: &str, members: &[&str]) -> Option<&'a Map<String, Value>> {
    let object = value.as_object().filter(|_| type_of(value) == Some(name))?;
    object.keys().all(|key| key == "type" || members.contains(&key.as_str())).then_some(object)
}

fn children(node: &Map<String, Value>) -> Option<&Vec<Value>> {
    node.get("content")?.as_array()
}
