//! Replies of plugins, put together at random: whatever is in them, Slack takes the message, and nothing in it
//! mentions, links or formats what wasn't meant to.

use std::{collections::HashSet, sync::Arc};

use arbitrary::{Result, Unstructured};
use arbtest::arbtest;
use maro_domain::{
    ids::{ChannelId, UserId},
    issue::IssueKey,
    reply::{Block, Button, ButtonKind, Item, Maker, Reply, Span, Visibility},
};
use maro_simulation::slack::checks::message_problems;
use maro_slack::outgoing::render::Renderer;
use serde_json::Value;

/// What texts are made of.
const PIECES: [&str; 40] = [
    "a",
    "word ",
    "HARB-5",
    "harbor.example",
    "https://",
    "//",
    "@",
    "#",
    "docks",
    ".",
    "-",
    "5",
    ":",
    "/",
    "%2E",
    "<",
    ">",
    "|",
    "&",
    "&amp;",
    "<!channel>",
    "<@U1>",
    "*",
    "_",
    "~",
    "`",
    "```",
    "\n",
    "\r\n",
    "> ",
    "• ",
    "。",
    "\u{200b}",
    "\u{202e}",
    "\u{0}",
    "é",
    "🦀",
    "[::1]",
    " ",
    "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
];

/// Where links lead.
const TARGETS: [&str; 7] = [
    "https://pier.trap.example/",
    "https://pier.trap.example/a|b>c?d=<e>&f=g",
    "http://[::1]:8080/",
    "https://harbor.example@pier.trap.example/",
    "javascript:alert(1)",
    "https://example.atlassian.net/browse/HARB-5",
    "not a url",
];

fn text(random: &mut Unstructured<'_>) -> Result<String> {
    let mut text = String::new();
    for _ in 0..random.int_in_range(0..=8)? {
        text.push_str(random.choose(&PIECES)?);
        if random.ratio(1, 16)? {
            text.push(random.arbitrary()?);
        }
    }
    if random.ratio(1, 64)? {
        text = text.repeat(random.int_in_range(1..=2_000)?);
    }
    Ok(text)
}

fn span(random: &mut Unstructured<'_>) -> Result<Span> {
    Ok(match random.int_in_range(0..=9)? {
        0 => Span::Strong(text(random)?),
        1 => Span::Code(text(random)?),
        2 | 3 => Span::Link { url: (*random.choose(&TARGETS)?).to_owned(), label: text(random)? },
        4 => Span::Issue(IssueKey::parse("HARB-7").unwrap()),
        5 => Span::Channel,
        6 => Span::Caller,
        7 => Span::User(UserId::parse(&format!("U{}", random.int_in_range(0..=99)?)).unwrap()),
        _ => Span::Text(text(random)?),
    })
}

fn several<T>(
    random: &mut Unstructured<'_>,
    most: usize,
    mut one: impl FnMut(&mut Unstructured<'_>) -> Result<T>,
) -> Result<Vec<T>> {
    (0..random.int_in_range(0..=most)?).map(|_| one(random)).collect()
}

fn spans(random: &mut Unstructured<'_>) -> Result<Vec<Span>> {
    several(random, 12, span)
}

/// Labels and commands are lines of bounded length by then.
fn button(random: &mut Unstructured<'_>) -> Result<Button> {
    let maker = if random.arbitrary()? { Maker::Host } else { Maker::Plugin(Arc::from("fuzz")) };
    let long = "x".repeat(random.int_in_range(1..=75)?);
    let long_command = long.repeat(3);
    Ok(Button {
        label: (*random.choose(&["Next", "*a*", "<!here>", &long])?).to_owned(),
        command: (*random.choose(&["tracked 2", "untrack HARB-5", "stories <!here>", &long_command])?)
            .to_owned(),
        kind: *random.choose(&[ButtonKind::Runs, ButtonKind::TurnsPage, ButtonKind::Assigns])?,
        maker,
        question: None,
        is_confirmed_first: random.arbitrary()?,
    })
}

fn block(random: &mut Unstructured<'_>) -> Result<Block> {
    Ok(match random.int_in_range(0..=3)? {
        0 => Block::Paragraph(spans(random)?),
        1 => Block::Lines(several(random, 30, spans)?),
        2 => Block::Buttons(several(random, 30, button)?),
        _ => Block::Items(several(random, 60, |random| {
            let button = if random.arbitrary()? { Some(button(random)?) } else { None };
            Ok(Item { spans: spans(random)?, button })
        })?),
    })
}

/// Whether a piece of markup is one that a reply may contain.
fn is_own(markup: &str) -> bool {
    let is_id = |id: &str| !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_alphanumeric());
    if let Some(id) = markup.strip_prefix('@') {
        return is_id(id) && id.starts_with(['U', 'W']);
    }
    if let Some(id) = markup.strip_prefix('#') {
        return is_id(id);
    }
    let Some((target, label)) = markup.split_once('|') else { return false };
    let is_target =
        ["https://pier.trap.example/", "http://[::1]:8080/", "https://example.atlassian.net/browse/"]
            .iter()
            .any(|start| target.starts_with(start));
    is_target && !target.contains('@') && !label.is_empty()
}

#[test]
fn slack_takes_every_reply_and_nothing_in_it_is_markup_that_was_not_meant() {
    let renderer = Renderer::new(&"https://example.atlassian.net".parse().unwrap());
    let (channel, caller) = (ChannelId::parse("C06DOCKS01").unwrap(), UserId::parse("U07JONAS02").unwrap());
    arbtest(|random| {
        let visibility = if random.arbitrary()? { Visibility::Channel } else { Visibility::Caller };
        let reply = Reply { visibility, blocks: several(random, 6, block)? };
        let message = renderer.render(&reply, &channel, &caller);
        for json in [message.to_answer(), message.to_follow_up()] {
            let payload: Value = serde_json::from_slice(&json).unwrap();
            assert_eq!(message_problems(&payload), [""; 0], "{reply:?}");
        }
        let text = message.text();
        let mut mentioned = HashSet::new();
        for (at, _) in text.match_indices('<') {
            let markup = text[at + 1..].split('>').next().unwrap();
            assert!(is_own(markup), "<{markup}> in {text}");
            mentioned.extend(markup.strip_prefix('@'));
        }
        assert_eq!(text.matches('<').count(), text.matches('>').count(), "{text}");
        if visibility == Visibility::Channel {
            assert!(mentioned.len() <= 20, "{} people", mentioned.len());
        }
        Ok(())
    })
    .size_max(8 * 1024)
    .run();
}
