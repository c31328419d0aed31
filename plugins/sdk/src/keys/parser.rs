//! What people type and paste, word by word: issue keys, links to issues, and the rest.
//!
//! There is one parser for every command: MARO's host reads this file, too (as `maro_domain::words`). So it
//! uses the standard library alone.

#[path = "letters.rs"]
pub mod letters;
#[path = "links.rs"]
mod links;
#[path = "pasted_lists.rs"]
mod pasted_lists;
#[path = "ranges.rs"]
mod ranges;

use letters::{
    is_around, is_blank, is_filler, is_hyphen, is_small, is_turn, is_unspaced, leads_to_number, trim,
};
pub use links::Site;
pub(crate) use links::key;
use links::{Link, Target, is_url};

/// The most keys that one command accepts.
pub const MAX_KEYS: usize = 50;

/// How long a project's key may be whose number stands apart: `SCRUM 123`. Jira's own limit.
const PROJECT_LENGTH: std::ops::RangeInclusive<usize> = 2..=10;

/// What one word is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Word<'a> {
    /// An issue key as Jira writes it.
    Key(String),
    /// A link to another Jira site.
    OtherSite(&'a str),
    /// Anything else, as typed.
    Other(&'a str),
}

impl<'a> Word<'a> {
    /// What a link is to people of `site`. `shown` is the link as typed.
    fn behind(link: &Link<'_>, site: Option<&Site>, shown: &'a str) -> Self {
        match link.target(site) {
            Target::Issue(key) => Self::Key(key),
            Target::OtherSite => Self::OtherSite(shown),
            Target::Elsewhere => Self::Other(shown),
        }
    }
}

/// A text as the parser takes it: letters as people mean them, and what is written as one word, such as
/// `SCRUM-1/SCRUM-2` and `SCRUM-1..3`, as several. The signs of a list aren't among its words.
pub fn tidy(text: &str) -> String {
    ranges::written_out(&pasted_lists::without_signs(&letters::tidy(text), is_separator), is_separator)
}

/// The words of a text in which `&`, `<` and `>` aren't escaped. A link counts as one of `site`, if that is known;
/// otherwise as one of whatever site it names.
pub fn words<'a>(text: &'a str, site: Option<&'a Site>) -> impl Iterator<Item = Word<'a>> {
    Tokens::of(text).map(move |token| token.read(site))
}

/// The words of a command that takes keys, from a `tidy` text. Where `SCRUM 123` is typed, `SCRUM-123` is meant, and
/// `SCRUM-124` by the number in `SCRUM-123, 124`; what only joins keys (`and`, an emoji) is left out, and so is a
/// title that was copied along: `SCRUM-123: Log-in fails`.
///
/// A word and a number in a sentence are none: not behind other words, as in `SCRUM-1 fails on API 2`, and in lower
/// case not before them, as in `phase 2 of the plan`. The small words of a sentence beside keys are left out.
pub fn asked<'a>(text: &'a str, site: Option<&Site>) -> Vec<Word<'a>> {
    let words = asked_with(text, site, true);
    let is_sentence = words.iter().any(|word| matches!(word, Word::Other(_)));
    let mut words = if is_sentence { asked_with(text, site, false) } else { words };
    if has_key(&words) {
        words.retain(|word| !matches!(word, Word::Other(shown) if is_small(shown)));
    }
    words
}

/// The word that sets the keys behind it apart from the others, if there is one right before a key: `SCRUM-1 but not
/// SCRUM-2`, `SCRUM-1 and untrack SCRUM-2`. What is meant for some of them can't be done to all.
pub fn turn<'a>(words: &[Word<'a>]) -> Option<&'a str> {
    words.windows(2).find_map(|pair| match pair {
        [Word::Other(word), Word::Key(_) | Word::OtherSite(_)] if is_turn(word) => Some(*word),
        _ => None,
    })
}

