//! The words of blocks. Slack's kinds: <https://docs.slack.dev/reference/block-kit/blocks>.

use serde_json::Value;

use crate::{
    words::message_words::{
        markdown, rich_text,
        said::{linked, said, without_emphasis},
    },
    words::parse_markup::literal,
};

/// How many blocks are read. Slack allows 50.
const MAX_BLOCKS: usize = 100;

/// The words of blocks in Slack's markup, a line or more for each.
pub(super) fn words(blocks: &[Value]) -> String {
    let said = blocks.iter().take(MAX_BLOCKS).map(of_block);
    said.filter(|words| !words.trim().is_empty()).collect::<Vec<_>>().join("\n")
}

fn of_block(block: &Value) -> String {
    match block["type"].as_str().unwrap_or_default() {
        "header" => text(&block["text"]).map(|text| format!("*{text}*")).unwrap_or_default(),
        "section" => {
            let fields = elements(block, "fields").filter_map(text);
            let lines = text(&block["text"]).into_iter().chain(fields).chain(link(&block["accessory"]));
            lines.collect::<Vec<_>>().join("\n")
        }
        "rich_text" => rich_text::words(block),
        // Small print: emphasis says nothing there, and would cut a phrase in a form into pieces.
        "context" => {
            let plain = |element: &Value| text(element).map(|text| without_emphasis(&text));
            elements(block, "elements").filter_map(plain).collect::<Vec<_>>().join(" ")
        }
        "actions" => elements(block, "elements").filter_map(link).collect::<Vec<_>>().join(" "),
        "markdown" => said(block, "text").map(markdown::words).unwrap_or_default(),
        "table" => {
            let cells = |row: &Value| {
                let cells = row.as_array().into_iter().flatten().map(cell);
                cells.collect::<Vec<_>>().join(" | ")
            };
            elements(block, "rows").map(cells).collect::<Vec<_>>().join("\n")
        }
        // What is in inputs isn't the sender's.
        "input" => String::new(),
        // Images and videos, and kinds to come.
        _ => {
            let texts = ["title", "subtitle", "text", "body", "description"];
            texts.iter().filter_map(|name| text(&block[*name])).collect::<Vec<_>>().join("\n")
        }
    }
}

fn elements<'a>(block: &'a Value, name: &str) -> impl Iterator<Item = &'a Value> {
    block[name].as_array().into_iter().flatten()
}

/// A text object in Slack's markup.
fn text(object: &Value) -> Option<String> {
    let text = said(object, "text")?;
    match object["type"].as_str()? {
        "mrkdwn" => Some(text.to_owned()),
        "plain_text" => Some(literal(text)),
        _ => None,
    }
}

/// Where a button leads. What else it does is of no use elsewhere.
fn link(element: &Value) -> Option<String> {
    let label = text(&element["text"])?;
    Some(linked(said(element, "url")?, &label))
}

fn cell(cell: &Value) -> String {
    match cell["type"].as_str().unwrap_or_default() {
        "rich_text" => rich_text::words(cell).replace('\n', " "),
        _ => said(cell, "text").map(literal).unwrap_or_default(),
    }
}
