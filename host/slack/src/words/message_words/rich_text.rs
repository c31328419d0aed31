//! The words of rich text, in Slack's markup.
//! <https://docs.slack.dev/reference/block-kit/blocks/rich-text-block>.

use serde_json::Value;

use crate::{
    words::message_words::said::{linked, said},
    words::parse_markup::literal,
};

/// The words of a rich text block, a line or more for each of its parts.
pub(super) fn words(block: &Value) -> String {
    let mut number = 0;
    let said = elements(block).map(|part| of_part(part, &mut number));
    said.filter(|words| !words.trim().is_empty()).collect::<Vec<_>>().join("\n")
}

/// `number` counts the items of numbered lists, which several lists may continue.
fn of_part(part: &Value, number: &mut usize) -> String {
    match part["type"].as_str().unwrap_or_default() {
        "rich_text_list" => {
            let is_numbered = part["style"] == "ordered";
            *number = part["offset"].as_u64().map_or(0, |offset| usize::try_from(offset).unwrap_or(0));
            let items = elements(part).map(|item| {
                *number += 1;
                let line = inline(item);
                if is_numbered { format!("{number}. {line}") } else { format!("• {line}") }
            });
            items.collect::<Vec<_>>().join("\n")
        }
        "rich_text_quote" => {
            inline(part).lines().map(|line| format!("&gt; {line}")).collect::<Vec<_>>().join("\n")
        }
        "rich_text_preformatted" => format!("```\n{}\n```", plain(part)),
        _ => inline(part).trim_end_matches('\n').to_owned(),
    }
}

fn elements(part: &Value) -> impl Iterator<Item = &Value> {
    part["elements"].as_array().into_iter().flatten()
}

fn inline(part: &Value) -> String {
    elements(part).filter_map(of_element).collect()
}

/// As [`inline`], where markup isn't possible.
fn plain(part: &Value) -> String {
    let plain = |element: &Value| match element["type"].as_str()? {
        "text" => element["text"].as_str().map(literal),
        _ => of_element(element),
    };
    elements(part).filter_map(plain).collect()
}

fn of_element(element: &Value) -> Option<String> {
    let id = |name: &str| {
        let is_id = |id: &&str| id.bytes().all(|byte| byte.is_ascii_alphanumeric());
        element[name].as_str().filter(is_id)
    };
    Some(match element["type"].as_str()? {
        "text" => styled(&literal(element["text"].as_str()?), &element["style"]),
        "link" => {
            let address = said(element, "url")?;
            linked(address, &literal(said(element, "text").unwrap_or(address)))
        }
        "emoji" => element["unicode"].as_str().and_then(letters).unwrap_or_default(),
        "user" => format!("<@{}>", id("user_id")?),
        "channel" => format!("<#{}>", id("channel_id")?),
        "usergroup" => format!("<!subteam^{}>", id("usergroup_id")?),
        "broadcast" => format!("<!{}>", id("range")?),
        "date" => literal(&said(element, "fallback").map(str::to_owned).or_else(|| moment(element))?),
        "color" => literal(said(element, "value")?),
        _ => return None,
    })
}

/// When it is, for who reads it elsewhere.
fn moment(element: &Value) -> Option<String> {
    let at = jiff::Timestamp::from_second(element["timestamp"].as_i64()?).ok()?;
    Some(at.strftime("%Y-%m-%d %H:%M UTC").to_string())
}

/// Slack's `1f468-200d-1f4bb` as what it shows.
fn letters(code_points: &str) -> Option<String> {
    code_points.split('-').map(|point| char::from_u32(u32::from_str_radix(point, 16).ok()?)).collect()
}

/// A text with its markers. Spaces stay outside, because a marker has to touch the word.
fn styled(text: &str, style: &Value) -> String {
    let inner = text.trim();
    if inner.is_empty() || inner.contains('\n') {
        return text.to_owned();
    }
    let is_on = |name: &str| style[name] == true;
    let mut marked = inner.to_owned();
    for (name, marker) in [("code", '`'), ("strike", '~'), ("italic", '_'), ("bold", '*')] {
        if is_on(name) {
            marked = format!("{marker}{marked}{marker}");
        }
    }
    let start = text.len() - text.trim_start().len();
    format!("{}{marked}{}", &text[..start], &text[text.trim_end().len()..])
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn rich_text_becomes_markup() {
        let text = |text: &str| json!({ "type": "text", "text": text });
        let section = |elements: Value| json!({ "type": "rich_text_section", "elements": elements });
        let block = json!({ "type": "rich_text", "elements": [
            section(json!([
                { "type": "emoji", "name": "rotating_light", "unicode": "1f6a8" },
                { "type": "emoji", "name": "our_own" },
                { "type": "text", "text": " Queue above 40k ", "style": { "bold": true, "italic": true } },
                { "type": "link", "url": "https://x.example/?a=1&b=2", "text": "what to do" },
                { "type": "user", "user_id": "U1" }, text(" "), { "type": "channel", "channel_id": "C1" },
                { "type": "usergroup", "usergroup_id": "S1" }, { "type": "broadcast", "range": "here" },
                { "type": "unknown", "text": "x" }, { "type": "date", "timestamp": 1795478399, "format": "{date}" },
            ])),
            { "type": "rich_text_list", "style": "ordered", "elements": [section(json!([text("a < b")])), section(json!([text("c")]))] },
            { "type": "rich_text_list", "style": "bullet", "elements": [section(json!([text("d")]))] },
            { "type": "rich_text_quote", "elements": [text("one\ntwo")] },
            { "type": "rich_text_preformatted", "elements": [text("x=1 & y\n  z")] },
        ] });
        assert_eq!(
            words(&block),
            "🚨 *_Queue above 40k_* <https://x.example/?a=1&amp;b=2|what to do><@U1> <#C1><!subteam^S1><!here>2026-11-23 23:59 UTC\n\
             1. a &lt; b\n2. c\n• d\n&gt; one\n&gt; two\n```\nx=1 &amp; y\n  z\n```"
        );
    }
}
