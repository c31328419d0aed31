//! What plain text may hold on its way to Jira, in either format.

/// Whether this is an address that Jira takes for a link.
pub(super) fn is_web_link(url: &str) -> bool {
    url::Url::parse(url).is_ok_and(|url| matches!(url.scheme(), "http" | "https" | "mailto"))
}

/// The text without control characters other than line breaks and tabs; line breaks are `\n`. Jira stores
/// text as XML in places, where the others cannot be said.
pub(super) fn printable(text: &str) -> String {
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    let is_kept = |letter: char| {
        matches!(letter, '\n' | '\t') || !(letter.is_control() || matches!(letter, '\u{fffe}' | '\u{ffff}'))
    };
    text.chars().filter(|&letter| is_kept(letter)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_are_left_out() {
        assert_eq!(printable("a\0b\r\nc\rd\te\u{1b}[1m\u{ffff}"), "ab\nc\nd\te[1m");
    }

    #[test]
    fn only_what_leads_to_the_web_or_a_mailbox_is_a_link() {
        for good in ["https://example.com", "http://127.0.0.1:1/", "mailto:ada@example.com"] {
            assert!(is_web_link(good), "{good}");
        }
        for bad in ["", "example.com", "/path", "javascript:alert(1)", "data:text/html,x", "file:///etc"] {
            assert!(!is_web_link(bad), "{bad}");
        }
    }
}
