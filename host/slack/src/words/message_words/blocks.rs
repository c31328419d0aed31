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
const KNOWN: [&str; 12] = [
    "header",
    "section",
    "rich_text",
    "context",
    "actions",
    "markdown",
    "table",
    "data_table",
    "data_visualization",
    "image",
    "video",
    "context_actions",
];

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
            let accessory = &block["accessory"];
            let lines = text(&block["text"]).into_iter().chain(fields).chain(link(accessory));
            lines.chain(choices(accessory)).collect::<Vec<_>>().join("\n")
        }
        "rich_text" => rich_text::words(block),
        // Small print: emphasis says nothing there, and would cut a phrase in a form into pieces.
        "context" => {
            let plain = |element: &Value| text(element).map(|text| without_emphasis(&text));
            elements(block, "elements").filter_map(plain).collect::<Vec<_>>().join(" ")
        }
        "actions" => {
            let links = elements(block, "elements").filter_map(link).collect::<Vec<_>>().join(" ");
            let lines = [links].into_iter().chain(elements(block, "elements").filter_map(choices));
            lines.filter(|line| !line.is_empty()).collect::<Vec<_>>().join("\n")
        }
        "markdown" => said(block, "text").map(markdown::words).unwrap_or_default(),
        "table" | "data_table" => {
            let cells = |row: &Value| {
                let cells = row.as_array().into_iter().flatten().map(cell);
                cells.collect::<Vec<_>>().join(" | ")
            };
            let caption = said(block, "caption").map(literal);
            caption.into_iter().chain(elements(block, "rows").map(cells)).collect::<Vec<_>>().join("\n")
        }
        "data_visualization" => {
            let chart = &block["chart"];
            let segments = elements(chart, "segments").filter_map(|segment| point(segment, ": "));
            let lines = said(block, "title").map(literal).into_iter().chain(segments);
            lines.chain(elements(chart, "series").map(series)).collect::<Vec<_>>().join("\n")
        }
        // What is in inputs isn't the sender's, and what these buttons do is of no use elsewhere.
        "input" | "context_actions" => String::new(),
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
    const TEXTS: [&str; 10] = [
        "title",
        "rich_text_title",
        "subtitle",
        "header",
        "text",
        "body",
        "description",
        "details",
        "output",
        "subtext",
    ];
    const WITHIN: [&str; 6] = ["blocks", "child_blocks", "elements", "cards", "tasks", "actions"];
    let own = TEXTS.iter().filter_map(|name| match &block[*name] {
        Value::String(_) => said(block, name).map(str::to_owned),
        value if value["type"] == "rich_text" => Some(rich_text::words(value)),
        value => text(value),
    });
    let within = WITHIN.iter().flat_map(|name| elements(block, name));
    let within = within.take(MAX_BLOCKS).filter(|_| depth > 0).map(|inner| match inner["type"].as_str() {
        Some("button") => link(inner).unwrap_or_default(),
        Some(kind) if KNOWN.contains(&kind) => of_block(inner),
        _ => of_unknown(inner, depth - 1),
    });
    let sources = elements(block, "sources")
        .filter_map(|source| Some(linked(said(source, "url")?, &literal(said(source, "text")?))));
    own.chain(within).chain(sources).filter(|words| !words.trim().is_empty()).collect::<Vec<_>>().join("\n")
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

/// What can be ticked: the tasks of a list, the answers to a question.
fn choices(element: &Value) -> Option<String> {
    let is_list = matches!(element["type"].as_str()?, "checkboxes" | "radio_buttons");
    let lines =
        elements(element, "options").filter_map(|option| Some(format!("• {}", text(&option["text"])?)));
    is_list.then(|| lines.collect::<Vec<_>>().join("\n"))
}

fn cell(cell: &Value) -> String {
    match cell["type"].as_str().unwrap_or_default() {
        "rich_text" => rich_text::words(cell).replace('\n', " "),
        _ => said(cell, "text").map(literal).or_else(|| number(cell)).unwrap_or_default(),
    }
}

/// A line of a chart, by its name: `Free: Mon 12, Tue 13`.
fn series(series: &Value) -> String {
    let points: Vec<_> = elements(series, "data").filter_map(|data| point(data, " ")).collect();
    let name = said(series, "name").map(|name| format!("{}: ", literal(name)));
    name.unwrap_or_default() + &points.join(", ")
}

/// A value of a chart behind its label.
fn point(point: &Value, between: &str) -> Option<String> {
    Some(format!("{}{between}{}", literal(said(point, "label")?), number(point)?))
}

fn number(object: &Value) -> Option<String> {
    object["value"].as_number().map(ToString::to_string)
}
