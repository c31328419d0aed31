//! Turns structured replies into Slack's markup. This is the only place that escapes.
//!
//! Whatever is in a span, it can't mention anyone, make a link, format anything or start a new line:
//! - `&`, `<` and `>` become entities, so `<!channel>` is only shown;
//! - `*`, `_`, `~` and a back-tick that would start formatting get a zero-width space after them, and a `>` that
//!   would start a quotation gets one before it: Slack has no other way to show them literally;
//! - line breaks become spaces, since a reply has lines and items for that; other control characters and
//!   bidirectional overrides are dropped.
//!
//! A link whose label passes for something else than where it leads is shown as that text alone, see
//! `slack/src/outgoing/link_label.rs`. A message to a channel notifies few people, whatever its reply names.

mod escape;
mod shown_line;

use std::{collections::HashSet, ops::Range};

use url::Url;

use crate::{
    command_in_use::CommandInUse,
    outgoing::link_label::ShownLink,
    outgoing::message::{self, Message, button::Making, layout, layout::Placement},
    outgoing::render::{
        escape::{ZERO_WIDTH_SPACE, push_special, push_text},
        shown_line::{as_shown, link_label},
    },
    sealed::Sealer,
    view::plain_text::length,
};
use maro_domain::{
    command_name::CommandName,
    ids::{ChannelId, UserId},
    issue::IssueKey,
    reply::{Block, Button, Item, Reply, Span, Visibility},
};

/// Said instead of nothing, because Slack doesn't show an empty message at all.
const NOTHING_TO_SAY: &str = "Done. There's nothing to show.";

/// Said above buttons that have no words of their own: where Slack shows no blocks, a message needs a text.
const ONLY_BUTTONS: &str = "Choose:";

/// What a direct message is called, since it has no name.
const THIS_CONVERSATION: &str = "this conversation";

/// Looks like a back-tick, but doesn't end code.
const MODIFIER_GRAVE: char = '\u{2cb}';

/// Looks like an asterisk, but doesn't end emphasis.
const ASTERISK_OPERATOR: char = '\u{2217}';

/// The longest link with its markup, in bytes. It must fit into one section, since a link can't be cut.
const MAX_LINK_BYTES: usize = 2_500;

/// How many people one message to a channel may notify. Others are shown by their ids.
const MAX_NOTIFIED: usize = 20;

/// How many lines space is reserved for: a full page. Longer replies grow as needed.
const MAX_LINES_FORESEEN: usize = 100;

/// Buttons, each with its place in the text, in the text's order.
type Controls = Vec<(Placement, Vec<Button>)>;

/// Turns replies into messages for one Jira site.
#[derive(Clone)]
pub struct Renderer {
    site: Url,
    /// `<https://example.atlassian.net/browse/`.
    issue_link_start: String,
    /// Notes on buttons who made them.
    sealer: Option<Sealer>,
    /// What commands are called. All copies share it.
    pub command_in_use: CommandInUse,
}

impl Renderer {
    /// `jira_base_url` is the site to which issue keys link.
    pub fn new(jira_base_url: &Url) -> Self {
        let base = link_target(jira_base_url);
        Self {
            site: jira_base_url.clone(),
            issue_link_start: format!("<{}/browse/", base.trim_end_matches('/')),
            sealer: None,
            command_in_use: CommandInUse::default(),
        }
    }

    /// Seals who made each button into it, for [`crate::command_button::PressedCommand`].
    #[must_use]
    pub fn sealing_buttons(self, sealer: Sealer) -> Self {
        Self { sealer: Some(sealer), ..self }
    }

    /// Where an issue is in a browser.
    pub fn issue_address(&self, key: &IssueKey) -> String {
        key.browse_url(&self.site)
    }

    /// The message that shows `reply` to `caller` in `channel`, within Slack's limits.
    pub fn render(&self, reply: &Reply, channel: &ChannelId, caller: &UserId) -> Message {
        self.render_called(reply, channel, caller, &self.command_in_use.name())
    }

    /// The same for a person who calls the command `name`.
    pub fn render_called(
        &self,
        reply: &Reply,
        channel: &ChannelId,
        caller: &UserId,
        name: &CommandName,
    ) -> Message {
        let notifiable = match reply.visibility {
            Visibility::Channel | Visibility::Update => Some(MAX_NOTIFIED),
            // Slack notifies nobody of what one person alone sees.
            Visibility::Caller => None,
        };
        let (text, controls) = self.text(&reply.blocks, channel, caller, notifiable, name);
        let making = Making { sealer: self.sealer.as_ref(), name };
        let message = Message::new(reply.visibility, text, &controls, making);
        let context = reply.blocks.iter().rev().find_map(|block| match block {
            Block::Context(spans) => Some([Block::Paragraph(spans.clone())]),
            _ => None,
        });
        match context {
            Some(context) => message.with_context(self.text(&context, channel, caller, notifiable, name).0),
            None => message,
        }
    }

