//! Presses of buttons in messages that run a command.

use crate::{
    interaction::BlockAction,
    outgoing::message::{
        button::{ASSIGN_ISSUE, RUN_COMMAND, TURN_PAGE, opened},
        redraw_tag,
    },
    sealed::Sealer,
};
use maro_domain::{command_name::CommandName, ids::ChannelId, issue::IssueKey, reply::Maker};

/// The issue that a pressed button of MARO's own assigns to the person who pressed it. `None` for other buttons.
pub fn assigned_issue(action: &BlockAction, sealer: &Sealer) -> Option<IssueKey> {
    let (kind, _) = action.action_id.split_once(':')?;
    let opened = opened(&action.action_id, &action.value, sealer).filter(|_| kind == ASSIGN_ISSUE)?;
    (opened.maker == Maker::Host).then(|| IssueKey::parse(&action.value).ok())?
}

/// What marks what a message shows as the issues that somebody's message names, before their keys.
const NAMED: &str = "named ";

/// How a message that shows these issues is marked, so that it can be redrawn: see [`Message::redrawn_by`].
///
/// [`Message::redrawn_by`]: crate::outgoing::message::Message::redrawn_by
pub fn naming(keys: &[IssueKey]) -> String {
    let keys: Vec<&str> = keys.iter().map(IssueKey::as_str).collect();
    format!("{NAMED}{}", keys.join(" "))
}

/// The issues that the message with a pressed button shows, if it shows those that somebody's message names.
pub fn named_issues(action: &BlockAction, sealer: &Sealer) -> Option<Vec<IssueKey>> {
    let keys = redraw_tag::command(&action.block_id, sealer)?.strip_prefix(NAMED)?;
    keys.split(' ').map(|key| IssueKey::parse(key).ok()).collect()
}

/// A pressed button that runs a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PressedCommand<'a> {
    /// The text after `/maro`.
    pub command: &'a str,
    /// Whether the answer replaces the message with the button. Never true if others see that message too.
    pub replaces_message: bool,
    /// Who made the button. `None` if that isn't known, as of messages that were sent before MARO noted it.
    pub maker: Option<Maker>,
    /// Whether Slack has shown the command and asked.
    pub is_confirmed: bool,
    /// What the command would be typed after, if the button says so.
    pub command_name: Option<CommandName>,
    /// The command that redraws the message, if one does and only this person sees it.
    pub redraws_with: Option<&'a str>,
    /// Whether the message only asks whether to run the command: Slack has asked again on a button of MARO's own.
    pub is_question: bool,
}

impl<'a> PressedCommand<'a> {
    /// The command that a pressed button runs; `None` for other buttons.
    pub fn of(action: &'a BlockAction, sealer: &Sealer) -> Option<Self> {
        let (kind, _) = action.action_id.split_once(':')?;
        let turns_page = match kind {
            RUN_COMMAND => false,
            TURN_PAGE => true,
            _ => return None,
        };
        // In a conversation with MARO, nobody else is.
        let is_seen_by_one =
            action.is_ephemeral || action.channel.as_ref().is_some_and(ChannelId::is_direct_message);
        let opened = opened(&action.action_id, &action.value, sealer);
        let is_confirmed = opened.as_ref().is_some_and(|opened| opened.is_confirmed);
        let command_name = opened.as_ref().and_then(|opened| opened.name.clone());
        let is_question = opened.as_ref().is_some_and(|opened| opened.maker == Maker::Host && is_confirmed);
        Some(Self {
            command: &action.value,
            replaces_message: turns_page && is_seen_by_one,
            maker: opened.map(|opened| opened.maker),
            is_confirmed,
            command_name,
            redraws_with: redraw_tag::command(&action.block_id, sealer).filter(|_| is_seen_by_one),
            is_question: is_question && is_seen_by_one,
        })
    }
}
