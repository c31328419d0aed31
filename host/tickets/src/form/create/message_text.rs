//! A message's text as the description of an issue: cut if it must be, and with the whole link to the message.

/// The most that an input takes, in UTF-16 units.
const MAX_LENGTH: usize = 3_000;

/// What stands for the rest.
const REST: &str = "…";

/// Encloses preformatted text.
const FENCE: &str = "```";

/// The text with the link below it. If both are too long, the text is cut.
pub(crate) fn described(text: &str, link: Option<&str>) -> String {
    let link = link.map(|link| format!("\n\n{link}")).unwrap_or_default();
    let cut = cut(text.trim(), MAX_LENGTH.saturating_sub(units(&link)));
    format!("{cut}{link}").trim().to_owned()
}

fn units(text: &str) -> usize {
    text.encode_utf16().count()
}

/// At most `room` units of a text, with its last fence closed and no link cut in two.
fn cut(text: &str, room: usize) -> String {
    if units(text) <= room {
        return text.to_owned();
    }
    let closing = format!("\n{FENCE}");
    let room = room.saturating_sub(units(REST) + units(&closing));
    let mut length = 0;
    let fits = |letter: &char| {
        length += letter.len_utf16();
        length <= room
    };
    let end = text.chars().take_while(fits).map(char::len_utf8).sum();
    let mut kept = &text[..end];
    if let Some(start) = kept.rfind('<')
        && !kept[start..].contains(['>', '\n'])
        && kept[start..].contains("://")
    {
        kept = &kept[..start];
    }
    // Half a fence is none.
    let kept = kept.trim_end_matches('`').trim_end();
    let is_open = kept.matches(FENCE).count() % 2 == 1;
    format!("{kept}{REST}{}", if is_open { &closing } else { "" })
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINK: &str = "https://harbor.slack.com/archives/C1/p1795478399002139";

    #[test]
    fn a_text_that_fits_stays_whole() {
        assert_eq!(described(" text \n", Some(LINK)), format!("text\n\n{LINK}"));
        assert_eq!(described("", Some(LINK)), LINK);
        assert_eq!(described("text", None), "text");
        let exact = "x".repeat(MAX_LENGTH - 2 - LINK.len());
        assert_eq!(described(&exact, Some(LINK)), format!("{exact}\n\n{LINK}"));
    }

    #[test]
    fn what_is_cut_is_never_the_link() {
        for text in [
            "x".repeat(4_000),
            "😀".repeat(2_000),
            format!("Trips:\n```{}", "07:00 trip\n".repeat(400)),
            format!("```{}```", "a".repeat(2_950)),
            format!("{} <https://x.example/{}|label> end", "y".repeat(2_900), "z".repeat(300)),
        ] {
            let described = described(&text, Some(LINK));
            assert!(units(&described) <= MAX_LENGTH && units(&described) > 2_800, "{}", units(&described));
            let (words, link) = described.rsplit_once("\n\n").unwrap();
            assert_eq!(link, LINK);
            assert!(words.contains('…') && words.matches(FENCE).count() % 2 == 0, "{words}");
            assert!(!words.contains("https://x.example"), "{words}");
        }
    }
}
