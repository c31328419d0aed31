//! Issue keys as people type and paste them.
//!
//! They can be in any case, separated by white space, commas, semicolons or pasted bullets, and in quotes,
//! brackets or backticks. A browse, issue or board URL counts as well, bare or as Slack wraps it. Any other
//! word keeps its place among the keys, so that each gets its own line in the reply.

use crate::{
    IssueKey, RunError,
    reply::{Line, code, shorten},
    spans,
    typed::unescape,
};

/// The most keys that one command accepts.
pub const MAX_KEYS: usize = 50;

/// Beyond this many words the exact number isn't worth counting.
const MAX_COUNTED: usize = 200;

/// The longest key, in characters, and the longest number in it: the host's limits.
const MAX_KEY_LENGTH: usize = 100;
const MAX_NUMBER_LENGTH: usize = 18;

/// How much is shown of a word that isn't a key, in characters.
const MAX_SHOWN: usize = 40;

/// What may surround a key: quotes, brackets, the end of a sentence, Markdown's emphasis, and the invisible
/// characters that come along when text is copied.
const AROUND: &[char] = &[
    '\'', '"', '`', '‘', '’', '‚', '“', '”', '„', '‹', '›', '«', '»', '(', ')', '[', ']', '{', '}', '<', '>',
    '.', ':', '!', '?', '*', '_', '~', '#', '…', '\u{200b}', '\u{200c}', '\u{200d}', '\u{200e}', '\u{200f}',
    '\u{2060}', '\u{feff}',
];

/// The words of a command in the order given, each once, keys and others. Never empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Words(Vec<Result<IssueKey, NotAKey>>);

/// A word that isn't an issue key, cut to what can be shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotAKey(String);

/// Reads one to [`MAX_KEYS`] keys.
///
/// # Errors
/// [`RunError::Usage`] for no words and for too many. A word that isn't a key is not an error: see [`Words`].
pub fn parse(arguments: &str) -> Result<Words, RunError> {
    let arguments = unescape(arguments);
    let mut words = Vec::new();
    for token in (Tokens { rest: &arguments, beside_wrapped: false }) {
        let word = token.read();
        if !words.contains(&word) {
            words.push(word);
        }
        if words.len() > MAX_COUNTED {
            return Err(RunError::usage("You can use up to 50 keys at a time; you entered more than 200."));
        }
    }
    match words.len() {
        0 => Err(RunError::usage("Include at least one issue key, such as SCRUM-123.")),
        1..=MAX_KEYS => Ok(Words(words)),
        count => {
            let sentence = ["You can use up to 50 keys at a time; you entered ", &count.to_string(), "."];
            Err(RunError::Usage(sentence.concat()))
        }
    }
}

impl Words {
    /// The words that are keys.
    pub fn keys(&self) -> Vec<IssueKey> {
        self.0.iter().flatten().cloned().collect()
    }

    /// One line per word: what `line` says about a key, or that the word isn't a key.
    pub fn lines(&self, mut line: impl FnMut(&IssueKey) -> Line) -> Vec<Line> {
        self.0
            .iter()
            .map(|word| match word {
                Ok(key) => line(key),
                Err(not_a_key) => not_a_key.line(),
            })
            .collect()
    }

    /// Adds to a failure which of the words aren't keys, one per line: they're wrong whether or not the keys
    /// can be looked up, and the person can fix them before trying again.
    #[must_use]
    pub fn explain(&self, error: RunError) -> RunError {
        let RunError::Failed(mut message) = error else { return error };
        for NotAKey(word) in self.0.iter().filter_map(|word| word.as_ref().err()) {
            message.extend(["\n“", word, "” is not an issue key"]);
        }
        RunError::Failed(message)
    }
}

impl NotAKey {
    /// `` `foo!` is not an issue key``
    pub fn line(&self) -> Line {
        spans![code(self.0.as_str()), " is not an issue key"]
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Token<'a> {
    /// A word as typed.
    Plain(&'a str),
    /// The inside of `<https://…|label>`, `<@U1>`, `<#C1|name>`: what Slack makes of links and mentions.
    Wrapped(&'a str),
}

impl Token<'_> {
    fn read(self) -> Result<IssueKey, NotAKey> {
        let (key, shown) = match self {
            Self::Plain(word) => (key_in_word(word), word),
            Self::Wrapped(inside) => {
                let (target, label) = inside.split_once('|').unwrap_or((inside, ""));
                // The label of a mention is a name that someone chose, and it may look like a key.
                let label = if is_url(target) { key_in_word(label) } else { None };
                (key_in_url(target).or(label), target)
            }
        };
        key.ok_or_else(|| NotAKey(shorten(shown, MAX_SHOWN).into_owned()))
    }
}

/// Cuts a text into tokens.
struct Tokens<'a> {
    rest: &'a str,
    /// Whether `rest` directly follows a wrapped token.
    beside_wrapped: bool,
}

impl<'a> Iterator for Tokens<'a> {
    type Item = Token<'a>;

    fn next(&mut self) -> Option<Token<'a>> {
        loop {
            let start = self.rest.trim_start_matches(is_separator);
            let beside_wrapped = self.beside_wrapped && start.len() == self.rest.len();
            if start.is_empty() {
                return None;
            }
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
            // The brackets in `(<https://…>)` and the period in `<https://…>.` aren't words of their own.
            let decoration = (beside_wrapped || rest.starts_with('<')) && trim(word).is_empty();
            if !decoration {
                return Some(Token::Plain(word));
            }
        }
    }
}

fn is_separator(character: char) -> bool {
    character.is_whitespace()
        || character.is_control()
        || matches!(character, ',' | ';' | '•' | '◦' | '▪' | '‣' | '、' | '，' | '；')
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

fn is_url(text: &str) -> bool {
    ["http://", "https://"]
        .iter()
        .any(|scheme| text.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme)))
}

fn trim(word: &str) -> &str {
    word.trim_matches(AROUND)
}

fn key_in_word(word: &str) -> Option<IssueKey> {
    key(trim(word)).or_else(|| key_in_url(word))
}

/// The key in `…/browse/KEY`, `…/issues/KEY` or `…?selectedIssue=KEY`, with or without the site.
fn key_in_url(url: &str) -> Option<IssueKey> {
    let url = url.split('#').next()?;
    let (path, query) = url.split_once('?').unwrap_or((url, ""));
    let mut before = "";
    for segment in path.split('/') {
        if (before == "browse" || before == "issues")
            && let Some(key) = key(trim(segment))
        {
            return Some(key);
        }
        before = segment;
    }
    query.split('&').find_map(|pair| pair.strip_prefix("selectedIssue=")).and_then(|value| key(trim(value)))
}

/// Upper-cases a key that Jira could have made: `SCRUM-123`, in ASCII, without leading zeros.
fn key(text: &str) -> Option<IssueKey> {
    let (project, number) = text.split_once(is_hyphen)?;
    let well_formed = text.len() <= MAX_KEY_LENGTH
        && project.starts_with(|first: char| first.is_ascii_alphabetic())
        && project.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        && (1..=MAX_NUMBER_LENGTH).contains(&number.len())
        && number.bytes().all(|byte| byte.is_ascii_digit())
        && !number.starts_with('0');
    well_formed.then(|| [&project.to_ascii_uppercase(), "-", number].concat())
}

/// The hyphen and what editors replace it with: non-breaking hyphens, dashes, the minus sign.
fn is_hyphen(character: char) -> bool {
    matches!(character, '-' | '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{ff0d}')
}

#[cfg(test)]
mod tests;
