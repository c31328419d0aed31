//! Jira's query language, as far as MARO speaks it.
//!
//! A text search is a language within a language: Jira parses the quoted text again, as a query with its own
//! operators. Words from people are escaped for both.

use jiff::Timestamp;

/// How many words one query can search for.
const MAX_WORDS: usize = 10;

/// The longest word that is searched for, in characters.
const MAX_WORD_LENGTH: usize = 50;

/// How many minutes Jira's clock may differ from MARO's.
const CLOCK_DIFFERENCE_MINUTES: i64 = 5;

/// Open tickets of a project with one of the words in their summary, the latest changed first; `None` if
/// there is no word to search for. `project_key` must be a valid key.
pub(crate) fn similar(project_key: &str, words: &[String]) -> Option<String> {
    let words: Vec<String> = words
        .iter()
        .filter(|word| word.chars().any(char::is_alphanumeric))
        .take(MAX_WORDS)
        .map(|word| format!("summary ~ {}", quoted(&escaped(word))))
        .collect();
    (!words.is_empty()).then(|| {
        format!(
            "project = {} AND statusCategory != Done AND ({}) ORDER BY updated DESC",
            quoted(project_key),
            words.join(" OR ")
        )
    })
}

/// Whose tickets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Creator {
    /// Those of the account that asks: there are few of them.
    Own,
    /// Those of all accounts. The one that asks may be another than the one that created them.
    Anyone,
}

/// Tickets that have been created in a project since a time, or up to a few minutes earlier, the latest first.
/// `project_key` must be a valid key.
///
/// The query says how long ago that was, because Jira would read a date in the account's own time zone.
pub(crate) fn created_since(project_key: &str, creator: Creator, since: Timestamp, now: Timestamp) -> String {
    let age = now.duration_since(since).as_secs().max(0);
    let minutes = age / 60 + 1 + CLOCK_DIFFERENCE_MINUTES;
    let creator = match creator {
        Creator::Own => " AND creator = currentUser()",
        Creator::Anyone => "",
    };
    format!("project = {}{creator} AND created >= \"-{minutes}m\" ORDER BY created DESC", quoted(project_key))
}

/// Open issues of some types in a project, the latest changed first. `project_key` and `type_ids` must be valid, and
/// `condition` what this module makes, or empty.
pub(crate) fn of_types(project_key: &str, type_ids: &[&str], condition: &str) -> String {
    format!(
        "project = {} AND issuetype in ({}) AND statusCategory != Done{condition} ORDER BY updated DESC",
        quoted(project_key),
        type_ids.join(", ")
    )
}

/// The condition that a summary has words that begin like all of those in a text, or are other forms of them; `None` if
/// it has none. Jira's index splits words at signs, and compares beginnings with what is in the index.
pub(crate) fn begun_words(typed: &str) -> Option<String> {
    let words = typed.split(|letter: char| !letter.is_alphanumeric()).filter(|word| !word.is_empty());
    let condition = |word: &str| {
        let (word, beginning) = (quoted(&escaped(word)), quoted(&format!("{}*", escaped(word))));
        format!(" AND (summary ~ {word} OR summary ~ {beginning})")
    };
    let conditions: String = words.take(MAX_WORDS).map(condition).collect();
    (!conditions.is_empty()).then_some(conditions)
}

/// The issues of a project, that with the newest key first. `project_key` must be a valid key.
pub(crate) fn newest(project_key: &str) -> String {
    format!("project = {} ORDER BY key DESC", quoted(project_key))
}

/// Any text, in quotation marks.
pub fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

/// A word without special meaning. It is in lower case because `AND`, `OR` and `NOT` are operators; the
/// search ignores case.
fn escaped(word: &str) -> String {
    let mut escaped = String::with_capacity(word.len());
    for letter in word.to_lowercase().chars().filter(|letter| !letter.is_control()).take(MAX_WORD_LENGTH) {
        if r#"+-&|!(){}[]^~*?\:"/"#.contains(letter) {
            escaped.push('\\');
        }
        escaped.push(letter);
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(texts: &[&str]) -> Vec<String> {
        texts.iter().map(|&text| text.to_owned()).collect()
    }

    #[test]
    fn any_of_the_words_will_do() {
        insta::assert_snapshot!(similar("OPS", &words(&["login", "page"])).unwrap(), @r#"project = "OPS" AND statusCategory != Done AND (summary ~ "login" OR summary ~ "page") ORDER BY updated DESC"#);
    }

    #[test]
    fn a_word_is_searched_for_and_nothing_else() {
        let hostile = words(&["x\" OR project = \"SECRET", "C++", r"a\b", "NOT", "pass*", "\u{0}n\nul"]);
        insta::assert_snapshot!(similar("OPS", &hostile).unwrap().replace(" OR summary", "\nsummary"), @r#"
        project = "OPS" AND statusCategory != Done AND (summary ~ "x\\\" or project = \\\"secret"
        summary ~ "c\\+\\+"
        summary ~ "a\\\\b"
        summary ~ "not"
        summary ~ "pass\\*"
        summary ~ "nul") ORDER BY updated DESC
        "#);
    }

    #[test]
    fn each_word_may_be_a_beginning() {
        let condition = begun_words("Custom acc\" OR x* ").unwrap();
        insta::assert_snapshot!(of_types("OPS", &["1", "7"], &condition).replace(" AND (", "\nAND ("), @r#"
        project = "OPS" AND issuetype in (1, 7) AND statusCategory != Done
        AND (summary ~ "custom" OR summary ~ "custom*")
        AND (summary ~ "acc" OR summary ~ "acc*")
        AND (summary ~ "or" OR summary ~ "or*")
        AND (summary ~ "x" OR summary ~ "x*") ORDER BY updated DESC
        "#);
        assert_eq!(begun_words(" *\"-+ "), None);
    }

    #[test]
    fn signs_alone_are_no_words() {
        assert_eq!(similar("OPS", &words(&["", "***", "\"", "\\"])), None);
        let many = vec!["word".repeat(100); 100];
        let query = similar("OPS", &many).unwrap();
        assert_eq!(query.matches("summary ~").count(), MAX_WORDS);
        assert!(query.len() < 1_000, "{query}");
    }

    #[test]
    fn what_another_account_created_is_only_found_if_asked_for() {
        let now = Timestamp::UNIX_EPOCH;
        let query = |creator| created_since("OPS", creator, now, now);
        let own =
            "project = \"OPS\" AND creator = currentUser() AND created >= \"-6m\" ORDER BY created DESC";
        assert_eq!(query(Creator::Own), own);
        assert_eq!(query(Creator::Anyone), own.replace(" AND creator = currentUser()", ""));
    }

    #[test]
    fn an_age_covers_the_time_and_the_difference_of_clocks() {
        let now: Timestamp = "2025-06-01T12:00:30Z".parse().unwrap();
        let age = |since: &str| {
            let query = created_since("OPS", Creator::Own, since.parse().unwrap(), now);
            query.split('"').nth(3).unwrap().to_owned()
        };
        assert_eq!(age("2025-06-01T12:00:00Z"), "-6m");
        assert_eq!(age("2025-06-01T11:00:00Z"), "-66m");
        assert_eq!(age("2025-06-01T13:00:00Z"), "-6m");
    }
}
