//! Everything that a message says to those who see it, as one text in Slack's markup.
//!
//! A message of a person says it all in `text`. Apps write blocks and attachments, and `text` is then only for where
//! Slack can't show those, or Slack's own excuse. Files come last, by their names.

mod blocks;
mod markdown;
mod rich_text;
mod said;

use serde::Deserialize;
use serde_json::Value;

use crate::{
    words::message_words::said::{is_placeholder, linked, said, with_linked_code},
    words::parse_markup::literal,
    words::title::says_something,
};

/// How much of it is kept, in bytes. Nobody reads more, and no form takes more.
const MAX_WORDS: usize = 64 * 1024;

/// The parts of a message in which words can be.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct MessageParts {
    text: Option<String>,
    bot_id: Option<String>,
    blocks: Value,
    attachments: Value,
    files: Value,
}

/// What a message says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MessageWords {
    /// In Slack's markup, one paragraph for each part.
    pub text: String,
    /// What a message without words is called: the title of its first file.
    pub name: Option<String>,
}

impl MessageParts {
    pub(crate) fn into_words(self) -> MessageWords {
        let list = |list: &'_ Value| list.as_array().cloned().unwrap_or_default();
        let (blocks, attachments, files) = (list(&self.blocks), list(&self.attachments), list(&self.files));
        let text = self.text.filter(|text| !is_placeholder(text));
        let is_persons = self.bot_id.is_none() && blocks.iter().all(|block| block["type"] == "rich_text");
        let shown = if is_persons && text.is_some() { String::new() } else { blocks::words(&blocks) };
        let mut paragraphs = vec![if shown.is_empty() { text.unwrap_or_default() } else { shown }];
        // Of a link alone, its preview says what it's about.
        let is_wordless = !says_something(&paragraphs[0]);
        let attached = attachments.iter().filter(|attachment| is_wordless || !is_preview(attachment));
        paragraphs.extend(attached.map(attachment_words));
        let name = files.iter().find_map(file_title);
        paragraphs.push(files.iter().filter_map(file_words).collect::<Vec<_>>().join("\n"));
        paragraphs.retain(|paragraph| !paragraph.trim().is_empty());
        let mut text = with_linked_code(&paragraphs.join("\n\n"));
        text.truncate(text.floor_char_boundary(MAX_WORDS));
        MessageWords { text, name: name.filter(|_| paragraphs.len() <= 1) }
    }
}

/// Whether it only shows where a link in the text leads.
fn is_preview(attachment: &Value) -> bool {
    let is_true = |name: &str| attachment[name] == true;
    attachment["from_url"].is_string() && !is_true("is_msg_unfurl") && !is_true("is_share")
}

/// An attachment as its blocks say it, or in the older way, and the files of a message that was forwarded.
fn attachment_words(attachment: &Value) -> String {
    let files = attachment["files"].as_array().into_iter().flatten().filter_map(file_words);
    let parts = [own_words(attachment)].into_iter().chain(files).filter(|part| !part.trim().is_empty());
    parts.collect::<Vec<_>>().join("\n")
}

fn own_words(attachment: &Value) -> String {
    let of_blocks = blocks::words(attachment["blocks"].as_array().map_or(&[], Vec::as_slice));
    let shared = attachment["message_blocks"].as_array().into_iter().flatten();
    let of_shared = shared.filter_map(|shared| shared["message"]["blocks"].as_array());
    let of_shared = of_shared.map(|blocks| blocks::words(blocks)).collect::<Vec<_>>().join("\n");
    if let Some(words) = [of_blocks, of_shared].into_iter().find(|words| !words.trim().is_empty()) {
        return words;
    }
    let mut lines: Vec<String> = Vec::new();
    lines.extend(said(attachment, "pretext").map(str::to_owned));
    // Some programs write the link into the title, too: `<https://x.example/7|#7>`.
    let is_link = |title: &str| title.contains("<http");
    lines.extend(said(attachment, "title").map(|title| match said(attachment, "title_link") {
        Some(link) if !is_link(title) => linked(link, title),
        _ => title.to_owned(),
    }));
    lines.extend(said(attachment, "text").map(str::to_owned));
    // Some programs say all there is to say as the author: `ci/build: The build failed`.
    if lines.is_empty()
        && let Some(author) = said(attachment, "author_name")
    {
        let link = said(attachment, "author_link");
        lines.push(link.map_or_else(|| author.to_owned(), |link| linked(link, author)));
    }
    for field in attachment["fields"].as_array().into_iter().flatten() {
        match (said(field, "title").map(str::to_owned), value(field)) {
            (Some(title), Some(value)) => lines.push(format!("{title}: {value}")),
            (title, value) => lines.extend(title.or(value)),
        }
    }
    // Where its buttons lead: to a runbook, a graph, a build.
    let links = attachment["actions"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|action| Some(linked(said(action, "url")?, said(action, "text")?)));
    let links = links.collect::<Vec<_>>().join(" ");
    if !links.is_empty() && !lines.is_empty() {
        lines.push(links);
    }
    if lines.is_empty() {
        lines.extend(said(attachment, "fallback").map(str::to_owned));
    }
    lines.join("\n")
}

