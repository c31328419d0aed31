//! A subcommand that nobody knows: the nearest name, and where to find them all.

use crate::commands::choosing::host_commands::RESERVED_NAMES;
use maro_domain::{issue::one_line, reply::Reply};
use maro_runtime::registry::snapshot::{Absence, Disabled, Plugins};
use maro_tickets::texts;

/// How alike two names must be for one to be suggested, from 0 to 1. Below this, suggestions for names
/// of five letters with one or two slips begin to be wrong more often than right.
const MIN_SIMILARITY: f64 = 0.75;

/// How much of what was typed is repeated, in characters.
const MAX_SHOWN_LENGTH: usize = 40;

/// What nobody serves under the name `typed`: it is switched off, not loaded yet, refused, or
/// there is no such subcommand.
pub(crate) fn subcommand(plugins: &Plugins, typed: &str) -> Reply {
    if let Some(reply) = absent(plugins, typed) {
        return reply;
    }
    let names = plugins.all().map(|plugin| plugin.name());
    let nearest = nearest(typed, names.chain(RESERVED_NAMES));
    Reply::line(texts::commands::unknown(&one_line(typed, MAX_SHOWN_LENGTH), nearest))
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
    let serving = plugins.all().map(|plugin| plugin.name());
    let disabled = plugins.all_disabled().map(|disabled| &*disabled.switch.plugin);
    let nearest = nearest(typed, serving.chain(disabled));
    Reply::line(texts::plugins::overview::unknown(&one_line(typed, MAX_SHOWN_LENGTH), nearest))
}

/// The name that is most like what was typed, if one is alike enough.
fn nearest<'a>(typed: &str, names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    names
        .map(|name| (strsim::jaro_winkler(typed, name), name))
        .filter(|(similarity, _)| *similarity >= MIN_SIMILARITY)
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
