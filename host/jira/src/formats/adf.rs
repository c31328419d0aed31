//! Formatted text as an Atlassian Document, the format of Jira Cloud's descriptions.
//!
//! The format is strict, and Jira rejects a whole document for one mistake: text nodes must not be empty,
//! code can have no other mark than a link, code blocks hold plain text, and lists have items.

use serde::Serialize;
use serde_json::Value;

use crate::formats::plain::{printable, shows_something, web_link};
use maro_domain::rich_text::{Inline, RichBlock, RichText, Style};

#[derive(Serialize)]
#[serde(tag = "type", rename = "doc")]
struct Document {
    version: u8,
    content: Vec<Block>,
}

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "camelCase")]
enum Block {
    Paragraph {
        content: Vec<Node>,
    },
    BulletList {
        content: Vec<ListItem>,
    },
    OrderedList {
        content: Vec<ListItem>,
    },
    #[serde(rename = "codeBlock")]
    Code {
        content: Vec<Node>,
    },
    Blockquote {
        content: [Box<Block>; 1],
    },
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
pub(crate) fn document(text: &RichText) -> Option<Value> {
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
            let text = printable(text).trim_matches('\n').to_owned();
            let is_blank = text.trim().is_empty();
            (!is_blank).then(|| Block::Code { content: vec![Node::Text { text, marks: Vec::new() }] })
        }
        RichBlock::Quote(inlines) => {
            paragraph(inlines).map(|block| Block::Blockquote { content: [Box::new(block)] })
        }
    }
}

fn paragraph(inlines: &[Inline]) -> Option<Block> {
    shows_something(inlines).then(|| Block::Paragraph { content: nodes(inlines) })
}

/// The items that show something; `None` if none does.
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
            Inline::Link { url, label } => match web_link(url) {
                Some(href) => {
                    let label = if printable(label).trim().is_empty() { &href } else { label };
                    let mark = Mark::Link { attrs: LinkTarget { href: href.clone() } };
                    push_lines(&mut nodes, label, &[mark]);
                }
                None => push_lines(&mut nodes, format!("{label} {url}").trim(), &[]),
            },
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

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;

    use super::*;
    use crate::formats::plain::samples;

    fn shown(text: &RichText) -> String {
        document(text).map_or("nothing".to_owned(), |document| document["content"].to_string())
    }

    #[test]
    fn every_kind_of_text_has_its_node() {
        assert_snapshot!(shown(&samples::of_every_kind()).replace("},{\"content\"", "},\n{\"content\""), @r#"
        [{"content":[{"text":"The ","type":"text"},{"marks":[{"type":"strong"}],"text":"login","type":"text"},{"marks":[{"type":"em"}],"text":" page ","type":"text"},{"marks":[{"type":"strong"},{"type":"em"},{"type":"strike"}],"text":"never","type":"text"},{"text":" calls","type":"text"},{"type":"hardBreak"},{"marks":[{"type":"code"}],"text":"check_user()","type":"text"},{"text":", see ","type":"text"},{"marks":[{"attrs":{"href":"https://example.com/a?b=1&c=[2]"},"type":"link"}],"text":"the log","type":"text"},{"text":" or ","type":"text"},{"marks":[{"attrs":{"href":"mailto:ada@example.com"},"type":"link"}],"text":"mailto:ada@example.com","type":"text"},{"type":"hardBreak"},{"text":"and so on.","type":"text"}],"type":"paragraph"},
        {"content":[{"content":[{"content":[{"text":"one","type":"text"}],"type":"paragraph"}],"type":"listItem"},
        {"content":[{"content":[{"text":"two","type":"text"},{"type":"hardBreak"},{"text":"lines","type":"text"}],"type":"paragraph"}],"type":"listItem"}],"type":"bulletList"},
        {"content":[{"content":[{"content":[{"text":"first","type":"text"}],"type":"paragraph"}],"type":"listItem"},
        {"content":[{"content":[{"text":"second","type":"text"}],"type":"paragraph"}],"type":"listItem"}],"type":"orderedList"},
        {"content":[{"text":"fn main() {\n    *x = [1];\n}","type":"text"}],"type":"codeBlock"},
        {"content":[{"content":[{"text":"It works","type":"text"},{"type":"hardBreak"},{"text":"here.","type":"text"}],"type":"paragraph"}],"type":"blockquote"}]
        "#);
    }

    #[test]
    fn hostile_text_is_text() {
        assert_snapshot!(shown(&samples::hostile()), @r##"[{"content":[{"text":"h1. <b>&lt;</b> {quote} [~admin] !http://evil/x.png!","type":"text"},{"type":"hardBreak"},{"text":"# {color:red}\\\\ *a* \"q\" :)","type":"text"},{"marks":[{"type":"code"}],"text":"{{x}} *y*","type":"text"},{"text":"click [me|x] javascript:alert(1)","type":"text"},{"marks":[{"attrs":{"href":"https://evil/a|b]%7Bc%7D/%20d"},"type":"link"}],"text":"a]b|c{d}","type":"text"}],"type":"paragraph"},{"content":[{"content":[{"content":[{"text":"** x","type":"text"}],"type":"paragraph"}],"type":"listItem"}],"type":"bulletList"},{"content":[{"text":"{noformat}\nout\n{code}\n*in*","type":"text"}],"type":"codeBlock"},{"content":[{"content":[{"text":"{quote} out","type":"text"}],"type":"paragraph"}],"type":"blockquote"}]"##);
    }

    #[test]
    fn what_shows_nothing_is_left_out() {
        assert_eq!(document(&RichText::default()), None);
        assert_eq!(document(&samples::empty_in_every_way()), None);
    }
}
