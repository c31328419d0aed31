//! Formatted text as Jira's wiki markup, the format of Data Center's descriptions.
//!
//! Anything in the text itself that could be markup is escaped: with a backslash where Jira documents it,
//! otherwise with a character reference. Signs inside a word (`snake_case`, `e-mail`) are never markup, so
//! they stay as they are.

use std::fmt::Write as _;

use crate::formats::plain::{printable, shows_something, web_link};
use maro_domain::rich_text::{Inline, RichBlock, RichText, Style};

/// What Jira shows as an emoticon, in addition to `:` and `;` before some signs.
const PICTURES: [&str; 14] = [
    "(y)",
    "(n)",
    "(i)",
    "(/)",
    "(x)",
    "(!)",
    "(+)",
    "(-)",
    "(?)",
    "(on)",
    "(off)",
    "(*)",
    "(flag)",
    "(flagoff)",
];

/// The markup; empty if there is nothing to show.
pub(crate) fn markup(text: &RichText) -> String {
    let blocks: Vec<String> = text.blocks.iter().filter_map(block).collect();
    blocks.join("\n\n")
}

fn block(block: &RichBlock) -> Option<String> {
    match block {
        RichBlock::Paragraph(inlines) => shows_something(inlines).then(|| line(inlines, "\n")),
        RichBlock::BulletList(items) => list(items, '*'),
        RichBlock::NumberedList(items) => list(items, '#'),
        RichBlock::Code(text) => code_block(&printable(text)),
        RichBlock::Quote(inlines) => {
            shows_something(inlines).then(|| format!("{{quote}}\n{}\n{{quote}}", line(inlines, "\n")))
        }
    }
}

fn list(items: &[Vec<Inline>], bullet: char) -> Option<String> {
    let items: Vec<String> = items
        .iter()
        .filter(|item| shows_something(item))
        // A real line break would end the item.
        .map(|item| format!("{bullet} {}", line(item, " \\\\ ").trim()))
        .collect();
    (!items.is_empty()).then(|| items.join("\n"))
}

/// Only the end of the block is markup inside it, so the text must not contain that.
fn code_block(text: &str) -> Option<String> {
    let text = text.trim_matches('\n');
    if text.trim().is_empty() {
        return None;
    }
    Some(
        match ["noformat", "code"].into_iter().find(|macro_name| !text.contains(&format!("{{{macro_name}"))) {
            Some(macro_name) => format!("{{{macro_name}}}\n{text}\n{{{macro_name}}}"),
            None => {
                let text = text.replace("{noformat", "{\u{200b}noformat");
                format!("{{noformat}}\n{text}\n{{noformat}}")
            }
        },
    )
}

/// Inline content, with `line_break` for each line break in it.
fn line(inlines: &[Inline], line_break: &str) -> String {
    let mut markup = String::new();
    for inline in inlines {
        match inline {
            Inline::LineBreak => markup.push_str(line_break),
            Inline::Text { text, style } => push_text(&mut markup, &printable(text), *style, line_break),
            Inline::Link { url, label } => push_link(&mut markup, url, &printable(label)),
        }
    }
    markup
}

fn push_text(markup: &mut String, text: &str, style: Style, line_break: &str) {
    for (number, line) in text.split('\n').enumerate() {
        if number > 0 {
            markup.push_str(line_break);
        }
        let inner = line.trim();
        if inner.is_empty() || style == Style::default() {
            escape(markup, line);
            continue;
        }
        // Formatting signs work only right next to the text.
        let (before, after) = line.split_once(inner).unwrap_or_default();
        let signs = signs(style);
        markup.push_str(before);
        signs.iter().for_each(|(opening, _)| markup.push_str(opening));
        escape(markup, inner);
        signs.iter().rev().for_each(|(_, closing)| markup.push_str(closing));
        markup.push_str(after);
    }
}

/// The signs around a text of this style. In braces, they also work inside words.
fn signs(style: Style) -> Vec<(&'static str, &'static str)> {
    [
        (style.bold, ("{*}", "{*}")),
        (style.italic, ("{_}", "{_}")),
        (style.strike, ("{-}", "{-}")),
        (style.code, ("{{", "}}")),
    ]
    .into_iter()
    .filter_map(|(is_on, signs)| is_on.then_some(signs))
    .collect()
}

fn push_link(markup: &mut String, url: &str, label: &str) {
    let label = label.split_whitespace().collect::<Vec<_>>().join(" ");
    let Some(href) = web_link(url) else {
        escape(markup, format!("{label} {}", printable(url)).trim());
        return;
    };
    markup.push('[');
    if !label.is_empty() && label != url {
        escape(markup, &label);
        markup.push('|');
    }
    for letter in href.chars() {
        if matches!(letter, '[' | ']' | '{' | '}' | '|' | '\\' | '^' | '!') {
            write!(markup, "%{:02X}", u32::from(letter)).expect("a text takes any text");
        } else {
            markup.push(letter);
        }
    }
    markup.push(']');
}

