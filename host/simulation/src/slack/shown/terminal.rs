//! A Slack message as plain lines: what a person reads in Slack, without colours.

use serde_json::Value;

use crate::slack::{modals::form, shown::history::ShownMessage, workspace::Names};

/// The text of a message as Slack shows it: the text of its blocks if it has any, otherwise its `text`.
pub fn message_text(message: &ShownMessage, names: &Names) -> String {
    if message.blocks.is_empty() {
        return plain(&message.text, names);
    }
    let mut lines = Vec::new();
    for block in &message.blocks {
        lines.extend(block_lines(block, names));
        if block["type"] == "actions" {
            lines.extend(labels(block));
        }
    }
    lines.join("\n")
}

/// As [`message_text`], including the buttons next to lines.
pub fn text_with_buttons(message: &ShownMessage, names: &Names) -> String {
    text_with(message, names, labels)
}

/// As [`text_with_buttons`], with the command that each button types: `[Next page → /maro tracked 2]`.
pub fn text_with_commands(message: &ShownMessage, names: &Names) -> String {
    text_with(message, names, |block| {
        let buttons = form::buttons(std::slice::from_ref(block)).into_iter();
        let shown = buttons.map(|button| {
            format!("[{} → /maro {}]", visible(&button.label), visible(&button.value.unwrap_or_default()))
        });
        shown.collect()
    })
}

