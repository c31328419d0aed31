//! Writes blocks and spans as text in Slack's markup, and notes where their buttons belong.

use std::{collections::HashSet, ops::Range};

use url::Url;

use crate::outgoing::{
    link_label::ShownLink,
    message::layout::Placement,
    render::{
        escape::{ZERO_WIDTH_SPACE, push_special, push_text},
        shown_line::{self, as_shown, link_label},
    },
};
use maro_domain::{
    command_name::CommandName,
    ids::{ChannelId, UserId},
    reply::{Block, Button, Item, Span},
};

/// What a direct message is called, since it has no name.
const THIS_CONVERSATION: &str = "this conversation";

/// Looks like a back-tick, but doesn't end code.
const MODIFIER_GRAVE: char = '\u{2cb}';

/// Looks like an asterisk, but doesn't end emphasis.
const ASTERISK_OPERATOR: char = '\u{2217}';

/// The longest link with its markup, in bytes. It must fit into one section, since a link can't be cut.
const MAX_LINK_BYTES: usize = 2_500;

/// Buttons, each with its place in the text, in the text's order.
pub(super) type Controls = Vec<(Placement, Vec<Button>)>;

pub(super) struct Writer<'a> {
    pub(super) site: &'a Url,
    /// `<https://example.atlassian.net/browse/`.
    pub(super) issue_link_start: &'a str,
    pub(super) channel: &'a ChannelId,
    pub(super) caller: &'a UserId,
    /// What the caller types before a command.
    pub(super) name: &'a CommandName,
    pub(super) out: String,
    /// Whether `*` or a back-tick was just closed, which only works before the end of a word.
    pub(super) after_marker: bool,
    pub(super) controls: Controls,
    pub(super) notifiable: Option<usize>,
    /// The people whom the text mentions, if only so many may be.
    pub(super) notified: HashSet<&'a UserId>,
}

impl<'a> Writer<'a> {
    pub(super) fn block(&mut self, block: &'a Block) {
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
                let start = self.issue_link_start;
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
        if link.misleads(self.site) {
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
pub(super) fn link_target(url: &Url) -> String {
    url.as_str().replace('|', "%7C").replace('<', "%3C").replace('>', "%3E").replace('&', "&amp;")
}