    /// The same text for a part of a view, without buttons; `caller` is the person who sees it.
    pub fn mrkdwn(&self, blocks: &[Block], channel: &ChannelId, caller: &UserId) -> Mrkdwn {
        Mrkdwn(self.text(blocks, channel, caller, None, &self.command_in_use.name()).0)
    }

    /// As [`Renderer::mrkdwn`], in as many parts as Slack needs to show all of it: it's split at line ends.
    pub fn sections(&self, blocks: &[Block], channel: &ChannelId, caller: &UserId) -> Vec<Mrkdwn> {
        let Mrkdwn(text) = self.mrkdwn(blocks, channel, caller);
        layout::sections(&text, 0..text.len())
            .into_iter()
            .map(|range| Mrkdwn(text[range].to_owned()))
            .collect()
    }

    /// `notifiable`: how many people it may notify, if that matters.
    fn text<'a>(
        &'a self,
        blocks: &'a [Block],
        channel: &'a ChannelId,
        caller: &'a UserId,
        notifiable: Option<usize>,
        name: &'a CommandName,
    ) -> (String, Controls) {
        let lines: usize = blocks.iter().map(line_count).sum();
        let mut writer = Writer {
            renderer: self,
            channel,
            caller,
            name,
            out: String::with_capacity(
                64 + lines.min(MAX_LINES_FORESEEN) * (self.issue_link_start.len() + 96),
            ),
            after_marker: false,
            controls: Vec::new(),
            notifiable,
            notified: HashSet::new(),
        };
        for block in blocks {
            writer.block(block);
        }
        let Writer { out: mut text, mut controls, .. } = writer;
        if text.trim().is_empty() {
            let sentence = if controls.is_empty() { NOTHING_TO_SAY } else { ONLY_BUTTONS };
            sentence.clone_into(&mut text);
            let below = Placement::Below(text.len());
            controls.iter_mut().for_each(|(placement, _)| placement.clone_from(&below));
        }
        (text, controls)
    }
}

/// Text in Slack's markup, with everybody's words escaped. Only [`Renderer::mrkdwn`] makes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mrkdwn(String);

impl Mrkdwn {
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// At most `max_length` UTF-16 units. A longer text is cut between links and entities, and gets a `…`.
    pub(crate) fn bounded(mut self, max_length: usize) -> Self {
        if length(&self.0) > max_length {
            self.0.truncate(message::limits::cut_point(&self.0, max_length - 1));
            self.0.push('…');
        }
        self
    }
}

fn line_count(block: &Block) -> usize {
    match block {
        Block::Paragraph(_) => 1,
        Block::Items(items) => items.len(),
        Block::Lines(lines) | Block::Titled(lines, _) => lines.len(),
        Block::Buttons(_) | Block::Context(_) => 0,
    }
}

struct Writer<'a> {
    renderer: &'a Renderer,
    channel: &'a ChannelId,
    caller: &'a UserId,
    /// What the caller types before a command.
    name: &'a CommandName,
    out: String,
    /// Whether `*` or a back-tick was just closed, which only works before the end of a word.
    after_marker: bool,
    controls: Controls,
    notifiable: Option<usize>,
    /// The people whom the text mentions, if only so many may be.
    notified: HashSet<&'a UserId>,
}

impl<'a> Writer<'a> {
    fn block(&mut self, block: &'a Block) {
        match block {
            Block::Paragraph(spans) if spans.is_empty() => {}
            Block::Paragraph(spans) => self.line("", spans),
            Block::Lines(lines) => lines.iter().for_each(|spans| self.line("", spans)),
            Block::Titled(lines, button) => {
                let start = if self.out.is_empty() { 0 } else { self.out.len() + 1 };
                lines.iter().for_each(|spans| self.line("", spans));
                self.controls.push((Placement::Titled(start..self.out.len()), vec![button.clone()]));
            }
            Block::Items(items) => items.iter().for_each(|item| self.item(item)),
            Block::Context(_) => {}
            Block::Buttons(buttons) if buttons.is_empty() => {}
            Block::Buttons(buttons) => {
                self.controls.push((Placement::Below(self.out.len()), buttons.clone()));
            }
        }
    }

    fn item(&mut self, item: &'a Item) {
        let start = if self.out.is_empty() { 0 } else { self.out.len() + 1 };
        self.line("• ", &item.spans);
        if let Some(button) = &item.button {
            self.controls.push((Placement::Beside(start..self.out.len()), vec![button.clone()]));
        }
    }

    fn line(&mut self, start: &str, spans: &'a [Span]) {
        if !self.out.is_empty() {
            self.out.push('\n');
        }
        self.out.push_str(start);
        self.after_marker = false;
        if !spans.iter().any(|span| matches!(span, Span::Link { .. })) {
            return spans.iter().for_each(|span| self.span(span));
        }
        let (shown, places) = as_shown(spans);
        for (span, place) in spans.iter().zip(places) {
            match span {
                Span::Link { url, .. } => self.link(url, &shown, place),
                other => self.span(other),
            }
        }
    }

