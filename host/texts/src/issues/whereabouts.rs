//! For people who ask which channels track an issue.

use crate::text;
use maro_domain::{ids::ChannelId, issue::IssueKey, reply::Span};

/// Above the channels. `is_issue`: whether an issue has the key.
pub fn heading(key: &IssueKey, is_issue: bool) -> Vec<Span> {
    vec![named(key, is_issue), text(" is tracked in:")]
}

/// What doesn't exist is no link.
fn named(key: &IssueKey, is_issue: bool) -> Span {
    if is_issue { Span::Issue(key.clone()) } else { text(key.to_string()) }
}

pub fn place(channel: ChannelId) -> Vec<Span> {
    // Slack shows no name of a conversation between two.
    if channel.is_direct_message() { vec![text("this conversation")] } else { vec![Span::InChannel(channel)] }
}

/// Below the channels that are named.
pub fn more(count: usize) -> Vec<Span> {
    vec![text(format!("and {count} more"))]
}

/// `is_issue`: whether an issue has the key; `is_complete`: whether other channels were looked at.
pub fn nowhere(key: &IssueKey, is_issue: bool, is_complete: bool) -> Vec<Span> {
    let places =
        if is_complete { " isn't tracked in any channel that you're in" } else { " isn't tracked here" };
    vec![named(key, is_issue), text(places)]
}

/// MARO can't find out who is in other channels.
pub fn only_here() -> Vec<Span> {
    vec![text(
        "MARO can only check this channel, because it can't see which others you're in. Your MARO admin can \
        add the scopes channels:read and groups:read to the Slack app.",
    )]
}