/// Adds one line of text in which nothing is markup.
fn escape(markup: &mut String, text: &str) {
    let is_line_start = markup.is_empty() || markup.ends_with('\n');
    // Jira looks for the signs of lists and headings after white space too.
    let text = if is_line_start { text.trim_start() } else { text };
    let mut previous = markup.chars().next_back().filter(|_| !is_line_start);
    if is_line_start && let Some(length) = block_sign_length(text) {
        markup.push_str(&text[..length]);
        markup.push_str("&#46;");
        escape(markup, &text[length + 1..]);
        return;
    }
    for (position, letter) in text.char_indices() {
        let rest = &text[position..];
        let next = rest[letter.len_utf8()..].chars().next();
        match letter {
            // Two are a line break, and one may escape what follows.
            '\\' => markup.push_str("&#92;"),
            '&' if is_character_reference(rest) => markup.push_str("&amp;"),
            ':' | ';' if starts_face(next) => {
                write!(markup, "&#{};", letter as u32).expect("a text takes any")
            }
            _ => {
                if is_sign(letter, rest, previous, next, previous.is_none()) {
                    markup.push('\\');
                }
                markup.push(letter);
            }
        }
        previous = Some(letter);
    }
}

/// Whether Jira would read this letter as markup.
fn is_sign(letter: char, rest: &str, previous: Option<char>, next: Option<char>, is_first: bool) -> bool {
    let in_word = previous.is_some_and(char::is_alphanumeric) && next.is_some_and(char::is_alphanumeric);
    match letter {
        '{' | '}' | '[' | ']' | '|' | '^' | '~' => true,
        '*' | '_' | '-' | '+' => !in_word,
        '?' => next == Some('?') || previous == Some('?'),
        '!' => next.is_none_or(|next| !next.is_whitespace()),
        '#' => is_first || previous == Some('#') || next == Some('#'),
        '(' => {
            PICTURES.iter().any(|picture| rest.get(..picture.len()).is_some_and(|start| start == *picture))
        }
        _ => false,
    }
}

/// The length of the sign before the full stop of a heading or quotation (`h1. `, `bq. `).
fn block_sign_length(text: &str) -> Option<usize> {
    ["h1", "h2", "h3", "h4", "h5", "h6", "bq"]
        .iter()
        .find(|sign| text.strip_prefix(*sign).is_some_and(|rest| rest.starts_with('.')))
        .map(|sign| sign.len())
}

fn starts_face(next: Option<char>) -> bool {
    matches!(next, Some(')' | '(' | 'P' | 'D'))
}

fn is_character_reference(text: &str) -> bool {
    let Some((name, _)) = text[1..].split_once(';') else { return false };
    let name = name.strip_prefix('#').unwrap_or(name);
    (1..=10).contains(&name.len()) && name.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;

    use super::*;
    use crate::formats::plain::samples;

    #[test]
    fn every_kind_of_text_has_its_markup() {
        assert_snapshot!(markup(&samples::of_every_kind()), @r"
        The {*}login{*} {_}page{_} {*}{_}{-}never{-}{_}{*} calls
        {*}{{check_user()}}{*}, see [the log|https://example.com/a?b=1&c=%5B2%5D] or [mailto:ada@example.com]
        and so on.

        * one
        * two \\ lines

        # first
        # second

        {noformat}
        fn main() {
            *x = [1];
        }
        {noformat}

        {quote}
        It works
        here.
        {quote}
        ");
    }

    #[test]
    fn hostile_text_is_text() {
        assert_snapshot!(markup(&samples::hostile()).replace('\u{200b}', "<zero width>"), @r#"
        h1&#46; <b>&amp;lt;</b> \{quote\} \[\~admin\] \!http://evil/x.png\!
        \# \{color:red\}&#92;&#92; \*a\* "q" &#58;){_}{{\{\{x\}\} \*y\*}}{_}click \[me\|x\] javascript:alert(1)[a\]b\|c\{d\}|https://evil/a%7Cb%5D%7Bc%7D/%20d]

        * \*\* x

        {noformat}
        {<zero width>noformat}
        out
        {code}
        *in*
        {noformat}

        {quote}
        \{quote\} out
        {quote}
        "#);
    }

    #[test]
    fn what_shows_nothing_is_left_out() {
        assert_eq!(markup(&RichText::default()), "");
        assert_eq!(markup(&samples::empty_in_every_way()), "");
    }

    #[test]
    fn what_could_be_markup_is_escaped_and_nothing_else() {
        let rows = [
            ("snake_case, e-mail, 2*3=6, C++ and 1 - 1", r"snake_case, e-mail, 2*3=6, C\+\+ and 1 \- 1"),
            ("*bold* _italic_ -gone- ^up^ ~down~", r"\*bold\* \_italic\_ \-gone\- \^up\^ \~down\~"),
            ("{code}x{code} [a|b] [~admin]", r"\{code\}x\{code\} \[a\|b\] \[\~admin\]"),
            ("h1. Title", "h1&#46; Title"),
            ("  bq. said", "bq&#46; said"),
            ("# one", r"\# one"),
            ("  # one", r"\# one"),
            ("issue #7", "issue #7"),
            ("Hello! !http://x/y.png!", r"Hello! \!http://x/y.png\!"),
            (r"C:\new\table", "C:&#92;new&#92;table"),
            ("&lt; &#92; & R&D", "&amp;lt; &amp;#92; & R&D"),
            ("fine :) (x) (see above)", r"fine &#58;) \(x) (see above)"),
            ("really??", r"really\?\?"),
            ("----", r"\-\-\-\-"),
            ("||a|b||", r"\|\|a\|b\|\|"),
        ];
        for (text, expected) in rows {
            let text = RichText { blocks: vec![RichBlock::Paragraph(vec![Inline::plain(text)])] };
            assert_eq!(markup(&text), expected);
        }
    }
}
