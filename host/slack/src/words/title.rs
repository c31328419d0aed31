//! A title made from a message: its first words, without markup, addresses, emoji codes, calls to everybody, and names
//! that nobody knows.

use crate::{
    words::emoji,
    words::parse_markup::{calls_everyone, for_title, parse_message, to_title},
};
use maro_domain::rich_text::{Inline, RichBlock};

/// Where something was left out. No message has it: it stands for what can't be shown.
const GAP: char = '\u{fffc}';

/// What joins the names before a message's first words: `@ada and @bob, could you …`.
const JOINERS: [&str; 6] = ["and", "or", "&", "+", "/", ","];

/// About how long a title is, in UTF-16 units.
const LENGTH: usize = 80;

/// The first line of a message that has words, at most about 80 characters of it, cut between two words. Empty if it
/// has none at all.
pub fn title_of(mrkdwn: &str) -> String {
    let known = for_title(mrkdwn, GAP);
    // Nothing but links: then their labels have to do.
    let title = first_words(&known).unwrap_or_else(|| {
        let labels = to_title(&emoji::with_each(&known, |_| " ".to_owned())).replace(GAP, " ");
        labels.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default().to_owned()
    });
    cut_between_words(&title, LENGTH)
}

/// Whether a message says more than whom it is for, and where its links lead.
pub(crate) fn says_something(mrkdwn: &str) -> bool {
    first_words(&for_title(mrkdwn, GAP)).is_some()
}

/// The first line that has words. `known` has a gap for each name that isn't known.
fn first_words(known: &str) -> Option<String> {
    let blocks = parse_message(known).blocks;
    let with_kind = |block: &RichBlock| {
        let is_code = matches!(block, RichBlock::Code(_));
        lines(block).into_iter().map(move |line| (line, is_code))
    };
    let mut lines = blocks.iter().flat_map(with_kind).filter(|(line, _)| has_words(&tidied(line)));
    // `Severity:` says nothing without the line below.
    lines.next().map(|(line, _)| match lines.next() {
        Some((value, false)) if is_label(&line) => tidied(&format!("{line} {value}")),
        _ => tidied(&line),
    })
}

/// What was typed as a title, which may say anything but markup: the labels of its links, and none of the names that
/// nobody knows.
pub fn title_as_typed(mrkdwn: &str) -> String {
    let labels = to_title(&for_title(mrkdwn, GAP));
    [format!(" {GAP}"), format!("{GAP} "), GAP.to_string()]
        .iter()
        .fold(labels, |text, gap| text.replace(gap, ""))
}

/// A title up to a word's end, at most `length` UTF-16 units of it.
pub fn cut_between_words(title: &str, length: usize) -> String {
    let mut units = 0;
    let fits = |letter: &char| {
        units += letter.len_utf16();
        units <= length
    };
    let head: String = title.chars().take_while(fits).collect();
    if head.len() == title.len() {
        return head;
    }
    let is_between = title[head.len()..].starts_with(char::is_whitespace);
    // Some languages have no spaces, and some words no end.
    let end = head.rfind(char::is_whitespace).filter(|end| !is_between && *end > head.len() / 2);
    let head = &head[..end.unwrap_or(head.len())];
    head.trim_end_matches(|letter: char| letter.is_whitespace() || ",;:-–—(|".contains(letter)).to_owned()
}

/// Whether a line says more than whom it is for.
fn has_words(line: &str) -> bool {
    line.split_whitespace().any(|word| !word.starts_with('@') && word.contains(char::is_alphanumeric))
}

fn is_label(line: &str) -> bool {
    line.trim_end_matches(|letter: char| letter == GAP || letter.is_whitespace()).ends_with(':')
}

