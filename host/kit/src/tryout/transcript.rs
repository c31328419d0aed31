//! What happened behind a reply, for the plugin's author: faults, output, log lines and host calls.

use std::{fmt::Write as _, time::Duration};

use serde_json::Value;

use maro_runtime::recording::{recorder::Recording, tape::Ending};
use maro_texts::plugins::faults;

/// How much of a call's arguments and answer is shown without `--full`, in characters.
const SHOWN_LENGTH: usize = 300;

/// The folder of a Python project's own files inside its component.
const PROJECT: &str = "/0/";

/// The start of a line in which the kit's JavaScript or Python code says what is wrong.
const ADVICE: &str = "maro: ";

/// Files that come from the kit, not from the author. Others are in a folder of its own, [`KIT_FOLDER`], or away from the
/// project.
const KIT_FILES: [&str; 2] = ["maro.js", "maro.py"];
const KIT_FOLDER: &str = "build/";

/// How Python shows an exception that it has no memory or stack left to print.
const UNPRINTABLE: &str = "object repr ";

/// What to do about a stack that was used up, in Rust and in a language with an interpreter.
const KEEP_LESS: &str =
    "let functions call themselves less deeply, and keep large arrays in a `Vec` or a `Box`";
const NEST_LESS: &str = "let functions call themselves less deeply, and don't nest values so deeply";

/// The whole story. With `in_full`, each call is shown in full.
pub fn transcript(recording: &Recording, in_full: bool) -> String {
    let mut text = String::new();
    if let Ending::Fault(fault) = &recording.case.ending {
        let _ = match reason(fault) {
            Some(reason) => writeln!(text, "✗ {reason}\n\nIt didn't answer: {fault}"),
            None => writeln!(text, "✗ It didn't answer: {fault}"),
        };
    } else if !recording.printed.is_empty() {
        let _ = writeln!(text, "It printed:\n  {}", recording.printed.replace('\n', "\n  "));
    }
    for line in &recording.log {
        let _ = writeln!(text, "log {}: {}", line.level, line.message);
    }
    for (call, took) in recording.case.calls.iter().zip(&recording.call_times) {
        let (arguments, answer) = (shown(&call.arguments, in_full), shown(&call.answer, in_full));
        let _ = writeln!(text, "{} {arguments} → {answer} ({})", call.call, milliseconds(*took));
    }
    let calls = match recording.case.calls.len() {
        1 => "1 host call".to_owned(),
        count => format!("{count} host calls"),
    };
    let _ = writeln!(text, "{calls}, {} in total.", milliseconds(recording.took));
    text
}

/// Why a guest ended, in its own words, with file and line. Works for all three languages.
fn reason(fault: &str) -> Option<String> {
    let lines: Vec<_> = fault.lines().map(str::trim).collect();
    let advice = lines.iter().rev().find_map(|line| line.strip_prefix(ADVICE)).map(str::to_owned);
    // After an exception, the interpreter itself panics. So the panic is the last thing to look for.
    let told = advice.or_else(|| traceback(&lines)).or_else(|| exception(&lines)).or_else(|| panic(&lines));
    told.or_else(|| out_of_stack(fault))
}

/// With the function, where that is known.
fn out_of_stack(fault: &str) -> Option<String> {
    let (_, rest) = fault.split_once(faults::OUT_OF_STACK)?;
    let function = |start| rest.strip_prefix(start).and_then(|rest| rest.split('`').next());
    Some(match (function(faults::IN_FUNCTION), function(faults::IN_INTERPRETER)) {
        (Some(own), _) => format!("It ran out of stack in `{own}`: {KEEP_LESS}."),
        (None, Some(other)) => format!("It ran out of stack in the interpreter's `{other}`: {NEST_LESS}."),
        (None, None) => format!("It ran out of stack: {NEST_LESS}."),
    })
}

