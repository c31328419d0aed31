//! A subcommand that nobody knows: the nearest name, and where to find them all.

use crate::commands::choosing::{host_commands::RESERVED_NAMES, name_typed::MAX_SHOWN_LENGTH};
use maro_domain::{
    issue::{IssueKey, one_line},
    reply::Reply,
};
use maro_runtime::registry::snapshot::{Absence, Disabled, Plugins};
use maro_texts as texts;

/// How alike two names must be for one to be suggested, from 0 to 1. Below this, suggestions for names
/// of five letters with one or two slips begin to be wrong more often than right.
const MIN_SIMILARITY_OF_COMMANDS: f64 = 0.75;

/// What people call a command without knowing it. Unlike an alias it is suggested and not run.
const SYNONYMS: [(&[&str], &str); 7] = [
    (&["watch", "follow", "subscribe", "link"], "track"),
    (&["delete", "del", "drop", "stop", "unwatch", "unfollow", "unsubscribe", "unlink"], "untrack"),
    (&["show", "issues", "tickets", "tasks", "all", "mine", "open", "done"], "tracked"),
    (&["new", "issue", "ticket", "bug", "task", "report"], "create"),
    (&["story", "epic"], "stories"),
    (&["mute", "unmute", "notifications", "alerts", "digest"], "notify"),
    (&["commands", "info", "about", "usage", "man", "start"], "help"),
];

/// A name that no plugin answers to: its plugin is turned off, not loaded yet or refused, or there is no such
/// subcommand.
pub(crate) fn subcommand(plugins: &Plugins, typed: &str) -> Reply {
    if let Some(reply) = absent(plugins, typed) {
        return reply;
    }
    let key = key_without_hyphen(typed);
    let meant = meant_by(plugins, typed).or(key.as_deref());
    Reply::line(texts::commands::unknown(&one_line(typed, MAX_SHOWN_LENGTH), meant))
}

/// Whether it is a command with a slip, and not a word of any kind.
pub(crate) fn is_slip(plugins: &Plugins, typed: &str) -> bool {
    meant_by(plugins, typed).is_some()
}

fn meant_by<'a>(plugins: &'a Plugins, typed: &str) -> Option<&'a str> {
    let synonym = SYNONYMS.iter().find(|(words, _)| words.contains(&typed)).map(|(_, command)| *command);
    let is_there = |command: &&str| RESERVED_NAMES.contains(command) || plugins.get(command).is_some();
    let names = plugins.all().map(|plugin| plugin.name());
    synonym.filter(is_there).or_else(|| nearest(typed, names.chain(RESERVED_NAMES)))
}

/// `SCRUM-123`, if that is what `scrum123`, `scrum_123` or `scrum#123` was meant to be.
fn key_without_hyphen(typed: &str) -> Option<String> {
    let project = typed.trim_end_matches(|letter: char| letter.is_ascii_digit());
    let number = &typed[project.len()..];
    let project = project.trim_end_matches(['_', '#', '.', '/', ':']);
    let key = IssueKey::parse(&format!("{}-{number}", project.to_ascii_uppercase())).ok()?;
    (project.len() > 1).then(|| key.into_string())
}

/// Why a plugin with the name `typed` doesn't answer, if there is one.
pub(crate) fn absent(plugins: &Plugins, typed: &str) -> Option<Reply> {
    let shown = one_line(typed, MAX_SHOWN_LENGTH);
    if let Some(Disabled { switch, .. }) = plugins.disabled(typed) {
        return Some(Reply::line(texts::commands::turned_off(&shown, &switch.disabled_by)));
    }
    match plugins.absence(typed) {
        Absence::Loading => Some(Reply::line(texts::commands::still_loading(&shown))),
        Absence::Refused => Some(Reply::line(texts::commands::not_running(&shown))),
        Absence::Unknown => None,
    }
}

/// A name that no plugin has.
pub(crate) fn plugin(plugins: &Plugins, typed: &str) -> Reply {
    let running = plugins.all().map(|plugin| plugin.name());
    let disabled = plugins.all_disabled().map(|disabled| &*disabled.switch.plugin);
    let nearest = nearest(typed, running.chain(disabled));
    Reply::line(texts::plugins::overview::unknown(&one_line(typed, MAX_SHOWN_LENGTH), nearest))
}

/// The name that is most like what was typed, if one is alike enough.
fn nearest<'a>(typed: &str, names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    names
        .map(|name| (strsim::jaro_winkler(typed, name), name))
        .filter(|(similarity, _)| *similarity >= MIN_SIMILARITY_OF_COMMANDS)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_is_understood_and_a_stranger_is_not_guessed() {
        let names = || ["track", "untrack", "tracked", "help"].into_iter();
        for (typed, expected) in [
            ("trak", Some("track")),
            ("trcak", Some("track")),
            ("trackd", Some("tracked")),
            ("untrak", Some("untrack")),
            ("hlep", Some("help")),
            ("deploy", None),
            ("", None),
        ] {
            assert_eq!(nearest(typed, names()), expected, "{typed:?}");
        }
    }
}
