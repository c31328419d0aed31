//! From the text in the stories form to titles, one a line.

use std::collections::HashSet;

use crate::{filled_fields::FilledField, form::create::views::MAX_SUMMARY_LENGTH};
use maro_domain::issue::one_line;
use maro_texts as texts;

/// How many characters Slack takes in one input.
pub(super) const MAX_ENTERED: usize = 3_000;

/// The most stories in one modal.
const MAX_STORIES: usize = 100;

/// What somebody entered.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Lines {
    /// Each once.
    pub(super) titles: Vec<String>,
    /// Those that were there more than once.
    pub(super) repeated: Vec<String>,
    /// What all of them get besides.
    pub(super) fields: Vec<FilledField>,
}

/// The titles, trimmed and without repeats. Pasted bullets, boxes and the numbers of a list are removed.
pub(super) fn parse_lines(text: &str) -> Result<Lines, String> {
    let mut seen = HashSet::new();
    let (mut titles, mut repeated) = (Vec::new(), Vec::new());
    let is_numbered = is_numbered(text);
    for (number, line) in text.lines().enumerate() {
        let title = one_line(item(line, is_numbered), MAX_ENTERED);
        if title.encode_utf16().count() > MAX_SUMMARY_LENGTH {
            return Err(texts::issues::stories::line_too_long(number + 1, MAX_SUMMARY_LENGTH));
        }
        if title.is_empty() {
            continue;
        }
        if seen.insert(title.to_lowercase()) {
            titles.push(title);
        } else if !repeated.contains(&title) {
            repeated.push(title);
        }
    }
    match titles.len() {
        0 => Err(texts::issues::stories::NONE_ENTERED.to_owned()),
        count if count > MAX_STORIES => Err(texts::issues::stories::too_many(count, MAX_STORIES)),
        _ => Ok(Lines { titles, repeated, fields: Vec::new() }),
    }
}

/// As many whole lines of a text as the form has room for, and how many others there are.
pub(super) fn fitting(text: &str) -> (&str, usize) {
    let (mut units, mut end) = (0, 0);
    for line in text.split_inclusive('\n') {
        units += line.encode_utf16().count();
        // Nobody's title is longer, and the form says so.
        if units > MAX_ENTERED && end > 0 {
            break;
        }
        end += line.len();
    }
    let left_out = text[end..].lines().filter(|line| !line.trim().is_empty()).count();
    (text[..end].trim_end(), left_out)
}

/// The words of a line that may be an item of a list.
fn item(line: &str, is_numbered: bool) -> &str {
    const BOXES: [&str; 6] = ["[ ]", "[x]", "[X]", "☐", "☑", "✅"];
    let mut rest = line.trim();
    loop {
        let sign = rest.trim_start_matches(['•', '◦', '▪', '‣', '-', '*', '+', '–', '—']);
        let is_sign = sign.is_empty()
            || sign.starts_with(char::is_whitespace)
            || rest.starts_with(['•', '◦', '▪', '‣']);
        let bare = if is_sign { sign.trim_start() } else { rest };
        let bare = BOXES.iter().find_map(|open| bare.strip_prefix(open)).map_or(bare, str::trim_start);
        if bare == rest {
            break;
        }
        rest = bare;
    }
    if is_numbered { number(rest).map_or(rest, |(_, rest)| item(rest, false)) } else { rest }
}

/// Whether the lines are a list that counts from 1, and not titles that begin with a number.
fn is_numbered(text: &str) -> bool {
    let lines: Vec<&str> =
        text.lines().map(|line| item(line, false)).filter(|line| !line.is_empty()).collect();
    let is_next = |(place, line): (usize, &&str)| number(line).is_some_and(|(number, _)| number == place + 1);
    lines.len() > 1 && lines.iter().enumerate().all(is_next)
}

/// The number at the start of `2. Title` or `2) Title`, and the rest.
fn number(line: &str) -> Option<(usize, &str)> {
    let (number, rest) = line.split_at(line.bytes().take_while(u8::is_ascii_digit).count());
    let rest = rest.strip_prefix(['.', ')']).filter(|rest| rest.starts_with(char::is_whitespace))?;
    Some((number.parse().ok()?, rest.trim_start()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_signs_of_pasted_lists_are_no_words() {
        for (pasted, titles) in [
            ("- a\n* b\n+ c\n– d\n•e\n◦ f", &["a", "b", "c", "d", "e", "f"][..]),
            ("- [ ] a\n- [x] b\n☐ c", &["a", "b", "c"]),
            ("1. a\n2. b\n\n3) [ ] c", &["a", "b", "c"]),
            ("2. a\n1. b", &["2. a", "1. b"]),
            ("1. a", &["1. a"]),
            ("*Bold* a\n-5 degrees\n2026.1 b", &["*Bold* a", "-5 degrees", "2026.1 b"]),
            ("-\n•\n [ ] \nx", &["x"]),
        ] {
            assert_eq!(parse_lines(pasted).unwrap().titles, titles, "{pasted}");
        }
    }

    #[test]
    fn what_does_not_fit_is_left_out_line_by_line() {
        assert_eq!(fitting("a\nb"), ("a\nb", 0));
        let line = format!("{}\n", "😀".repeat(99));
        let (fits, left_out) = (line.repeat(15), 5);
        let text = format!("{}\n\n", line.repeat(20));
        assert_eq!(fitting(&text), (fits.trim_end(), left_out));
        assert_eq!(fitting(&"x".repeat(4_000)), ("x".repeat(4_000).as_str(), 0));
    }

    #[test]
    fn titles_are_trimmed_and_each_kept_once() {
        let lines = parse_lines("  Sign up \n\n• Sign in\r\n- sign up\n\tReset password  ").unwrap();
        assert_eq!(lines.titles, ["Sign up", "Sign in", "Reset password"]);
        assert_eq!(lines.repeated, ["sign up"]);
    }

    #[test]
    fn too_much_is_told_with_the_number() {
        assert_eq!(parse_lines(" \n ").unwrap_err(), texts::issues::stories::NONE_ENTERED);
        let long = format!("ok\n{}", "x".repeat(256));
        assert_eq!(parse_lines(&long).unwrap_err(), "Line 2 is longer than 255 characters.");
        assert!(parse_lines(&"x".repeat(255)).is_ok());
        // An emoji counts as two, as in Jira.
        assert!(parse_lines(&"😀".repeat(127)).is_ok() && parse_lines(&"😀".repeat(128)).is_err());
        let many: String = (0..101).map(|number| format!("story {number}\n")).collect();
        assert_eq!(parse_lines(&many).unwrap_err(), "You entered 101 stories; the limit is 100 at a time.");
    }
}
