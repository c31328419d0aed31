//! What MARO answers: structure, not markup. `slack/src/outgoing/render.rs` alone turns it into text.

use std::sync::Arc;

use jiff::Timestamp;

use crate::{
    ids::{ChannelId, UserId},
    issue::IssueKey,
};

/// Who sees a reply.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Visibility {
    /// Only the person who asked.
    Caller,
    /// Everyone in the channel.
    Channel,
    /// Everyone in the channel, in place of the message whose button was pressed if the same plugin wrote that for
    /// everyone.
    Update,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    pub visibility: Visibility,
    pub blocks: Vec<Block>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Block {
    Paragraph(Vec<Span>),
    /// Lines that belong together, with a button beside them if there is room.
    Titled(Vec<Vec<Span>>, Button),
    /// A bulleted list, one item a line.
    Items(Vec<Item>),
    /// Lines that belong together, without bullets.
    Lines(Vec<Vec<Span>>),
    /// A row of buttons.
    Buttons(Vec<Button>),
    /// A small line below the rest, which isn't part of what is said. Left out where Slack shows who it was anyway.
    Context(Vec<Span>),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    pub spans: Vec<Span>,
    /// Stands beside the item if there is room.
    pub button: Option<Button>,
}

/// A command to press instead of to type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Button {
    pub label: String,
    /// What stands behind `/maro`, on one line. What it is for [`ButtonKind::Assigns`] stands there.
    pub command: String,
    pub kind: ButtonKind,
    pub maker: Maker,
    /// What Slack asks before the press counts, on one line, unless it shows the command.
    pub question: Option<String>,
    /// Whether Slack shows the command first and asks whether to run it.
    pub is_confirmed_first: bool,
}

/// What becomes of a press.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ButtonKind {
    /// The command is run.
    Runs,
    /// The command is run, and its answer is another page of the same list: it takes the place of the message with the
    /// button, where only one person sees that.
    TurnsPage,
    /// Only on MARO's own buttons, whose command is a key: the issue is assigned to the person who presses it.
    Assigns,
}

/// The longest command that Slack can show whole and ask about, in UTF-16 units without `/maro `. Its dialog has
/// room for 300.
pub const MAX_CONFIRMED_COMMAND: usize = 300 - "/maro ".len();

/// Whose button it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Maker {
    Host,
    /// The plugin of this name.
    Plugin(Arc<str>),
}

impl Block {
    /// A bulleted list without buttons, one line an item.
    pub fn items(lines: impl IntoIterator<Item = Vec<Span>>) -> Self {
        Self::Items(lines.into_iter().map(Item::from).collect())
    }
}

impl From<Vec<Span>> for Item {
    fn from(spans: Vec<Span>) -> Self {
        Self { spans, button: None }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Span {
    Text(String),
    Strong(String),
    Code(String),
    Link {
        url: String,
        label: String,
    },
    /// The key, linked to the issue on the configured Jira site.
    Issue(IssueKey),
    /// The channel in which the command was typed.
    Channel,
    /// Another channel than that.
    InChannel(ChannelId),
    /// The person who typed the command.
    Caller,
    User(UserId),
    /// A time, which Slack shows in each reader's own zone.
    Time {
        at: Timestamp,
        form: TimeForm,
    },
}

/// How much of a time is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TimeForm {
    /// `Nov 12, 2026`
    Day,
    /// `14:05`
    Clock,
    /// `Nov 12, 2026 14:05`
    DayAndClock,
    /// How long ago it was, or when it will be.
    Ago,
}

impl Reply {
    /// One sentence that only the person who asked sees.
    pub fn sentence(text: impl Into<String>) -> Self {
        Self::line(vec![Span::Text(text.into())])
    }

    /// As [`Reply::sentence`], of more than words.
    pub fn line(spans: Vec<Span>) -> Self {
        Self { visibility: Visibility::Caller, blocks: vec![Block::Paragraph(spans)] }
    }
}
