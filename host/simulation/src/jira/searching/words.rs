//! Words as the simulated site's search compares them: by their stems, ignoring case.

/// The stems of the words in a text.
pub(crate) fn stems(text: &str) -> Vec<String> {
    text.split(|letter: char| !letter.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(|word| stem(&word.to_lowercase()))
        .collect()
}

/// The stems that a search text asks for. `None` if the text contains something that the search language
/// would treat as an operator or refuse: unescaped signs, `AND`, `OR`, `NOT`.
pub(crate) fn query(text: &str) -> Option<Vec<String>> {
    let mut plain = String::with_capacity(text.len());
    let mut letters = text.chars();
    while let Some(letter) = letters.next() {
        match letter {
            '\\' => plain.push(letters.next()?),
            sign if r#"+-&|!(){}[]^~*?:"/"#.contains(sign) => return None,
            other => plain.push(other),
        }
    }
    let is_operator = plain.split_whitespace().any(|word| matches!(word, "AND" | "OR" | "NOT"));
    (!is_operator && !plain.trim().is_empty()).then(|| stems(&plain))
}

/// A crude stem: enough for `logins` to find `login`, and `crashing` `crashed`.
fn stem(word: &str) -> String {
    const MIN_LENGTH: usize = 3;
    ["ing", "ed", "es", "s", "e"]
        .iter()
        .find_map(|ending| word.strip_suffix(ending).filter(|stem| stem.chars().count() >= MIN_LENGTH))
        .unwrap_or(word)
        .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_match_by_their_stems() {
        assert_eq!(stems("Logins, crashing: e-mails!"), stems("login crashed e mail"));
        assert_eq!(stems("is it a bus?"), ["is", "it", "a", "bus"]);
    }

    #[test]
    fn signs_of_the_search_language_must_be_escaped() {
        assert_eq!(query(r"c\+\+ log\*"), Some(vec!["c".to_owned(), "log".to_owned()]));
        for bad in ["c++", "a:b", "\"phrase\"", "NOT", "a OR b", "", "trailing\\"] {
            assert_eq!(query(bad), None, "{bad}");
        }
    }
}
