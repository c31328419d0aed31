//! Turning Slack's markup into formatted text: what counts as markup, and that nothing is lost.

use maro_domain::rich_text::{Inline, RichBlock, RichText, Style};
use maro_slack::words::parse_markup::{parse_message, parse_typed, to_title, to_typed, to_typed_keeping};

/// A text's structure, one block per line: styles as `b(…)`, links as `[label](url)`.
fn outline(text: &RichText) -> String {
    let items =
        |items: &[Vec<Inline>]| items.iter().map(|item| inlines(item)).collect::<Vec<_>>().join(" | ");
    let block = |block: &RichBlock| match block {
        RichBlock::Paragraph(content) => format!("text: {}", inlines(content)),
        RichBlock::BulletList(list) => format!("bullets: {}", items(list)),
        RichBlock::NumberedList(list) => format!("numbers: {}", items(list)),
        RichBlock::Code(code) => format!("code: {code:?}"),
        RichBlock::Quote(content) => format!("quote: {}", inlines(content)),
    };
    text.blocks.iter().map(block).collect::<Vec<_>>().join("\n")
}

fn inlines(content: &[Inline]) -> String {
    content
        .iter()
        .map(|inline| match inline {
            Inline::Text { text, style } if *style == Style::default() => text.clone(),
            Inline::Text { text, style } => {
                let letters =
                    [(style.bold, 'b'), (style.italic, 'i'), (style.strike, 's'), (style.code, 'c')];
                let letters: String =
                    letters.iter().filter(|(on, _)| *on).map(|(_, letter)| letter).collect();
                format!("{letters}({text})")
            }
            Inline::Link { url, label } => format!("[{label}]({url})"),
            Inline::LineBreak => " / ".to_owned(),
        })
        .collect()
}

fn of_message(text: &str) -> String {
    outline(&parse_message(text))
}

fn of_typed(text: &str) -> String {
    outline(&parse_typed(text))
}

