//! Recorded cases: what was typed, what the host answered, what the plugin replied.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::{
    interface::bindings::maro::plugin::reply as wit,
    recording::{
        bodies,
        matching::{self, Known},
        tape::{Ending, HostCall},
    },
};
use maro_process::bounded_file::read_bounded;
use maro_texts as texts;

/// The largest file that is read as a case, in bytes.
pub(crate) const MAX_CASE_BYTES: u64 = 4 * 1024 * 1024;

/// The most cases of one plugin: each takes as long as its command did.
const MAX_CASES: usize = 1_000;

/// One invocation as it was recorded. Holds no ids of people or channels once it is redacted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Case {
    /// The subcommand.
    pub plugin: String,
    pub arguments: String,
    pub calls: Vec<HostCall>,
    pub ending: Ending,
}

impl Case {
    /// Whether an invocation that was played back ended as it did when it was recorded. What a recording replaces and the
    /// plugin has in its own code counts by its kind.
    pub(crate) fn ends_like(&self, ending: &Ending) -> bool {
        let known = Known::of(&self.arguments, self.calls.iter().map(|call| &call.answer));
        match (&self.ending, ending) {
            (Ending::Reply(before), Ending::Reply(now)) => matching::same(before, now, &known),
            (Ending::Usage(before), Ending::Usage(now)) | (Ending::Failed(before), Ending::Failed(now)) => {
                matching::same_text(before, now, &known)
            }
            (before, now) => before == now,
        }
    }

    /// Reads a file that [`Case::write`] has written.
    ///
    /// # Errors
    /// It can't be read, is too large, or isn't a case.
    pub fn read(path: &Path) -> io::Result<Self> {
        let text = read_bounded(path, MAX_CASE_BYTES)?;
        let mut case: Self = serde_json::from_slice(&text).map_err(io::Error::other)?;
        for HostCall { call, arguments, answer } in &mut case.calls {
            // Earlier cases have bodies as lists of numbers.
            *arguments = bodies::as_text(call, arguments.take());
            *answer = bodies::as_text(call, as_result(call, answer.take()));
        }
        if let Ending::Reply(reply) = &mut case.ending {
            // Earlier cases lack what replies have had since.
            if let Ok(today) = serde_json::from_value::<wit::Reply>(reply.clone()) {
                *reply = serde_json::to_value(today).map_err(io::Error::other)?;
            }
        }
        Ok(case)
    }

    /// The files of all cases in a folder, in the order of their names. Empty if there is no folder.
    ///
    /// # Errors
    /// The folder can't be read, or has too many.
    pub fn files(dir: &Path) -> io::Result<Vec<PathBuf>> {
        let entries = match fs::read_dir(dir) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries?,
        };
        let paths = entries.flatten().map(|entry| entry.path());
        let is_case = |path: &PathBuf| path.extension().is_some_and(|extension| extension == "json");
        let mut paths: Vec<_> = paths.filter(is_case).take(MAX_CASES + 1).collect();
        if paths.len() > MAX_CASES {
            return Err(io::Error::other(texts::plugins::refused_files::too_many_cases(MAX_CASES)));
        }
        paths.sort();
        Ok(paths)
    }

    /// All cases in a folder, in the order of the files' names. Empty if there is no folder.
    ///
    /// # Errors
    /// The folder or a case in it can't be read; the message names the file.
    pub fn read_all(dir: &Path) -> io::Result<Vec<(PathBuf, Self)>> {
        let read = |path: PathBuf| Ok((path.clone(), read_named(&path)?));
        Self::files(dir)?.into_iter().map(read).collect()
    }

    /// Writes the case as JSON that people can read.
    ///
    /// # Errors
    /// The file can't be written.
    pub fn write(&self, path: &Path) -> io::Result<()> {
        fs::write(path, serde_json::to_string_pretty(self)? + "\n")
    }
}