/// A block's lines as plain text.
fn lines(block: &RichBlock) -> Vec<String> {
    let lists: &[Vec<Inline>] = match block {
        RichBlock::Code(code) => return code.lines().map(str::to_owned).collect(),
        RichBlock::Paragraph(content) | RichBlock::Quote(content) => std::slice::from_ref(content),
        RichBlock::BulletList(items) | RichBlock::NumberedList(items) => items,
    };
    let lines = |content: &Vec<Inline>| -> Vec<String> {
        let plain: String = content.iter().map(plain).collect();
        plain.lines().map(str::to_owned).collect()
    };
    lists.iter().flat_map(lines).collect()
}

fn plain(inline: &Inline) -> String {
    match inline {
        Inline::Text { text, style } if style.code => text.clone(),
        Inline::Text { text, .. } => without_emoji(text),
        // An address says nothing in a title.
        Inline::Link { url, label } if is_address(label, url) => GAP.to_string(),
        Inline::Link { label, .. } => without_emoji(label),
        Inline::LineBreak => "\n".to_owned(),
    }
}

/// Nor are calls left that were typed, or that an app wrote without Slack's markup: `@channel: the build failed`.
fn without_emoji(text: &str) -> String {
    let text = emoji::with_each(text, |_| GAP.to_string());
    if !text.contains('@') {
        return text;
    }
    let word = |word: &str| {
        let name = word.trim_end_matches([',', ':', ';', '.', '!', '?']);
        if calls_everyone(name) { format!("{GAP}{}", &word[name.len()..]) } else { word.to_owned() }
    };
    text.split(' ').map(word).collect::<Vec<_>>().join(" ")
}

fn is_address(label: &str, url: &str) -> bool {
    label == url || label.contains("://") || url.strip_prefix("mailto:") == Some(label)
}

/// A line with single spaces, without its gaps, and without the greeting that only consisted of them.
fn tidied(line: &str) -> String {
    let letters: String =
        line.chars().map(|letter| if is_invisible(letter) { ' ' } else { letter }).collect();
    let greeted = without_greeting(&letters);
    let words = greeted.replace(GAP, " ");
    let mut tidy = words.split_whitespace().collect::<Vec<_>>().join(" ");
    for sign in [',', '.', ';', ':', '!', '?', ')'] {
        tidy = tidy.replace(&format!(" {sign}"), &sign.to_string());
    }
    let tidy = tidy.replace("( ", "(").replace("()", "");
    tidy.trim_start_matches(|letter: char| letter.is_whitespace() || ",;:!?.)-–—|".contains(letter))
        .trim_end_matches([' ', ',', ';', ':'])
        .to_owned()
}

/// Marks of width and direction, emoji and what belongs to them. Some databases under Jira can't hold them.
fn is_invisible(letter: char) -> bool {
    let point = u32::from(letter);
    matches!(point, 0x200b..=0x200f | 0x202a..=0x202e | 0x2060..=0x2069 | 0x2600..=0x27bf | 0xfe00..=0xfe0f
        | 0xfeff | 0x1f000..=0x1faff | 0xe0000..=0xe007f)
}

