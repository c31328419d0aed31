//! A Jira issue: its key, its immutable id, and what Jira says of it.

use std::fmt;

use jiff::Timestamp;
use url::Url;

/// The longest key that is accepted, in characters. Jira Cloud's project keys have at most ten.
const MAX_KEY_LENGTH: usize = 100;

/// The longest summary that is kept, in characters: Jira's own limit.
const MAX_SUMMARY_LENGTH: usize = 255;

/// The longest status name that is kept, in characters. Jira's own limit is 60.
const MAX_STATUS_LENGTH: usize = 100;

/// A text that is no issue key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not an issue key: expected something like SCRUM-123")]
pub struct InvalidIssueKey;

/// A Jira issue key in Jira's own spelling: `SCRUM-123`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct IssueKey(String);

impl IssueKey {
    /// Takes an upper-case project key (letters, digits, `_`; a letter first), a hyphen and a number
    /// without leading zeros of at most 18 digits.
    ///
    /// # Errors
    /// [`InvalidIssueKey`] for anything else. What people type is normalised by the guests' SDK.
    pub fn parse(text: &str) -> Result<Self, InvalidIssueKey> {
        if Self::is_well_formed(text) { Ok(Self(text.to_owned())) } else { Err(InvalidIssueKey) }
    }

    /// As [`IssueKey::parse`], without a copy.
    ///
    /// # Errors
    /// As [`IssueKey::parse`].
    pub fn from_string(text: String) -> Result<Self, InvalidIssueKey> {
        if Self::is_well_formed(&text) { Ok(Self(text)) } else { Err(InvalidIssueKey) }
    }

    fn is_well_formed(text: &str) -> bool {
        let Some((project, number)) = text.split_once('-') else { return false };
        text.len() <= MAX_KEY_LENGTH
            && project.starts_with(|first: char| first.is_ascii_uppercase())
            && project.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_')
            && (1..=18).contains(&number.len())
            && number.bytes().all(|byte| byte.is_ascii_digit())
            && !number.starts_with('0')
    }

    /// The key of the project: what stands before the hyphen.
    pub fn project_key(&self) -> &str {
        self.0.split_once('-').map_or("", |(project, _)| project)
    }