/// `thread '…' panicked at src/lib.rs:31:117:`, with the message on the next line.
fn panic(lines: &[&str]) -> Option<String> {
    let (at, line) = lines.iter().enumerate().find(|(_, line)| line.contains(" panicked at "))?;
    let place = line.split(" panicked at ").nth(1)?.trim_end_matches(':');
    let message = lines.get(at + 1).copied().unwrap_or_default();
    Some(format!("It panicked at {place}: {message}"))
}

/// The last line of Python's traceback, and the last frame in a file of the project.
fn traceback(lines: &[&str]) -> Option<String> {
    // What the plugin wrote before may stand in the same line.
    let start = lines.iter().rposition(|line| line.ends_with("Traceback (most recent call last):"))?;
    let (mut place, mut error) = (None, None);
    for line in &lines[start + 1..] {
        if let Some(frame) = line.strip_prefix("File \"") {
            let (file, rest) = frame.split_once("\", line ")?;
            let number = rest.split(',').next().unwrap_or(rest);
            // Code that the project calls is in other folders.
            let own = file.strip_prefix(PROJECT).filter(|own| !KIT_FILES.contains(own));
            if let Some(file) = own.or(place.is_none().then_some(file)) {
                place = Some(format!("{file}:{number}"));
            }
        } else if let Some(shown) = line.strip_prefix(UNPRINTABLE) {
            error = Some(shown.trim_start_matches([' ', ':']));
            break;
        } else if is_error(line) {
            error = Some(*line);
            break;
        }
    }
    Some(format!("It raised an exception at {}: {}", place?, error?))
}

/// JavaScript's exception, and the first frame of its stack in the author's own code.
fn exception(lines: &[&str]) -> Option<String> {
    let is_authors = |(path, file): &&(&str, &str)| {
        let folder = &path[..path.len() - file.len()];
        let is_kits = file.split(':').next().is_some_and(|name| KIT_FILES.contains(&name));
        !is_kits && !path.starts_with('/') && folder != KIT_FOLDER && !folder.ends_with("/build/")
    };
    // A word that the author printed before looks like an exception without a message, but has no stack below it. The
    // last one ended the command.
    let has_stack = |at: &usize| lines.get(at + 1).is_some_and(|line| frame(line).is_some());
    let thrown = (0..lines.len()).rev().find(|at| is_error(lines[*at]) && has_stack(at));
    let start = thrown.unwrap_or_default();
    let frames: Vec<_> = lines[start..].iter().filter_map(|line| frame(line)).collect();
    // In what is waited for, there may be none of the author's.
    frames.first()?;
    let place = frames.iter().find(is_authors).map(|(_, place)| format!(" at {place}")).unwrap_or_default();
    let error = lines[start..].iter().find(|line| is_error(line))?;
    Some(format!("It threw an exception{place}: {error}"))
}

/// The path and the file of a frame, each with line and column.
fn frame(line: &str) -> Option<(&str, &str)> {
    let path = line.split_once('@')?.1;
    let file = path.rsplit('/').next()?;
    file.contains(".js:").then_some((path, file))
}

/// `ValueError: what is wrong`, or just the name.
fn is_error(line: &str) -> bool {
    let name = line.split(':').next().unwrap_or(line);
    !name.is_empty()
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.'))
        && name.starts_with(|first: char| first.is_ascii_alphabetic())
        && (line.contains(": ") || line == name)
}

fn shown(value: &Value, in_full: bool) -> String {
    let text = value.to_string();
    match text.char_indices().nth(SHOWN_LENGTH) {
        Some((end, _)) if !in_full => format!("{}… (use --full to see all)", &text[..end]),
        _ => text,
    }
}

