//! Every sentence that the host itself says to people in Slack, as a whole, with one file for each subject.
//!
//! Plugins have their own words. The failures of a capability are worded here, so that they are the same in
//! every command and no internal text ever reaches Slack. A sentence with more in it than words consists of
//! spans: what people type is code, and keys are links.
//!
//! `slack/` can't use this module, so it has three texts of its own, for messages that are empty or too long.

pub mod access;
pub mod commands;
pub mod credentials;
pub mod database;
mod durations;
pub mod faults;
pub mod forms;
pub mod home;
pub mod issues;
pub mod jira;
pub mod manifests;
pub mod notices;
pub mod permissions;
pub mod plugin_details;
pub mod plugin_files;
pub mod plugins;
pub mod requests;
pub mod roles;
pub mod services;
pub mod shown_issue;
pub mod stories;
pub mod whereabouts;

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

#[cfg(test)]
mod tests {
    use std::{fs, path::Path};

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

    #[test]
    fn sentences_are_in_plain_english() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/texts");
        let mut found = Vec::new();
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
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