#[test]
fn a_message_keeps_its_formatting() {
    let message = "Login is *broken* since _today_, ~not yesterday~ :\n\
        see <https://example.com/a?b=1&amp;c=2|the dashboard> and <https://example.com>\n\
        \n\
        • first `step`\n\
        • second &amp; last\n\
        1. open\n\
        2. *click*\n\
        &gt; it &lt;never&gt; worked\n\
        &gt; says <@U0ADA000001|ada> in <#C0GENERAL01|general>\n\
        ```\n\
        fn main() {\n    a &lt; b\n}\n\
        ```\n\
        <!here> cc <@U0BOB000002> <!subteam^S1|@ops> <mailto:a@example.com|a@example.com>";
    insta::assert_snapshot!(of_message(message), @r#"
    text: Login is b(broken) since i(today), s(not yesterday) : / see [the dashboard](https://example.com/a?b=1&c=2) and [https://example.com](https://example.com)
    bullets: first c(step) | second & last
    numbers: open | b(click)
    quote: it <never> worked / says @ada in #general
    code: "fn main() {\n    a < b\n}"
    text: @here cc @U0BOB000002 @ops [a@example.com](mailto:a@example.com)
    "#);
}

#[test]
fn emphasis_follows_slacks_rules() {
    for (text, outline) in [
        ("*bold* _italic_ ~strike~", "b(bold) i(italic) s(strike)"),
        ("*_~all~_*", "bis(all)"),
        ("*bold _both_*", "b(bold )bi(both)"),
        ("(*bold*), \"_it_\"", "(b(bold)), \"i(it)\""),
        ("`*not* <b>`", "c(*not* <b>)"),
        ("*`x`*", "bc(x)"),
        ("snake_case_name 2*3*4 a~b~c", "snake_case_name 2*3*4 a~b~c"),
        ("a * not* *not * _ x_", "a * not* *not * _ x_"),
        ("*open", "*open"),
        ("** **** __", "** **** __"),
        ("it`s 5 o`clock", "it`s 5 o`clock"),
        ("`` ` `", "`` ` `"),
        ("*a*b*", "b(a*b)"),
        ("_*x_*", "i(*x)*"),
        ("*one* two *three*", "b(one) two b(three)"),
    ] {
        assert_eq!(of_typed(text).strip_prefix("text: ").unwrap(), outline, "{text}");
    }
}

#[test]
fn lists_and_quotes_are_told_from_text() {
    for (text, outline) in [
        ("- a\n- b", "bullets: a | b"),
        ("* a\n  ◦ b", "bullets: a | b"),
        ("-a\n•b", "text: -a / •b"),
        ("1. a\n2) b\n3. c", "numbers: a | b | c"),
        ("3. a\n4. b", "text: 3. a / 4. b"),
        ("1. a\n1. b", "numbers: a\ntext: 1. b"),
        ("1. a\n5. b", "numbers: a\ntext: 5. b"),
        ("01. a\n2024. b\n1.5 c", "text: 01. a / 2024. b / 1.5 c"),
        ("a\n\n\nb\r\nc", "text: a\ntext: b / c"),
        ("> a\n>b\nc", "quote: a / b\ntext: c"),
        (">>> a\nb\n\n- c", "quote: a / b /  / - c"),
        ("a ```b``` c", "text: a\ncode: \"b\"\ntext: c"),
        ("a ```b", "text: a ```b"),
        ("``````", "text: ``````"),
        ("", ""),
        (" \n\t\n", ""),
    ] {
        assert_eq!(of_typed(text), outline, "{text:?}");
    }
    assert_eq!(of_message("> a"), "text: > a");
    assert_eq!(of_typed("&gt; a &amp; b"), "text: &gt; a &amp; b");
}

#[test]
fn only_what_slack_writes_is_a_reference() {
    for (text, outline) in [
        ("<https://example.com/a_b_c|*x*>", "[x](https://example.com/a_b_c)"),
        ("<https://example.com| >", "[https://example.com](https://example.com)"),
        ("<javascript:alert(1)|click>", "<javascript:alert(1)|click>"),
        ("<b>bold</b> a < b > c", "<b>bold</b> a < b > c"),
        ("<@u1> <#general> <!> <>", "<@u1> <#general> <!> <>"),
        ("<@U1> <@W1|bob> <#C1|> <!channel>", "@U1 @bob #C1 @channel"),
        ("<!date^1392734382^{date}|Feb 18> <!subteam^S1>", "Feb 18 @S1"),
        ("`<http://example.com|example.com>`", "c(example.com)"),
        ("`<https://example.com|x>`", "c(x (https://example.com))"),
        ("<<https://example.com>>", "<[https://example.com](https://example.com)>"),
        ("see (https://example.com/x_y_z).", "see ([https://example.com/x_y_z](https://example.com/x_y_z))."),
        ("xhttps://a.b https:// http://", "xhttps://a.b https:// http://"),
        ("*https://example.com*", "[https://example.com](https://example.com)"),
    ] {
        assert_eq!(of_typed(text).strip_prefix("text: ").unwrap(), outline, "{text}");
    }
    assert_eq!(
        of_message("https://example.com/?a=1&amp;b=2&gt;"),
        "text: [https://example.com/?a=1&b=2](https://example.com/?a=1&b=2)>"
    );
}

#[test]
fn a_message_can_be_worked_on_as_text() {
    let message =
        "*a* &lt;b&gt; &amp;amp; <https://x.example/?a=1&amp;b=2|label> <https://x.example> <@U1|ada> `&lt;`";
    let typed = to_typed(message);
    assert_eq!(typed, "*a* <b> &amp; <https://x.example/?a=1&b=2|label> https://x.example @ada `<`");
    assert_eq!(parse_typed(&typed), parse_message(message));
}

#[test]
fn whatever_a_label_contains_it_stays_a_label() {
    for (message, typed) in [
        ("<https://x.example/7|#7 Fix &lt;Button&gt; focus>", "<https://x.example/7|#7 Fix ‹Button› focus>"),
        ("<https://x.example/a|R&amp;D | 1 &gt; 0>", "<https://x.example/a|R&D | 1 › 0>"),
        ("<https://x.example/?q=a&gt;b&lt;c|label>", "<https://x.example/?q=a%3Eb%3Cc|label>"),
    ] {
        assert_eq!(to_typed(message), typed);
        let read = parse_typed(typed);
        assert!(format!("{read:?}").contains("https://x.example"), "{read:?}");
        let links = format!("{read:?}").matches("Link").count();
        assert_eq!((links, format!("{read:?}").contains('<')), (1, false), "{read:?}");
    }
}

#[test]
fn links_that_are_not_kept_leave_their_labels() {
    let typed = to_typed_keeping(
        "see<https://a.example/x?y=1&amp;z=2|A-1 &lt;b&gt;>, <https://b.example/|B-2> <https://c.example/>",
        |url| url.starts_with("https://b."),
    );
    assert_eq!(typed, "see A-1 <b> , <https://b.example/|B-2> https://c.example/");
}

#[test]
fn a_title_has_the_labels_of_links() {
    let message =
        "The <https://x.example/a|export> of <https://x.example> is &lt;empty&gt; <@U1|ada> <!here>";
    assert_eq!(to_title(message), "The export of https://x.example is <empty> @ada @here");
}

/// Everything that a reader of the text would see, addresses included.
fn visible(text: &RichText) -> String {
    let mut out = String::new();
    for block in &text.blocks {
        let lists: &[Vec<Inline>] = match block {
            RichBlock::Code(code) => {
                out.push_str(code);
                continue;
            }
            RichBlock::Paragraph(content) | RichBlock::Quote(content) => std::slice::from_ref(content),
            RichBlock::BulletList(items) | RichBlock::NumberedList(items) => items,
        };
        for (index, item) in lists.iter().enumerate() {
            if matches!(block, RichBlock::NumberedList(_)) {
                out.push_str(&(index + 1).to_string());
            }
            for inline in item {
                match inline {
                    Inline::Text { text, .. } => out.push_str(text),
                    Inline::Link { url, label } if url == label => out.push_str(url),
                    Inline::Link { url, label } => out.extend([url.as_str(), label.as_str()]),
                    Inline::LineBreak => {}
                }
            }
        }
    }
    out
}

/// Its letters and digits, sorted, because a label may come before its address.
fn letters(text: &str) -> String {
    let mut letters: Vec<_> = text.chars().filter(|letter| letter.is_alphanumeric()).collect();
    letters.sort_unstable();
    letters.into_iter().collect()
}

/// A small generator with a fixed seed, so that failures are reproducible.
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % bound as u64).unwrap()
    }
}

