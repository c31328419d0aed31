//! The signs and the headings of pasted lists: `1. SCRUM-1`, `[x] SCRUM-1`, `Tracked Jira issues in #general:`. The
//! standard library alone, as in `parser.rs`.

use super::{
    letters::{is_blank, trim},
    links::key,
};

/// The longest number of an item, in digits.
const MAX_DIGITS: usize = 3;

/// The key on a telephone that an emoji makes of the digit before it.
const KEYCAP: char = '\u{20e3}';

/// A text without the numbers and ticked boxes of its items, and without what is only said of those below it.
pub(super) fn without_signs(text: &str, is_separator: fn(char) -> bool) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while !rest.is_empty() {
        let (line, below) = rest.split_at(rest.find('\n').map_or(rest.len(), |end| end + 1));
        rest = below;
        if is_heading(line, below, is_separator) {
            plain.push('\n');
            continue;
        }
        let item = line.trim_start_matches(|letter| is_blank(letter) || "•◦▪‣-–—*+>".contains(letter));
        plain.push_str(&line[..line.len() - item.len()]);
        plain.push_str(behind_signs(item));
    }
    plain
}

fn behind_signs(item: &str) -> &str {
    let mut rest = item;
    while let Some(behind) = behind_box(rest).or_else(|| behind_number(rest)) {
        rest = behind.trim_start_matches(is_blank);
    }
    rest
}

fn behind_box(item: &str) -> Option<&str> {
    item.strip_prefix("[x]").or_else(|| item.strip_prefix("[X]"))
}

/// What stands behind the number of an item, if anything does on its line.
fn behind_number(item: &str) -> Option<&str> {
    let behind = item.trim_start_matches(|digit: char| digit.is_ascii_digit());
    if !(1..=MAX_DIGITS).contains(&(item.len() - behind.len())) {
        return None;
    }
    if let Some(behind) = behind.strip_prefix(KEYCAP) {
        return Some(behind);
    }
    let behind = behind.strip_prefix(['.', ')'])?;
    let word = behind.trim_start_matches(is_blank);
    let is_item = match word.len() == behind.len() {
        true => word.starts_with(|first: char| first.is_ascii_alphabetic() || first == '<'),
        false => !word.is_empty() && !word.starts_with(['\r', '\n']),
    };
    is_item.then_some(behind)
}

/// Whether a line of several words names no issue, and ends as what introduces those below it.
fn is_heading(line: &str, below: &str, is_separator: fn(char) -> bool) -> bool {
    let words = |text| str::split(text, is_separator).filter(|word| !word.is_empty());
    let names_issue = |word: &str| word.contains('/') || key(trim(word)).is_some();
    line.trim_end_matches(is_separator).ends_with(':')
        && words(line).nth(1).is_some()
        && !words(line).any(names_issue)
        && words(below).any(names_issue)
}