/// The rest after `⟨gap⟩ and ⟨gap⟩:`.
fn without_greeting(line: &str) -> &str {
    let mut rest = line.trim_start();
    let mut greeted = None;
    loop {
        let word_end = rest.find(char::is_whitespace).unwrap_or(rest.len());
        let word = rest[..word_end].trim_end_matches([',', ':', ';']);
        let is_gap = !word.is_empty() && word.chars().all(|letter| letter == GAP);
        let is_joiner = JOINERS.contains(&word.to_lowercase().as_str()) || word.is_empty() && word_end > 0;
        let goes_on = is_joiner && greeted.is_some();
        if !is_gap && !goes_on {
            return greeted.unwrap_or(line);
        }
        rest = rest[word_end..].trim_start();
        // A joiner belongs to it only if a gap follows.
        if is_gap {
            greeted = Some(rest);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_title_is_the_first_words_without_markup() {
        for (message, title) in [
            ("The <https://x.example/a|export> is *broken*\nsince today", "The export is broken"),
            (":rotating_light: *Queue depth above 40k*", "Queue depth above 40k"),
            ("*Deploy failed:* `checkout` 4.18.2", "Deploy failed: checkout 4.18.2"),
            ("🚨 Gate 7 &amp; 8 :fire: at 10:30:00 a:b:c", "Gate 7 & 8 at 10:30:00 a:b:c"),
            ("<@U1> and <!subteam^S1>: please ring <sip:desk@pbx|the desk>", "please ring the desk"),
            ("<@U1> could you look?", "could you look?"),
            ("<@U1|ada> and <@U2> broke it", "@ada and broke it"),
            ("Ask <@U1>, or see <#C1|> <https://x.example>.", "Ask, or see."),
            ("<https://x.example/a>\nIt is down", "It is down"),
            (":red_circle: <https://x.example/a|*TypeError: x is undefined*>", "TypeError: x is undefined"),
            (
                "*<https://x.example/a|#12 [FIRING:1] Disk_full>* via Pager",
                "#12 [FIRING:1] Disk_full via Pager",
            ),
            ("<https://x.example/a>", "https://x.example/a"),
            ("```\nfatal: no\n```", "fatal: no"),
            ("*Severity:*\nHigh\n*Title:*\nPump 3", "Severity: High"),
            ("<@U1>:\n:fire: *Failed:*\n• <https://x.example/7|unit>\n• lint", "Failed: unit"),
            ("Deploy failed:", "Deploy failed"),
            ("Pump 3 restarts:\n```07:00:00 trip\n07:00:09 trip```", "Pump 3 restarts"),
            ("• first\n• second", "first"),
            ("&gt; quoted", "quoted"),
            ("<wiki.x.example|Runbook> for <@grace>", "Runbook for @grace"),
            ("\u{202b}البوابة عالقة\u{202c} <!here>", "البوابة عالقة"),
            ("\u{2066}Gate 7\u{2069}\u{feff} is stuck", "Gate 7 is stuck"),
            (":tada: :tada:", ""),
            ("<!here> it is &lt;b&gt;", "it is <b>"),
            ("<!channel|channel>: Disk full <!everyone>", "Disk full"),
            ("@channel, the build failed", "the build failed"),
            (
                "&lt;!channel&gt; Disk &lt;b&gt; full &lt;!subteam^S1|@oncall&gt; &lt;@U1&gt;",
                "Disk <b> full @oncall",
            ),
            ("*&lt;!here&gt;*\n*Queue depth above 40k*", "Queue depth above 40k"),
            ("write to channel@x.example or @channels", "write to channel@x.example or @channels"),
            (
                "<!here> <@U1|ada>\n\n<https://am.example/#/alerts|[FIRING:1] Disk full>",
                "[FIRING:1] Disk full",
            ),
            ("<!channel>", ""),
            ("", ""),
        ] {
            assert_eq!(title_of(message), title, "{message}");
        }
    }

    #[test]
    fn what_was_typed_as_a_title_has_the_labels_of_its_links() {
        for (typed, title) in [
            (
                "Mail from <mailto:bob@corp.example|bob@corp.example> via <http://ci.example|ci.example>",
                "Mail from bob@corp.example via ci.example",
            ),
            ("<tel:+4930123|030 123> rings", "030 123 rings"),
            ("R&amp;D: a &lt;b&gt;  c", "R&D: a <b>  c"),
            ("Ask <@U1> and <@U2|bob>, :fire:", "Ask and @bob, :fire:"),
            ("", ""),
        ] {
            assert_eq!(title_as_typed(typed), title, "{typed}");
        }
    }

    #[test]
    fn a_long_title_ends_with_a_word() {
        let long =
            "Every second container that comes from the north quay is weighed twice and that takes hours";
        assert_eq!(
            title_of(long),
            "Every second container that comes from the north quay is weighed twice and that"
        );
        assert_eq!(title_of(&"x".repeat(200)).len(), 80);
        assert_eq!(title_of(&"入".repeat(200)).chars().count(), 80);
        assert_eq!(title_of(&format!("{} word", "y".repeat(79))), "y".repeat(79));
    }
}
