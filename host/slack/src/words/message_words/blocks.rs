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

/// How deep blocks may be within blocks of a kind to come.
const MAX_DEPTH: usize = 3;

/// Blocks that hold no others.
const KNOWN: [&str; 9] =
    ["header", "section", "rich_text", "context", "actions", "markdown", "table", "image", "video"];

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
        "image" => text(&block["title"]).or_else(|| said(block, "alt_text").map(literal)).unwrap_or_default(),
        "video" => {
            let title = text(&block["title"]).map(|title| match said(block, "title_url") {
                Some(address) => linked(address, &title),
                None => title,
            });
            title.into_iter().chain(text(&block["description"])).collect::<Vec<_>>().join("\n")
        }
        "call" => {
            let call = &block["call"]["v1"];
            let name = said(call, "name").unwrap_or("Call");
            said(call, "join_url").map_or_else(|| literal(name), |address| linked(address, &literal(name)))
        }
        _ => of_unknown(block, MAX_DEPTH),
    }
}

/// Kinds to come: what is called as the words of others are, in the block and in those within it.
fn of_unknown(block: &Value, depth: usize) -> String {
    const TEXTS: [&str; 6] = ["title", "subtitle", "header", "text", "body", "description"];
    let own = TEXTS.iter().filter_map(|name| {
        let value = &block[*name];
        text(value).or_else(|| value.is_string().then(|| said(block, name).map(str::to_owned)).flatten())
    });
    let within = ["blocks", "elements", "cards"].iter().flat_map(|name| elements(block, name));
    let within = within.take(MAX_BLOCKS).filter(|_| depth > 0).map(|inner| match inner["type"].as_str() {
        Some("button") => link(inner).unwrap_or_default(),
        Some(kind) if KNOWN.contains(&kind) => of_block(inner),
        _ => of_unknown(inner, depth - 1),
    });
    own.chain(within).filter(|words| !words.trim().is_empty()).collect::<Vec<_>>().join("\n")
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