    fn span(&mut self, span: &'a Span) {
        match span {
            Span::Text(text) => self.text(text),
            Span::Strong(text) => self.strong(text),
            Span::Code(text) => self.code(text),
            Span::Link { url, .. } => self.link(url, link_label(span), 0..link_label(span).len()),
            Span::Issue(key) => {
                let start = self.renderer.issue_link_start.as_str();
                self.markup(&[start, key.as_str(), "|", key.as_str(), ">"]);
            }
            Span::Channel if self.channel.is_direct_message() => self.text(THIS_CONVERSATION),
            Span::Channel => self.markup(&["<#", self.channel.as_str(), ">"]),
            Span::InChannel(channel) => self.markup(&["<#", channel.as_str(), ">"]),
            Span::Caller => self.person(self.caller),
            Span::User(user) => self.person(user),
            Span::Time { at, form } => self.markup(&[&shown_line::time(*at, *form)]),
        }
    }

    /// Mentions a person, or only shows the id if the text mentions too many others, or it's nobody's.
    fn person(&mut self, user: &'a UserId) {
        let is_mentionable = user.as_str().starts_with(['U', 'W'])
            && self.notifiable.is_none_or(|most| self.notified.len() < most || self.notified.contains(user));
        if !is_mentionable {
            return self.text(user.as_str());
        }
        if self.notifiable.is_some() {
            self.notified.insert(user);
        }
        self.markup(&["<@", user.as_str(), ">"]);
    }

    fn markup(&mut self, parts: &[&str]) {
        parts.iter().for_each(|part| self.out.push_str(part));
        self.after_marker = false;
    }

    fn text(&mut self, text: &str) {
        if std::mem::take(&mut self.after_marker) && text.starts_with(char::is_alphanumeric) {
            self.out.push(ZERO_WIDTH_SPACE);
        }
        push_text(&mut self.out, text);
    }

    /// Emphasis must touch its words, so white space at the ends goes outside.
    fn strong(&mut self, text: &str) {
        let inner = text.trim();
        if inner.is_empty() {
            return self.text(text);
        }
        if text.starts_with(char::is_whitespace) {
            self.out.push(' ');
        }
        self.open_marker();
        self.out.push('*');
        for part in inner.split_inclusive(['*', '`']) {
            let words = part.trim_end_matches(['*', '`']);
            push_text(&mut self.out, words);
            match &part[words.len()..] {
                "*" => self.out.push(ASTERISK_OPERATOR),
                "`" => self.out.push(MODIFIER_GRAVE),
                _ => {}
            }
        }
        // Emphasis doesn't close after a gap, and this one protected nothing.
        if self.out.ends_with(ZERO_WIDTH_SPACE) {
            self.out.pop();
        }
        self.out.push('*');
        self.after_marker = true;
        if text.ends_with(char::is_whitespace) {
            self.out.push(' ');
            self.after_marker = false;
        }
    }

    /// A command that is written as such is written as this caller types it.
    fn code(&mut self, text: &str) {
        let text = &*self.name.typed(text.trim());
        if text.is_empty() {
            return;
        }
        self.open_marker();
        self.out.push('`');
        for character in text.chars() {
            match character {
                '`' => self.out.push(MODIFIER_GRAVE),
                '*' | '_' | '~' => self.out.push(character),
                other => push_special(&mut self.out, other, None),
            }
        }
        self.out.push('`');
        self.after_marker = true;
    }

    /// `*` and a back-tick start formatting only outside a word.
    fn open_marker(&mut self) {
        if self.after_marker || self.out.ends_with(char::is_alphanumeric) {
            self.out.push(ZERO_WIDTH_SPACE);
        }
    }

    /// Only the label if the target isn't a web address, is too long, or isn't what the label passes for. The
    /// label is at `place` in the line as it is `shown`.
    fn link(&mut self, url: &str, shown: &str, place: Range<usize>) {
        let (before, label, after) = (&shown[..place.start], &shown[place.clone()], &shown[place.end..]);
        let target = Url::parse(url).ok().filter(|url| matches!(url.scheme(), "http" | "https"));
        let Some(target) = target else { return self.text(label) };
        let link = ShownLink { before, label, after, target: &target };
        if link.misleads(&self.renderer.site) {
            return self.text(label);
        }
        let start = self.out.len();
        self.out.push('<');
        self.out.push_str(&link_target(&target));
        self.out.push('|');
        push_text(&mut self.out, label);
        self.out.push('>');
        if self.out.len() - start > MAX_LINK_BYTES {
            self.out.truncate(start);
            return self.text(label);
        }
        self.after_marker = false;
    }
}

/// An address for the part of a link before the `|`. The URL parser has already encoded spaces.
fn link_target(url: &Url) -> String {
    url.as_str().replace('|', "%7C").replace('<', "%3C").replace('>', "%3E").replace('&', "&amp;")
}
