//! The epic after `/maro stories`, as people type and paste it.

use maro_domain::issue::IssueKey;

/// What may surround a key: quotes, emphasis, the end of a sentence, and invisible characters from copied
/// text.
const AROUND: &[char] = &[
    '\'', '"', '`', '‘', '’', '“', '”', '„', '«', '»', '{', '}', '.', ':', '!', '*', '_', '~', '\u{200b}',
    '\u{200c}', '\u{200d}', '\u{200e}', '\u{200f}', '\u{2060}', '\u{feff}',
];

/// The key in what was typed, in upper or lower case, alone or in a link to Jira, which may be bare or
/// wrapped by Slack. `None` if there isn't exactly one: MARO doesn't guess an epic.
pub fn parse(typed: &str) -> Option<IssueKey> {
    let mut keys = typed.split(is_between).filter_map(key_in);
    let key = keys.next()?;
    keys.all(|other| other == key).then_some(key)
}

/// What separates words, the parts of a link, and the parts of an address.
fn is_between(character: char) -> bool {
    character.is_whitespace()
        || matches!(
            character,
            ',' | ';' | '|' | '<' | '>' | '(' | ')' | '[' | ']' | '/' | '?' | '&' | '=' | '#'
        )
}

/// Reads a word as a key. Editors replace hyphens with other dashes.
fn key_in(word: &str) -> Option<IssueKey> {
    let is_dash = |character| matches!(character, '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{ff0d}');
    let key = word.trim_matches(AROUND).replace(is_dash, "-").to_ascii_uppercase();
    IssueKey::from_string(key).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_epic_is_taken_as_people_paste_it() {
        for typed in [
            "SCRUM-1",
            " scrum-1 ",
            "SCRUM-1,",
            "`SCRUM-1`",
            "“SCRUM-1”.",
            "(*scrum-1*)",
            "#SCRUM-1",
            "\u{200b}SCRUM-1",
            "SCRUM\u{2011}1",
            "SCRUM-1 SCRUM-1",
            "for SCRUM-1",
            "https://x.example/browse/SCRUM-1",
            "https://x.example/browse/scrum-1/",
            "https://x.example/browse/SCRUM-1?focusedCommentId=1",
            "https://x.example/jira/software/projects/SCRUM/boards/1?selectedIssue=SCRUM-1",
            "<https://x.example/browse/SCRUM-1>",
            "<https://x.example/browse/SCRUM-1|SCRUM-1>",
            "[SCRUM-1](https://x.example/browse/SCRUM-1)",
        ] {
            assert_eq!(parse(typed).map(IssueKey::into_string).as_deref(), Some("SCRUM-1"), "{typed:?}");
        }
    }

    #[test]
    fn an_epic_is_not_guessed() {
        for typed in ["", "epic", "SCRUM", "SCRUM-0", "<!channel>", "SCRUM-1 SCRUM-2", "@U1"] {
            assert_eq!(parse(typed), None, "{typed:?}");
        }
    }
}