#[test]
fn nothing_is_lost_of_whatever_is_typed() {
    const PARTS: [&str; 34] = [
        "*",
        "_",
        "~",
        "`",
        "```",
        "<",
        ">",
        "|",
        "&",
        "&lt;",
        "&gt;",
        "&amp;",
        "\n",
        "\n\n",
        " ",
        "- ",
        "• ",
        "1. ",
        "2. ",
        "01. ",
        "a",
        "B",
        "é",
        "😀",
        "7",
        "https://x.example/a",
        "<https://x.example/b|",
        "q@r.st",
        "http://[",
        ".",
        "\t",
        "\u{200b}",
        ">>>",
        "(",
    ];
    let mut dice = Dice(0x5eed);
    for _ in 0..5_000 {
        let text: String = (0..dice.below(24)).map(|_| PARTS[dice.below(PARTS.len())]).collect();
        assert_eq!(letters(&visible(&parse_typed(&text))), letters(&text), "{text:?}");
        let decoded = text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&");
        assert_eq!(letters(&visible(&parse_message(&text))), letters(&decoded), "{text:?}");
        to_typed(&text);
    }
}

#[test]
fn a_long_hostile_text_is_read_like_any_other() {
    for part in ["*a ", "<", "`", "```", "_*~", "http://[", "<a|", "> ", "- ", "1. ", "&lt;", "*", "\n"] {
        let text = part.repeat(40_000 / part.len());
        assert_eq!(letters(&visible(&parse_typed(&text))).is_empty(), letters(&text).is_empty(), "{part}");
        parse_message(&text);
    }
}
