//! Replies become Slack's markup exactly, harmlessly, and within Slack's limits.

use maro_domain::{
    ids::{ChannelId, UserId},
    issue::IssueKey,
    reply::{Block, Button, ButtonKind, Item, Maker, Reply, Span, TimeForm, Visibility},
};
use maro_simulation::slack::{checks::message_problems, shown::terminal, workspace::Workspace};
use maro_slack::outgoing::message::Message;
use serde_json::Value;

use crate::support::{caller, channel, lines, renderer, text};

fn issue(key: &str) -> Span {
    Span::Issue(IssueKey::parse(key).unwrap())
}

fn item(key: &str, summary: &str, status: &str) -> Vec<Span> {
    vec![issue(key), text(format!(": {summary} ({status})"))]
}

fn list(items: Vec<Vec<Span>>) -> Reply {
    let title = vec![text("Tracked Jira issues in "), Span::Channel, text(":")];
    Reply { visibility: Visibility::Caller, blocks: vec![Block::Paragraph(title), Block::items(items)] }
}

/// Renders a reply, and checks both forms of the message against Slack's rules.
fn render(reply: &Reply) -> Message {
    let message = renderer().render(reply, &channel(), &caller());
    for json in [message.to_answer(), message.to_follow_up()] {
        let payload: Value = serde_json::from_slice(&json).unwrap();
        assert_eq!(message_problems(&payload), Vec::<String>::new());
    }
    message
}

fn render_spans(spans: Vec<Span>) -> String {
    render(&lines(Visibility::Caller, vec![spans])).text().to_owned()
}

fn render_text(words: &str) -> String {
    render_spans(vec![text(words)])
}

/// What the terminal shows of a text. It stands in for Slack's own reading of its markup.
fn read_back(markup: &str) -> String {
    terminal::plain(markup, &Workspace::sample().names())
}

/// Checks that every literal `<` belongs to one of MARO's own links and mentions.
fn has_foreign_markup(markup: &str) -> bool {
    markup.match_indices('<').any(|(at, _)| {
        let inside = &markup[at + 1..];
        !["https://example.atlassian.net/browse/", "#C0GENERAL01>", "@U0ADA000001>"]
            .iter()
            .any(|own| inside.starts_with(own))
    })
}

