//! What people type and paste, word by word: issue keys, links to issues, and the rest.
//!
//! There is one parser for every command: MARO's host reads this file, too (as `maro_domain::words`). So it
//! uses the standard library alone.

#[path = "letters.rs"]
pub mod letters;

use letters::{is_around, is_blank, is_filler, is_hyphen, trim};

/// The longest key, in characters, and the longest number in it: the host's limits.
const MAX_KEY_LENGTH: usize = 100;
const MAX_NUMBER_LENGTH: usize = 18;

/// How long a project's key may be whose number stands apart: `SCRUM 123`. Jira's own limit.
const PROJECT_LENGTH: std::ops::RangeInclusive<usize> = 2..=10;

/// What stands before a key in the path of a link: `…/browse/KEY`, `…/issues/KEY`, Jira's own `…/issue/KEY`.
const BEFORE_KEY: [&str; 3] = ["browse", "issues", "issue"];

/// What stands somewhere before it in the links of service desks, which end with the key:
/// `/servicedesk/customer/portal/7/KEY`, `/projects/A/queues/custom/19/KEY`.
const LEADING_TO_KEY: [&str; 3] = ["servicedesk", "portal", "queues"];

/// The parameters of a link that name an issue.
const KEY_PARAMETERS: [&str; 3] = ["selectedIssue", "issueKey", "issue"];

/// The end of Jira's older pages, which name an issue in `key`: `ViewIssue.jspa?key=KEY`.
const PAGE: &str = ".jspa";

/// Where Atlassian keeps the sites of Jira Cloud.
const CLOUD: [&str; 2] = [".atlassian.net", ".jira.com"];

/// A Jira site, to tell links to it from those to others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Site {
    host: String,
    /// Where Jira is on that host: empty, or `/jira`.
    path: String,
}

impl Site {
    /// The site at an address: `https://example.atlassian.net`, `https://example.com/jira`.
    pub fn at(address: &str) -> Self {
        let link = Link::of(address);
        Self { host: link.host(), path: link.path.trim_end_matches('/').to_owned() }
    }

    fn has(&self, link: &Link<'_>) -> bool {
        let below = link.path.strip_prefix(self.path.as_str());
        link.host() == self.host && below.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }
}

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

/// The words of a text in which `&`, `<` and `>` aren't escaped. A link counts as one of `site`, if that is known;
/// otherwise as one of whatever site it names.
pub fn words<'a>(text: &'a str, site: Option<&'a Site>) -> impl Iterator<Item = Word<'a>> {
    Tokens::of(text).map(move |token| token.read(site))
}

/// The words of a command that takes keys, from a `tidy` text. Where `SCRUM 123` is typed, `SCRUM-123` is meant; what
/// only joins keys (`and`, an emoji) is left out, and so is a title that was copied along: `SCRUM-123: Log-in fails`.
///
/// A word and a number in a sentence are none: not behind other words, as in `SCRUM-1 fails on API 2`, and in lower case not
/// before them, as in `phase 2 of the plan`.
pub fn asked<'a>(text: &'a str, site: Option<&Site>) -> Vec<Word<'a>> {
    let words = asked_with(text, site, true);
    let is_sentence = words.iter().any(|word| matches!(word, Word::Other(_)));
    if is_sentence { asked_with(text, site, false) } else { words }
}

/// `apart_in_lower_case`: whether `scrum 123` is a key.
fn asked_with<'a>(text: &'a str, site: Option<&Site>, apart_in_lower_case: bool) -> Vec<Word<'a>> {
    let mut words = Vec::new();
    let mut tokens = Tokens::of(text);
    let (mut is_title, mut is_sentence) = (false, false);
    while let Some(token) = tokens.next() {
        is_title &= !tokens.gap.contains(['\n', '\r', '•']);
        let may_be_apart = !is_title && !is_sentence && (apart_in_lower_case || !token.is_in_lower_case());
        let apart = may_be_apart.then(|| tokens.key_apart(token)).flatten();
        let word = apart.map_or_else(|| token.read(site), Word::Key);
        is_sentence |= matches!(word, Word::Other(shown) if !is_filler(shown));
        if let Word::Key(_) = word {
            is_title = tokens.is_before_title(token);
        } else if is_title && matches!(word, Word::Other(shown) if !shown.contains("://")) {
            continue;
        }
        words.push(word);
    }
    if words.iter().any(|word| matches!(word, Word::Key(_))) {
        words.retain(|word| !matches!(word, Word::Other(shown) if is_filler(shown)));
    }
    words
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
                None => Link::of(word).read(site, word),
            },
            Self::Wrapped(inside) => {
                let (target, label) = inside.split_once('|').unwrap_or((inside, ""));
                // The label of a mention is a name that someone chose, and it may look like a key.
                if !is_url(target) {
                    return Word::Other(target);
                }
                let link = Link::of(target);
                match link.read(site, target) {
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

/// The parts of an address, as far as they matter.
struct Link<'a> {
    /// With the port, but without the scheme. Empty if there is none, as in `/browse/SCRUM-1`.
    authority: &'a str,
    path: &'a str,
    query: &'a str,
    fragment: &'a str,
}

impl<'a> Link<'a> {
    fn of(text: &'a str) -> Self {
        let (before, fragment) = text.split_once('#').unwrap_or((text, ""));
        let (address, query) = before.split_once('?').unwrap_or((before, ""));
        let after_scheme = address.split_once("://").map(|(_, rest)| rest);
        let rest = after_scheme.unwrap_or(address);
        let (start, path) = rest.split_at(rest.find(['/', '\\']).unwrap_or(rest.len()));
        // Without a scheme it's a host only if it looks like one: `example.com/browse/SCRUM-1`.
        let host = trim(start);
        if after_scheme.is_some() || (!path.is_empty() && host.contains('.')) {
            Self { authority: host, path, query, fragment }
        } else {
            Self { authority: "", path: rest, query, fragment }
        }
    }

    /// In lower case, without a user and a usual port.
    fn host(&self) -> String {
        let authority = self.authority.rsplit('@').next().unwrap_or_default().to_ascii_lowercase();
        let host =
            authority.strip_suffix(":443").or_else(|| authority.strip_suffix(":80")).unwrap_or(&authority);
        host.trim_end_matches('.').to_owned()
    }

    /// What the link is to people of `site`. `shown` is the link as typed.
    fn read<'t>(&self, site: Option<&Site>, shown: &'t str) -> Word<'t> {
        let found = self.key();
        let Some(site) = site.filter(|_| !self.authority.is_empty()) else {
            return found.map_or(Word::Other(shown), Word::Key);
        };
        if site.has(self) {
            return found.or_else(|| self.key_anywhere()).map_or(Word::Other(shown), Word::Key);
        }
        let in_cloud = || CLOUD.iter().any(|suffix| self.host().ends_with(suffix));
        if found.is_some() || (in_cloud() && !self.is_wiki()) {
            return Word::OtherSite(shown);
        }
        Word::Other(shown)
    }

    /// The key that the link leads to, wherever Jira writes it.
    fn key(&self) -> Option<String> {
        // The mobile view has paths of its own, after the `#`.
        let (path, query) = self.fragment.split_once('?').unwrap_or((self.fragment, self.fragment));
        key_in_path(self.path)
            .or_else(|| key_in_query(self.query, self.path.ends_with(PAGE)))
            .or_else(|| key_in_path(path))
            .or_else(|| key_in_query(query, false))
    }

    /// The last part of the path that is a key, for links of Jira that MARO doesn't know.
    fn key_anywhere(&self) -> Option<String> {
        if self.is_wiki() { None } else { self.path.rsplit('/').find_map(|part| key(trim(part))) }
    }

    /// Confluence is on the same site as Jira, and its titles name issues.
    fn is_wiki(&self) -> bool {
        self.path.trim_start_matches('/').split('/').next() == Some("wiki")
    }
}