/// An answer as today's functions give it: earlier ones of `settings` and `clock` couldn't fail.
fn as_result(call: &str, answer: Value) -> Value {
    let is_result =
        answer.as_object().is_some_and(|fields| fields.contains_key("Ok") || fields.contains_key("Err"));
    if !is_result && matches!(call, "settings.get" | "settings.all" | "clock.now") {
        return json!({ "Ok": answer });
    }
    answer
}

/// As [`Case::read`]; the message names the file.
pub(crate) fn read_named(path: &Path) -> io::Result<Case> {
    Case::read(path).map_err(|error| io::Error::new(error.kind(), format!("{}: {error}", path.display())))
}

/// A reply or what takes its place, as lines for people to compare. Each kind of span looks different.
pub fn ending_lines(ending: &Ending) -> Vec<String> {
    match ending {
        Ending::Reply(reply) => reply_lines(reply),
        Ending::Usage(sentence) => vec![format!("usage: {sentence}")],
        Ending::Failed(sentence) => vec![format!("failed: {sentence}")],
        Ending::Fault(fault) => vec![format!("no answer: {fault}")],
    }
}

fn reply_lines(reply: &Value) -> Vec<String> {
    let Ok(reply) = serde_json::from_value::<wit::Reply>(reply.clone()) else {
        return vec!["(a reply in an unknown format)".to_owned()];
    };
    let visibility = match reply.visibility {
        wit::Visibility::Caller => "(to the caller)",
        wit::Visibility::Channel => "(to the channel)",
        wit::Visibility::Update => "(to the channel, in place of the message)",
    };
    let mut lines = vec![visibility.to_owned()];
    for block in &reply.blocks {
        match block {
            wit::Block::Paragraph(spans) => lines.push(line(spans)),
            wit::Block::Lines(group) => lines.extend(group.iter().map(|spans| line(spans))),
            wit::Block::Buttons(buttons) => {
                lines.push(buttons.iter().map(pressed).collect::<Vec<_>>().join(" "));
            }
            wit::Block::Items(items) => lines.extend(items.iter().map(|item| {
                let button = item.button.as_ref().map(|button| format!(" {}", pressed(button)));
                format!("• {}{}", line(&item.spans), button.unwrap_or_default())
            })),
        }
    }
    lines
}

fn pressed(button: &wit::Button) -> String {
    let asked = button.confirm.as_ref().map(|question| format!(", asks {question:?}")).unwrap_or_default();
    format!("[{} → /maro {}{asked}]", button.label, button.command)
}

fn line(spans: &[wit::Span]) -> String {
    let shown = |span: &wit::Span| match span {
        wit::Span::Text(text) => text.clone(),
        wit::Span::Strong(text) => format!("*{text}*"),
        wit::Span::Code(text) => format!("`{text}`"),
        wit::Span::Link(link) => format!("[{}]({})", link.label, link.url),
        wit::Span::Issue(key) => format!("<{key}>"),
        wit::Span::Channel => "#channel".to_owned(),
        wit::Span::Caller => "@caller".to_owned(),
        wit::Span::User(id) => format!("@{id}"),
        wit::Span::Date(date) => format!("<{} as {:?}>", date.seconds, date.format),
    };
    spans.iter().map(shown).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_case_with_bodies_as_numbers_is_read_as_one_with_texts() {
        let call = |body: &str| {
            format!(
                r#"{{"plugin": "p", "arguments": "", "ending": {{"failed": "f"}}, "calls": [{{"call": "http.send",
                "arguments": {{"request": {{"body": {body}}}}}, "answer": {{"Ok": {{"body": {body}}}}}}}]}}"#
            )
        };
        let folder = tempfile::tempdir().unwrap();
        let read = |name: &str, body: &str| {
            let path = folder.path().join(name);
            fs::write(&path, call(body)).unwrap();
            Case::read(&path).unwrap()
        };
        let (old, new) = (read("old.json", "[104, 105]"), read("new.json", "\"hi\""));
        assert_eq!(old, new);
        assert_eq!(new.calls[0].answer["Ok"]["body"], "hi");
    }
}