#[test]
fn a_list_reads_as_promised() {
    let message = render(&list(vec![
        item("SCRUM-123", "User authentication flow", "Open"),
        item("SCRUM-124", "Database migration", "In Progress"),
        item("SCRUM-125", "API documentation", "Done"),
    ]));
    insta::assert_snapshot!(message.text(), @r"
    Tracked Jira issues in <#C0GENERAL01>:
    • <https://example.atlassian.net/browse/SCRUM-123|SCRUM-123>: User authentication flow (Open)
    • <https://example.atlassian.net/browse/SCRUM-124|SCRUM-124>: Database migration (In Progress)
    • <https://example.atlassian.net/browse/SCRUM-125|SCRUM-125>: API documentation (Done)
    ");
    insta::assert_snapshot!(read_back(message.text()), @r"
    Tracked Jira issues in #general:
    • SCRUM-123: User authentication flow (Open)
    • SCRUM-124: Database migration (In Progress)
    • SCRUM-125: API documentation (Done)
    ");
    assert_eq!(message.sections().collect::<Vec<_>>(), [message.text()]);
}

#[test]
fn the_payload_is_what_slack_documents() {
    let own = render(&lines(Visibility::Caller, vec![item("A-1", "one", "Open")]));
    insta::assert_snapshot!(String::from_utf8(own.to_answer()).unwrap(), @r#"{"response_type":"ephemeral","text":"<https://example.atlassian.net/browse/A-1|A-1>: one (Open)","blocks":[{"type":"section","text":{"type":"mrkdwn","text":"<https://example.atlassian.net/browse/A-1|A-1>: one (Open)","verbatim":true}}]}"#);
    let shared = render(&lines(Visibility::Channel, vec![vec![text("x")]]));
    insta::assert_snapshot!(String::from_utf8(shared.to_follow_up()).unwrap(), @r#"{"response_type":"in_channel","unfurl_links":false,"replace_original":false,"text":"x","blocks":[{"type":"section","text":{"type":"mrkdwn","text":"x","verbatim":true}}]}"#);
}

#[test]
fn slack_morphism_reads_the_blocks_as_sections() {
    use slack_morphism::prelude::{SlackBlock, SlackBlockText};

    let message = render(&lines(Visibility::Caller, vec![vec![text("a & b")]]));
    let payload: Value = serde_json::from_slice(&message.to_answer()).unwrap();
    let blocks: Vec<SlackBlock> = serde_json::from_value(payload["blocks"].clone()).unwrap();
    let [SlackBlock::Section(section)] = &blocks[..] else { panic!("not a section: {blocks:?}") };
    let Some(SlackBlockText::MarkDown(text)) = &section.text else { panic!("not mrkdwn") };
    assert_eq!((text.text.as_str(), text.verbatim), ("a &amp; b", Some(true)));
}

#[test]
fn every_kind_of_span_has_its_markup() {
    let user = maro_domain::ids::UserId::parse("U0GRACE0001").unwrap();
    let link = |url: &str, label: &str| Span::Link { url: url.to_owned(), label: label.to_owned() };
    let message = render(&lines(
        Visibility::Caller,
        vec![
            vec![Span::Strong("bold".into()), text(" and "), Span::Code("/maro track KEY".into())],
            vec![Span::Channel, text(" "), Span::Caller, text(" "), Span::User(user)],
            vec![link("https://example.com/a?b=1&c=2", "a page"), text(", "), link("https://x.io", "")],
            vec![text("mid"), Span::Strong("word".into()), text("s and "), Span::Strong(" spaced ".into())],
        ],
    ));
    insta::assert_snapshot!(message.text().replace('\u{200b}', "[zwsp]"), @r"
    *bold* and `/maro track KEY`
    <#C0GENERAL01> <@U0ADA000001> <@U0GRACE0001>
    <https://example.com/a?b=1&amp;c=2|a page>, <https://x.io/|https://x.io>
    mid[zwsp]*word*[zwsp]s and  *spaced* 
    ");
}

#[test]
fn a_date_is_shown_in_each_readers_zone() {
    let at = jiff::Timestamp::from_second(1_769_851_800).unwrap();
    let forms = [TimeForm::Day, TimeForm::Clock, TimeForm::DayAndClock, TimeForm::Ago];
    let dates = forms.map(|form| vec![Span::Time { at, form }]);
    let message = render(&lines(Visibility::Update, dates.to_vec()));
    insta::assert_snapshot!(message.text(), @r"
    <!date^1769851800^{date_short}|Jan 31, 2026>
    <!date^1769851800^{time}|09:30 UTC>
    <!date^1769851800^{date_short} {time}|Jan 31, 2026 09:30 UTC>
    <!date^1769851800^{ago}|Jan 31, 2026 09:30 UTC>
    ");
    let payload: Value = serde_json::from_slice(&message.to_answer()).unwrap();
    assert_eq!(payload["response_type"], "in_channel");
}

#[test]
fn a_plugin_asks_its_own_question_and_never_instead_of_the_command_of_another() {
    let asking = |is_confirmed_first| {
        let question = Some("Delete *all* of <it>?".to_owned());
        let button = Button { question, is_confirmed_first, ..button("Delete", "tracked delete", false) };
        let words = Block::Paragraph(vec![Span::Text("Sure?".to_owned())]);
        let reply =
            Reply { visibility: Visibility::Channel, blocks: vec![words, Block::Buttons(vec![button])] };
        let payload: Value = serde_json::from_slice(&render(&reply).to_answer()).unwrap();
        let rows = payload["blocks"].as_array().unwrap().clone();
        let row = rows.into_iter().find(|block| block["type"] == "actions").unwrap();
        row["elements"][0]["confirm"]["text"].clone()
    };
    let shown = asking(false);
    assert_eq!(
        (shown["type"].as_str(), shown["text"].as_str()),
        (Some("plain_text"), Some("Delete *all* of <it>?"))
    );
    assert_eq!(asking(true)["text"], "/maro tracked delete");
}

#[test]
fn a_direct_message_has_no_name() {
    let reply = list(vec![item("A-1", "one", "Open")]);
    let message = renderer().render(&reply, &ChannelId::parse("D0ADA000001").unwrap(), &caller());
    assert!(message.text().starts_with("Tracked Jira issues in this conversation:\n"));
}

#[test]
fn a_strangers_words_neither_mention_nor_link_nor_format() {
    for (hostile, markup) in [
        ("<!channel> <@U1> <#C1>", "&lt;!channel&gt; &lt;@U1&gt; &lt;#C1&gt;"),
        ("<https://evil.example|SCRUM-1>", "&lt;https://evil.example|SCRUM-1&gt;"),
        ("a &amp; b &lt;!here&gt;", "a &amp;amp; b &amp;lt;!here&amp;gt;"),
        ("*bold* _it_ ~no~", "*\u{200b}bold* _\u{200b}it_ ~\u{200b}no~"),
        (
            "`code` ```block```",
            "`\u{200b}code`\u{200b} `\u{200b}`\u{200b}`\u{200b}block`\u{200b}`\u{200b}`\u{200b}",
        ),
        ("5 * 3, snake_case, a~b", "5 * 3, snake_case, a~b"),
        ("> quoted", "\u{200b}&gt; quoted"),
        ("one\r\ntwo\nthree\u{2028}four\tfive", "one two three four five"),
        ("bell\u{7} esc\u{1b}[0m c1\u{9b} nul\u{0}", "bell esc[0m c1 nul"),
        ("\u{202e}txt.exe\u{202c} \u{2067}x\u{2069}", "txt.exe x"),
        ("שלום עולם – “naïve” 🦀 …", "שלום עולם – “naïve” 🦀 …"),
    ] {
        let rendered = render_text(hostile);
        assert_eq!(rendered, markup, "{hostile:?}");
        assert!(!has_foreign_markup(&rendered));
    }
}

#[test]
fn what_slack_shows_of_a_text_is_the_text() {
    for words in [
        "<!channel> & <@U1> &amp; *bold* _it_ ~gone~ `code` ```x```",
        "**double** __init__ ~~x~~ *(a)* \"*b*\" (_c_) *a* b* _x",
        "> not a quotation",
        "a*b*c 2*3*4 *.rs *.toml",
        "* lonely",
    ] {
        assert_eq!(read_back(&render_text(words)), words);
        let spans = vec![text("• "), Span::Strong(words.to_owned()), text(".")];
        let shown = read_back(&render_spans(spans)).replace('\u{2217}', "*").replace('\u{2cb}', "`");
        assert_eq!(shown, format!("• {words}."));
        let shown = read_back(&render_spans(vec![Span::Code(words.to_owned())])).replace('\u{2cb}', "`");
        assert_eq!(shown, words);
    }
}

#[test]
fn spans_cannot_break_out_of_their_marks() {
    assert_eq!(render_spans(vec![Span::Code("a`b\n<!here>*c*".into())]), "`a\u{2cb}b &lt;!here&gt;*c*`");
    assert_eq!(render_spans(vec![Span::Strong("a*b\nc".into())]), "*a\u{2217}b c*");
    assert_eq!(render_spans(vec![text("a"), Span::Code(" ".into()), Span::Strong(String::new())]), "a");
}

#[test]
fn a_link_goes_to_the_web_or_nowhere() {
    let link = |url: &str, label: &str| {
        render_spans(vec![Span::Link { url: url.to_owned(), label: label.to_owned() }])
    };
    assert_eq!(
        link("https://example.com/a|b> <!here>", "see\n<b>|x"),
        "<https://example.com/a%7Cb%3E%20%3C!here%3E|see &lt;b&gt;|x>"
    );
    for invisible in ["", " ", "\u{0}", "\u{202e}", "\u{200b}\u{2060}"] {
        assert_eq!(link("https://x.io/a", invisible), "<https://x.io/a|https://x.io/a>", "{invisible:?}");
    }
    for bad in ["javascript:alert(1)", "slack://open", "ftp://x/y", "not a url", "", "mailto:a@b.c"] {
        assert_eq!(link(bad, "label"), "label", "{bad:?}");
    }
    assert_eq!(link(&format!("https://example.com/{}", "a".repeat(3_000)), "label"), "label");
}

/// Whether a label of a link to `https://pier.trap.example/` stays a link.
fn stays_a_link(label: &str) -> bool {
    leads_to("https://pier.trap.example/", label)
}

/// Whether a label stays a link to an address. The site is `https://example.atlassian.net`.
fn leads_to(url: &str, label: &str) -> bool {
    let link = Span::Link { url: url.to_owned(), label: label.to_owned() };
    let rendered = render_spans(vec![text("See "), link, text(" for more.")]);
    let has_link = rendered.starts_with("See <http");
    assert!(has_link || !rendered.contains('<'), "{rendered}");
    assert!(has_link || rendered.ends_with(" for more."), "{rendered}");
    has_link
}

#[test]
fn a_label_that_passes_for_something_else_is_no_link() {
    for label in [
        // Addresses.
        "intranet.harbor.example/payroll",
        "www.harbor.example",
        "HARBOR-DEMO.slack.com",
        "harbor-demo.atlassian.net:443/browse/HARB-5",
        "see harbor.example/login now",
        "(harbor.example)",
        "harbor.example.",
        "https://harbor.example",
        "https://",
        "http:harbor",
        "//harbor.example/login",
        "//harbor/login",
        "\\\\harbor\\login",
        "https://pier.trap.example@harbor.example/",
        "https://harbor.example@pier.trap.example/",
        "https://harbor:x@pier.trap.example/",
        "pier.trap.example.harbor.example",
        "trap.example",
        "pier.trap.example harbor.example",
        "pier.trap.example:8443",
        "intranet:8080/payroll",
        "localhost:3000",
        "10.0.0.1",
        "https://0x7f.0.0.1/",
        "[2001:db8::1]",
        "2001:db8::1",
        "http://[::1]:8080/",
        "xn--hrbor-0ra.example",
        // In letters and signs of other scripts, and with what can't be seen.
        "harbor。example",
        "harbor｡example",
        "harbor．example",
        "harbor․example",
        "harbor·example",
        "ｈａｒｂｏｒ．ｅｘａｍｐｌｅ",
        "h\u{430}rbor.example",
        "harbor.ex\u{430}mple",
        "https：／／harbor.example",
        "harbor.example∕login",
        "har\u{200b}bor.exam\u{ad}ple",
        "harbor\u{2060}.\u{feff}example",
        "harbor.\u{200a}example",
        "harbor%2Eexample%2Flogin",
        "harbor%252Eexample",
        "%68arbor.example",
        // Issues.
        "HARB-5",
        "harb-5",
        "see HARB-5: Sale",
        "HARB\u{2011}5",
        "HARB–5",
        "ＨＡＲＢ－５",
        "\u{41d}ARB-5",
        "HARB-\u{665}",
        "HARB-l2",
        "HA\u{200d}RB-5",
        "HARB%2D5",
        // Channels.
        "#docks",
        "#C06DOCKS01",
        "in #docks",
        "＃docks",
        "#\u{200b}docks",
        ":hash:docks",
        "#\u{fe0f}\u{20e3}docks",
        "#港",
        // People.
        "@imani.okoro",
        "@here",
        "＠here",
        "imani@harbor.example",
        "imani@pier.trap.example",
        "imani@harbor",
        "mailto:imani@harbor.example",
        "<@U07JONAS02>",
        "<!here>",
        "<!subteam^S05ONCALL1>",
        "<#C06DOCKS01>",
        "<https://harbor.example|the page>",
    ] {
        assert!(!stays_a_link(label), "{label:?} is a link");
    }
}

#[test]
fn a_label_that_is_true_or_passes_for_nothing_is_a_link() {
    for label in [
        "Read the report",
        "Report 5",
        "v4.18.2",
        "4.18.2",
        "e.g. this page",
        "pier.trap.example",
        "PIER.trap.example.",
        "pier.trap.example/rates",
        "pier.trap.example:443/rates?a=harbor.example",
        "https://pier.trap.example/@ada/HARB-5#docks",
        "www.pier.trap.example",
        "",
        "report.pdf",
        "docs/report.v2.pdf",
        "Node.js",
        "Vec<String>",
        "and/or",
        "CI/CD",
        "std::fmt",
        "12:30",
        "Step 2: press #3",
        "react@18.2.0",
        "PR #12",
        "C#",
        "e-mail",
        "us-east-1",
        "2026-11-24",
        "F-16",
        "Sprint-05",
        "100%",
        "naïve café",
        "報告書。詳細はこちら",
        "データ・レポート",
        "エラー5",
    ] {
        assert!(stays_a_link(label), "{label:?} is no link");
    }
}

#[test]
fn a_label_may_say_truly_where_it_leads() {
    for (url, label) in [
        ("https://example.atlassian.net/browse/HARB-5", "HARB-5"),
        ("https://example.atlassian.net/browse/HARB-5?focus=1", "harb-5: Sale of the quay"),
        ("https://example.atlassian.net/servicedesk/customer/portal/2/HARB-5", "HARB-5"),
        ("https://example.atlassian.net/jira/boards/2?selectedIssue=HARB-5", "HARB-5"),
        ("https://github.com/harbor/docks/blob/main/README.md", "README.md"),
        ("https://github.com/harbor/docks/blob/main/src/render.rs", "render.rs"),
        ("https://xn--mnchen-3ya.example/", "münchen.example"),
        ("https://例え.jp/", "例え.jp"),
        ("http://192.0.2.7:8080/", "192.0.2.7:8080"),
        ("http://[2001:db8::1]/", "[2001:db8::1]"),
        ("https://www.harbor.example/login", "harbor.example"),
    ] {
        assert!(leads_to(url, label), "{label:?} is no link to {url}");
    }
    for (url, label) in [
        ("https://example.atlassian.net/browse/HARB-55", "HARB-5"),
        ("https://example.atlassian.net.trap.example/browse/HARB-5", "HARB-5"),
        ("http://example.atlassian.net/browse/HARB-5", "HARB-5"),
        ("https://trap.example/README.md", "harbor.md"),
        ("https://h\u{430}rbor.example/", "h\u{430}rbor.example"),
        ("https://harbor.example@trap.example/", "the page"),
        ("https://:x@trap.example/", "the page"),
    ] {
        assert!(!leads_to(url, label), "{label:?} is a link to {url}");
    }
}

#[test]
fn a_label_is_read_with_what_stands_beside_it() {
    let link = |label: &str| Span::Link { url: "https://pier.trap.example/".into(), label: label.into() };
    for spans in [
        vec![text("#"), link("docks")],
        vec![text("Ask @"), Span::Strong("imani".into()), link(".okoro")],
        vec![text("at harbor."), link("example/login")],
        vec![link("harbor"), link(".example")],
        vec![link("HARB"), text("-5")],
        vec![text("https://harbor.example/"), link("login")],
    ] {
        let rendered = render_spans(spans.clone());
        assert!(!rendered.contains("trap"), "{rendered}");
    }
    for spans in [
        vec![issue("HARB-5"), text(": "), link("the report"), text(".")],
        vec![text("HARB-5 ("), link("report"), text(")")],
        vec![text("harbor.example, "), link("report"), text(", #docks")],
        vec![Span::User(caller()), text("'s "), link("report")],
    ] {
        assert!(render_spans(spans.clone()).contains("<https://pier.trap.example/|"), "{spans:?}");
    }
}

fn people(count: usize) -> Vec<Span> {
    let people = (0..count).map(|number| UserId::parse(&format!("U{number:04}")).unwrap());
    people.flat_map(|person| [Span::User(person), text(" ")]).collect()
}

#[test]
fn a_message_to_a_channel_notifies_twenty_people_at_most() {
    let mut spans = people(3_000);
    spans.extend(people(20));
    spans.extend(people(30));
    let mentions = |visibility| {
        let message = render(&lines(visibility, vec![spans.clone()]));
        let text = message.text().to_owned();
        (text.matches("<@").count(), text)
    };
    let (count, text) = mentions(Visibility::Channel);
    assert_eq!(count, 60, "the first twenty, as often as they are named");
    assert!(text.contains("<@U0019> U0020 U0021 "), "{}", &text[..300]);
    let (count, _) = mentions(Visibility::Caller);
    assert!(count > 60, "nobody is notified of what one person alone sees");
}

#[test]
fn only_people_are_mentioned() {
    for id in ["HERE", "S05ONCALL1", "C06DOCKS01", "EVERYONE", "B0BOT"] {
        let shown = render_spans(vec![Span::User(UserId::parse(id).unwrap())]);
        assert_eq!(shown, id);
    }
}

#[test]
fn nothing_is_never_sent() {
    for blocks in [
        vec![],
        vec![Block::Paragraph(vec![])],
        vec![Block::items(vec![]), Block::Lines(vec![])],
        vec![Block::Lines(vec![vec![], vec![text("  ")], vec![text("\u{0}")]])],
    ] {
        let message = render(&Reply { visibility: Visibility::Caller, blocks });
        assert_eq!(message.text(), "Done. There's nothing to show.");
    }
}

#[test]
fn a_long_list_is_split_between_lines() {
    let items = (1..=50).map(|number| item(&format!("SCRUM-{number}"), &"é".repeat(80), "Open"));
    let message = render(&list(items.collect()));
    let sections: Vec<_> = message.sections().collect();
    assert!(sections.len() > 1);
    assert_eq!(sections.join("\n"), message.text());
    assert!(sections[1..].iter().all(|section| section.starts_with("• <https://")));
}

#[test]
fn five_hundred_issues_fit_into_one_message_that_says_what_it_left_out() {
    let items = (1..=500).map(|number| item(&format!("SCRUM-{number}"), &"x".repeat(80), "In Progress"));
    let message = render(&list(items.collect()));
    assert_eq!(message.sections().count(), 0, "too much for blocks");
    let shown = message.text().matches("• ").count();
    assert!(message.text().ends_with(&format!("\n… and {} more lines", 500 - shown)));
    assert!(shown > 200);
    assert!(!has_foreign_markup(message.text()));
}

#[test]
fn between_the_limits_of_blocks_and_of_text_there_is_text_alone() {
    let items = (1..=100).map(|number| item(&format!("SCRUM-{number}"), &"x".repeat(80), "Open"));
    let message = render(&list(items.collect()));
    assert_eq!(message.sections().count(), 0);
    assert!(message.text().ends_with("(Open)"));
    let payload: Value = serde_json::from_slice(&message.to_answer()).unwrap();
    assert!(payload.get("blocks").is_none());
}

#[test]
fn an_item_longer_than_a_section_is_cut_beside_entities_and_links() {
    for filler in ["&", "<x> ", "🦀", "é", "word and word ", "a&b;c ", "*"] {
        for offset in 0..7 {
            let start = "x".repeat(offset);
            let words = format!("{start}{}", filler.repeat(1_500));
            let message = render(&list(vec![vec![text(words), text(" "), issue("SCRUM-123"), text(" end")]]));
            for section in message.sections() {
                let balanced = section.matches('<').count() == section.matches('>').count();
                assert!(balanced, "a link is cut in {section:?}");
                for (at, _) in section.match_indices('&') {
                    let entity = &section[at..];
                    assert!(
                        ["&amp;", "&lt;", "&gt;"].iter().any(|whole| entity.starts_with(whole)),
                        "an entity is cut in {section:?}"
                    );
                }
            }
            let joined: String = message.sections().collect::<Vec<_>>().concat();
            if message.sections().count() > 0 {
                assert_eq!(joined.replace('\n', ""), message.text().replace('\n', ""));
            }
        }
    }
}

#[test]
fn one_endless_line_is_cut_with_an_ellipsis() {
    for filler in ["&", "a", "🦀", "word "] {
        let message = render(&lines(Visibility::Caller, vec![vec![text(filler.repeat(50_000))]]));
        assert!(message.text().ends_with('…'));
        assert!(!message.text().contains("&a…") && !message.text().contains("&amp…"));
    }
}

#[test]
fn blank_lines_never_make_a_section_of_their_own() {
    let long = vec![text("x".repeat(2_999))];
    let blank = || vec![];
    let message = render(&lines(
        Visibility::Caller,
        vec![long.clone(), blank(), blank(), blank(), long.clone(), blank()],
    ));
    assert!(message.sections().count() >= 2);
}

fn button(label: &str, command: &str, turns_page: bool) -> Button {
    Button {
        label: label.to_owned(),
        command: command.to_owned(),
        kind: if turns_page { ButtonKind::TurnsPage } else { ButtonKind::Runs },
        maker: Maker::Plugin("tracked".into()),
        question: None,
        is_confirmed_first: false,
    }
}

/// A heading, `count` items with a button each, and a row with one button.
fn list_with_buttons(count: usize, summary: &str) -> Reply {
    let items = (1..=count).map(|number| Item {
        spans: item(&format!("SCRUM-{number}"), summary, "Open"),
        button: Some(button("Stop tracking", &format!("untrack SCRUM-{number}"), false)),
    });
    let mut reply = list(Vec::new());
    reply.blocks[1] = Block::Items(items.collect());
    reply.blocks.push(Block::Buttons(vec![button("Next page", "tracked 2", true)]));
    reply
}

fn blocks(message: &Message) -> Vec<Value> {
    let payload: Value = serde_json::from_slice(&message.to_answer()).unwrap();
    payload["blocks"].as_array().cloned().unwrap_or_default()
}

#[test]
fn a_button_stands_beside_its_item_and_a_row_below() {
    let message = render(&list_with_buttons(2, "a & b"));
    assert_eq!(
        read_back(message.text()),
        "Tracked Jira issues in #general:\n• SCRUM-1: a & b (Open)\n• SCRUM-2: a & b (Open)"
    );
    let shown: Vec<_> = blocks(&message).iter().map(Value::to_string).collect();
    insta::assert_snapshot!(shown.join("\n"), @r#"
    {"text":{"text":"Tracked Jira issues in <#C0GENERAL01>:","type":"mrkdwn","verbatim":true},"type":"section"}
    {"accessory":{"accessibility_label":"Stop tracking SCRUM-1","action_id":"run_command:1","text":{"emoji":false,"text":"Stop tracking","type":"plain_text"},"type":"button","value":"untrack SCRUM-1"},"text":{"text":"• <https://example.atlassian.net/browse/SCRUM-1|SCRUM-1>: a &amp; b (Open)","type":"mrkdwn","verbatim":true},"type":"section"}
    {"accessory":{"accessibility_label":"Stop tracking SCRUM-2","action_id":"run_command:2","text":{"emoji":false,"text":"Stop tracking","type":"plain_text"},"type":"button","value":"untrack SCRUM-2"},"text":{"text":"• <https://example.atlassian.net/browse/SCRUM-2|SCRUM-2>: a &amp; b (Open)","type":"mrkdwn","verbatim":true},"type":"section"}
    {"elements":[{"action_id":"turn_page:3","text":{"emoji":false,"text":"Next page","type":"plain_text"},"type":"button","value":"tracked 2"}],"type":"actions"}
    "#);
}

#[test]
fn buttons_that_slack_has_no_room_for_are_left_out_and_the_text_stays() {
    let kinds = |message: &Message| {
        let blocks = blocks(message);
        let beside = blocks.iter().filter(|block| block["accessory"].is_object()).count();
        let rows = blocks.iter().filter(|block| block["type"] == "actions").count();
        (beside, rows)
    };
    let read = |count: usize, summary: &str| {
        let message = render(&list_with_buttons(count, summary));
        assert_eq!(read_back(message.text()).lines().count(), 1 + count);
        message
    };
    assert_eq!(kinds(&read(48, "short")), (48, 1), "50 blocks");
    assert_eq!(kinds(&read(49, "short")), (0, 1), "too many blocks");
    assert_eq!(kinds(&read(40, &"long ".repeat(50))), (0, 0), "too much text");
}

#[test]
fn rows_of_buttons_are_shown_as_far_as_there_is_room() {
    let rows = |count: usize, label: &str, words: &str| {
        let row = || Block::Buttons((0..25).map(|_| button(label, "poll vote", true)).collect());
        let mut blocks = vec![Block::Paragraph(vec![text(words)])];
        blocks.extend((0..count).map(|_| row()));
        let message = render(&Reply { visibility: Visibility::Caller, blocks });
        let shown = blocks_of_rows(&message);
        (message.text().to_owned(), shown)
    };
    assert_eq!(rows(8, "B", "Choose one:"), ("Choose one:".to_owned(), 8), "200 buttons");
    assert_eq!(rows(60, "B", "Choose one:").1, 49, "50 blocks");
    assert_eq!(rows(20, &"B".repeat(75), "Choose one:").1, 6, "12,500 characters");
    assert_eq!(rows(2, "B", "").0, "Choose:");
    assert_eq!(rows(2, "B", "").1, 2, "only buttons");
    assert_eq!(rows(2, "B", &"long ".repeat(4_000)).1, 0, "too much text");
}

fn blocks_of_rows(message: &Message) -> usize {
    blocks(message).iter().filter(|block| block["type"] == "actions").count()
}

#[test]
fn what_buttons_say_and_ask_counts_too() {
    let long = |label: &str, command: &str, is_confirmed_first| {
        let mut reply = list_with_buttons(40, "short");
        let Block::Items(items) = &mut reply.blocks[1] else { panic!("there are items") };
        for item in items {
            let button = item.button.as_mut().unwrap();
            (button.label, button.command) = (label.to_owned(), command.to_owned());
            button.is_confirmed_first = is_confirmed_first;
        }
        let message = render(&reply);
        assert_eq!(read_back(message.text()).lines().count(), 41);
        blocks(&message).iter().filter(|block| block["accessory"].is_object()).count()
    };
    assert_eq!(long("Stop tracking", "untrack SCRUM-1", false), 40);
    assert_eq!(long("Stop tracking", "untrack SCRUM-1", true), 40);
    assert_eq!(long("Stop tracking", &"x".repeat(290), true), 0, "what Slack asks is too long");
    assert_eq!(long(&"x".repeat(75), &"x".repeat(290), true), 0);
}

#[test]
fn items_with_and_without_buttons_keep_their_order() {
    let mut reply = list_with_buttons(3, "x");
    let Block::Items(items) = &mut reply.blocks[1] else { panic!("there are items") };
    items[1].button = None;
    items[2].spans = vec![text("y".repeat(3_500))];
    let message = render(&reply);
    let sections: String = message.sections().collect::<Vec<_>>().concat();
    assert_eq!(sections, message.text().replace('\n', ""));
    assert_eq!(blocks(&message)[1]["accessory"]["value"], "untrack SCRUM-1");
}
