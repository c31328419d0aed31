//! Replies become Slack's markup exactly, harmlessly, and within Slack's limits.

use maro_domain::{
    ids::ChannelId,
    issue::IssueKey,
    reply::{Block, Button, Item, Reply, Span, Visibility},
};
use maro_simulation::slack::{checks::message_problems, terminal, workspace::Workspace};
use maro_slack::message::Message;
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
        link("https://example.com/a|b> <!here>", "see\n<!here>|x"),
        "<https://example.com/a%7Cb%3E%20%3C!here%3E|see &lt;!here&gt;|x>"
    );
    for bad in ["javascript:alert(1)", "slack://open", "ftp://x/y", "not a url", "", "mailto:a@b.c"] {
        assert_eq!(link(bad, "label"), "label", "{bad:?}");
    }
    assert_eq!(link(&format!("https://example.com/{}", "a".repeat(3_000)), "label"), "label");
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
    Button { label: label.to_owned(), command: command.to_owned(), turns_page }
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
    {"accessory":{"action_id":"run_command:1","text":{"emoji":false,"text":"Stop tracking","type":"plain_text"},"type":"button","value":"untrack SCRUM-1"},"text":{"text":"• <https://example.atlassian.net/browse/SCRUM-1|SCRUM-1>: a &amp; b (Open)","type":"mrkdwn","verbatim":true},"type":"section"}
    {"accessory":{"action_id":"run_command:2","text":{"emoji":false,"text":"Stop tracking","type":"plain_text"},"type":"button","value":"untrack SCRUM-2"},"text":{"text":"• <https://example.atlassian.net/browse/SCRUM-2|SCRUM-2>: a &amp; b (Open)","type":"mrkdwn","verbatim":true},"type":"section"}
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
