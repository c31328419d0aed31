//! Writes recorded cases to files: one redacted invocation each, under a descriptive name.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::Context as _;
use tokio::sync::mpsc;

use maro_runtime::recording::{cases::Case, recorder::Recording, redact::redact, tape::Ending};

/// How much of what was typed goes into a file's name, in characters.
const MAX_SLUG_LENGTH: usize = 40;

/// Writes every recording into a folder until there are no more. Logs what can't be written.
pub async fn keep_all(dir: PathBuf, mut recordings: mpsc::Receiver<Recording>) {
    while let Some(recording) = recordings.recv().await {
        if let Err(error) = keep(&dir, &recording.case) {
            tracing::error!(error = format!("{error:#}"), "couldn't record a case");
        }
    }
}

/// Redacts a case and writes it into a folder. Returns the path, or `None` if the same case is there already
/// or the case has no answer.
///
/// # Errors
/// The folder can't be written to.
pub(crate) fn keep(dir: &Path, case: &Case) -> anyhow::Result<Option<PathBuf>> {
    if matches!(case.ending, Ending::Fault(_)) {
        return Ok(None);
    }
    let case = redact(case)?;
    let cannot_write = || format!("can't write to {}", dir.display());
    fs::create_dir_all(dir).with_context(cannot_write)?;
    let slug = slug(&case.arguments);
    for number in 1.. {
        let suffix = if number == 1 { String::new() } else { format!("-{number}") };
        let path = dir.join(format!("{}{slug}{suffix}.json", case.plugin));
        match Case::read(&path) {
            Ok(present) if present == case => return Ok(None),
            Ok(_) => {}
            Err(_) if path.exists() => {}
            Err(_) => {
                case.write(&path).with_context(cannot_write)?;
                return Ok(Some(path));
            }
        }
    }
    Ok(None)
}

/// What was typed, as a part of a file's name that starts with a hyphen. Empty if nothing was typed.
fn slug(typed: &str) -> String {
    let mut slug = String::new();
    for letter in typed.chars().take(MAX_SLUG_LENGTH) {
        if letter.is_ascii_alphanumeric() {
            slug.push(letter.to_ascii_lowercase());
        } else if !slug.is_empty() && !slug.ends_with('-') {
            slug.push('-');
        }
    }
    let slug = slug.trim_end_matches('-');
    if slug.is_empty() { String::new() } else { format!("-{slug}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn case(arguments: &str, sentence: &str) -> Case {
        Case {
            plugin: "track".to_owned(),
            arguments: arguments.to_owned(),
            calls: Vec::new(),
            ending: Ending::Failed(sentence.to_owned()),
        }
    }

    #[test]
    fn a_case_is_kept_once_under_a_name_that_tells_it() {
        let folder = tempfile::tempdir().unwrap();
        let keep = |case: &Case| {
            let path = keep(folder.path(), case).unwrap();
            path.map(|path| path.file_name().unwrap().to_string_lossy().into_owned())
        };
        assert_eq!(
            keep(&case("SCRUM-1, <@U024BE7LH>", "one")).as_deref(),
            Some("track-scrum-1-u000000001.json")
        );
        assert_eq!(keep(&case("", "one")).as_deref(), Some("track.json"));
        assert_eq!(keep(&case("", "one")), None);
        assert_eq!(keep(&case("", "two")).as_deref(), Some("track-2.json"));
        let faulty = Case { ending: Ending::Fault("trap".to_owned()), ..case("", "") };
        assert_eq!(keep(&faulty), None);
        let cases = Case::read_all(folder.path()).unwrap();
        assert_eq!(cases.len(), 3);
    }
}