fn has_key(words: &[Word<'_>]) -> bool {
    words.iter().any(|word| matches!(word, Word::Key(_)))
}

/// `apart_in_lower_case`: whether `scrum 123` is a key.
fn asked_with<'a>(text: &'a str, site: Option<&Site>, apart_in_lower_case: bool) -> Vec<Word<'a>> {
    let mut words = Vec::new();
    let mut tokens = Tokens::of(text);
    let (mut is_title, mut is_sentence) = (false, false);
    let mut before = Before::default();
    while let Some(token) = tokens.next() {
        is_title &= !tokens.gap.contains(['\n', '\r', '•']);
        before.pass(tokens.gap);
        let may_be_apart = !is_title && !is_sentence && (apart_in_lower_case || !token.is_in_lower_case());
        let apart = may_be_apart.then(|| tokens.key_apart(token)).flatten();
        let joined =
            || before.key_with(token).filter(|_| !is_title && !is_sentence && tokens.is_at_end_of_part(site));
        let meant = apart.or_else(joined);
        let is_typed = meant.is_some() || matches!(token, Token::Plain(word) if key(trim(word)).is_some());
        let word = meant.map_or_else(|| token.read(site), Word::Key);
        before.see(&word, is_typed);
        if let Word::Key(_) = word {
            is_title = tokens.is_before_title();
        } else if is_title && matches!(word, Word::Other(shown) if !shown.contains("://")) {
            continue;
        }
        is_sentence |= matches!(word, Word::Other(shown) if !is_filler(shown));
        words.push(word);
    }
    if has_key(&words) {
        words.retain(|word| !matches!(word, Word::Other(shown) if is_filler(shown)));
    }
    words
}

/// What stands before a number that may be meant as a key of the same project.
#[derive(Default)]
struct Before {
    /// The project of the key, if it was typed and nothing follows it but what joins.
    project: Option<String>,
    is_joined: bool,
}

impl Before {
    fn pass(&mut self, gap: &str) {
        if gap.contains(is_comma) {
            self.is_joined = true;
        } else if !gap.chars().all(is_blank) {
            self.project = None;
        }
    }

    /// `is_typed`: whether it isn't within a link, whose own commas and numbers may follow.
    fn see(&mut self, word: &Word<'_>, is_typed: bool) {
        match word {
            Word::Key(key) => {
                let project = key.rsplit_once('-').map(|(project, _)| project.to_owned());
                *self = Self { project: project.filter(|_| is_typed), is_joined: false };
            }
            // From one to another, with those between? Nobody says.
            Word::Other(shown) if is_filler(shown) && !leads_on(shown) => self.is_joined = true,
            _ => self.project = None,
        }
    }

    /// The key that a number stands for: `124` behind `SCRUM-123, `.
    fn key_with(&self, token: Token<'_>) -> Option<String> {
        match (&self.project, token) {
            (Some(project), Token::Plain(number)) if self.is_joined => {
                key(&[project, "-", trim(number)].concat())
            }
            _ => None,
        }
    }
}

/// How much of a text its first word takes, or its first two if they are a key: `SCRUM 123 Done`.
pub fn first_word_length(text: &str) -> usize {
    let mut tokens = Tokens::of(text);
    let Some(token) = tokens.next() else { return 0 };
    // A sentence may follow, and begin with any word: `release 2 is out`.
    match tokens.key_apart(token).filter(|_| !token.is_in_lower_case()) {
        Some(_) => text.len() - tokens.rest.len(),
        None => text.find(char::is_whitespace).unwrap_or(text.len()),
    }
}