fn key_in_path(path: &str) -> Option<String> {
    let (mut before, mut is_desk) = ("", false);
    let mut last = None;
    for part in path.split('/').filter(|part| !part.is_empty()) {
        last = key(trim(part));
        if let Some(key) = last.clone().filter(|_| is_among(before, &BEFORE_KEY)) {
            return Some(key);
        }
        is_desk |= is_among(part, &LEADING_TO_KEY);
        before = part;
    }
    last.filter(|_| is_desk)
}

fn key_in_query(query: &str, is_page: bool) -> Option<String> {
    let mut pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    let is_key = |name: &str| KEY_PARAMETERS.contains(&name) || is_page && name == "key";
    let (_, value) = pairs.find(|(name, _)| is_key(name))?;
    key(trim(value))
}

fn is_among(part: &str, names: &[&str]) -> bool {
    names.iter().any(|name| part.eq_ignore_ascii_case(name))
}

/// Cuts a text into tokens.
#[derive(Clone)]
struct Tokens<'a> {
    rest: &'a str,
    /// Whether `rest` directly follows a wrapped token.
    beside_wrapped: bool,
    /// What stood before the last token.
    gap: &'a str,
}

impl<'a> Tokens<'a> {
    const fn of(text: &'a str) -> Self {
        Self { rest: text, beside_wrapped: false, gap: "" }
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
        if !PROJECT_LENGTH.contains(&project.len()) || is_filler(project) {
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

    /// Whether the words behind `token`, which is a key, are its title: `SCRUM-1: Log-in fails`, `[SCRUM-1] Log-in
    /// fails`, `SCRUM-1 - Log-in fails`.
    fn is_before_title(&self, token: Token<'_>) -> bool {
        match token {
            Token::Wrapped(_) => self.rest.starts_with(':'),
            Token::Plain(word) => {
                let next = self.clone().next_beside();
                word.ends_with([':', ']'])
                    || next.is_some_and(|next| next == "|" || next.strip_prefix(is_hyphen) == Some(""))
            }
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
            // The brackets in `(<https://…>)` and the period in `<https://…>.` aren't words of their own.
            let decoration = (beside_wrapped || rest.starts_with('<')) && trim(word).is_empty();
            if !decoration {
                return Some(Token::Plain(word));
            }
        }
    }
}

pub(crate) fn is_separator(character: char) -> bool {
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

/// The key in `SCRUM-1:fix`, `SCRUM-1:tada:`, `:bug:SCRUM-1`.
fn key_beside_colon(word: &str) -> Option<String> {
    if !word.contains(':') || word.contains(['/', '\\', '?']) {
        return None;
    }
    let mut keys = word.split(':').filter_map(|part| key(trim(part)));
    keys.next().filter(|_| keys.next().is_none())
}

/// Upper-cases a key that Jira could have made: `SCRUM-123`, in ASCII, without leading zeros.
pub(crate) fn key(text: &str) -> Option<String> {
    let (project, number) = text.split_once(is_hyphen)?;
    let well_formed = project.len() + 1 + number.len() <= MAX_KEY_LENGTH
        && project.starts_with(|first: char| first.is_ascii_alphabetic())
        && project.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        && (1..=MAX_NUMBER_LENGTH).contains(&number.len())
        && number.bytes().all(|byte| byte.is_ascii_digit())
        && !number.starts_with('0');
    well_formed.then(|| [&project.to_ascii_uppercase(), "-", number].concat())
}
