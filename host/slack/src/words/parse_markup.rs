//! Turns Slack's markup, from messages or typed into a modal, into formatted text.
//!
//! What isn't markup by Slack's rules stays as it is, so nothing that somebody wrote is lost. The only
//! control characters kept are tabs and line breaks. The time is proportional to the text's length, whatever
//! is in it. Slack's rules: <https://docs.slack.dev/messaging/formatting-message-text>.

mod emphasis;
mod reference;
mod source;
mod tokens;

use crate::words::parse_markup::{reference::Reference, source::Source};
use maro_domain::rich_text::{Inline, RichBlock, RichText};

/// Encloses preformatted text.
const FENCE: &str = "```";

/// What starts an item of a bulleted list, before a space: what Slack writes, and what people type.
const BULLETS: [char; 6] = ['•', '◦', '▪', '▫', '-', '*'];

/// Reads a message's `text`, in which `&`, `<` and `>` are entities unless they are markup.
pub fn parse_message(mrkdwn: &str) -> RichText {
    Blocks::parse(mrkdwn, Source::Message)
}

/// Reads what was typed into an input, where entities aren't special but the other markup is.
pub fn parse_typed(text: &str) -> RichText {
    Blocks::parse(text, Source::Typed)
}

/// A message's `text` for editing in an input; [`parse_typed`] understands it.
pub fn to_typed(mrkdwn: &str) -> String {
    reference::replace(mrkdwn, Source::Message, |reference| match reference {
        Reference::Link { url, label } if url == label => url,
        Reference::Link { url, label } => {
            // What was typed has no entities, and there these would end the link.
            let (url, label) =
                (url.replace('<', "%3C").replace('>', "%3E"), label.replace('<', "‹").replace('>', "›"));
            format!("<{url}|{label}>")
        }
        other => other.into_text(),
    })
}

/// As [`to_typed`], but with the labels alone of the links whose address isn't `kept`.
pub fn to_typed_keeping(mrkdwn: &str, kept: impl Fn(&str) -> bool) -> String {
    to_typed(&reference::rewrite(mrkdwn, |reference| match reference {
        Reference::Link { url, label } if url != label && !kept(&url) => Some(literal(&format!(" {label} "))),
        _ => None,
    }))
}

/// A plain text as a message has it, where `&`, `<` and `>` are entities.
pub(crate) fn literal(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// The ids that a message mentions without saying their names, each once, in order.
pub fn nameless(mrkdwn: &str) -> Vec<String> {
    let mut ids = Vec::new();
    reference::replace(mrkdwn, Source::Message, |reference| {
        if let Reference::Nameless { id, .. } = reference
            && !ids.contains(&id)
        {
            ids.push(id);
        }
        String::new()
    });
    ids
}

/// The message for a title: `gap` for each name that isn't known and for people who are called, and the labels of
/// what isn't a link.
pub(crate) fn for_title(mrkdwn: &str, gap: char) -> String {
    reference::rewrite(&with_raw_mentions(mrkdwn), |reference| match reference {
        Reference::Nameless { .. } => Some(gap.to_string()),
        Reference::Mention(name) if calls_everyone(&name) => Some(gap.to_string()),
        Reference::Address { label, .. } => Some(literal(&label)),
        _ => None,
    })
}

/// Whether it's no name, but a word that calls everybody in the channel.
pub(crate) fn calls_everyone(name: &str) -> bool {
    ["@channel", "@here", "@everyone"].contains(&name)
}

/// A message in which mentions are mentions also where some program wrote them into a plain text, as into a header.
/// Slack shows these as they are: `<!channel> Disk full`.
fn with_raw_mentions(mrkdwn: &str) -> String {
    let mut out = String::with_capacity(mrkdwn.len());
    let mut rest = mrkdwn;
    while let Some((before, after)) = rest.split_once("&lt;") {
        out.push_str(before);
        let end = after.find(|letter: char| letter.is_whitespace() || letter == '&' || letter == '<');
        let inside = end.map(|end| after.split_at(end)).filter(|(_, after)| after.starts_with("&gt;"));
        match inside.filter(|(inside, _)| inside.starts_with(['@', '!'])) {
            Some((inside, after))
                if reference::at_start(&format!("<{inside}>"), Source::Message).is_some() =>
            {
                out.push_str(&format!("<{inside}>"));
                rest = &after["&gt;".len()..];
            }
            _ => {
                out.push_str("&lt;");
                rest = after;
            }
        }
    }
    out + rest
}

/// The message with the names of what it mentions, as far as `name_of` an id is known.
pub fn with_names(mrkdwn: &str, name_of: impl Fn(&str) -> Option<String>) -> String {
    reference::rewrite(mrkdwn, |reference| match reference {
        Reference::Nameless { id, sign } => name_of(&id).map(|name| literal(&format!("{sign}{name}"))),
        _ => None,
    })
}

/// A message's `text` for a title, which can't contain links: each is replaced by its label.
pub fn to_title(mrkdwn: &str) -> String {
    reference::replace(mrkdwn, Source::Message, |reference| match reference {
        Reference::Link { label, .. } | Reference::Address { label, .. } => label,
        other => other.into_text(),
    })
}

/// What kind of line it is, by its start.
enum Line<'a> {
    Blank,
    Text(&'a str),
    Quote(&'a str),
    /// A quotation that continues to the end.
    LongQuote(&'a str),
    Bullet(&'a str),
    Numbered(&'a str),
}

/// Builds blocks line by line.
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

    /// The number that continues the current list, or starts one. Any other number stays text, because a list
    /// numbers its items itself.
    fn next_number(&self) -> usize {
        match self.blocks.last() {
            Some(RichBlock::NumberedList(items)) if self.is_open => items.len() + 1,
            _ => 1,
        }
    }
}

/// The text after an item's marker and a space.
fn item_text(rest: &str) -> Option<&str> {
    // Slack's bullets may have a variation selector.
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

/// The text before the first fence, the fenced text, and the text after it.
fn first_code(text: &str) -> Option<(&str, &str, &str)> {
    let (before, rest) = text.split_once(FENCE)?;
    let (code, after) = rest.split_once(FENCE)?;
    let code = code.strip_prefix('\n').unwrap_or(code);
    let code = code.strip_suffix('\n').unwrap_or(code);
    (!code.trim().is_empty()).then_some((before, code, after))
}
