//! Keys that are written as one word, and from one to another: `SCRUM-1/SCRUM-2`, `SCRUM-1..5`, `SCRUM-1 to 5`. The
//! standard library alone, as in `parser.rs`.

use super::{
    letters::{is_around, is_blank, is_hyphen, is_unspaced, trim},
    links::{Link, key},
};

/// What joins keys within a word, beside the commas that separate words.
const JOINS: [char; 5] = ['/', '|', '+', '&', '\\'];

/// What stands between the first key and the last of a range, in any case before a key.
const TO: [&str; 7] = ["to", "till", "until", "thru", "through", "upto", "bis"];

/// What leads from one key to another within a word, beside dots. `SCRUM-1-3` may be anything.
const LEADING_ON: [&str; 7] = ["->", "–>", "–", "—", "~", "〜", "→"];

/// No command takes nearly as many keys as this, beside the first of a range.
const MAX_WRITTEN_OUT: u64 = 200;

/// A text with commas within the words that are nothing but keys, and the keys of a range written out. Other words
/// stay.
pub(super) fn written_out(text: &str, is_separator: fn(char) -> bool) -> String {
    let mut written = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find(|letter| !is_separator(letter)) {
        let (gap, from_word) = rest.split_at(start);
        let (word, behind) = next_word(from_word, is_separator);
        let apart = range_apart(word, behind, is_separator);
        let (keys, last, behind) = match apart {
            Some((keys, last, behind)) => (Some(keys), last, behind),
            None => (keys_of(trim(word)), word, behind),
        };
        written.push_str(gap);
        match keys {
            Some(keys) => {
                let before = &word[..word.len() - word.trim_start_matches(is_around).len()];
                let after = &last[last.trim_end_matches(is_around).len()..];
                written.extend([before, &keys.join(","), after]);
            }
            None => written.push_str(word),
        }
        rest = behind;
    }
    written + rest
}

/// The word at the start of a text, and what stands behind it.
fn next_word(text: &str, is_separator: fn(char) -> bool) -> (&str, &str) {
    text.split_at(text.find(is_separator).unwrap_or(text.len()))
}

/// As [`next_word`], of a word that follows another on the same line with nothing but blanks between.
fn next_beside(text: &str, is_separator: fn(char) -> bool) -> Option<(&str, &str)> {
    let start = text.trim_start_matches(is_blank);
    let (word, behind) = next_word(start, is_separator);
    (start.len() < text.len() && !word.is_empty()).then_some((word, behind))
}

/// The keys of a range whose ends stand apart, its last word, and what stands behind that: `SCRUM-1 to SCRUM-5`,
/// `SCRUM-1 until 5`, `SCRUM-1 .. 5`. Behind a dash it has to be the last of its part: others begin a title so.
fn range_apart<'a>(
    word: &str,
    behind: &'a str,
    is_separator: fn(char) -> bool,
) -> Option<(Vec<String>, &'a str, &'a str)> {
    let first = key(word.trim_start_matches(is_around))?;
    let (joint, behind) = next_beside(behind, is_separator)?;
    let (last, behind) = next_beside(behind, is_separator)?;
    let bare = trim(last);
    let is_dash = joint.strip_prefix(is_hyphen) == Some("");
    let is_end = || next_beside(behind, is_separator).is_none();
    // `A-1 TO 5` may be two keys, the other one `TO-5`.
    let leads_on = match joint {
        _ if is_dash => is_end(),
        joint if joint.trim_start_matches(is_dot).is_empty() => joint != ".",
        joint if key(bare).is_some() => TO.contains(&joint.to_lowercase().as_str()),
        joint => TO.contains(&joint),
    };
    Some((between(&first, bare).filter(|_| leads_on)?, last, behind))
}

/// The keys of a word that has several, and the numbers that follow one: `SCRUM-1/2`.
fn keys_of(word: &str) -> Option<Vec<String>> {
    if word.contains(is_unspaced) {
        return keys_among_letters(word);
    }
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

/// The keys, or the link, that no space sets apart from words of scripts that have none: `SCRUM-1を確認`.
fn keys_among_letters(word: &str) -> Option<Vec<String>> {
    let mut pieces = word.split(is_unspaced).map(trim);
    if pieces.clone().any(|piece| piece.contains('/') && keys_of(piece).is_none()) {
        // What follows within a link is its own.
        let (first, mut links) = (pieces.next()?, pieces.filter(|piece| piece.contains("://")));
        let link = if first.is_empty() { links.next()? } else { first };
        return Link::of(link).key().map(|_| vec![link.to_owned()]);
    }
    let keys = pieces.filter_map(|piece| keys_of(piece).or_else(|| Some(vec![key(piece)?]))).flatten();
    Some(keys.collect::<Vec<_>>()).filter(|keys| !keys.is_empty())
}

/// The keys from one to another: `SCRUM-1..5`, `SCRUM-1…SCRUM-5`, `SCRUM-1–5`.
fn range(piece: &str) -> Option<Vec<String>> {
    piece.char_indices().find_map(|(at, _)| {
        let (first, rest) = piece.split_at(at);
        let last = behind_sign(rest)?;
        between(&key(first)?, last)
    })
}

/// What stands behind what leads from one key to another.
fn behind_sign(text: &str) -> Option<&str> {
    let behind = text.trim_start_matches(is_dot);
    match &text[..text.len() - behind.len()] {
        "" => LEADING_ON.iter().find_map(|sign| text.strip_prefix(sign)),
        "." => None,
        _ => Some(behind),
    }
}

fn is_dot(letter: char) -> bool {
    matches!(letter, '.' | '…')
}

/// The keys from `first` to `last`, a later key of the same project or its number.
fn between(first: &str, last: &str) -> Option<Vec<String>> {
    let (project, from) = first.rsplit_once('-')?;
    let last = key(last).or_else(|| key(&[project, "-", last].concat()))?;
    let to: u64 = last.strip_prefix(project)?.strip_prefix('-')?.parse().ok()?;
    let from = from.parse().ok().filter(|from| *from < to)?;
    let to = to.min(from + MAX_WRITTEN_OUT);
    Some((from..=to).map(|number| [project, "-", &number.to_string()].concat()).collect())
}
