//! The words of Markdown as other programs write it, in Slack's markup. What isn't known stays as it is.

use crate::{words::message_words::said::linked, words::parse_markup::literal};

const FENCE: &str = "```";

/// The text in Slack's markup, line by line.
pub(super) fn words(markdown: &str) -> String {
    let mut is_code = false;
    let mut lines = Vec::new();
    for line in markdown.lines() {
        if line.trim_start().starts_with(FENCE) {
            is_code = !is_code;
            lines.push(FENCE.to_owned());
        } else if is_code {
            lines.push(literal(line));
        } else {
            lines.extend(of_line(line));
        }
    }
    lines.join("\n")
}

/// `None` for lines that only draw.
fn of_line(line: &str) -> Option<String> {
    let text = line.trim();
    let is_made_of = |signs: &str| text.len() >= 3 && text.chars().all(|letter| signs.contains(letter));
    if is_made_of("-") || is_made_of("=") || is_made_of("*") || is_made_of("|-: ") {
        return None;
    }
    if let Some(heading) = heading(text) {
        let plain = inline(heading).replace('*', "");
        return Some(format!("*{plain}*"));
    }
    if let Some(quoted) = text.strip_prefix('>') {
        return Some(format!("&gt; {}", inline(quoted.trim_start())));
    }
    if let Some(item) = ["- ", "* ", "+ "].iter().find_map(|bullet| text.strip_prefix(bullet)) {
        return Some(format!("• {}", inline(item)));
    }
    match text.strip_prefix('|').and_then(|row| row.strip_suffix('|')) {
        Some(row) => Some(inline(row.trim())),
        None => Some(inline(text)),
    }
}

/// The words of `## A heading ##`.
fn heading(line: &str) -> Option<&str> {
    let words = line.trim_start_matches('#');
    let level = line.len() - words.len();
    ((1..=6).contains(&level) && words.starts_with(' ')).then(|| words.trim_end_matches('#').trim())
}

/// Links, emphasis and code within a line.
fn inline(line: &str) -> String {
    let (mut out, mut rest) = (String::with_capacity(line.len()), line);
    while let Some(first) = rest.chars().next() {
        let (words, length) = token(rest, out.chars().next_back())
            .unwrap_or_else(|| (literal(first.encode_utf8(&mut [0; 4])), first.len_utf8()));
        out.push_str(&words);
        rest = &rest[length..];
    }
    out
}

/// What stands at the start of `text`, in Slack's markup, and how long it is; `None` for a letter like any other.
fn token(text: &str, before: Option<char>) -> Option<(String, usize)> {
    if let Some(escaped) = text.strip_prefix('\\').and_then(|rest| rest.chars().next()) {
        return escaped.is_ascii_punctuation().then(|| (literal(escaped.encode_utf8(&mut [0; 4])), 2));
    }
    if let Some(code) = text.strip_prefix('`') {
        let end = code.find('`')?;
        return Some((format!("`{}`", literal(&code[..end])), end + 2));
    }
    if text.starts_with('[') || text.starts_with("![") {
        return link(text);
    }
    // A single asterisk emphasises if a word touches it, and multiplies if none does.
    let touches = |letter: Option<char>| letter.is_some_and(|letter| !letter.is_whitespace());
    if text.starts_with("***") {
        // What is bold and italic ends in the other order.
        return Some((if touches(before) { "_*" } else { "*_" }.to_owned(), 3));
    }
    for (markdown, own) in [("**", "*"), ("__", "*"), ("~~", "~")] {
        if text.starts_with(markdown) {
            return Some((own.to_owned(), markdown.len()));
        }
    }
    let rest = text.strip_prefix('*')?;
    (touches(before) != touches(rest.chars().next())).then(|| ("_".to_owned(), 1))
}

/// `[label](address "title")`, or an image.
fn link(text: &str) -> Option<(String, usize)> {
    let start = text.find('[')? + 1;
    let middle = start + text[start..].find("](")?;
    let label = &text[start..middle];
    let address_start = middle + 2;
    let end = address_start + closing(&text[address_start..])?;
    let address = text[address_start..end].split_whitespace().next()?;
    if label.contains(['[', ']', '\n']) || !address.contains(':') {
        return None;
    }
    let label = if label.trim().is_empty() { address } else { label };
    Some((linked(address, &literal(&label.replace(['*', '`'], ""))), end + 1))
}

/// Where the bracket is that closes an address: one within it has an end of its own.
fn closing(text: &str) -> Option<usize> {
    let mut open = 0_usize;
    let is_end = |letter: char| {
        match letter {
            '(' => open += 1,
            ')' if open == 0 => return true,
            ')' => open -= 1,
            _ => {}
        }
        false
    };
    text.find(is_end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markdown_becomes_slacks_markup() {
        let markdown = "# Deploy **failed** ##\n\nStep *migrate* of **checkout_api** took 2 * 3 s, ~~again~~\n\
            - see [the run](https://x.example/?a=1&b=2 \"Run\") & `a<b`\n* ![graph](https://x.example/g.png)\n> quoted\n\
            ---\n| Host | Depth |\n|:---|---:|\n| mq-1 | 40 |\n```rust\nlet x = \"**\";\n```\n\\*not\\* [x] a<b";
        assert_eq!(
            words(markdown),
            "*Deploy failed*\n\nStep _migrate_ of *checkout_api* took 2 * 3 s, ~again~\n\
             • see <https://x.example/?a=1&amp;b=2|the run> &amp; `a&lt;b`\n• <https://x.example/g.png|graph>\n&gt; quoted\n\
             Host | Depth\nmq-1 | 40\n```\nlet x = \"**\";\n```\n*not* [x] a&lt;b"
        );
    }

    #[test]
    fn brackets_and_asterisks_have_their_ends() {
        let markdown =
            "[wiki](https://en.wikipedia.org/wiki/A_(b)) and ([x](https://x.example)) ***both*** 2 * 3";
        assert_eq!(
            words(markdown),
            "<https://en.wikipedia.org/wiki/A_(b)|wiki> and (<https://x.example|x>) *_both_* 2 * 3"
        );
    }

    #[test]
    fn half_of_something_stays_as_it_is() {
        for text in ["[label](", "`code", "[a", "![", "\\", "#hash", "a * b", "[x](nowhere)"] {
            assert_eq!(words(text), text);
        }
    }
}