/// Whether a list of keys that `first` begins goes on in `rest`: `A-1, A-2`, `A-1 and A-2`.
pub fn goes_on(first: &str, rest: &str) -> bool {
    let mut is_joined = first.ends_with(is_comma) || rest.starts_with(is_comma);
    for word in words(rest, None) {
        match word {
            Word::Other(joint) if is_filler(joint) && !leads_on(joint) => is_joined = true,
            word => return is_joined && matches!(word, Word::Key(_)),
        }
    }
    false
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Token<'a> {
    /// A word as typed.
    Plain(&'a str),
    /// The inside of `<https://…|label>`, `<@U1>`, `<#C1|name>`: what Slack makes of links and mentions.
    Wrapped(&'a str),
}

impl<'a> Token<'a> {
    fn is_in_lower_case(self) -> bool {
        matches!(self, Self::Plain(word) if word.contains(char::is_lowercase))
    }

    fn read(self, site: Option<&Site>) -> Word<'a> {
        match self {
            Self::Plain(word) => match key(trim(word)).or_else(|| key_beside_colon(word)) {
                Some(key) => Word::Key(key),
                None => Word::behind(&Link::of(word), site, word),
            },
            Self::Wrapped(inside) => {
                let (target, label) = inside.split_once('|').unwrap_or((inside, ""));
                // The label of a mention is a name that someone chose, and it may look like a key.
                if !is_url(target) {
                    return Word::Other(target);
                }
                let link = Link::of(target);
                match Word::behind(&link, site, target) {
                    Word::Other(_) if site.is_none_or(|site| site.has(&link)) => match key_in_label(label) {
                        Some(key) => Word::Key(key),
                        None => Word::Other(target),
                    },
                    read => read,
                }
            }
        }
    }
}

/// A label is a key, or the address that Slack was given.
fn key_in_label(label: &str) -> Option<String> {
    key(trim(label)).or_else(|| Link::of(label).key())
}

/// Cuts a text into tokens.
#[derive(Clone)]
struct Tokens<'a> {
    rest: &'a str,
    /// Whether `rest` directly follows a wrapped token.
    beside_wrapped: bool,
    /// What stood before the last token.
    gap: &'a str,
    /// The last token, if it's a plain word.
    last: &'a str,
}

impl<'a> Tokens<'a> {
    const fn of(text: &'a str) -> Self {
        Self { rest: text, beside_wrapped: false, gap: "", last: "" }
    }

    /// The next token, if it's a plain word on the same line with nothing but blanks before it.
    fn next_beside(&mut self) -> Option<&'a str> {
        match self.next() {
            Some(Token::Plain(word)) if !self.gap.is_empty() && self.gap.chars().all(is_blank) => Some(word),
            _ => None,
        }
    }

    /// The key whose project is `token` and whose number follows apart: `SCRUM 123`, `SCRUM- 123`, `SCRUM - 123`.
    fn key_apart(&mut self, token: Token<'_>) -> Option<String> {
        let Token::Plain(word) = token else { return None };
        let project = word.trim_start_matches(is_around);
        let hyphened = project.strip_suffix(is_hyphen);
        let project = hyphened.unwrap_or(project);
        if !PROJECT_LENGTH.contains(&project.len()) || is_filler(project) || leads_to_number(project) {
            return None;
        }
        let mut ahead = self.clone();
        let mut next = ahead.next_beside()?;
        if hyphened.is_none() {
            let rest = next.strip_prefix(is_hyphen);
            next = match rest {
                Some("") => ahead.next_beside()?,
                Some(number) => number,
                None => next,
            };
        }
        let key = key(&[project, "-", next.trim_end_matches(is_around)].concat())?;
        *self = ahead;
        Some(key)
    }

    /// Whether the words behind the last token, which is a key or its number, are its title: `SCRUM-1: Log-in fails`,
    /// `[SCRUM-1] Log-in fails`, `SCRUM-1 - Log-in fails`.
    fn is_before_title(&self) -> bool {
        // In the row of a table, it's in the next cell.
        if self.rest.trim_start_matches(' ').starts_with('\t') {
            return true;
        }
        if self.beside_wrapped {
            return self.rest.starts_with(':');
        }
        let mut ahead = self.clone();
        let next = ahead.next_beside();
        let is_in_list = self.rest.trim_start_matches(is_blank).starts_with(is_comma);
        self.last.ends_with([':', ']']) && !is_in_list
            || next.is_some_and(|next| {
                next == "|" || next.strip_prefix(is_hyphen) == Some("") && !ahead.number_stands_alone()
            })
    }

    /// Whether nothing but a number follows in its part: `SCRUM-1 - 3`.
    fn number_stands_alone(mut self) -> bool {
        let number = self.next_beside().map(trim).unwrap_or_default();
        let is_number = !number.is_empty() && number.bytes().all(|digit| digit.is_ascii_digit());
        is_number && (self.next().is_none() || !self.gap.chars().all(is_blank))
    }

    /// Whether no words follow that belong to the last token: the end, a comma, another line, a key, or what joins
    /// keys.
    fn is_at_end_of_part(&self, site: Option<&Site>) -> bool {
        let mut ahead = self.clone();
        let Some(next) = ahead.next() else { return true };
        !ahead.gap.chars().all(is_blank)
            || match next.read(site) {
                Word::Key(_) => true,
                Word::Other(shown) => is_filler(shown),
                Word::OtherSite(_) => false,
            }
    }
}

