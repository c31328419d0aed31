//! What becomes of claimed channels and of the messages that are sent there.

use std::time::Duration;

use maro_domain::issue::{IssueId, IssueKey};

use crate::notices::mode::Mode;

/// A message that is about to be sent.
#[derive(Debug, Clone, Copy, Default)]
pub struct Sending<'a> {
    /// What the channel wanted to hear when it was claimed.
    pub mode: Option<Mode>,
    /// What it tells.
    pub notices: &'a [i64],
    /// Of which issue it is the head line, if it is one.
    pub head_of: Option<&'a IssueId>,
    /// The message that is changed, if it isn't a new one. Changing it once more does no harm.
    pub changes: Option<&'a str>,
}

/// What others made of a message that was sent when the claim was over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// It isn't decided.
    Open,
    /// It is the message that tells it.
    Told,
    /// Another message tells the same.
    ToldElsewhere,
    /// None does.
    Untold,
}

impl Fate {
    pub(super) fn from_text(text: &str) -> Self {
        match text {
            "here" => Self::Told,
            "elsewhere" => Self::ToldElsewhere,
            "nowhere" => Self::Untold,
            _ => Self::Open,
        }
    }
}

/// What becomes of a claimed channel.
#[derive(Debug, Clone, Default)]
pub struct Outcome<'a> {
    /// The changes that it is about, and what became of them.
    pub notices: &'a [i64],
    pub became: Became<'a>,
    pub thread: Option<ThreadUpdate<'a>>,
    /// The message about many issues, and whether it is new.
    pub bulk: Option<(&'a str, bool)>,
    /// Issues whose head lines say what they were before.
    pub old_heads: &'a [(&'a IssueId, &'a IssueKey)],
    /// Nothing is added to the last message about many issues any more.
    pub forgets_bulk: bool,
    /// The channel now knows how to turn notices on and off.
    pub introduces: bool,
    /// When the next message may be sent.
    pub pause: Duration,
    /// Why Slack takes no messages, if it doesn't.
    pub paused_for: Option<&'a str>,
}

/// What became of changes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Became<'a> {
    /// They still wait.
    #[default]
    Waiting,
    /// They are in the message with this timestamp.
    Sent(&'a str),
    /// It has to be found out whether the message was sent.
    Unconfirmed,
    /// Nobody knows whether the message was sent.
    Lost,
    /// They aren't told, for this reason.
    Withheld(&'a str),
}

/// What changes in an issue's thread.
#[derive(Debug, Clone, Copy)]
pub struct ThreadUpdate<'a> {
    pub issue: &'a IssueId,
    /// What was told below another head is no answer to this one.
    pub head: HeadUpdate<'a>,
    pub reply: ReplyUpdate<'a>,
}

/// What becomes of the message that begins a thread.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HeadUpdate<'a> {
    Keep,
    /// There is none (any more).
    Forget,
    Set {
        ts: &'a str,
        is_line: bool,
    },
}

/// What becomes of the last answer in a thread.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReplyUpdate<'a> {
    Keep,
    /// Nothing can be added to it any more.
    Forget,
    Set {
        ts: &'a str,
        from: &'a str,
        /// Whether it's a new message.
        is_new: bool,
        has_choice: bool,
    },
}
