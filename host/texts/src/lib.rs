//! Every sentence that the host itself says to people in Slack, as a whole, one file a subject, in rooms by what they
//! are about.
//!
//! Plugins have their own words. The failures of a capability are worded here, so that they are the same in
//! every command and no internal text ever reaches Slack. A sentence with more in it than words consists of
//! spans: what people type is code, and keys are links.
//!
//! `slack/` comes before this crate, so it has three texts of its own, for messages that are empty or too long.

pub mod commands;
mod durations;
pub mod failures;
pub mod home;
pub mod issues;
pub mod notices;
pub mod plugins;
pub mod rights;

use maro_domain::reply::Span;

fn text(text: impl Into<String>) -> Span {
    Span::Text(text.into())
}

/// A command as people type it.
fn command(line: &str) -> Span {
    Span::Code(format!("/maro {line}"))
}

/// A reason as the end of a sentence.
pub fn with_full_stop(reason: &str) -> String {
    if reason.ends_with(['.', '!', '?', '…']) { reason.to_owned() } else { format!("{reason}.") }
}

/// A reason whose parts in backticks are shown as code, with a full stop.
pub fn reason_with_code(reason: &str) -> Vec<Span> {
    with_code(&with_full_stop(reason))
}

/// What stands in backticks as code. A backtick alone stays a character.
fn with_code(sentence: &str) -> Vec<Span> {
    let mut spans = Vec::new();
    let mut rest = sentence;
    while let Some((before, (code, after))) =
        rest.split_once('`').and_then(|(before, behind)| Some((before, behind.split_once('`')?)))
    {
        if code.trim().is_empty() {
            spans.push(text(format!("{before}`{code}`")));
        } else {
            spans.extend([text(before), Span::Code(code.to_owned())]);
        }
        rest = after;
    }
    spans.push(text(rest));
    spans.retain(|span| !matches!(span, Span::Text(text) if text.is_empty()));
    spans
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{
        fs,
        path::{Path, PathBuf},
    };

    /// It's an issue, not a ticket; a command, not a subcommand; and people say "isn't".
    const NOT_SAID: [&str; 14] = [
        "ticket",
        "subcommand",
        "administrator",
        "whoever",
        "anew",
        "serves",
        "at the moment",
        "cannot",
        "could not",
        "does not",
        "did not",
        " is not ",
        " is no ",
        " …",
    ];

    /// A sentence without words that say what is meant, or that are promised to the letter.
    fn without_fixed(said: &str) -> String {
        said.replace("is no longer", "").replace(" is not tracked in this channel", "")
    }

    fn files(folder: &Path) -> Vec<PathBuf> {
        let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
    }

    #[test]
    fn what_stands_in_backticks_is_code_and_one_backtick_alone_is_text() {
        let code = |code: &str| Span::Code(code.to_owned());
        assert_eq!(
            reason_with_code("build it with `maro plugin build`"),
            [text("build it with "), code("maro plugin build"), text(".")]
        );
        assert_eq!(with_code("`a` and `b`, not `c"), [code("a"), text(" and "), code("b"), text(", not `c")]);
        assert_eq!(with_code("it's `` and ` `"), [text("it's ``"), text(" and ` `")]);
        assert_eq!(with_code(""), []);
    }

    #[test]
    fn sentences_are_in_plain_english() {
        let mut found = Vec::new();
        for path in files(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src")) {
            let text = fs::read_to_string(&path).unwrap().replace("\\\"", "'");
            let code = text.split("#[cfg(test)]").next().unwrap_or_default();
            let code: String = code.lines().filter(|line| !line.trim_start().starts_with("//")).collect();
            for said in code.split('"').skip(1).step_by(2).map(without_fixed) {
                found.extend(
                    NOT_SAID
                        .iter()
                        .filter(|words| said.contains(**words))
                        .map(|words| format!("{}: {words:?} in {said:?}", path.display())),
                );
            }
        }
        assert!(found.is_empty(), "{}", found.join("\n"));
    }
}
