//! A subcommand that nobody knows: the nearest name, and where to find them all.

use crate::commands::help;
use maro_domain::{
    issue::one_line,
    reply::{Block, Reply, Span, Visibility},
};
use maro_runtime::{
    loading::folder,
    registry::snapshot::{Disabled, Plugins},
};
use maro_tickets::texts;

/// How alike two names must be for one to be suggested, from 0 to 1. Below this, suggestions for names
/// of five letters with one or two slips begin to be wrong more often than right.
const MIN_SIMILARITY: f64 = 0.75;

/// How much of what was typed is repeated, in characters.
const MAX_SHOWN_LENGTH: usize = 40;

/// What nobody serves under the name `typed`: it is switched off, not loaded yet, or there is no such subcommand.
pub(super) fn subcommand(plugins: &Plugins, typed: &str) -> Reply {
    if let Some(disabled) = plugins.disabled(typed) {
        return self::disabled(disabled);
    }
    if plugins.loading_first().any(|file| folder::stem(file) == typed) {
        let spans = vec![Span::Code(format!("/maro {typed}")), Span::Text(texts::IS_BEING_LOADED.to_owned())];
        return Reply { visibility: Visibility::Caller, blocks: vec![Block::Paragraph(spans)] };
    }
    let mut spans = vec![
        Span::Text(texts::UNKNOWN_SUBCOMMAND.to_owned()),
        Span::Code(one_line(typed, MAX_SHOWN_LENGTH)),
        Span::Text(". ".to_owned()),
    ];
    let names = plugins.all().map(|plugin| &*plugin.description.name);
    if let Some(name) = nearest(typed, names.chain(help::OWN.map(|(own, ..)| own))) {
        spans.push(Span::Text(texts::DID_YOU_MEAN.to_owned()));
        spans.push(Span::Code(format!("/maro {name}")));
        spans.push(Span::Text("? ".to_owned()));
    }
    spans.push(Span::Code("/maro help".to_owned()));
    spans.push(Span::Text(texts::LISTS_ALL.to_owned()));
    Reply { visibility: Visibility::Caller, blocks: vec![Block::Paragraph(spans)] }
}

/// A plugin that is switched off: whom to ask about it.
fn disabled(disabled: &Disabled) -> Reply {
    let spans = vec![
        Span::Code(format!("/maro {}", one_line(&disabled.switch.plugin, MAX_SHOWN_LENGTH))),
        Span::Text(texts::IS_SWITCHED_OFF_BY.to_owned()),
        Span::User(disabled.switch.disabled_by.clone()),
        Span::Text(".".to_owned()),
    ];
    Reply { visibility: Visibility::Caller, blocks: vec![Block::Paragraph(spans)] }
}

/// A name that no plugin has.
pub(super) fn plugin(plugins: &Plugins, typed: &str) -> Reply {
    let mut spans = vec![
        Span::Text(texts::UNKNOWN_PLUGIN.to_owned()),
        Span::Code(one_line(typed, MAX_SHOWN_LENGTH)),
        Span::Text(". ".to_owned()),
    ];
    let serving = plugins.all().map(|plugin| &*plugin.description.name);
    let disabled = plugins.all_disabled().map(|disabled| &*disabled.switch.plugin);
    if let Some(name) = nearest(typed, serving.chain(disabled)) {
        spans.push(Span::Text(texts::DID_YOU_MEAN.to_owned()));
        spans.push(Span::Code(name.to_owned()));
        spans.push(Span::Text("? ".to_owned()));
    }
    spans.push(Span::Code("/maro plugins".to_owned()));
    spans.push(Span::Text(texts::LISTS_ALL.to_owned()));
    Reply { visibility: Visibility::Caller, blocks: vec![Block::Paragraph(spans)] }
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