fn milliseconds(duration: Duration) -> String {
    format!("{:.1} ms", duration.as_secs_f64() * 1e3)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_begins_with_its_reason_and_place() {
        let panicked = "it crashed: unreachable; it printed:\n  \n  thread '<unnamed>' (1) panicked at src/lib.rs:18:9:\n  \
                        no Ada\n  note: run with";
        let raised = "it crashed: unreachable; it printed:\n  Traceback (most recent call last):\n    \
                      File \"/0/plugin.py\", line 15, in run\n    File \"/python/json/decoder.py\", line 3, in x\n  \
                      IndexError: list index out of range\n  \n  \
                      thread '<unnamed>' (1) panicked at runtime/src/lib.rs:1293:29:\n  Python function threw";
        let noted = "it crashed: unreachable; it printed:\n  Traceback (most recent call last):\n    \
                     File \"/1/maro_entry.py\", line 30, in run\n    File \"/0/plugin.py\", line 14, in run\n    \
                     File \"/0/maro.py\", line 3, in x\n  ValueError: oh no\n  \n  \
                     thread '<unnamed>' (1) panicked at runtime/src/lib.rs:1293:29:\n  Python function threw\n  \
                     note: run with `RUST_BACKTRACE=1` environment variable";
        let refused = "it crashed: unreachable; it printed:\n  TypeError: 3 is no text\n  span@maro.js:3:1\n  \
                       run@plugin.js:11:5\n  fail@build/entry.js:6:12";
        let advised =
            "it crashed: unreachable; it printed:\n  maro: `run` returned nothing.\n  e is undefined";
        let thrown = "it crashed: unreachable; it printed:\n  TypeError: can't access property \"foo\" of null\n  \
                      run@plugin.js:11:5\n  told/<@build/entry.js:6:12\n  \n  invalid variant tag value";
        for (fault, expected) in [
            (panicked, Some("It panicked at src/lib.rs:18:9: no Ada")),
            (raised, Some("It raised an exception at plugin.py:15: IndexError: list index out of range")),
            (
                thrown,
                Some(
                    "It threw an exception at plugin.js:11:5: TypeError: can't access property \"foo\" of null",
                ),
            ),
            (
                "it crashed: unreachable; it printed:\n  start\n  Error: an earlier one\n  load@plugin.js:3:5\n  again\n  \
                 TypeError: 3 is no text\n  run@plugin.js:11:5\n  told/<@build/entry.js:6:12\n  \n  invalid variant tag",
                Some("It threw an exception at plugin.js:11:5: TypeError: 3 is no text"),
            ),
            (
                "it crashed: unreachable; it printed:\n  Traceback (most recent call last):\n    File \"/0/plugin.py\", line 9, \
                 in run\n  object address  : 0x4821b8\n  object repr     : MemoryError('Parser stack overflowed')\n  lost \
                 sys.stderr\n  note: run with",
                Some("It raised an exception at plugin.py:9: MemoryError('Parser stack overflowed')"),
            ),
            (
                "it crashed: unreachable; it printed:\n  ? Traceback (most recent call last):\n    File \"/0/plugin.py\", line 7, in \
                 run\n  EOFError: EOF when reading a line\n  \n  thread '<unnamed>' (1) panicked at runtime/src/lib.rs:1293:29:\n  \
                 Python function threw",
                Some("It raised an exception at plugin.py:7: EOFError: EOF when reading a line"),
            ),
            (noted, Some("It raised an exception at plugin.py:14: ValueError: oh no")),
            (refused, Some("It threw an exception at plugin.js:11:5: TypeError: 3 is no text")),
            (advised, Some("`run` returned nothing.")),
            ("it used up its CPU time", None),
            (
                "it crashed: it ran out of stack (wasm trap: call stack exhausted)",
                Some(&*format!("It ran out of stack: {NEST_LESS}.")),
            ),
            (
                "it crashed: it ran out of stack in `oncall::sum` (memory fault at wasm address 0xffffffe4)",
                Some(&*format!("It ran out of stack in `oncall::sum`: {KEEP_LESS}.")),
            ),
            (
                "it crashed: it ran out of stack in the interpreter's `list_repr` (wasm trap: call stack exhausted)",
                Some(&*format!("It ran out of stack in the interpreter's `list_repr`: {NEST_LESS}.")),
            ),
            ("it crashed: memory fault at wasm address 0x90000 in linear memory of size 0x80000", None),
        ] {
            assert_eq!(reason(fault).as_deref(), expected);
        }
    }
}
