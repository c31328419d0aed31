//! Formatted text as an Atlassian Document, which is what Jira Cloud's descriptions are.
//!
//! The format is strict, and Jira refuses a whole document for one fault: text nodes are never empty, text
//! in code has no other format than a link, code blocks hold plain text, lists have items.

use serde::Serialize;
use serde_json::Value;

use crate::{
    domain::rich_text::{Inline, RichBlock, RichText, Style},
    jira::plain::{is_web_link, printable},
};

#[derive(Serialize)]
#[serde(tag = "type", rename = "doc")]
struct Document {
    version: u8,
    content: Vec<Block>,
}

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "camelCase")]
enum Block {
    Paragraph { content: Vec<Node> },
    BulletList { content: Vec<ListItem> },
    OrderedList { content: Vec<ListItem> },
    CodeBlock { content: Vec<Node> },
    Blockquote { content: [Box<Block>; 1] },
}

#[derive(Serialize)]
#[serde(tag = "type", rename = "listItem")]
struct ListItem {
    content: [Block; 1],
}

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "camelCase")]
enum Node {
    Text {
        text: String,
        #[serde(skip_serializing_if = "Vec::is_empty")]
        marks: Vec<Mark>,
    },
    HardBreak,
}

#[derive(Clone, Serialize)]
#[serde(tag = "type", rename_all = "camelCase")]
enum Mark {
    Strong,
    Em,
    Strike,
    Code,
    Link { attrs: LinkTarget },
}

#[derive(Clone, Serialize)]
struct LinkTarget {
    href: String,
}

/// The document, or `None` if there is nothing to show.
pub(super) fn document(text: &RichText) -> Option<Value> {
    let content: Vec<Block> = text.blocks.iter().filter_map(block).collect();
    if content.is_empty() {
        return None;
    }
    let document = Document { version: 1, content };
    Some(serde_json::to_value(document).expect("a document is valid JSON"))
}

fn block(block: &RichBlock) -> Option<Block> {
    match block {
        RichBlock::Paragraph(inlines) => paragraph(inlines),
        RichBlock::BulletList(items) => list(items).map(|content| Block::BulletList { content }),
        RichBlock::NumberedList(items) => list(items).map(|content| Block::OrderedList { content }),
        RichBlock::Code(text) => {
            let text = printable(text);
            let content = vec![Node::Text { text, marks: Vec::new() }];
            content[0].shows_something().then_some(Block::CodeBlock { content })
        }
        RichBlock::Quote(inlines) => {
            paragraph(inlines).map(|block| Block::Blockquote { content: [Box::new(block)] })
        }
    }
}

fn paragraph(inlines: &[Inline]) -> Option<Block> {
    let content = nodes(inlines);
    content.iter().any(Node::shows_something).then_some(Block::Paragraph { content })
}

/// The items that show something, if any do.
fn list(items: &[Vec<Inline>]) -> Option<Vec<ListItem>> {
    let items: Vec<ListItem> =
        items.iter().filter_map(|item| Some(ListItem { content: [paragraph(item)?] })).collect();
    (!items.is_empty()).then_some(items)
}

fn nodes(inlines: &[Inline]) -> Vec<Node> {
    let mut nodes = Vec::new();
    for inline in inlines {
        match inline {
            Inline::LineBreak => nodes.push(Node::HardBreak),
            Inline::Text { text, style } => push_lines(&mut nodes, text, &marks(*style)),
            Inline::Link { url, label } if is_web_link(url) => {
                let label = if label.trim().is_empty() { url } else { label };
                let href = url.trim().to_owned();
                push_lines(&mut nodes, label, &[Mark::Link { attrs: LinkTarget { href } }]);
            }
            Inline::Link { url, label } => push_lines(&mut nodes, &format!("{label} {url}"), &[]),
        }
    }
    nodes
}

fn marks(style: Style) -> Vec<Mark> {
    if style.code {
        return vec![Mark::Code];
    }
    [(style.bold, Mark::Strong), (style.italic, Mark::Em), (style.strike, Mark::Strike)]
        .into_iter()
        .filter_map(|(is_on, mark)| is_on.then_some(mark))
        .collect()
}

/// Adds a text, with a hard break for each line break in it.
fn push_lines(nodes: &mut Vec<Node>, text: &str, marks: &[Mark]) {
    for (number, line) in printable(text).split('\n').enumerate() {
        if number > 0 {
            nodes.push(Node::HardBreak);
        }
        if !line.is_empty() {
            nodes.push(Node::Text { text: line.to_owned(), marks: marks.to_vec() });
        }
    }
}

impl Node {
    fn shows_something(&self) -> bool {
        matches!(self, Self::Text { text, .. } if !text.trim().is_empty())
    }
}
