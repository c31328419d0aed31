//! Slack's markup, as it arrives in messages and as people type it into a modal, becomes formatted text.
//!
//! What is no markup by Slack's rules stays as it stands, so nothing that somebody wrote is lost; of
//! control characters only tabs and line breaks are kept. Takes time in proportion to the text's length,
//! whatever it holds. Slack's rules: <https://docs.slack.dev/messaging/formatting-message-text>.

mod emphasis;
mod reference;
mod source;
mod tokens;

use crate::markup::{reference::Reference, source::Source};
use maro_domain::rich_text::{Inline, RichBlock, RichText};

/// Encloses text that stands as it is.
const FENCE: &str = "```";

/// What begins an item of a bulleted list, before a space: what Slack writes, and what people type.
const BULLETS: [char; 6] = ['•', '◦', '▪', '▫', '-', '*'];

/// A message's `text`, in which `&`, `<` and `>` are entities wherever they are no markup.
pub fn parse_message(mrkdwn: &str) -> RichText {
    Blocks::parse(mrkdwn, Source::Message)
}

/// What was typed into an input, in which entities are not special but the other markup is.
pub fn parse_typed(text: &str) -> RichText {
    Blocks::parse(text, Source::Typed)
}

/// A message's `text` as it may stand in an input to be worked on; [`parse_typed`] understands it.
pub fn to_typed(mrkdwn: &str) -> String {
    reference::replace(mrkdwn, Source::Message, |reference| match reference {
        Reference::Link { url, label } if url == label => url,
        Reference::Link { url, label } => format!("<{url}|{label}>"),
        Reference::Mention(text) => text,
    })
}

/// A message's `text` for a title, which can hold no links: of each its label alone.
pub fn to_title(mrkdwn: &str) -> String {
    reference::replace(mrkdwn, Source::Message, |reference| match reference {
        Reference::Link { label, .. } => label,
        Reference::Mention(text) => text,
    })
}

/// What a line is, by its beginning.
enum Line<'a> {
    Blank,
    Text(&'a str),
    Quote(&'a str),
    /// A quotation that goes on to the end.
    LongQuote(&'a str),
    Bullet(&'a str),
    Numbered(&'a str),
}

/// Blocks as they grow line by line.
struct Blocks {
    source: Source,
    blocks: Vec<RichBlock>,
    /// Whether the next line may still belong to the last block.
    is_open: bool,
    in_long_quote: bool,
}

impl Blocks {
    fn parse(text: &str, source: Source) -> RichText {
        let text: String = text
            .replace("\r\n", "\n")
            .replace(['\r', '\u{2028}', '\u{2029}'], "\n")
            .chars()
            .filter(|letter| !letter.is_control() || matches!(letter, '\n' | '\t'))
            .collect();
        let mut blocks = Self { source, blocks: Vec::new(), is_open: false, in_long_quote: false };
        let mut rest = text.as_str();
        while let Some((before, code, after)) = first_code(rest) {
            blocks.lines(before.trim_end_matches('\n'));
            let code = reference::replace(code, source, Reference::into_text);
            blocks.blocks.push(RichBlock::Code(code));
            blocks.is_open = false;
            rest = after.strip_prefix('\n').unwrap_or(after);
        }
        blocks.lines(rest);
        RichText { blocks: blocks.blocks }
    }

    fn lines(&mut self, text: &str) {
        for line in text.split('\n') {
            self.line(line);
        }
        self.in_long_quote = false;
    }

    fn line(&mut self, line: &str) {
        let line = if self.in_long_quote { Line::Quote(line) } else { self.kind_of(line) };
        let (source, is_open) = (self.source, self.is_open);
        let last = self.blocks.last_mut().filter(|_| is_open);
        self.is_open = true;
        match (line, last) {
            (Line::Blank, _) => self.is_open = false,
            (Line::Text(text), Some(RichBlock::Paragraph(inlines)))
            | (Line::Quote(text) | Line::LongQuote(text), Some(RichBlock::Quote(inlines))) => {
                inlines.push(Inline::LineBreak);
                inlines.extend(inlines_of(text, source));
            }
            (Line::Bullet(text), Some(RichBlock::BulletList(items)))
            | (Line::Numbered(text), Some(RichBlock::NumberedList(items))) => {
                items.push(inlines_of(text, source));
            }
            (Line::Text(text), _) => self.blocks.push(RichBlock::Paragraph(inlines_of(text, source))),
            (Line::Quote(text), _) => self.blocks.push(RichBlock::Quote(inlines_of(text, source))),
            (Line::LongQuote(text), _) => {
                self.blocks.push(RichBlock::Quote(inlines_of(text, source)));
                self.in_long_quote = true;
            }
            (Line::Bullet(text), _) => {
                self.blocks.push(RichBlock::BulletList(vec![inlines_of(text, source)]));
            }
            (Line::Numbered(text), _) => {
                self.blocks.push(RichBlock::NumberedList(vec![inlines_of(text, source)]));
            }
        }
    }

    fn kind_of<'a>(&self, line: &'a str) -> Line<'a> {
        let trimmed = line.trim();
        if trimmed.is_empty() {
            return Line::Blank;
        }
        let marker = self.source.quote_marker();
        if let Some(quoted) = trimmed.strip_prefix(marker) {
            let long = quoted.strip_prefix(marker).and_then(|rest| rest.strip_prefix(marker));
            return long.map_or(Line::Quote(quoted), Line::LongQuote);
        }
        if let Some(item) = trimmed.strip_prefix(BULLETS).and_then(item_text) {
            return Line::Bullet(item);
        }
        match numbered(trimmed) {
            Some((number, item)) if number == self.next_number() => Line::Numbered(item),
            _ => Line::Text(line.trim_end()),
        }
    }

    /// The number that goes on with the list under way, or begins one. Any other stays text, because a list
    /// numbers its items by itself.
    fn next_number(&self) -> usize {
        match self.blocks.last() {
            Some(RichBlock::NumberedList(items)) if self.is_open => items.len() + 1,
            _ => 1,
        }
    }
}

/// What stands behind an item's marker and a space.
fn item_text(rest: &str) -> Option<&str> {
    // A bullet of Slack's may carry a variation selector.
    let rest = rest.strip_prefix('\u{fe0e}').unwrap_or(rest);
    rest.starts_with([' ', '\t']).then(|| rest.trim_start()).filter(|text| !text.is_empty())
}

fn numbered(line: &str) -> Option<(usize, &str)> {
    let digits = line.bytes().take(4).take_while(u8::is_ascii_digit).count();
    let (number, rest) = line.split_at(digits);
    let item = rest.strip_prefix(['.', ')']).and_then(item_text)?;
    // "01." would be numbered "1.".
    (!number.starts_with('0')).then_some((number.parse().ok()?, item))
}

fn inlines_of(text: &str, source: Source) -> Vec<Inline> {
    emphasis::resolve(&tokens::tokens(text.trim(), source))
}

/// What stands before the first fenced text, the text, and what stands behind it.
fn first_code(text: &str) -> Option<(&str, &str, &str)> {
    let (before, rest) = text.split_once(FENCE)?;
    let (code, after) = rest.split_once(FENCE)?;
    let code = code.strip_prefix('\n').unwrap_or(code);
    let code = code.strip_suffix('\n').unwrap_or(code);
    (!code.trim().is_empty()).then_some((before, code, after))
}
