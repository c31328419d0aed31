//! A plugin gave no answer: what the person reads, and what an administrator reads about the plugin.

use std::{fmt::Display, time::Duration};

use crate::{command, durations::wait, reason_with_code, text};
use maro_domain::reply::Span;

/// A plugin trapped, exceeded a limit or answered nonsense. The operator finds the details in the log by the
/// id.
pub fn crashed(name: &str, incident: &str) -> Vec<Span> {
    vec![command(name), text(format!(" crashed. If you report this, include the ID {incident}."))]
}

/// A plugin ran out of time. What it has begun to change by then goes on.
pub fn stopped(name: &str, incident: &str, may_have_changed: bool) -> Vec<Span> {
    let warning = if may_have_changed { MAY_HAVE_WORKED } else { "" };
    let rest =
        format!(" took too long and was stopped.{warning} If you report this, include the ID {incident}.");
    vec![command(name), text(rest)]
}

const MAY_HAVE_WORKED: &str = " It may have worked all the same, so check before you try again.";

/// A plugin was stopped because others have the memory. It may have changed something by then.
pub fn crowded_out(name: &str) -> Vec<Span> {
    vec![
        text("MARO is busy right now, so it stopped "),
        command(name),
        text(" partway through. Try again in a moment."),
    ]
}

/// A plugin says only that it failed.
pub fn failed_without_reason(name: &str) -> Vec<Span> {
    vec![command(name), text(" failed without giving a reason.")]
}

/// A plugin is paused for some time.
pub fn paused(name: &str, rest: Duration) -> Vec<Span> {
    vec![command(name), text(format!(" is paused after repeated failures. Try again in {}.", wait(rest)))]
}

/// The host itself is at fault.
pub fn internal(incident: &str) -> String {
    format!("Something went wrong in MARO. If you report this, include the ID {incident}.")
}

/// To an owner of a plugin: how an invocation failed. `fault` is the end of a sentence.
pub fn told_to_owner(name: &str, incident: &str, fault: &str) -> Vec<Span> {
    let mut spans = vec![command(name), text(format!(" failed (ID {incident}): "))];
    spans.extend(reason_with_code(fault));
    spans.extend([
        text(" You're getting this because you're listed under "),
        Span::Code("owners".to_owned()),
        text(format!(" in {name}.toml. Failures of the same kind aren't reported again for a day.")),
    ]);
    spans
}

pub fn over_wall_limit(wall_ms: u32) -> String {
    format!("it ran longer than its limit of {wall_ms} ms (`wall-ms`)")
}

pub fn over_cpu_limit(cpu_ms: u32) -> String {
    format!("it used more than its limit of {cpu_ms} ms of processor time (`cpu-ms`)")
}

pub fn over_memory_limit(memory_mib: u32) -> String {
    format!("it asked for more than its limit of {memory_mib} MiB of memory (`memory-mib`)")
}

/// However much its own limit allows.
pub fn over_memory_share(mib: usize) -> String {
    format!(
        "it asked for more than {mib} MiB of memory, the most that one plugin can have (`MARO_PLUGIN_MEMORY_MIB`)"
    )
}

pub const NO_FREE_MEMORY: &str = "there was no memory left for it";

pub const OVER_TABLE_LIMIT: &str = "it asked for a larger table than a plugin can have";

/// It asked its language for the time.
pub fn clock_out_of_scope(cure: &str) -> String {
    format!("it asked for the time, which the scope of `clock` denies here: {cure}")
}

pub fn over_call_limit(host_calls: u32) -> String {
    format!("it made more than its limit of {host_calls} capability calls (`host-calls`)")
}

pub const NO_FREE_PLACE: &str = "there was no room to run it";

pub fn paused_until(until: impl Display) -> String {
    format!("it is paused until {until} after repeated failures")
}

/// Instead of [`trapped`], for those who may not read what a plugin printed.
pub const TRAPPED: &str = "it crashed";

/// `printed` is empty if it printed nothing. Its lines are indented, so that none looks like a line of the
/// log, and nothing moves a terminal's cursor back to the start of a line.
pub fn trapped(causes: &str, printed: &str) -> String {
    if printed.is_empty() {
        return format!("it crashed: {causes}");
    }
    let leads_elsewhere = |character: char| {
        character.is_control() && !matches!(character, '\n' | '\t')
            || matches!(character, '\u{2028}' | '\u{2029}')
    };
    let printed = printed.replace("\r\n", "\n").replace(leads_elsewhere, " ");
    format!("it crashed: {causes}; it printed:\n{printed}").replace('\n', "\n  ")
}

/// What was at work when a guest used up its stack.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OverflowPlace {
    /// A function of the author's.
    Own(String),
    /// A function of the interpreter that runs the author's.
    Interpreter(String),
    Unknown,
}

/// The causes of [`trapped`], if a guest used up its stack.
pub fn out_of_stack(place: &OverflowPlace, causes: &str) -> String {
    let place = match place {
        OverflowPlace::Own(function) => format!("{IN_FUNCTION}{function}`"),
        OverflowPlace::Interpreter(function) => format!("{IN_INTERPRETER}{function}`"),
        OverflowPlace::Unknown => String::new(),
    };
    format!("{OUT_OF_STACK}{place} ({causes})")
}

/// What comes behind [`OUT_OF_STACK`], before the function.
pub const IN_FUNCTION: &str = " in `";
pub const IN_INTERPRETER: &str = " in the interpreter's `";

/// How [`out_of_stack`] begins.
pub const OUT_OF_STACK: &str = "it ran out of stack";

/// Among the causes of [`trapped`].
pub fn unoffered_call(function: &str, interface: &str) -> String {
    format!("it called {function} of {interface}, which this host doesn't offer")
}

pub fn reply_over_limit(limit_kib: u32) -> String {
    format!("its reply has over {limit_kib} KiB of text (`reply-kib`)")
}

pub fn reply_of_too_many_parts(max: usize) -> String {
    format!("its reply has over {max} parts")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_guest_printed_is_indented_and_leads_no_terminal_back() {
        assert_eq!(trapped("x", ""), "it crashed: x");
        assert_eq!(
            trapped("x", "one\r\ntwo\n\tthree"),
            "it crashed: x; it printed:\n  one\n  two\n  \tthree"
        );
        assert_eq!(
            trapped("x", "a\rb\u{1b}[1Gc\u{8}d\u{85}e\u{2028}f"),
            "it crashed: x; it printed:\n  a b [1Gc d e f"
        );
    }
}
