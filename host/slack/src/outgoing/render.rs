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
mod writer;

use std::collections::HashSet;

use url::Url;

use crate::{
    command_in_use::CommandInUse,
    outgoing::message::{self, Message, button::Making, layout, layout::Placement},
    outgoing::render::writer::{Controls, Writer, link_target},
    sealed::Sealer,
    view::plain_text::length,
};
use maro_domain::{
    command_name::CommandName,
    ids::{ChannelId, UserId},
    issue::IssueKey,
    reply::{Block, Reply, Visibility},
};

/// Said instead of nothing, because Slack doesn't show an empty message at all.
const NOTHING_TO_SAY: &str = "Done. There's nothing to show.";

/// Said above buttons that have no words of their own: where Slack shows no blocks, a message needs a text.
const ONLY_BUTTONS: &str = "Choose:";

/// How many people one message to a channel may notify. Others are shown by their ids.
const MAX_NOTIFIED: usize = 20;

/// How many lines space is reserved for: a full page. Longer replies grow as needed.
const MAX_LINES_FORESEEN: usize = 100;

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
            site: &self.site,
            issue_link_start: &self.issue_link_start,
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
