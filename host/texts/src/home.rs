//! For people who open MARO's Home tab.

use crate::{command, text};
use maro_domain::{ids::ChannelId, reply::Span, tracked::ListSummary};

pub const LISTS: &str = "Your channels' lists";
pub const ASKED_FOR: &str = "What you asked for";
pub const HELP: &str = "What you can type";
/// Instead of all that, for a moment.
pub const UNREACHABLE: &str = "MARO can't reach its database right now. Open this tab again in a minute.";

/// One list in a line: `#docks: 48 issues, 31 open`. How many are open is left out if it isn't known.
pub fn list(list: &ListSummary, open: Option<u32>) -> Vec<Span> {
    let place = match list.channel.is_direct_message() {
        true => Span::Strong("Your own list".to_owned()),
        false => Span::InChannel(list.channel.clone()),
    };
    let issues = if list.count == 1 { "issue" } else { "issues" };
    let open = open.map(|open| format!(", {open} open")).unwrap_or_default();
    vec![place, text(format!(": {} {issues}{open}", list.count))]
}

/// Instead of lists.
pub fn no_lists() -> Vec<Span> {
    vec![
        text("None of your channels tracks any issues yet. To track one, type "),
        command("track SCRUM-123"),
        text(" there."),
    ]
}

/// One of the issues that the person tracks or created, and where.
pub fn asked_for(mut issue: Vec<Span>, channel: ChannelId) -> Vec<Span> {
    if !channel.is_direct_message() {
        issue.extend([text(" in "), Span::InChannel(channel)]);
    }
    issue
}

/// MARO can't find out who is in other channels.
pub fn only_own_list() -> Vec<Span> {
    vec![text(
        "MARO can't see which channels you're in, so it only shows your own list. Your MARO admin can add the \
        scopes channels:read and groups:read to the Slack app.",
    )]
}

/// Below the lists, if there are more than `most`.
pub fn first_lists_alone(most: u32) -> Vec<Span> {
    vec![
        text(format!("These are the {most} lists that were added to last. To see another channel's, type ")),
        command("tracked"),
        text(" there."),
    ]
}
