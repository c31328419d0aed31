//! The words, quoted strings and signs in a query.

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Token {
    Word(String),
    Quoted(String),
    Sign(&'static str),
}

impl Token {
    /// Whether it is this keyword, ignoring case.
    pub(super) fn is(&self, keyword: &str) -> bool {
        matches!(self, Self::Word(word) if word.eq_ignore_ascii_case(keyword))
    }
}

/// The tokens of a query, or Jira's message about an invalid one.
pub(super) fn tokens(text: &str) -> Result<Vec<Token>, String> {
    const SIGNS: [&str; 11] = [">=", "<=", "!=", "!~", "=", "~", ">", "<", "(", ")", ","];
    let mut tokens = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        if let Some(sign) = SIGNS.iter().find(|sign| rest.starts_with(**sign)) {
            tokens.push(Token::Sign(sign));
            rest = &rest[sign.len()..];
        } else if first == '"' || first == '\'' {
            let (value, length) = quoted(rest, first)?;
            tokens.push(Token::Quoted(value));
            rest = &rest[length..];
        } else {
            let is_part = |letter: char| letter.is_alphanumeric() || matches!(letter, '_' | '.' | '-');
            let length = rest.find(|letter| !is_part(letter)).unwrap_or(rest.len());
            if length == 0 {
                return Err(format!(
                    "Error in the JQL Query: The character '{first}' is a reserved character."
                ));
            }
            tokens.push(Token::Word(rest[..length].to_owned()));
            rest = &rest[length..];
        }
        rest = rest.trim_start();
    }
    Ok(tokens)
}

/// The text between quotation marks, and its length including them and the escapes.
fn quoted(text: &str, mark: char) -> Result<(String, usize), String> {
    let mut value = String::new();
    let mut letters = text.char_indices().skip(1);
    while let Some((position, letter)) = letters.next() {
        match letter {
            '\\' => match letters.next() {
                Some((_, escaped @ ('\\' | '"' | '\'' | ' '))) => value.push(escaped),
                Some((_, 'n')) => value.push('\n'),
                Some((_, 't')) => value.push('\t'),
                other => {
                    let other = other.map(|(_, letter)| letter).unwrap_or_default();
                    return Err(format!(
                        "Error in the JQL Query: '\\{other}' is an illegal JQL escape sequence."
                    ));
                }
            },
            end if end == mark => return Ok((value, position + mark.len_utf8())),
            other => value.push(other),
        }
    }
    Err("Error in the JQL Query: The quoted string has not been completed.".to_owned())
}
