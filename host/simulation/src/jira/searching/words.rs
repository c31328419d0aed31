//! Words as the simulated site's search compares them: by their stems, ignoring case.

/// The stems of the words in a text.
pub(crate) fn stems(text: &str) -> Vec<String> {
    text.split(|letter: char| !letter.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(|word| stem(&word.to_lowercase()))
        .collect()
}

/// Stands for any ending of a word.
const ANY_ENDING: char = '\u{e000}';

/// A word that a search text asks for.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Sought {
    Stem(String),
    Beginning(String),
}

impl Sought {
    /// Whether a text has it.
    pub(crate) fn is_in(&self, text: &str) -> bool {
        match self {
            Self::Stem(stem) => stems(text).contains(stem),
            Self::Beginning(beginning) => text
                .to_lowercase()
                .split(|letter: char| !letter.is_alphanumeric())
                .any(|word| word.starts_with(beginning)),
        }
    }
}

/// What a search text asks for. `None` if the text contains something that the search language
/// would treat as an operator or refuse: unescaped signs but for a `*` at a word's end, `AND`, `OR`, `NOT`.
pub(crate) fn query(text: &str) -> Option<Vec<Sought>> {
    let mut plain = String::with_capacity(text.len());
    let mut letters = text.chars();
    while let Some(letter) = letters.next() {
        match letter {
            '\\' => plain.push(letters.next()?),
            '*' if plain.ends_with(char::is_alphanumeric)
                && letters.clone().next().is_none_or(char::is_whitespace) =>
            {
                plain.push(ANY_ENDING);
            }
            sign if r#"+-&|!(){}[]^~*?:"/"#.contains(sign) => return None,
            other => plain.push(other),
        }
    }
    let is_operator = plain.split_whitespace().any(|word| matches!(word, "AND" | "OR" | "NOT"));
    let words = plain.split(|letter: char| !letter.is_alphanumeric() && letter != ANY_ENDING);
    let sought = words.filter(|word| !word.is_empty()).map(|word| match word.strip_suffix(ANY_ENDING) {
        Some(beginning) => Sought::Beginning(beginning.to_lowercase()),
        None => Sought::Stem(stem(&word.to_lowercase())),
    });
    (!is_operator && !plain.trim().is_empty()).then(|| sought.collect())
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
        let stem = |text: &str| Sought::Stem(text.to_owned());
        assert_eq!(query(r"c\+\+ log\*"), Some(vec![stem("c"), stem("log")]));
        let beginning = Sought::Beginning("logg".to_owned());
        assert!(beginning.is_in("Of logging") && !beginning.is_in("A blogger's logs"));
        assert_eq!(query("the Logg*"), Some(vec![stem("the"), beginning]));
        for bad in ["*", "*log", "lo*g", "c++", "a:b", "\"phrase\"", "NOT", "a OR b", "", "trailing\\"] {
            assert_eq!(query(bad), None, "{bad}");
        }
    }
}
