//! Issue keys as people type and paste them.
//!
//! They can be in any case, separated by white space, commas, semicolons or pasted bullets, and in quotes,
//! brackets or backticks. A link to an issue, board or service desk counts as well, bare or as Slack wraps it. Any
//! other word keeps its place among the keys, so that each gets its own line in the reply.

#[doc(hidden)]
pub mod parser;

pub use crate::keys::parser::{MAX_KEYS, Site};
use crate::{
    IssueKey, RunError, jira,
    keys::parser::Word,
    reply::{Line, code, shorten},
    spans,
    typed::unescape,
};

/// Beyond this many words the exact number isn't worth counting.
const MAX_COUNTED: usize = 200;

/// How much is shown of a word that isn't a key, in characters.
const MAX_SHOWN: usize = 40;

/// Said of a link that leads to an issue elsewhere: here, its key is another issue or none.
const OTHER_SITE: &str = "That link is to another Jira site.";

/// Said behind a word such as `not` before a key.
const TURN: &str = "” can't stand before an issue key. Enter one command at a time, with its keys only.";

/// Said where several issues are named to a command about one.
const ONE_AT_A_TIME: &str = "Enter one issue at a time.";

/// The words of a command in the order given, each once, keys and others. Never empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Words(Vec<Result<IssueKey, NotAKey>>);

/// A word that isn't an issue key, cut to what can be shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotAKey {
    shown: String,
    is_other_site: bool,
}

/// Reads one to [`MAX_KEYS`] keys.
///
/// # Errors
/// [`RunError::Usage`] for no words, for too many, and for a word that sets some keys apart from the others: `SCRUM-1 but
/// not SCRUM-2`. Any other word that isn't a key is not an error: see [`Words`].
pub fn parse(arguments: &str) -> Result<Words, RunError> {
    parse_for(arguments, None)
}

/// As [`parse_for`] the host's own Jira site. It's asked for only if there may be a link, and needs the grant `jira`;
/// where that is denied, links to any site are taken.
///
/// # Errors
/// As [`parse`].
pub fn parse_on_site(arguments: &str) -> Result<Words, RunError> {
    let address = arguments.contains('/').then(jira::site).and_then(Result::ok);
    parse_for(arguments, address.map(|address| Site::at(&address)).as_ref())
}

/// As [`parse`]. If the `site` is known, links to others aren't taken for its issues.
///
/// # Errors
/// As [`parse`].
pub fn parse_for(arguments: &str, site: Option<&Site>) -> Result<Words, RunError> {
    let arguments = parser::tidy(&unescape(arguments));
    let asked = parser::asked(&arguments, site);
    if let Some(turn) = parser::turn(&asked) {
        let sentence = ["“", &shorten(turn, MAX_SHOWN), TURN].concat();
        return Err(RunError::Usage(sentence));
    }
    let mut words = Vec::new();
    for word in asked {
        let word = match word {
            Word::Key(key) => Ok(key),
            Word::OtherSite(link) => Err(NotAKey::new(link, true)),
            Word::Other(word) => Err(NotAKey::new(word, false)),
        };
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

/// The one issue that a command starts with, by key or link, and what stands behind it, as typed. A link is read as
/// [`parse_on_site`] does.
///
/// ```
/// use maro_plugin::keys;
///
/// let (key, words) = keys::leading("scrum-123 R&amp;D is <!here>").unwrap();
/// assert_eq!((&*key, &*words), ("SCRUM-123", "R&D is <!here>"));
/// ```
///
/// # Errors
/// [`RunError::Usage`] if it starts with anything else, or with several keys as a list: `A-1, A-2 words`.
pub fn leading(arguments: &str) -> Result<(IssueKey, String), RunError> {
    let arguments = arguments.trim_start();
    // A link as Slack wraps it may have spaces in its label.
    let end = match arguments.starts_with('<') {
        true => arguments.find('>').map_or(arguments.len(), |end| end + 1),
        false => parser::first_word_length(arguments),
    };
    let (first, rest) = arguments.split_at(end);
    let Words(words) = parse_on_site(first)?;
    let rest = unescape(rest.trim());
    match &words[..] {
        [Ok(_)] if parser::goes_on(first, &rest) => Err(RunError::usage(ONE_AT_A_TIME)),
        [Ok(key)] => Ok((key.clone(), rest.into_owned())),
        [Err(NotAKey { is_other_site: true, .. })] => Err(RunError::failed(OTHER_SITE)),
        [Ok(_), ..] => Err(RunError::usage(ONE_AT_A_TIME)),
        _ => Err(RunError::usage("Start with an issue key, such as SCRUM-123.")),
    }
}

impl Words {
    /// The words that are keys.
    pub fn keys(&self) -> Vec<IssueKey> {
        self.0.iter().flatten().cloned().collect()
    }

    /// One line per word: what `line` says about a key, or that the word isn't a key.
    pub fn lines(&self, mut line: impl FnMut(&IssueKey) -> Line) -> Vec<Line> {
        self.lines_each(|key| vec![line(key)])
    }

    /// As [`Words::lines`], where a key may have several lines, or none: two keys may be of one issue.
    pub fn lines_each(&self, mut lines: impl FnMut(&IssueKey) -> Vec<Line>) -> Vec<Line> {
        let lines = self.0.iter().flat_map(|word| match word {
            Ok(key) => lines(key),
            Err(not_a_key) => vec![not_a_key.line()],
        });
        lines.collect()
    }

    /// Adds to a failure which of the words aren't keys, one per line: they're wrong whether or not the keys
    /// can be looked up, and the person can fix them before trying again.
    #[must_use]
    pub fn explain(&self, error: RunError) -> RunError {
        let RunError::Failed(mut message) = error else { return error };
        for not_a_key in self.0.iter().filter_map(|word| word.as_ref().err()) {
            match not_a_key {
                NotAKey { is_other_site: true, .. } => message.extend(["\n", OTHER_SITE]),
                NotAKey { shown, .. } => message.extend(["\n“", shown, "” is not an issue key"]),
            }
        }
        RunError::Failed(message)
    }
}

impl NotAKey {
    fn new(word: &str, is_other_site: bool) -> Self {
        Self { shown: shorten(word, MAX_SHOWN).into_owned(), is_other_site }
    }

    /// `` `foo!` is not an issue key``, or that it's a link to another Jira site.
    pub fn line(&self) -> Line {
        if self.is_other_site {
            return spans![OTHER_SITE];
        }
        spans![code(self.shown.as_str()), " is not an issue key"]
    }
}

#[cfg(test)]
mod tests;