fn text_with(message: &ShownMessage, names: &Names, shown_buttons: fn(&Value) -> Vec<String>) -> String {
    if message.blocks.is_empty() {
        return plain(&message.text, names);
    }
    let lines = message.blocks.iter().flat_map(|block| {
        let (lines, buttons) = (block_lines(block, names), shown_buttons(block));
        match (&*lines, &*buttons) {
            ([.., last], [_, ..]) if block["type"] == "section" => {
                let with_buttons = format!("{last} {}", buttons.join(" "));
                lines[..lines.len() - 1].iter().cloned().chain([with_buttons]).collect()
            }
            (_, []) => lines,
            _ => lines.into_iter().chain([buttons.join(" ")]).collect::<Vec<_>>(),
        }
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// The buttons next to the lines of a message's lists, each label once: `[Stop tracking]`.
pub fn buttons_beside(message: &ShownMessage) -> Vec<String> {
    let is_line = |block: &&Value| {
        block["type"] == "section" && block["text"]["text"].as_str().is_some_and(|text| text.starts_with('•'))
    };
    let mut labels: Vec<_> = message.blocks.iter().filter(is_line).flat_map(labels).collect();
    labels.dedup();
    labels
}

fn labels(block: &Value) -> Vec<String> {
    let buttons = form::buttons(std::slice::from_ref(block));
    buttons.iter().map(|button| format!("[{}]", visible(&button.label))).collect()
}

/// The texts in a block, without its fields and buttons.
pub fn block_lines(block: &Value, names: &Names) -> Vec<String> {
    let shown = |object: &&Value| {
        let text = object["text"].as_str().unwrap_or_default();
        if object["type"] == "mrkdwn" { plain(text, names) } else { visible(text) }
    };
    form::text_objects(std::slice::from_ref(block)).iter().map(shown).collect()
}

/// Turns Slack's markup into what Slack shows: links become their labels, mentions become names, entities
/// become characters, and emphasis and code lose their marks.
pub fn plain(markup: &str, names: &Names) -> String {
    let mut shown = String::with_capacity(markup.len());
    for (index, line) in markup.split('\n').enumerate() {
        if index > 0 {
            shown.push('\n');
        }
        plain_line(line, names, &mut shown);
    }
    visible(&shown)
}

fn plain_line(line: &str, names: &Names, shown: &mut String) {
    let mut rest = line;
    while let Some(next) = rest.find(['<', '*', '_', '~', '`']) {
        let before = rest[..next].chars().next_back();
        shown.push_str(&unescaped(&rest[..next]));
        rest = &rest[next..];
        let mark = &rest[..1];
        if mark == "<"
            && let Some(end) = rest.find('>')
        {
            shown.push_str(&reference(&rest[1..end], names));
            rest = &rest[end + 1..];
        } else if let Some(inner) = formatted(rest, mark, before.or(shown.chars().next_back())) {
            if mark == "`" {
                shown.push_str(&unescaped(inner));
            } else {
                plain_line(inner, names, shown);
            }
            rest = &rest[inner.len() + 2..];
        } else {
            shown.push_str(mark);
            rest = &rest[1..];
        }
    }
    shown.push_str(&unescaped(rest));
}

/// The text between two marks, if Slack treats them as formatting: inside, they touch the text; outside, they
/// touch no word.
fn formatted<'a>(text: &'a str, mark: &str, before: Option<char>) -> Option<&'a str> {
    let after_mark = &text[1..];
    let is_open = before.is_none_or(|before| !before.is_alphanumeric())
        && after_mark.starts_with(|next: char| !is_gap(next));
    if !is_open {
        return None;
    }
    let closes = |end: &usize| {
        let inner = &after_mark[..*end];
        !inner.is_empty()
            && !inner.ends_with(is_gap)
            && !after_mark[end + 1..].starts_with(char::is_alphanumeric)
    };
    after_mark.match_indices(mark).map(|(end, _)| end).find(closes).map(|end| &after_mark[..end])
}

fn is_gap(character: char) -> bool {
    character.is_whitespace() || character == '\u{200b}'
}

/// What `<…>` shows.
fn reference(inside: &str, names: &Names) -> String {
    let (target, label) = match inside.split_once('|') {
        Some((target, label)) => (target, Some(label)),
        None => (inside, None),
    };
    let named = |sign: &str, name: Option<&str>, id: &str| format!("{sign}{}", name.or(label).unwrap_or(id));
    if let Some(id) = target.strip_prefix('#') {
        named("#", names.channels.get(id).map(String::as_str), id)
    } else if let Some(id) = target.strip_prefix('@') {
        named("@", names.users.get(id).map(String::as_str), id)
    } else if let (true, Some(label)) = (target.starts_with("!date^"), label) {
        unescaped(label)
    } else if let Some(everyone) = target.strip_prefix('!') {
        named("@", None, everyone)
    } else {
        unescaped(label.unwrap_or(target))
    }
}

fn unescaped(text: &str) -> String {
    // `&amp;` comes last: what it uncovers isn't an entity.
    text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
}

/// Removes characters that a terminal would obey or not show.
pub fn visible(text: &str) -> String {
    let is_shown = |character: &char| {
        *character == '\n' || !(character.is_control() || matches!(character, '\u{200b}' | '\u{ad}'))
    };
    text.chars().filter(is_shown).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn names() -> Names {
        Names {
            channels: BTreeMap::from([("C1".to_owned(), "general".to_owned())]),
            users: BTreeMap::from([("U1".to_owned(), "ada".to_owned())]),
        }
    }

    #[test]
    fn markup_becomes_what_slack_shows() {
        for (markup, shown) in [
            ("<https://x/browse/A-1|A-1>: a &lt;b&gt; &amp;amp; c", "A-1: a <b> &amp; c"),
            ("in <#C1> by <@U1>, <@U9>, <#C9|old>", "in #general by @ada, @U9, #old"),
            ("<https://x/?a=1&amp;b=2>", "https://x/?a=1&b=2"),
            ("*strong* and `co*d*e` and _it_", "strong and co*d*e and it"),
            ("*<https://x|A> b*", "A b"),
            ("*\u{200b}not bold*", "*not bold*"),
            ("2 * 3 * 4, snake_case_name, a*b*c", "2 * 3 * 4, snake_case_name, a*b*c"),
            ("<!channel> <!here|here>", "@channel @here"),
            ("since <!date^1^{date_short}|Jan 1, 1970>", "since Jan 1, 1970"),
            ("one\ntwo\u{1b}[31m\n", "one\ntwo[31m\n"),
            ("a < b", "a < b"),
            ("*a\nb*", "*a\nb*"),
            ("", ""),
            ("<", "<"),
            ("<>", ""),
            ("é<é", "é<é"),
        ] {
            assert_eq!(plain(markup, &names()), shown, "{markup:?}");
        }
    }
}
