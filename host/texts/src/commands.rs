//! For people who type `/maro`: what they can type, and what isn't there.

use crate::{command, text};
use maro_domain::{ids::UserId, issue::IssueKey, reply::Span};

pub const CREATE_SUMMARY: &str = "Create an issue, checking for duplicates first";
pub const STORIES_SUMMARY: &str = "Create stories under an epic, one per line";
pub const SHOW_SUMMARY: &str = "Show an issue, with a button to track it";
pub const NOTIFY_SUMMARY: &str = "Choose which changes this channel is notified about";
pub const WHERE_SUMMARY: &str = "Show which of your channels track an issue";
pub const HELP_SUMMARY: &str = "Show all commands, or how to use one";
pub const PLUGINS_SUMMARY: &str = "List installed plugins and their health";
pub const NONE_INSTALLED: &str = "No commands are installed yet. Your MARO admin needs to add plugins.";
pub const BUSY: &str = "MARO is busy right now. Nothing was changed. Try again in a moment.";

/// Above the list of commands.
pub fn help_heading() -> Vec<Span> {
    vec![text("MARO tracks Jira issues for this channel. You can type:")]
}

pub fn help_without_plugins() -> Vec<Span> {
    vec![text(
        "No plugins are installed yet, so nothing can be tracked. Your MARO admin needs to add them. You can type:",
    )]
}

pub fn help_without_running_plugins() -> Vec<Span> {
    vec![
        text(
            "None of the installed plugins is running, so nothing can be tracked. Your MARO admin can see why with ",
        ),
        command("plugins"),
        text(". You can type:"),
    ]
}

/// One command, alone or in the list: how to use it, and what it does.
pub fn listed(usage: &str, summary: &str) -> Vec<Span> {
    vec![command(usage), text(format!(" {summary}"))]
}

/// Below the help for somebody who writes to MARO itself.
pub fn personal_list() -> Vec<Span> {
    vec![
        text("In this conversation the list is your own, and you don't need to type "),
        Span::Code("/maro".to_owned()),
        text("."),
    ]
}

/// Below that, for somebody who asks for a form there.
pub fn needs_slash(usage: &str) -> Vec<Span> {
    vec![text("Only forms need it: type "), command(usage)]
}

/// After a sentence that says why the arguments can't be used.
pub fn usage(usage: &str) -> Vec<Span> {
    vec![text("Usage: "), command(usage)]
}

pub const UNDO: &str = "Undo";
/// Beside the heading of a list that one person sees.
pub const SHARE: &str = "Share with channel";

/// Below what a channel reads.
pub fn done_by_caller() -> Vec<Span> {
    vec![text("By "), Span::Caller]
}

/// Beside [`UNDO`].
pub fn stopped_tracking(key: &IssueKey) -> Vec<Span> {
    vec![text("Stopped tracking "), Span::Issue(key.clone())]
}

/// Under the answer to what other programs call this command.
pub fn alias(name: &str) -> Vec<Span> {
    vec![text("MARO calls this "), command(name)]
}

/// There is no such command. `nearest` is one with a similar name.
pub fn unknown(typed: &str, nearest: Option<&str>) -> Vec<Span> {
    let mut spans = vec![Span::Code(typed.to_owned()), text(" isn't a MARO command. ")];
    if let Some(nearest) = nearest {
        spans.extend([text("Did you mean "), command(nearest), text("? ")]);
    }
    spans.extend([text("Type "), command("help"), text(" to see them all.")]);
    spans
}

/// The command's plugin isn't there yet.
pub fn still_loading(name: &str) -> Vec<Span> {
    vec![command(name), text(" is still loading. Try again in a moment.")]
}

/// Below the list of commands: these aren't there yet, or it isn't known which.
pub fn others_loading(names: &[String]) -> Vec<Span> {
    if names.is_empty() {
        return vec![text("Other commands are still loading.")];
    }
    let mut spans = vec![text("Still loading: ")];
    for (number, name) in names.iter().enumerate() {
        spans.extend([text(if number == 0 { "" } else { ", " }), command(name)]);
    }
    spans.push(text("."));
    spans
}

/// There is a file for the command, and no version of it may run.
pub fn not_running(name: &str) -> Vec<Span> {
    vec![
        command(name),
        text(" is installed but isn't running right now. To see why, type "),
        command("plugins"),
        text("."),
    ]
}

/// An administrator has turned the command's plugin off: whom to ask about it.
pub fn turned_off(name: &str, by: &UserId) -> Vec<Span> {
    vec![command(name), text(" was turned off by "), Span::User(by.clone()), text(".")]
}

/// For a button with a command for administrators: anybody may have made the button.
pub fn only_typed(line: &str) -> Vec<Span> {
    vec![text("This can't be done with a button. An admin needs to type "), command(line), text(".")]
}

pub const RUN_IT: &str = "Run it";

/// For a button that doesn't say who made it: messages from before MARO noted that have such.
pub fn asks_first(line: &str) -> Vec<Span> {
    vec![text("This button runs "), command(line), text(".")]
}

/// For such a button with more than Slack's dialog can show.
pub const TOO_LONG_TO_ASK: &str =
    "MARO doesn't know who made this button, and its command is too long to show. Type it instead.";
