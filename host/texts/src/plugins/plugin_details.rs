//! `/maro plugins NAME`: all there is to know about one plugin, a line each.

use std::time::Duration;

use crate::{command, durations::wait, plugins::overview::Build, reason_with_code, text};
use maro_domain::{ids::UserId, reply::Span};

/// The line above the others.
pub fn heading(build: Build<'_>, health: &str) -> Vec<Span> {
    vec![Span::Strong(build.name.to_owned()), text(format!(" {}: {health}", build.version))]
}

/// `since` is a time of day with its date.
pub fn file(file: &str, bytes: usize, since: &str) -> Vec<Span> {
    let kib = bytes.div_ceil(1024);
    vec![text("File: "), Span::Code(file.to_owned()), text(format!(" ({kib} KiB), running since {since}."))]
}

pub fn digest(digest: &str) -> Vec<Span> {
    vec![text("Digest (SHA-256): "), Span::Code(digest.to_owned())]
}

/// What ran before: version and digest.
pub fn before(before: Option<(&str, &str)>) -> Vec<Span> {
    match before {
        Some((version, digest)) => {
            vec![text(format!("Before that: {version} ")), Span::Code(digest.to_owned())]
        }
        None => vec![text("Before that: nothing since MARO started.")],
    }
}

/// A permission, and how the operator has narrowed it.
#[derive(Debug, Default)]
pub struct Permission<'a> {
    pub name: String,
    pub projects: Option<Vec<&'a str>>,
    pub only_in_channels: Option<Vec<&'a str>>,
    pub not_in_channels: Vec<&'a str>,
    pub admins_only: bool,
}

impl Permission<'_> {
    fn shown(&self) -> String {
        let list = |names: &[&str]| if names.is_empty() { "none".to_owned() } else { names.join(", ") };
        let mut narrowed = Vec::new();
        narrowed.extend(self.projects.as_ref().map(|projects| format!("projects: {}", list(projects))));
        narrowed.extend(self.only_in_channels.as_ref().map(|ids| format!("only in channels: {}", list(ids))));
        if !self.not_in_channels.is_empty() {
            narrowed.push(format!("not in channels: {}", list(&self.not_in_channels)));
        }
        narrowed.extend(self.admins_only.then(|| "admins only".to_owned()));
        match narrowed.is_empty() {
            true => self.name.clone(),
            false => format!("{} ({})", self.name, narrowed.join("; ")),
        }
    }
}

