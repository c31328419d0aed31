//! The name of a command as people type and paste it: `"track SCRUM-1"`, `/maro track SCRUM-1`, `Track: SCRUM-1`.

/// What people put around a whole command.
const QUOTES: [(char, char); 6] = [('"', '"'), ('\'', '\''), ('`', '`'), ('“', '”'), ('‘', '’'), ('«', '»')];

/// What may follow a name.
const BEHIND: [char; 5] = [':', ',', ';', '.', '!'];

/// How other programs are asked for help.
const HELP: [&str; 6] = ["?", "-h", "-help", "--help", "–help", "—help"];

/// A command without quotes around it, and without `command_name`, if there is one that people type twice.
pub(crate) fn within<'a>(text: &'a str, command_name: Option<&str>) -> &'a str {
    let mut text = bare(text);
    let Some(command_name) = command_name else { return text };
    loop {
        let (first, rest) = first_word(text);
        let is_own = first.trim_start_matches('/').eq_ignore_ascii_case(command_name.trim_start_matches('/'));
        if !is_own || rest.is_empty() {
            return text;
        }
        text = bare(rest);
    }
}

/// The name in lower case, and what stands behind it, as Slack sends it.
pub(crate) fn split(text: &str) -> (String, &str) {
    let (name, arguments) = first_word(text);
    if HELP.contains(&name) {
        return ("help".to_owned(), arguments);
    }
    let bare_name = name.trim_end_matches(BEHIND);
    let is_word = bare_name.chars().all(|letter| letter.is_alphanumeric() || letter == '-');
    (if is_word && !bare_name.is_empty() { bare_name } else { name }.to_lowercase(), arguments)
}

fn first_word(text: &str) -> (&str, &str) {
    let (first, rest) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
    (first, rest.trim_start())
}

/// Without what is around it.
fn bare(text: &str) -> &str {
    let text = text.trim_matches(is_blank);
    let quoted = QUOTES.iter().find_map(|(open, close)| text.strip_prefix(*open)?.strip_suffix(*close));
    let within = quoted
        .filter(|within| !within.contains(|letter| QUOTES.iter().any(|(a, b)| [*a, *b].contains(&letter))));
    within.map_or(text, |within| within.trim_matches(is_blank))
}

/// Whether a character before a command or behind it is none: what is copied from documents brings invisible ones.
fn is_blank(letter: char) -> bool {
    letter.is_whitespace() || matches!(letter, '\u{200b}'..='\u{200f}' | '\u{2060}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_what_was_meant() {
        for (typed, name, arguments) in [
            ("Track SCRUM-1  A", "track", "SCRUM-1  A"),
            (" \u{200b}track\u{a0}SCRUM-1\u{feff}", "track", "SCRUM-1"),
            ("\"track SCRUM-1\"", "track", "SCRUM-1"),
            ("“track SCRUM-1”", "track", "SCRUM-1"),
            ("`tracked`", "tracked", ""),
            ("track: SCRUM-1", "track", "SCRUM-1"),
            ("tracked.", "tracked", ""),
            ("/maro track SCRUM-1", "track", "SCRUM-1"),
            ("maro /Maro track SCRUM-1", "track", "SCRUM-1"),
            ("/maro", "/maro", ""),
            ("?", "help", ""),
            ("--help track", "help", "track"),
            ("create \"quoted\" words", "create", "\"quoted\" words"),
            ("'create' it's", "'create'", "it's"),
            ("SCRUM-1.", "scrum-1", ""),
            ("<https://x.example/a:>", "<https://x.example/a:>", ""),
            ("...", "...", ""),
            ("", "", ""),
        ] {
            assert_eq!(split(within(typed, Some("/maro"))), (name.to_owned(), arguments), "{typed:?}");
        }
    }
}
