//! A line in parts: letters, code, links. Nothing inside code and links is markup.

use crate::words::parse_markup::{
    reference::{self, Reference},
    source::Source,
};

/// The longest address that is recognised, in characters. Keeps lines full of half addresses cheap.
const MAX_ADDRESS: usize = 2_000;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Token {
    Letter(char),
    /// Several letters that aren't markup.
    Text(String),
    Code(String),
    Link {
        url: String,
        label: String,
    },
}

impl Token {
    /// Whether a marker next to it is inside a word.
    pub(super) fn is_word(&self) -> bool {
        matches!(self, Self::Letter(letter) if letter.is_alphanumeric())
    }

    pub(super) fn is_space(&self) -> bool {
        matches!(self, Self::Letter(letter) if letter.is_whitespace())
    }
}

/// Splits a line.
pub(super) fn tokens(line: &str, source: Source) -> Vec<Token> {
    let mut tokens = Vec::with_capacity(line.len());
    let mut rest = line;
    while let Some(first) = rest.chars().next() {
        let at_word_start = !tokens.last().is_some_and(Token::is_word);
        let (token, length) = match first {
            '<' => reference_at_start(rest, source),
            '`' if at_word_start => code_at_start(rest, source),
            'h' if at_word_start => address_at_start(rest, source),
            '&' if source == Source::Message => entity_at_start(rest),
            _ => None,
        }
        .unwrap_or((Token::Letter(first), first.len_utf8()));
        tokens.push(token);
        rest = &rest[length..];
    }
    tokens
}

fn reference_at_start(rest: &str, source: Source) -> Option<(Token, usize)> {
    let (reference, length) = reference::at_start(rest, source)?;
    let token = match reference {
        Reference::Link { url, label } => Token::Link { url, label },
        other => Token::Text(other.into_text()),
    };
    Some((token, length))
}

fn code_at_start(rest: &str, source: Source) -> Option<(Token, usize)> {
    let inside = &rest[1..];
    let end = inside.find('`')?;
    let continues_word = inside[end + 1..].starts_with(char::is_alphanumeric);
    if inside[..end].trim().is_empty() || continues_word {
        return None;
    }
    let code = reference::replace(&inside[..end], source, Reference::into_text);
    Some((Token::Code(code), end + 2))
}

/// A bare web address.
fn address_at_start(rest: &str, source: Source) -> Option<(Token, usize)> {
    let scheme = ["https://", "http://"].into_iter().find(|scheme| rest.starts_with(scheme))?;
    let ends = |letter: char| letter.is_whitespace() || matches!(letter, '<' | '>' | '"' | '`');
    let mut letters = rest.char_indices().take(MAX_ADDRESS);
    let address = match letters.find(|(_, letter)| ends(*letter)) {
        Some((end, _)) => &rest[..end],
        None if rest.len() <= MAX_ADDRESS => rest,
        None => return None,
    };
    // An escaped bracket or the end of a sentence isn't part of it.
    let end = ["&lt;", "&gt;"].iter().filter_map(|entity| address.find(entity)).min();
    let address = &address[..end.unwrap_or(address.len())];
    // In a message a semicolon may end an entity.
    let ends_sentence = |letter| ".,:!?)'*_~".contains(letter) || letter == ';' && source == Source::Typed;
    let address = address.trim_end_matches(ends_sentence);
    if address.len() <= scheme.len() {
        return None;
    }
    let url = source.decode(address);
    url::Url::parse(&url).ok()?;
    Some((Token::Link { label: url.clone(), url }, address.len()))
}

fn entity_at_start(rest: &str) -> Option<(Token, usize)> {
    let entities = [("&amp;", '&'), ("&lt;", '<'), ("&gt;", '>')];
    let (entity, letter) = entities.into_iter().find(|(entity, _)| rest.starts_with(entity))?;
    Some((Token::Letter(letter), entity.len()))
}