impl<'a> Iterator for Tokens<'a> {
    type Item = Token<'a>;

    fn next(&mut self) -> Option<Token<'a>> {
        let from = self.rest;
        loop {
            let start = self.rest.trim_start_matches(is_separator);
            let beside_wrapped = self.beside_wrapped && start.len() == self.rest.len();
            if start.is_empty() {
                return None;
            }
            self.gap = &from[..from.len() - start.len()];
            if let Some(inside) = wrapped(start) {
                self.rest = &start[inside.len() + 2..];
                self.beside_wrapped = true;
                return Some(Token::Wrapped(inside));
            }
            let end = start
                .char_indices()
                .find(|&(at, character)| is_separator(character) || wrapped(&start[at..]).is_some())
                .map_or(start.len(), |(at, _)| at);
            let (word, rest) = start.split_at(end);
            self.rest = rest;
            self.beside_wrapped = false;
            // The brackets in `(<https://…>)` and the period in `<https://…>.` aren't words of their own, and nor is what
            // some scripts join to a link.
            let decorates = |letter| is_around(letter) || is_unspaced(letter);
            if !((beside_wrapped || rest.starts_with('<')) && word.chars().all(decorates)) {
                self.last = word;
                return Some(Token::Plain(word));
            }
        }
    }
}

pub(crate) fn is_separator(character: char) -> bool {
    character.is_whitespace()
        || character.is_control()
        || is_comma(character)
        || matches!(character, '•' | '◦' | '▪' | '‣' | '。' | '｡' | '・' | '･')
}

/// Whether a word may say "from one to another".
fn leads_on(word: &str) -> bool {
    word.starts_with(is_hyphen) || word.starts_with("..") || word == "…"
}

fn is_comma(character: char) -> bool {
    matches!(character, ',' | ';' | '、' | '，' | '；' | '،' | '؛')
}

/// What's inside Slack's brackets, if `text` starts with them. Brackets that a person typed don't count.
fn wrapped(text: &str) -> Option<&str> {
    let inside = text.strip_prefix('<')?;
    let end = inside.find(['<', '>', '\n'])?;
    let (inside, after) = inside.split_at(end);
    let target = inside.split('|').next()?;
    let slack_made = is_url(target) || target.starts_with("mailto:") || target.starts_with(['@', '#', '!']);
    (slack_made && after.starts_with('>') && !target.contains(char::is_whitespace)).then_some(inside)
}

/// The key in `SCRUM-1:fix`, `SCRUM-1:tada:`, `:bug:SCRUM-1`.
fn key_beside_colon(word: &str) -> Option<String> {
    if !word.contains(':') || word.contains(['/', '\\', '?']) {
        return None;
    }
    let mut keys = word.split(':').filter_map(|part| key(trim(part)));
    keys.next().filter(|_| keys.next().is_none())
}
