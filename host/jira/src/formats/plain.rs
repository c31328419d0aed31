//! What plain text may contain on its way to Jira, in either format.

use url::Url;

use maro_domain::rich_text::Inline;

/// The address in a form that is safe in a link, or `None` if it leads neither to the web nor to a mailbox.
pub(crate) fn web_link(text: &str) -> Option<String> {
    let url = Url::parse(text).ok().filter(|url| matches!(url.scheme(), "http" | "https" | "mailto"))?;
    let is_clean = |byte: u8| byte.is_ascii_graphic() && !br#"\"<>{}|^`"#.contains(&byte);
    Some(if text.bytes().all(is_clean) { text.to_owned() } else { url.into() })
}

/// Whether people would see anything of it.
pub(crate) fn shows_something(inlines: &[Inline]) -> bool {
    inlines.iter().any(|inline| match inline {
        Inline::Text { text, .. } => !printable(text).trim().is_empty(),
        Inline::Link { url, label } => !(url.trim().is_empty() && printable(label).trim().is_empty()),
        Inline::LineBreak => false,
    })
}

/// The text without control characters other than tabs and line breaks, which become `\n`. Jira stores some
/// texts as XML, which can't contain the others.
pub(crate) fn printable(text: &str) -> String {
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    let is_kept = |letter: char| {
        matches!(letter, '\n' | '\t') || !(letter.is_control() || matches!(letter, '\u{fffe}' | '\u{ffff}'))
    };
    text.chars().filter(|&letter| is_kept(letter)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_are_left_out() {
        assert_eq!(printable("a\0b\r\nc\rd\te\u{1b}[1m\u{ffff}"), "ab\nc\nd\te[1m");
    }

    #[test]
    fn only_what_leads_to_the_web_or_a_mailbox_is_a_link() {
        for good in ["https://example.com", "http://127.0.0.1:1/a_b?c=%20", "mailto:ada@example.com"] {
            assert_eq!(web_link(good).as_deref(), Some(good));
        }
        let unclean = " https://example.com/a b\\c\"d";
        assert_eq!(web_link(unclean).as_deref(), Some("https://example.com/a%20b/c%22d"));
        for bad in ["", "example.com", "/path", "javascript:alert(1)", "data:text/html,x", "file:///etc"] {
            assert_eq!(web_link(bad), None, "{bad}");
        }
    }
}

/// Texts to test both formats with.
#[cfg(test)]
pub(crate) mod samples {
    use maro_domain::rich_text::{Inline, RichBlock, RichText, Style};

    fn styled(text: &str, style: Style) -> Inline {
        Inline::Text { text: text.to_owned(), style }
    }

    fn link(url: &str, label: &str) -> Inline {
        Inline::Link { url: url.to_owned(), label: label.to_owned() }
    }

    pub(crate) fn of_every_kind() -> RichText {
        let plain = Style::default();
        let all = Style { bold: true, italic: true, strike: true, code: false };
        RichText {
            blocks: vec![
                RichBlock::Paragraph(vec![
                    Inline::plain("The "),
                    styled("login", Style { bold: true, ..plain }),
                    styled(" page ", Style { italic: true, ..plain }),
                    styled("never", all),
                    Inline::plain(" calls"),
                    Inline::LineBreak,
                    styled("check_user()", Style { code: true, bold: true, ..plain }),
                    Inline::plain(", see "),
                    link("https://example.com/a?b=1&c=[2]", "the log"),
                    Inline::plain(" or "),
                    link("mailto:ada@example.com", ""),
                    Inline::plain("\r\nand so on."),
                ]),
                RichBlock::BulletList(vec![
                    vec![Inline::plain("one")],
                    vec![Inline::plain("two"), Inline::LineBreak, Inline::plain("lines")],
                ]),
                RichBlock::NumberedList(vec![vec![Inline::plain("first")], vec![Inline::plain("second")]]),
                RichBlock::Code("fn main() {\n    *x = [1];\n}\n".to_owned()),
                RichBlock::Quote(vec![Inline::plain("It works\nhere.")]),
            ],
        }
    }

    pub(crate) fn hostile() -> RichText {
        let code = Style { code: true, italic: true, ..Style::default() };
        RichText {
            blocks: vec![
                RichBlock::Paragraph(vec![
                    Inline::plain("h1. <b>&lt;</b> {quote} [~admin] !http://evil/x.png!\0\u{1b}"),
                    Inline::LineBreak,
                    Inline::plain("# {color:red}\\\\ *a* \"q\" :)"),
                    styled("{{x}} *y*", code),
                    link("javascript:alert(1)", "click [me|x]"),
                    link("https://evil/a|b]{c}\\ d", "a]b|c{d}"),
                ]),
                RichBlock::BulletList(vec![
                    Vec::new(),
                    vec![Inline::plain(" ")],
                    vec![Inline::plain("** x")],
                ]),
                RichBlock::Code("{noformat}\nout\n{code}\n*in*\u{7}".to_owned()),
                RichBlock::Quote(vec![Inline::plain("{quote} out")]),
            ],
        }
    }

    pub(crate) fn empty_in_every_way() -> RichText {
        let nothing = || vec![Inline::plain(""), Inline::LineBreak, Inline::plain(" \u{1} ")];
        RichText {
            blocks: vec![
                RichBlock::Paragraph(Vec::new()),
                RichBlock::Paragraph(nothing()),
                RichBlock::BulletList(Vec::new()),
                RichBlock::NumberedList(vec![Vec::new(), nothing()]),
                RichBlock::Code("\n \u{0}".to_owned()),
                RichBlock::Quote(nothing()),
            ],
        }
    }
}
