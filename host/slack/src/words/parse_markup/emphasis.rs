//! `*bold*`, `_italic_`, `~strike~`: which markers are markup, and what they enclose.
//!
//! A marker opens if it isn't inside a word and no space follows. It closes if no space precedes it and no
//! word continues after it. Each kind can be nested in the others once.

use crate::words::parse_markup::tokens::Token;
use maro_domain::rich_text::{Inline, Style};

const MARKERS: [char; 3] = ['*', '_', '~'];

/// Formats a line's tokens.
pub(super) fn resolve(tokens: &[Token]) -> Vec<Inline> {
    let mut line = Line { tokens, closers: closers(tokens), inlines: Vec::new() };
    line.range(0, tokens.len(), Style::default());
    line.inlines
}

struct Line<'a> {
    tokens: &'a [Token],
    /// For each marker and position, the position of the next one that may close, or one past the end.
    closers: [Vec<usize>; 3],
    inlines: Vec<Inline>,
}

/// Found in one pass from the end, so that markers don't have to search the line.
fn closers(tokens: &[Token]) -> [Vec<usize>; 3] {
    MARKERS.map(|marker| {
        let mut closers = vec![tokens.len(); tokens.len() + 1];
        for index in (0..tokens.len()).rev() {
            let closes = tokens[index] == Token::Letter(marker)
                && index > 0
                && !tokens[index - 1].is_space()
                && !tokens.get(index + 1).is_some_and(Token::is_word);
            closers[index] = if closes { index } else { closers[index + 1] };
        }
        closers
    })
}

impl Line<'_> {
    fn range(&mut self, start: usize, end: usize, style: Style) {
        let mut index = start;
        while index < end {
            if let Some((inner_style, closer)) = self.opened(index, end, style) {
                self.range(index + 1, closer, inner_style);
                index = closer + 1;
                continue;
            }
            match &self.tokens[index] {
                Token::Letter(letter) => self.text(style, |text| text.push(*letter)),
                Token::Text(part) => self.text(style, |text| text.push_str(part)),
                Token::Code(code) => self.text(Style { code: true, ..style }, |text| text.push_str(code)),
                Token::Link { url, label } => {
                    self.inlines.push(Inline::Link { url: url.clone(), label: label.clone() });
                }
            }
            index += 1;
        }
    }

    /// The style that a marker opens, and where it ends.
    fn opened(&self, index: usize, end: usize, style: Style) -> Option<(Style, usize)> {
        let Token::Letter(letter) = self.tokens[index] else { return None };
        let marker = MARKERS.iter().position(|marker| *marker == letter)?;
        let inner_style = match letter {
            '*' if !style.bold => Style { bold: true, ..style },
            '_' if !style.italic => Style { italic: true, ..style },
            '~' if !style.strike => Style { strike: true, ..style },
            _ => return None,
        };
        let within_word = index > 0 && self.tokens[index - 1].is_word();
        let hugs =
            self.tokens.get(index + 1).is_some_and(|next| !next.is_space() && *next != self.tokens[index]);
        // There must be at least one token in between.
        let closer = *self.closers[marker].get(index + 2)?;
        (!within_word && hugs && closer < end).then_some((inner_style, closer))
    }

    /// Continues the current text if it has the same style.
    fn text(&mut self, style: Style, write: impl FnOnce(&mut String)) {
        if let Some(Inline::Text { text, style: same }) = self.inlines.last_mut()
            && *same == style
        {
            return write(text);
        }
        let mut text = String::new();
        write(&mut text);
        self.inlines.push(Inline::Text { text, style });
    }
}
