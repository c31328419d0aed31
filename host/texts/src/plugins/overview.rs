//! For administrators: `/maro plugins`, and the channel that is notified about files that couldn't be loaded.

use std::time::Duration;

use crate::{command, durations::wait, reason_with_code, text, with_code, with_full_stop};
use maro_domain::{ids::UserId, reply::Span};

pub const HEADING: &str = "Installed plugins:";
pub const FOLDER_UNREADABLE: &str =
    "The plugins folder can't be read. Plugins already loaded are still running; see the log for details.";

/// What can be typed after `/maro plugins`.
pub fn usage() -> Vec<Span> {
    vec![
        text("Type "),
        command("plugins"),
        text(" for the list, or "),
        command("plugins NAME"),
        text(" for details of one. Admins can also type "),
        command("plugins reload"),
        text(", "),
        command("plugins disable NAME"),
        text(", "),
        command("plugins enable NAME"),
        text(", "),
        command("plugins history NAME"),
        text(" or "),
        command("plugins rollback NAME"),
        text("."),
    ]
}

/// Which build of a plugin.
#[derive(Debug, Clone, Copy)]
pub struct Build<'a> {
    pub name: &'a str,
    pub version: &'a str,
    /// As much of it as is needed to distinguish builds.
    pub digest: &'a str,
}

impl Build<'_> {
    fn spans(self) -> Vec<Span> {
        let Self { name, version, digest } = self;
        vec![Span::Strong(name.to_owned()), text(format!(" {version} ")), Span::Code(digest.to_owned())]
    }
}

/// Whether commands reach a plugin.
#[derive(Debug, Clone, Copy)]
pub enum Health {
    Running,
    Paused(Duration),
    /// The pause is over, and one command will show whether it works again.
    Retrying,
}

/// A running plugin in the list.
#[derive(Debug)]
pub struct Listed<'a> {
    pub build: Build<'a>,
    pub health: Health,
    /// Its id in the log, and what happened, if the person may read it.
    pub last_fault: Option<(String, Option<String>)>,
    pub permissions: Vec<&'a str>,
    /// What its operator may not have intended.
    pub warnings: Vec<String>,
    /// Why the version in the file isn't the one that runs.
    pub newer_rejected: Option<String>,
    /// A sentence about the version that isn't loaded yet.
    pub newer_loading: Option<String>,
}

impl Health {
    /// `has_failed` lately.
    pub fn sentence(self, has_failed: bool) -> String {
        match self {
            Self::Running if !has_failed => "healthy.".to_owned(),
            Self::Running => "running.".to_owned(),
            Self::Paused(rest) => format!("paused for {} after repeated failures.", wait(rest)),
            Self::Retrying => "paused after repeated failures; the next call will retry it.".to_owned(),
        }
    }
}

impl Listed<'_> {
    /// Its line in the list: which build it is, and a sentence about each thing to know.
    pub fn line(&self) -> Vec<Span> {
        let mut sentences = vec![self.health.sentence(self.last_fault.is_some())];
        match &self.last_fault {
            Some((incident, Some(fault))) => {
                sentences.push(format!("Last fault ({incident}): {}", with_full_stop(fault)));
            }
            Some((incident, None)) => sentences.push(format!("Last fault: ID {incident}.")),
            None => {}
        }
        sentences.push(match &*self.permissions {
            [] => "No permissions.".to_owned(),
            permissions => format!("Permissions: {}.", permissions.join(", ")),
        });
        sentences.extend(self.warnings.iter().map(|warning| format!("Warning: {}", with_full_stop(warning))));
        if let Some(reason) = &self.newer_rejected {
            let rejected = format!("A newer version was rejected: {}", with_full_stop(reason));
            sentences.push(format!("{rejected} The previous one is still running."));
        }
        sentences.extend(self.newer_loading.clone());
        let mut spans = self.build.spans();
        for (number, sentence) in sentences.iter().enumerate() {
            spans.push(text(if number == 0 { ": " } else { " " }));
            spans.extend(with_code(sentence));
        }
        spans
    }
}