    pub fn into_string(self) -> String {
        self.0
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The address of the issue for people, on the configured site: never from what Jira says of itself.
    pub fn browse_url(&self, site: &Url) -> String {
        format!("{}/browse/{}", site.as_str().trim_end_matches('/'), self.0)
    }
}

impl fmt::Display for IssueKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// Jira's own number of an issue, which outlives moves between projects.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct IssueId(String);

impl IssueId {
    pub fn new(id: impl Into<String>) -> Self {
        Self(id.into())
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Jira's own number of a status, which stays when it gets another name.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct StatusId(String);

/// The longest id of a status that is kept, in characters. Jira's are numbers.
const MAX_STATUS_ID_LENGTH: usize = 20;

impl StatusId {
    /// `None` if that is no id.
    pub fn parse(id: &str) -> Option<Self> {
        let is_id = (1..=MAX_STATUS_ID_LENGTH).contains(&id.len())
            && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        is_id.then(|| Self(id.to_owned()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The kinds of status that every Jira workflow is made of.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum StatusCategory {
    ToDo,
    InProgress,
    Done,
    /// Jira's "No Category".
    Undefined,
    /// Jira does not say.
    #[default]
    Unknown,
}

impl StatusCategory {
    /// Jira's own key of it, under which it's stored too. `None` if Jira does not say.
    pub fn as_str(self) -> Option<&'static str> {
        match self {
            Self::ToDo => Some("new"),
            Self::InProgress => Some("indeterminate"),
            Self::Done => Some("done"),
            Self::Undefined => Some("undefined"),
            Self::Unknown => None,
        }
    }

    /// The category with this key.
    pub fn from_key(key: &str) -> Self {
        match key {
            "new" => Self::ToDo,
            "indeterminate" => Self::InProgress,
            "done" => Self::Done,
            "undefined" => Self::Undefined,
            _ => Self::Unknown,
        }
    }
}

/// Who gave an issue its status.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StatusSetter {
    /// MARO itself or one of its plugins, at somebody's command.
    Maro,
    /// The name of somebody else, as Jira shows it.
    Person(String),
}

impl StatusSetter {
    /// The name of somebody else.
    pub fn person(&self) -> Option<&str> {
        match self {
            Self::Maro => None,
            Self::Person(name) => Some(name),
        }
    }
}

/// What Jira says of an issue. Texts are one line, bounded, and free of control characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Issue {
    pub id: IssueId,
    pub key: IssueKey,
    pub summary: String,
    /// Empty if Jira has not told it: its answer to a creation has none.
    pub status: String,
    /// `None` if it isn't known.
    pub status_id: Option<StatusId>,
    pub status_category: StatusCategory,
    /// Whether Jira shows it only to some people.
    pub has_security_level: bool,
    /// `None` if it isn't known.
    pub status_set_by: Option<StatusSetter>,
    /// When it changed last, by Jira's own clock: of two answers, the one with the later time is newer, whichever came
    /// first. `None` if Jira does not say it.
    pub updated_at: Option<Timestamp>,
}

impl Issue {
    /// Tidies the texts as [`one_line`] does, so that no consumer has to.
    pub fn new(id: IssueId, key: IssueKey, summary: &str, status: &str) -> Self {
        Self {
            id,
            key,
            summary: one_line(summary, MAX_SUMMARY_LENGTH),
            status: tidy_status(status),
            status_id: None,
            status_category: StatusCategory::Unknown,
            has_security_level: false,
            status_set_by: None,
            updated_at: None,
        }
    }
}

/// The name of a status, as [`Issue::new`] keeps it.
pub fn tidy_status(name: &str) -> String {
    one_line(name, MAX_STATUS_LENGTH)
}

/// Turns runs of white space and control characters into one space each, trims, and cuts to
/// `max_length` characters, the last of them `…` if anything was cut.
///
/// Bidirectional overrides go too: they would let a summary rewrite the line around it.
pub fn one_line(text: &str, max_length: usize) -> String {
    let mut line = String::with_capacity(text.len().min(max_length * 4));
    let mut length = 0;
    let mut gap = false;
    for character in text.chars() {
        if character.is_whitespace() || character.is_control() {
            gap = true;
            continue;
        }
        if matches!(character, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}') {
            continue;
        }
        let gap_before = usize::from(gap && length > 0);
        if length + gap_before + 1 > max_length {
            line.pop();
            line.push('…');
            return line;
        }
        if gap_before == 1 {
            line.push(' ');
        }
        gap = false;
        line.push(character);
        length += gap_before + 1;
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_spelled_as_jira_spells_it() {
        for good in ["SCRUM-1", "A-1", "AB_C2-999999999999999999"] {
            assert_eq!(IssueKey::parse(good).unwrap().as_str(), good);
        }
        for bad in
            ["", "SCRUM", "scrum-1", "SCRUM-", "SCRUM-0", "SCRUM-01", "1A-1", "_A-1", "A-1-2", "A-1 ", "Ä-1"]
        {
            assert_eq!(IssueKey::parse(bad), Err(InvalidIssueKey), "{bad:?}");
        }
        assert!(IssueKey::parse(&format!("{}-1", "A".repeat(99))).is_err());
    }

    #[test]
    fn a_key_links_to_the_configured_site() {
        let key = IssueKey::parse("SCRUM-1").unwrap();
        for (site, expected) in [
            ("https://example.atlassian.net", "https://example.atlassian.net/browse/SCRUM-1"),
            ("https://example.com/jira", "https://example.com/jira/browse/SCRUM-1"),
        ] {
            assert_eq!(key.browse_url(&site.parse().unwrap()), expected);
        }
    }

    #[test]
    fn a_text_becomes_one_bounded_line() {
        assert_eq!(one_line("  two\r\n\r\nlines\tand\u{0}a bell\u{7} ", 80), "two lines and a bell");
        assert_eq!(one_line("abcdef", 6), "abcdef");
        assert_eq!(one_line("abcdefg", 6), "abcde…");
        assert_eq!(one_line(&"é".repeat(10_000), 255).chars().count(), 255);
        assert_eq!(one_line("safe\u{202e}txt.exe", 80), "safetxt.exe");
        assert_eq!(one_line("", 80), "");
    }
}