/// A field's value. Some programs send numbers.
fn value(field: &Value) -> Option<String> {
    match &field["value"] {
        Value::Number(number) => Some(number.to_string()),
        _ => said(field, "value").map(str::to_owned),
    }
}

fn file_title(file: &Value) -> Option<String> {
    said(file, "title").or_else(|| said(file, "name")).map(str::to_owned)
}

/// `• Title (name)`, where the title leads to the file. A mail says what it says.
fn file_words(file: &Value) -> Option<String> {
    let title = file_title(file)?;
    if file["mode"] == "email"
        && let Some(words) = said(file, "plain_text").or_else(|| said(file, "preview_plain_text"))
    {
        return Some(format!("{}\n{}", literal(&title), literal(words.trim())));
    }
    let shown = match said(file, "permalink") {
        Some(permalink) => linked(permalink, &literal(&title)),
        None => literal(&title),
    };
    let name = said(file, "name").filter(|name| *name != title);
    Some(match name {
        Some(name) => format!("• {shown} ({})", literal(name)),
        None => format!("• {shown}"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn words(message: Value) -> String {
        serde_json::from_value::<MessageParts>(message).unwrap().into_words().text
    }

    #[test]
    fn a_persons_message_is_its_text() {
        let rich_text = json!([{ "type": "rich_text", "elements": [{ "type": "rich_text_section", "elements": [
            { "type": "text", "text": "It broke", "style": { "bold": true } } ] }] }]);
        assert_eq!(words(json!({ "text": "*It broke*", "blocks": rich_text })), "*It broke*");
        assert_eq!(words(json!({ "text": "", "blocks": rich_text })), "*It broke*");
        assert_eq!(words(json!({ "text": null, "blocks": null })), "");
        // The preview of a link repeats what is behind it.
        let preview = json!([{ "from_url": "https://x.example", "title": "X", "text": "About X" }]);
        assert_eq!(
            words(json!({ "text": "See <https://x.example>", "attachments": preview })),
            "See <https://x.example>"
        );
        assert_eq!(words(json!({ "text": "", "attachments": preview })), "X\nAbout X");
        assert_eq!(
            words(json!({ "text": "<@U1> <https://x.example>", "attachments": preview })),
            "<@U1> <https://x.example>\n\nX\nAbout X"
        );
    }

    #[test]
    fn an_apps_message_is_its_blocks() {
        let blocks = json!([
            { "type": "header", "text": { "type": "plain_text", "text": "R&D: 5 > 4" } },
            { "type": "section", "text": { "type": "mrkdwn", "text": "*Load* is <https://x.example|high>" },
              "fields": [{ "type": "mrkdwn", "text": "*Host*\nmq-1" }, { "type": "plain_text", "text": "a<b" }] },
            { "type": "divider" },
            { "type": "actions", "elements": [
                { "type": "button", "text": { "type": "plain_text", "text": "Graph" }, "url": "https://g.example/?a=1&b=2" },
                { "type": "button", "text": { "type": "plain_text", "text": "Silence" }, "value": "1" },
            ] },
            { "type": "context", "elements": [{ "type": "mrkdwn", "text": "eu &amp; us" }, { "type": "image", "alt_text": "logo" }] },
        ]);
        let expected = "*R&amp;D: 5 &gt; 4*\n\
            *Load* is <https://x.example|high>\n*Host*\nmq-1\na&lt;b\n\
            <https://g.example/?a=1&amp;b=2|Graph>\n\
            eu &amp; us";
        let placeholder = "This content can\u{2019}t be displayed.";
        assert_eq!(words(json!({ "text": placeholder, "bot_id": "B1", "blocks": blocks })), expected);
        assert_eq!(
            words(json!({ "text": "Load", "bot_id": "B1", "blocks": [{ "type": "divider" }] })),
            "Load"
        );
        assert_eq!(words(json!({ "text": placeholder, "bot_id": "B1" })), "");
    }

    #[test]
    fn an_attachment_says_what_people_see_of_it() {
        let attachment = json!({
            "fallback": "Plain", "pretext": "Before", "title": "Build 7", "title_link": "https://ci.example/7",
            "text": "failed", "actions": [
                { "id": "1", "type": "button", "text": "Runbook :book: &amp; more", "url": "https://run.example/?a=1&b=2" },
                { "id": "2", "type": "button", "text": "Silence", "value": "1" }, 7,
            ], "fields": [{ "title": "Step", "value": "migrate" }, { "title": "", "value": "alone" }, { "title": "Depth", "value": 40 }],
        });
        let expected = "Before\n<https://ci.example/7|Build 7>\nfailed\nStep: migrate\nalone\nDepth: 40\n<https://run.example/?a=1&amp;b=2|Runbook :book: &amp; more>";
        assert_eq!(words(json!({ "attachments": [attachment] })), expected);
        assert_eq!(words(json!({ "attachments": [{ "fallback": "Only this" }] })), "Only this");
        assert_eq!(words(json!({ "attachments": [{ "fallback": "[no preview available]" }] })), "");
    }

    #[test]
    fn a_title_that_is_a_link_stays_it() {
        let title = "<https://g.example/7|#7 Weigh once>";
        let attachment = json!({ "pretext": "Opened", "title": title, "title_link": "https://g.example/7" });
        assert_eq!(words(json!({ "attachments": [attachment] })), format!("Opened\n{title}"));
    }

    #[test]
    fn a_forwarded_message_has_its_files() {
        let forwarded = json!({ "is_msg_unfurl": true, "from_url": "https://h.example/p1", "text": "Look",
            "files": [{ "title": "Gate 7", "name": "gate.log", "permalink": "https://x.example/f" }, null] });
        let expected = "• <https://x.example/f|Gate 7> (gate.log)";
        assert_eq!(words(json!({ "text": "", "attachments": [forwarded] })), format!("Look\n{expected}"));
        let wordless = json!({ "is_msg_unfurl": true, "text": "", "files": [{ "name": "a.png" }] });
        assert_eq!(words(json!({ "text": "", "attachments": [wordless] })), "• a.png");
    }

    #[test]
    fn what_an_attachment_says_as_its_author_counts_if_there_is_nothing_else() {
        let author = json!({ "fallback": "x", "author_name": "ci/build: failed", "author_link": "https://ci.example/9",
            "fields": [{ "title": "Step", "value": "migrate" }] });
        let named = json!({ "author_name": "imani", "title": "Weigh once" });
        assert_eq!(
            words(json!({ "attachments": [author, named] })),
            "<https://ci.example/9|ci/build: failed>\nStep: migrate\n\nWeigh once"
        );
    }

    #[test]
    fn a_label_keeps_its_bars_and_its_code() {
        let alarm = json!({ "title": "Alarm | Deep queue | eu", "title_link": "https://c.example/1",
            "text": "release `<https://r.example/7|a1b2>` and `x < 1`" });
        assert_eq!(
            words(json!({ "attachments": [alarm] })),
            "<https://c.example/1|Alarm | Deep queue | eu>\nrelease <https://r.example/7|`a1b2`> and `x < 1`"
        );
    }

    #[test]
    fn files_are_named() {
        let files = json!([
            { "title": "Gate 7", "name": "gate.log", "permalink": "https://x.example/f" },
            { "title": "a|b.png", "name": "a|b.png" },
            { "mode": "tombstone" },
        ]);
        let parts: MessageParts = serde_json::from_value(json!({ "text": "", "files": files })).unwrap();
        let expected = "• <https://x.example/f|Gate 7> (gate.log)\n• a|b.png";
        assert_eq!(
            parts.into_words(),
            MessageWords { text: expected.to_owned(), name: Some("Gate 7".to_owned()) }
        );
        let parts: MessageParts = serde_json::from_value(json!({ "text": "Look", "files": files })).unwrap();
        assert_eq!(parts.into_words().name, None);
    }

    #[test]
    fn blocks_of_every_kind_have_words() {
        let plain = |text: &str| json!({ "type": "plain_text", "text": text });
        let rich_text = |text: &str| {
            json!({ "type": "rich_text", "elements": [{ "type": "rich_text_section", "elements": [
                { "type": "text", "text": text } ] }] })
        };
        for (block, expected) in [
            (json!({ "type": "image", "alt_text": "CPU of mq-1" }), "CPU of mq-1"),
            (json!({ "type": "image", "alt_text": "graph", "title": plain("CPU") }), "CPU"),
            (
                json!({ "type": "video", "title": plain("Demo"), "title_url": "https://v.example/1", "alt_text": "x",
                    "description": plain("How it fails") }),
                "<https://v.example/1|Demo>\nHow it fails",
            ),
            (
                json!({ "type": "call", "call": { "v1": { "name": "War room", "join_url": "https://m.example/1" } } }),
                "<https://m.example/1|War room>",
            ),
            (
                json!({ "type": "carousel", "elements": [
                    { "type": "card", "title": plain("First"), "body": plain("It broke"), "actions": [] },
                    { "type": "card", "title": plain("Second"), "elements": [{ "type": "section", "text": plain("Too") }] },
                ] }),
                "First\nIt broke\nSecond\nToo",
            ),
            (json!({ "type": "alert", "text": "Disk full", "level": "error" }), "Disk full"),
            (
                json!({ "type": "table", "rows": [
                    [{ "type": "raw_text", "text": "Host" }, { "type": "raw_text", "text": "Depth" }],
                    [{ "type": "raw_text", "text": "mq-1" }, { "type": "raw_number", "value": 40.5 }, null],
                ] }),
                "Host | Depth\nmq-1 | 40.5 | ",
            ),
            (
                json!({ "type": "data_table", "caption": "Queues", "page_size": 5, "rows": [
                    [{ "type": "raw_text", "text": "mq-1" }, { "type": "raw_number", "value": 7, "text": "seven" }],
                ] }),
                "Queues\nmq-1 | seven",
            ),
            (
                json!({ "type": "data_visualization", "title": "Load & depth", "chart": { "type": "line",
                    "series": [{ "name": "mq-1", "data": [{ "label": "Mon", "value": 12 }, { "label": "Tue", "value": 13 }] }],
                    "segments": [{ "label": "eu", "value": 45 }] } }),
                "Load &amp; depth\neu: 45\nmq-1: Mon 12, Tue 13",
            ),
            (
                json!({ "type": "plan", "title": "Find the leak", "tasks": [{ "type": "task_card", "title": "Read logs",
                    "status": "complete", "details": rich_text("Nothing there"), "output": rich_text("3 lines"),
                    "sources": [{ "type": "url", "url": "https://l.example/1", "text": "Log" }] }] }),
                "Find the leak\nRead logs\nNothing there\n3 lines\n<https://l.example/1|Log>",
            ),
            (
                json!({ "type": "container", "title": plain("Deploy"), "rich_text_title": rich_text("Deploy 7"),
                    "subtitle": { "type": "mrkdwn", "text": "*production*" }, "child_blocks": [
                        { "type": "section", "text": plain("It broke") }, { "type": "divider" },
                        { "type": "context_actions", "elements": [{ "type": "icon_button", "text": plain("Delete") }] },
                    ] }),
                "Deploy\nDeploy 7\n*production*\nIt broke",
            ),
            (
                json!({ "type": "actions", "elements": [
                    { "type": "checkboxes", "options": [{ "text": plain("Page them"), "value": "1" }, { "text": plain("Roll back"), "value": "2" }] },
                    { "type": "button", "text": plain("Graph"), "url": "https://g.example/1" },
                    { "type": "static_select", "options": [{ "text": plain("Low"), "value": "1" }] },
                ] }),
                "<https://g.example/1|Graph>\n• Page them\n• Roll back",
            ),
        ] {
            assert_eq!(words(json!({ "bot_id": "B1", "text": "", "blocks": [block] })), expected, "{block}");
        }
        let mut deep = json!({ "type": "x", "title": plain("deep") });
        for _ in 0..100 {
            deep = json!({ "type": "x", "elements": [deep] });
        }
        assert_eq!(words(json!({ "bot_id": "B1", "blocks": [deep] })), "");
    }

    #[test]
    fn a_mail_says_what_it_says() {
        let file = json!({ "mode": "email", "filetype": "email", "title": "Gate 7 & 8 stuck", "name": "Gate_7_8",
            "plain_text": "Since 07:41.\nPlease call.", "permalink": "https://x.example/f" });
        let parts: MessageParts = serde_json::from_value(json!({ "text": "", "files": [file] })).unwrap();
        let words = parts.into_words();
        assert_eq!(words.text, "Gate 7 &amp; 8 stuck\nSince 07:41.\nPlease call.");
        assert_eq!(words.name.as_deref(), Some("Gate 7 & 8 stuck"));
    }

    #[test]
    fn odd_parts_are_left_out() {
        let blocks = json!([7, null, {}, { "type": "section" }, { "type": "rich_text", "elements": [{ "elements": 7 }] }]);
        assert_eq!(words(json!({ "blocks": blocks, "attachments": [7, {}], "files": [null, 7] })), "");
    }
}
