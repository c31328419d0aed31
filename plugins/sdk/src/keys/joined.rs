//! Keys that are written as one word: `SCRUM-1/SCRUM-2`, `SCRUM-1..5`. The standard library alone, as in `reading.rs`.

use super::{
    letters::{is_around, trim},
    links::key,
};

/// What joins keys within a word, beside the commas that separate words.
const JOINS: [char; 5] = ['/', '|', '+', '&', '\\'];

/// No command takes nearly as many keys as this, beside the first of a range.
const MAX_WRITTEN_OUT: u64 = 200;

/// A text with commas within the words that are nothing but keys, and the keys of a range written out. Other words stay.
pub(super) fn written_out(text: &str, is_separator: fn(char) -> bool) -> String {
    let mut written = String::with_capacity(text.len());
    for part in text.split_inclusive(is_separator) {
        let word = part.trim_end_matches(is_separator);
        let bare = trim(word);
        match keys_of(bare) {
            Some(keys) => {
                let start = word.len() - word.trim_start_matches(is_around).len();
                written.extend([&word[..start], &keys.join(","), &part[start + bare.len()..]]);
            }
            None => written.push_str(part),
        }
    }
    written
}

/// The keys of a word that has several, and the numbers that follow one: `SCRUM-1/2`.
fn keys_of(word: &str) -> Option<Vec<String>> {
    let mut keys = Vec::new();
    for piece in word.split(JOINS).filter(|piece| !piece.is_empty()) {
        let is_number = || !keys.is_empty() && piece.bytes().all(|digit| digit.is_ascii_digit());
        if let Some(range) = range(piece) {
            keys.extend(range);
        } else if key(piece).is_some() || is_number() {
            keys.push(piece.to_owned());
        } else {
            return None;
        }
    }
    (keys.len() > 1).then_some(keys)
}

/// The keys from one to another: `SCRUM-1..5`, `SCRUM-1…SCRUM-5`.
fn range(piece: &str) -> Option<Vec<String>> {
    let is_dot = |letter: char| matches!(letter, '.' | '…');
    let (first, rest) = piece.split_at(piece.find(is_dot)?);
    let last = rest.trim_start_matches(is_dot);
    let dots = &rest[..rest.len() - last.len()];
    let first = key(first).filter(|_| dots != ".")?;
    let (project, from) = first.rsplit_once('-')?;
    let last = key(last).or_else(|| key(&[project, "-", last].concat()))?;
    let to: u64 = last.strip_prefix(project)?.strip_prefix('-')?.parse().ok()?;
    let from = from.parse().ok().filter(|from| *from < to)?;
    let to = to.min(from + MAX_WRITTEN_OUT);
    Some((from..=to).map(|number| [project, "-", &number.to_string()].concat()).collect())
}
