//! Slack's rules for a message, written down a second time, apart from the code that makes messages.
//!
//! From <https://docs.slack.dev/reference/block-kit/blocks>. Only what MARO sends is known here: a kind of
//! block that is missing is to be added together with its rules.

use serde_json::Value;

const RESPONSE_TYPES: [&str; 2] = ["ephemeral", "in_channel"];
const MAX_BLOCKS: usize = 50;
const MAX_SECTION_TEXT: usize = 3_000;
const MAX_FIELDS: usize = 10;
const MAX_FIELD_TEXT: usize = 2_000;
const MAX_TEXT: usize = 40_000;
/// Refused as `msg_blocks_too_long`; the number is not documented.
const MAX_ALL_BLOCKS_TEXT: usize = 13_000;
const MAX_BLOCK_ID: usize = 255;

/// What Slack would refuse or silently cut in the payload of a message, a sentence each.
pub fn message_problems(payload: &Value) -> Vec<String> {
    let mut problems = Vec::new();
    let Some(fields) = payload.as_object() else {
        return vec!["The message is no JSON object.".to_owned()];
    };
    if let Some(kind) = fields.get("response_type")
        && !kind.as_str().is_some_and(|kind| RESPONSE_TYPES.contains(&kind))
    {
        problems.push(format!("response_type is {kind}."));
    }
    for name in ["replace_original", "delete_original", "unfurl_links", "unfurl_media", "mrkdwn"] {
        if fields.get(name).is_some_and(|flag| !flag.is_boolean()) {
            problems.push(format!("{name} is neither true nor false."));
        }
    }
    let text = match fields.get("text") {
        None => "",
        Some(Value::String(text)) => text,
        Some(_) => {
            problems.push("text is no string.".to_owned());
            ""
        }
    };
    if length(text) > MAX_TEXT {
        problems.push(format!("text has {} characters, and Slack cuts at {MAX_TEXT}.", length(text)));
    }
    let blocks = match fields.get("blocks") {
        None => &[][..],
        Some(Value::Array(blocks)) => blocks,
        Some(_) => {
            problems.push("blocks is no array.".to_owned());
            &[]
        }
    };
    if text.trim().is_empty() && blocks.is_empty() {
        problems.push("no_text: there is neither text nor a block.".to_owned());
    }
    if !blocks.is_empty() && text.trim().is_empty() {
        problems.push("text is missing, which notifications show instead of the blocks.".to_owned());
    }
    if blocks.len() > MAX_BLOCKS {
        problems.push(format!("invalid_blocks: {} blocks, at most {MAX_BLOCKS}.", blocks.len()));
    }
    let mut total = 0;
    for (index, block) in blocks.iter().enumerate() {
        for problem in block_problems(block, &mut total) {
            problems.push(format!("invalid_blocks: block {index} {problem}"));
        }
    }
    if total > MAX_ALL_BLOCKS_TEXT {
        problems.push(format!("msg_blocks_too_long: the blocks have {total} characters."));
    }
    problems
}

fn block_problems(block: &Value, total: &mut usize) -> Vec<String> {
    let mut problems = Vec::new();
    if let Some(id) = block.get("block_id")
        && !id.as_str().is_some_and(|id| (1..=MAX_BLOCK_ID).contains(&length(id)))
    {
        problems.push("has a malformed block_id.".to_owned());
    }
    match block["type"].as_str() {
        Some("section") => {
            let fields = block.get("fields").and_then(Value::as_array);
            if block.get("text").is_none() && fields.is_none_or(Vec::is_empty) {
                problems.push("has neither text nor fields.".to_owned());
            }
            if let Some(text) = block.get("text") {
                problems.extend(text_problem(text, MAX_SECTION_TEXT, total));
            }
            if fields.is_some_and(|fields| fields.len() > MAX_FIELDS) {
                problems.push(format!("has more than {MAX_FIELDS} fields."));
            }
            for field in fields.into_iter().flatten() {
                problems.extend(text_problem(field, MAX_FIELD_TEXT, total));
            }
        }
        Some("divider") => {}
        Some(other) => problems.push(format!("is of the unknown type {other:?}.")),
        None => problems.push("has no type.".to_owned()),
    }
    problems
}

fn text_problem(object: &Value, max_length: usize, total: &mut usize) -> Option<String> {
    let Some(text) = object["text"].as_str() else {
        return Some("has a text object without text.".to_owned());
    };
    *total += length(text);
    match object["type"].as_str() {
        Some("mrkdwn") if object.get("emoji").is_some() => {
            return Some("has emoji beside mrkdwn.".to_owned());
        }
        Some("plain_text") if object.get("verbatim").is_some() => {
            return Some("has verbatim beside plain_text.".to_owned());
        }
        Some("mrkdwn" | "plain_text") => {}
        _ => return Some("has a text object of no known type.".to_owned()),
    }
    match length(text) {
        0 => Some("has an empty text.".to_owned()),
        _ if text.trim().is_empty() => Some("has a blank text.".to_owned()),
        length if length > max_length => Some(format!("has {length} characters, at most {max_length}.")),
        _ => None,
    }
}

/// Counted as JavaScript counts, the strictest reading.
fn length(text: &str) -> usize {
    text.encode_utf16().count()
}
