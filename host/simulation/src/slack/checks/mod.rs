//! Slack's rules for messages and modals, written a second time, independent of the code that creates them.
//!
//! From <https://docs.slack.dev/reference/block-kit> and <https://docs.slack.dev/reference/views>. Only what
//! MARO sends is covered. To use another kind of block, add it here with its rules.

mod blocks;
mod elements;
mod flaws;
pub mod view;

use serde_json::Value;

use crate::slack::checks::{
    blocks::{Surface, check_blocks},
    flaws::{Checker, length},
};

const RESPONSE_TYPES: [&str; 2] = ["ephemeral", "in_channel"];
const MAX_BLOCKS: usize = 50;
const MAX_TEXT: usize = 40_000;
/// Slack refuses more as `msg_blocks_too_long`. The number isn't documented.
const MAX_ALL_BLOCKS_TEXT: usize = 13_000;

/// What Slack would refuse or silently cut in a message's payload, one sentence each.
pub fn message_problems(payload: &Value) -> Vec<String> {
    let mut problems = Vec::new();
    let Some(fields) = payload.as_object() else {
        return vec!["The message isn't a JSON object.".to_owned()];
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
    if fields.get("delete_original") == Some(&Value::Bool(true)) {
        return problems;
    }
    let text = match fields.get("text") {
        None => "",
        Some(Value::String(text)) => text,
        Some(_) => {
            problems.push("text isn't a string.".to_owned());
            ""
        }
    };
    if length(text) > MAX_TEXT {
        problems.push(format!("text has {} characters, but Slack cuts it at {MAX_TEXT}.", length(text)));
    }
    problems.extend(blocks_problems(fields.get("blocks"), text));
    problems
}

fn blocks_problems(blocks: Option<&Value>, text: &str) -> Vec<String> {
    let mut problems = Vec::new();
    let blocks = match blocks {
        None => &[][..],
        Some(Value::Array(blocks)) => blocks,
        Some(_) => {
            problems.push("blocks isn't an array.".to_owned());
            &[]
        }
    };
    if text.trim().is_empty() && blocks.is_empty() {
        problems.push("no_text: there is neither text nor a block.".to_owned());
    }
    if !blocks.is_empty() && text.trim().is_empty() {
        problems.push("text is missing, but notifications show it instead of the blocks.".to_owned());
    }
    if blocks.len() > MAX_BLOCKS {
        problems.push(format!("invalid_blocks: {} blocks, at most {MAX_BLOCKS}.", blocks.len()));
    }
    let mut checker = Checker::default();
    check_blocks(&mut checker, "/blocks", blocks, Surface::Message);
    problems.extend(checker.flaws.iter().map(|flaw| format!("invalid_blocks: {flaw}")));
    if checker.text_length > MAX_ALL_BLOCKS_TEXT {
        problems.push(format!("msg_blocks_too_long: the blocks have {} characters.", checker.text_length));
    }
    problems
}
