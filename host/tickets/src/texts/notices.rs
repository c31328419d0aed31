//! For channels that are told of changes, and for people who choose what they're told.

use crate::texts::{command, text};
use maro_domain::{
    issue::{IssueKey, one_line},
    reply::Span,
};
use maro_store::notices::Mode;

/// The longest summary in a head line, in characters.
const MAX_SUMMARY_LENGTH: usize = 80;

pub const FEWER: &str = "Fewer";
pub const OFF: &str = "Off";
pub const TURN_ON: &str = "Turn on";

/// The head line of an issue's thread, with its latest status.
pub fn head(key: &IssueKey, summary: &str, status: &str) -> Vec<Span> {
    let summary = one_line(summary, MAX_SUMMARY_LENGTH);
    let rest = if summary.is_empty() { format!(" ({status})") } else { format!(": {summary} ({status})") };
    vec![Span::Issue(key.clone()), text(rest)]
}

/// A change, and who made it if Jira says so.
pub fn change(key: &IssueKey, from: &str, to: &str, by: Option<&str>) -> Vec<Span> {
    let change = if from == to { format!("back to {to}") } else { format!("{from} → {to}") };
    let by = by.map(|by| format!(" ({by})")).unwrap_or_default();
    vec![Span::Issue(key.clone()), text(format!(": {change}{by}"))]
}

/// Above many changes at once.
pub fn many(count: usize) -> Vec<Span> {
    vec![text(format!("{count} tracked issues changed status:"))]
}

/// Below those that are shown.
pub fn more(count: usize) -> Vec<Span> {
    vec![text(format!("and {count} more. To see them all, type ")), command("tracked"), text(".")]
}

/// Once, to a channel that is older than notices.
pub fn introduction() -> Vec<Span> {
    vec![
        text(
            "A tracked issue changed status. MARO can tell this channel when that happens. To turn it on, type ",
        ),
        command("notify status"),
        text(". This is said only once."),
    ]
}

/// Once, to the person who tracked an issue in a channel that takes no messages from MARO.
pub fn not_in_channel() -> Vec<Span> {
    vec![
        text("MARO can't tell "),
        Span::Channel,
        text(" about changes to the issues you track there, because it isn't in it. To invite it, type "),
        Span::Code("/invite @MARO".to_owned()),
        text(" there. The changes are kept until then."),
    ]
}

/// What a channel is told, and how to change that.
pub fn mode(mode: Mode) -> Vec<Span> {
    let mut spans = vec![text(told(mode, "This channel is")), text(" To change that, type ")];
    spans.extend([command("notify status"), text(", "), command("notify all"), text(", ")]);
    spans.extend([command("notify done"), text(" or "), command("notify off"), text(".")]);
    spans
}

/// A channel's setting was changed.
pub fn mode_set(mode: Mode) -> Vec<Span> {
    let mut spans = vec![text(told(mode, "From now on, this channel is"))];
    if mode == Mode::Off {
        spans.extend([text(" To turn notices on again, type "), command("notify status"), text(".")]);
    }
    spans
}

/// That was its setting already.
pub fn mode_kept(mode: Mode) -> Vec<Span> {
    vec![text(told(mode, "Nothing changed: this channel is"))]
}

fn told(mode: Mode, channel_is: &str) -> String {
    match mode {
        Mode::Status => format!(
            "{channel_is} told when a tracked issue moves from one kind of status to another: to do, in progress, done."
        ),
        Mode::All => format!("{channel_is} told each time the status of a tracked issue changes."),
        Mode::Done => format!("{channel_is} told only when a tracked issue is done."),
        Mode::Off => format!("{channel_is} told nothing about changes to tracked issues."),
    }
}

/// One issue was silenced, or is heard again.
pub fn muted(key: &IssueKey, is_muted: bool) -> Vec<Span> {
    let rest = if is_muted {
        ": this channel is no longer told about changes to it."
    } else {
        ": this channel is told about changes to it again."
    };
    vec![Span::Issue(key.clone()), text(rest)]
}

/// It was so before.
pub fn muted_already(key: &IssueKey, is_muted: bool) -> Vec<Span> {
    let rest = if is_muted {
        ": this channel isn't told about changes to it anyway."
    } else {
        ": this channel is told about changes to it anyway."
    };
    vec![Span::Issue(key.clone()), text(rest)]
}

/// Only what is on the list can be silenced.
pub fn not_tracked(key: &IssueKey) -> Vec<Span> {
    vec![Span::Issue(key.clone()), text(" isn't tracked in this channel")]
}

/// The arguments can't be used.
pub fn usage() -> Vec<Span> {
    vec![
        text("Usage: "),
        command("notify status|all|done|off"),
        text(" for this channel, or "),
        command("notify SCRUM-123 off"),
        text(" for one issue."),
    ]
}