pub fn permissions(permissions: &[Permission<'_>]) -> Vec<Span> {
    let shown: Vec<_> = permissions.iter().map(Permission::shown).collect();
    vec![text(if shown.is_empty() {
        "No permissions.".to_owned()
    } else {
        format!("Permissions: {}.", shown.join(", "))
    })]
}

pub fn limits(limits: &[(&str, u32)]) -> Vec<Span> {
    let shown: Vec<_> = limits.iter().map(|(key, value)| format!("{key} {value}")).collect();
    vec![text(format!("Limits: {}.", shown.join(", ")))]
}

/// The hosts that it may contact, and those of them that may be on this machine or in a private network.
pub fn hosts(hosts: Vec<String>, private_hosts: Vec<String>) -> Vec<Vec<Span>> {
    let list = |what: &str, names: Vec<String>| vec![text(format!("{what}: {}", names.join(", ")))];
    match (hosts.is_empty(), private_hosts.is_empty()) {
        (true, true) => vec![vec![text("Hosts: none.")]],
        (false, true) => vec![list("Hosts", hosts)],
        (true, false) => vec![list("Private hosts", private_hosts)],
        (false, false) => vec![list("Hosts", hosts), list("Private hosts", private_hosts)],
    }
}

/// The names of its secrets, and the hosts that get each.
pub fn secrets(secrets: &[(&str, Vec<String>)]) -> Option<Vec<Span>> {
    let shown: Vec<_> =
        secrets.iter().map(|(name, hosts)| format!("{name} (for {})", hosts.join(", "))).collect();
    (!shown.is_empty()).then(|| vec![text(format!("Secrets: {}", shown.join("; ")))])
}

/// The commands of others that its buttons run without a question.
pub fn buttons(commands: &[String]) -> Option<Vec<Span>> {
    (!commands.is_empty()).then(|| vec![text(format!("Buttons run: {}", commands.join(", ")))])
}

/// Whether the manifest in `file` names the build that runs.
pub fn pin(file: &str, is_pinned: bool) -> Vec<Span> {
    let pinned = if is_pinned { " allows only this build (sha256)." } else { " allows any build." };
    vec![text("Pin: "), Span::Code(file.to_owned()), text(pinned)]
}

/// How often it ran since the start, by how that ended.
pub fn calls(outcomes: &[(&str, u64)]) -> Vec<Span> {
    let all: u64 = outcomes.iter().map(|(_, count)| count).sum();
    let shown: Vec<_> = outcomes
        .iter()
        .filter(|(_, count)| *count > 0)
        .map(|(outcome, count)| format!("{count} {}", outcome.replace('_', " ")))
        .collect();
    vec![text(match all {
        0 => "It hasn't run since MARO started.".to_owned(),
        _ => format!("Ran {all}× since MARO started: {}.", shown.join(", ")),
    })]
}

/// The latest fault, if the person may read it.
pub fn last_fault(incident: &str, age: Duration, fault: Option<&str>) -> Vec<Span> {
    let age = wait(age);
    match fault {
        Some(fault) => said_of(format!("Last fault ({incident}, {age} ago): "), fault),
        None => vec![text(format!("Last fault: ID {incident}, {age} ago."))],
    }
}

pub fn warning(warning: &str) -> Vec<Span> {
    said_of("Warning: ", warning)
}

pub fn newer_rejected(reason: &str) -> Vec<Span> {
    let mut spans = said_of("A newer version was rejected: ", reason);
    spans.push(text(" The previous one is still running."));
    spans
}

fn said_of(what: impl Into<String>, reason: &str) -> Vec<Span> {
    let mut spans = vec![text(what)];
    spans.extend(reason_with_code(reason));
    spans
}

pub fn is_off(by: &UserId) -> Vec<Span> {
    vec![text("Turned off by "), Span::User(by.clone()), text(".")]
}

/// The line above the kept versions.
pub fn history(name: &str) -> Vec<Span> {
    vec![text("Versions of "), Span::Strong(name.to_owned()), text(" that MARO keeps, newest first:")]
}

/// A version that is kept. `since` is a time of day with its date.
/// `note` says what it has in common with another, `running` whether it runs.
pub fn kept_version(version: &str, digest: &str, since: &str, note: &str, running: &str) -> Vec<Span> {
    vec![
        text(format!("{version} ")),
        Span::Code(digest.to_owned()),
        text(format!(" started running {since}.{note}{running}")),
    ]
}

/// Notes on a version.
pub const OTHER_MANIFEST: &str = " Same component as a newer one here, with a different manifest.";
pub const SAME_MANIFEST: &str = " Same component and manifest as a newer one here.";

/// Whether a version runs.
pub const RUNNING: &str = " It's running.";
pub const TURNED_OFF: &str = " It's turned off.";

pub const NONE_KEPT: &str =
    "No versions are kept: MARO can't write to a folder next to MARO_CACHE_DIR. See the log for details.";

/// There is none to roll back to.
pub fn no_earlier(name: &str) -> Vec<Span> {
    vec![
        text("No earlier version of "),
        Span::Strong(name.to_owned()),
        text(" is kept here. Nothing was changed."),
    ]
}

/// There is no file that could be rolled back.
pub fn no_file(name: &str) -> Vec<Span> {
    vec![
        Span::Code(format!("{name}.wasm")),
        text(
            " isn't in the plugins folder, and only a file that's there can be rolled back: put one of its versions there. ",
        ),
        text("To see which versions MARO keeps, type "),
        command(&format!("plugins history {name}")),
        text("."),
    ]
}

/// `same_component`: only the manifest is another.
pub fn rolled_back(name: &str, version: &str, digest: &str, same_component: bool) -> Vec<Span> {
    let with_manifest = if same_component { ", with its earlier manifest," } else { "" };
    vec![
        Span::Strong(name.to_owned()),
        text(format!(" is rolled back to {version} ")),
        Span::Code(digest.to_owned()),
        text(format!("{with_manifest} on all replicas, until its file changes. To undo this, type ")),
        command(&format!("plugins reload {name}")),
        text("."),
    ]
}

/// Its rollback was undone.
pub fn no_longer_rolled_back(name: &str, version: &str, digest: &str) -> Vec<Span> {
    vec![
        Span::Strong(name.to_owned()),
        text(format!(" is no longer rolled back. Its file runs again on all replicas: {version} ")),
        Span::Code(digest.to_owned()),
        text("."),
    ]
}

/// The row is written, and the version doesn't run.
pub fn roll_back_failed(name: &str) -> Vec<Span> {
    vec![
        text("The rollback was saved, but that version isn't running here. To see why, type "),
        command(&format!("plugins {name}")),
        text("."),
    ]
}

/// In a list, instead of the rest of a reason.
pub fn more_in_details(name: &str) -> Vec<Span> {
    vec![text(" For the full reason, type "), command(&format!("plugins {name}")), text(".")]
}

/// At most so many characters of a reason. Nothing that people copy is cut in the middle: what stands in backticks or
/// quotes, a digest, a path.
pub fn shortened(reason: &str, max_length: usize) -> Option<String> {
    let (end, _) = reason.char_indices().nth(max_length)?;
    let mut words = reason[..end].rmatch_indices(' ').map(|(at, _)| &reason[..at]);
    let is_whole =
        |part: &&str| ['`', '"'].iter().all(|quote| part.matches(*quote).count().is_multiple_of(2));
    let whole = words.find(is_whole).unwrap_or_default();
    Some(format!("{}…", whole.trim_end_matches([',', ':', ';', '.'])))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_is_cut_beside_what_people_copy() {
        let digest = "ab".repeat(32);
        let reason =
            format!("change `sha256 = \"{digest}\"` there. It allows {digest}, and this is {digest}");
        for length in 0..reason.len() {
            let short = shortened(&reason, length).unwrap();
            assert!(short.chars().count() <= length + 1, "{short}");
            let digits =
                short.split(|c: char| !c.is_ascii_hexdigit()).map(str::len).max().unwrap_or_default();
            assert!(digits == 64 || digits < 10, "a digest is cut: {short}");
            assert_eq!(short.matches('`').count() % 2, 0, "{short}");
        }
        assert_eq!(shortened(&reason, reason.len()), None);
    }

    #[test]
    fn a_permission_is_shown_with_its_scope() {
        let narrowed = Permission {
            name: "jira".to_owned(),
            projects: Some(vec!["SCRUM", "OPS"]),
            only_in_channels: Some(Vec::new()),
            not_in_channels: Vec::new(),
            admins_only: true,
        };
        let shown = permissions(&[
            narrowed,
            Permission { name: "storage.set".to_owned(), admins_only: true, ..Permission::default() },
        ]);
        let expected = "Permissions: jira (projects: SCRUM, OPS; only in channels: none; admins only), storage.set (admins only).";
        assert_eq!(shown, [text(expected)]);
    }
}