/// In the list: a plugin that is turned off. `build` is `None` if it isn't installed.
pub fn turned_off(name: &str, build: Option<Build<'_>>, by: &UserId) -> Vec<Span> {
    let mut spans = match build {
        Some(build) => build.spans(),
        None => vec![Span::Strong(name.to_owned()), text(" (not installed)")],
    };
    spans.extend([text(": turned off by "), Span::User(by.clone())]);
    spans
}

/// In the list and in the operators' channel: why the content of a file doesn't run.
pub fn file_rejected(file: &str, reason: &str, previous_is_running: bool) -> Vec<Span> {
    let reason = reason_with_code(reason);
    let mut spans = vec![Span::Code(file.to_owned())];
    if previous_is_running {
        spans.push(text(" has a newer version that was rejected: "));
        spans.extend(reason);
        spans.push(text(" The previous one is still running."));
    } else {
        spans.push(text(" couldn't be loaded: "));
        spans.extend(reason);
    }
    spans
}

/// In the operators' channel, below as many files as one message names.
pub fn more_files(count: usize) -> Vec<Span> {
    vec![text(format!("And {count} more. Type ")), command("plugins"), text(" to see them all.")]
}

pub fn now_off(name: &str) -> Vec<Span> {
    off(name, " is now off")
}

pub fn already_off(name: &str) -> Vec<Span> {
    off(name, " is already off")
}

fn off(name: &str, is_off: &str) -> Vec<Span> {
    vec![
        command(name),
        text(format!("{is_off}. To turn it back on, type ")),
        command(&format!("plugins enable {name}")),
        text("."),
    ]
}

pub fn back_on(name: &str) -> Vec<Span> {
    vec![command(name), text(" is back on.")]
}

pub fn already_on(name: &str) -> Vec<Span> {
    vec![command(name), text(" is already on.")]
}

/// MARO's own commands aren't plugins.
pub fn built_in(name: &str) -> Vec<Span> {
    vec![command(name), text(" is built into MARO and can't be turned off.")]
}

/// There is no such plugin. `nearest` is one with a similar name.
pub fn unknown(typed: &str, nearest: Option<&str>) -> Vec<Span> {
    let mut spans = vec![text("There's no plugin called "), Span::Code(typed.to_owned()), text(". ")];
    if let Some(nearest) = nearest {
        spans.extend([text("Did you mean "), Span::Code(nearest.to_owned()), text("? ")]);
    }
    spans.extend([text("Type "), command("plugins"), text(" to see them all.")]);
    spans
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plugins::loading;

    fn words(spans: &[Span]) -> String {
        let word = |span: &Span| match span {
            Span::Text(text) | Span::Strong(text) | Span::Code(text) => text.clone(),
            other => format!("{other:?}"),
        };
        spans.iter().map(word).collect()
    }

    #[test]
    fn a_plugin_is_listed_with_a_sentence_for_each_thing_to_know() {
        let mut listed = Listed {
            build: Build { name: "track", version: "0.1.0", digest: "4f9a0c21d88e" },
            health: Health::Running,
            last_fault: None,
            permissions: Vec::new(),
            warnings: Vec::new(),
            newer_rejected: None,
            newer_loading: Some(loading::newer_loading(None)),
        };
        insta::assert_snapshot!(words(&listed.line()), @"track 0.1.0 4f9a0c21d88e: healthy. No permissions. A newer version is still loading.");
        listed.last_fault = Some(("1a2b3c4d".to_owned(), Some("it crashed: unreachable".to_owned())));
        listed.permissions = vec!["jira", "tracker"];
        listed.warnings.push("it's granted jira but never uses it".to_owned());
        listed.newer_rejected = Some("it changes each time it's read: is it still being written?".to_owned());
        listed.newer_loading = None;
        insta::assert_snapshot!(words(&listed.line()), @"track 0.1.0 4f9a0c21d88e: running. Last fault (1a2b3c4d): it crashed: unreachable. Permissions: jira, tracker. Warning: it's granted jira but never uses it. A newer version was rejected: it changes each time it's read: is it still being written? The previous one is still running.");
        listed.last_fault = Some(("1a2b3c4d".to_owned(), None));
        assert!(words(&listed.line()).contains(": running. Last fault: ID 1a2b3c4d. Permissions"));
        listed.health = Health::Paused(Duration::from_secs(600));
        assert!(
            words(&listed.line()).contains(": paused for 10 minutes after repeated failures. Last fault")
        );
    }
}
