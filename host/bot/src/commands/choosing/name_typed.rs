//! The name of a command as people type and paste it: `"track SCRUM-1"`, `/maro track SCRUM-1`, `Track: SCRUM-1`.

use maro_domain::words::letters::{is_around, tidy};

/// How much of a word that isn't understood is repeated, in characters.
pub(in crate::commands) const MAX_SHOWN_LENGTH: usize = 40;

/// What people put around a whole command.
const AROUND: [(&str, &str); 24] = [
    ("```", "```"),
    ("`", "`"),
    ("\"", "\""),
    ("'", "'"),
    ("“", "”"),
    ("„", "“"),
    ("„", "”"),
    ("‘", "’"),
    ("‚", "‘"),
    ("«", "»"),
    ("»", "«"),
    ("‹", "›"),
    ("›", "‹"),
    ("「", "」"),
    ("『", "』"),
    ("【", "】"),
    ("《", "》"),
    ("〈", "〉"),
    ("(", ")"),
    ("[", "]"),
    ("**", "**"),
    ("*", "*"),
    ("_", "_"),
    ("~", "~"),
];

/// What may stand before a command in a list or in a quotation, with a space behind it, and as Slack sends it.
const BULLETS: [&str; 12] = ["•", "◦", "▪", "‣", "⁃", "·", "-", "–", "—", "*", "&gt;", ">"];

/// What may stand before a name beside quotes, emphasis and emoji: a slash, and an option's dashes.
const BEFORE: [char; 4] = ['/', '-', '–', '—'];

/// What may follow a name, beside these.
const BEHIND: [char; 2] = [',', ';'];

/// What may stand between a name and its first word, with no space: `track:SCRUM-1`.
const BETWEEN: [char; 8] = [':', ',', ';', '=', '(', '：', '，', '（'];

/// How other programs are asked for help.
const HELP: [&str; 6] = ["?", "-h", "-help", "--help", "–help", "—help"];

/// How people begin a request.
const COURTESIES: [&str; 11] =
    ["please", "pls", "plz", "kindly", "hey", "hi", "hello", "ok", "okay", "just", "now"];

/// How they begin a question that is one: `Could you track SCRUM-1?`
const QUESTIONS: [&str; 4] = ["can", "could", "would", "will"];

/// A command without what is around it.
pub(crate) fn bare(text: &str) -> &str {
    let text = behind_bullet(text.trim_matches(is_blank));
    let within = AROUND.iter().find_map(|(open, close)| {
        let within = text.strip_prefix(open)?.strip_suffix(close)?;
        (!within.contains(open) && !within.contains(close)).then_some(within)
    });
    within.map_or(text, |within| within.trim_matches(is_blank))
}

/// Without the sign or the number of an item of a list.
fn behind_bullet(text: &str) -> &str {
    let number = text.trim_start_matches(|digit: char| digit.is_ascii_digit());
    let behind = match text.len() - number.len() {
        1..=3 => number.strip_prefix(['.', ')']),
        _ => BULLETS.iter().find_map(|bullet| text.strip_prefix(bullet)),
    };
    match behind {
        Some(behind) if behind.starts_with(char::is_whitespace) => behind_bullet(behind.trim_start()),
        _ => text,
    }
}

/// Whether a word in lower case is one of courtesy.
pub(crate) fn is_courtesy(word: &str) -> bool {
    COURTESIES.contains(&word)
}

/// What follows a first word that no command has to begin with: what Slack's command is called, which people type
/// twice, whom they speak to, and a word of courtesy. `None` if it begins with something else, or if nothing follows.
pub(crate) fn behind_address<'a>(text: &'a str, command_name: &str) -> Option<&'a str> {
    let (first, rest) = first_word(text);
    let word = first.trim_end_matches(follows).to_lowercase();
    let is_own = word.trim_start_matches('/') == command_name.trim_start_matches('/').to_lowercase();
    let is_mention = first.starts_with("<@") || first.len() > 1 && first.starts_with('@');
    let rest = match first_word(rest) {
        (you, rest) if QUESTIONS.contains(&&*word) && you.eq_ignore_ascii_case("you") => rest,
        _ if is_own || is_mention || COURTESIES.contains(&&*word) => rest,
        _ => return None,
    };
    Some(bare(rest)).filter(|rest| !rest.is_empty())
}

/// The name in lower case, and what stands behind it, as Slack sends it.
pub(crate) fn split(text: &str) -> (String, &str) {
    let (name, arguments) = first_word(text);
    if HELP.contains(&name) {
        return ("help".to_owned(), arguments);
    }
    let plain = tidy(name);
    let precedes = |letter| BEFORE.contains(&letter) || surrounds(letter);
    let bare_name = plain.trim_start_matches(precedes).trim_end_matches(follows);
    let is_word = bare_name.chars().all(|letter| letter.is_alphanumeric() || letter == '-');
    (if is_word && !bare_name.is_empty() { bare_name } else { name }.to_lowercase(), arguments)
}

/// As [`split`], where no space follows the name: `track:SCRUM-1`. `None` if it's an address, or one word.
pub(crate) fn split_at_sign(text: &str) -> Option<(String, &str)> {
    let (name, arguments) = text.split_once(BETWEEN)?;
    let name = tidy(name);
    let is_name = !name.is_empty() && name.chars().all(|letter| letter.is_alphanumeric() || letter == '-');
    (is_name && !arguments.starts_with("//")).then(|| (name.to_lowercase(), arguments.trim_start()))
}

/// Whether what stands behind a name asks how to use it.
pub(crate) fn asks_for_help(arguments: &str) -> bool {
    let arguments = arguments.trim();
    arguments.eq_ignore_ascii_case("help") || HELP.contains(&arguments)
}

fn first_word(text: &str) -> (&str, &str) {
    let (first, rest) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
    (first, rest.trim_start())
}

fn follows(letter: char) -> bool {
    BEHIND.contains(&letter) || surrounds(letter)
}

/// Whether a letter may surround a name. Angle brackets are Slack's own: `<!channel>` is no name.
fn surrounds(letter: char) -> bool {
    is_around(letter) && !matches!(letter, '<' | '>')
}

/// Whether a character before or behind a command isn't part of it: what is copied from documents brings invisible
/// ones.
fn is_blank(letter: char) -> bool {
    letter.is_whitespace() || matches!(letter, '\u{200b}'..='\u{200f}' | '\u{2060}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn within(typed: &str) -> &str {
        let mut text = bare(typed);
        while let Some(rest) = behind_address(text, "/maro") {
            text = rest;
        }
        text
    }

    #[test]
    fn a_command_is_what_was_meant() {
        for (typed, name, arguments) in [
            ("Track SCRUM-1  A", "track", "SCRUM-1  A"),
            (" \u{200b}track\u{a0}SCRUM-1\u{feff}", "track", "SCRUM-1"),
            ("\"track SCRUM-1\"", "track", "SCRUM-1"),
            ("“track SCRUM-1”", "track", "SCRUM-1"),
            ("„track SCRUM-1“", "track", "SCRUM-1"),
            ("`tracked`", "tracked", ""),
            ("```track SCRUM-1\nSCRUM-2```", "track", "SCRUM-1\nSCRUM-2"),
            ("```\ntrack `SCRUM-1`\n```", "track", "`SCRUM-1`"),
            ("*track SCRUM-1*", "track", "SCRUM-1"),
            ("*track* SCRUM-1", "track", "SCRUM-1"),
            ("`track` `SCRUM-1`", "track", "`SCRUM-1`"),
            ("„track SCRUM-1”", "track", "SCRUM-1"),
            ("‹track SCRUM-1›", "track", "SCRUM-1"),
            ("『track SCRUM-1』", "track", "SCRUM-1"),
            ("【track】 SCRUM-1", "track", "SCRUM-1"),
            ("(track SCRUM-1)", "track", "SCRUM-1"),
            ("👉track SCRUM-1", "track", "SCRUM-1"),
            ("• /maro track SCRUM-1", "track", "SCRUM-1"),
            ("&gt; track SCRUM-1", "track", "SCRUM-1"),
            ("1. track SCRUM-1", "track", "SCRUM-1"),
            ("- 2) maro track SCRUM-1", "track", "SCRUM-1"),
            ("1.5 hours", "1.5", "hours"),
            ("ｔｒａｃｋ　SCRUM-1", "track", "SCRUM-1"),
            ("track: SCRUM-1", "track", "SCRUM-1"),
            ("tracked.", "tracked", ""),
            ("tracked?", "tracked", ""),
            ("/track SCRUM-1", "track", "SCRUM-1"),
            ("--track SCRUM-1", "track", "SCRUM-1"),
            ("“track SCRUM_X-1”", "track", "SCRUM_X-1"),
            ("\"track\" and \"untrack\"", "track", "and \"untrack\""),
            ("/maro track SCRUM-1", "track", "SCRUM-1"),
            ("maro /Maro track SCRUM-1", "track", "SCRUM-1"),
            ("@maro track SCRUM-1", "track", "SCRUM-1"),
            ("<@U0MARO> track SCRUM-1", "track", "SCRUM-1"),
            ("<@U0MARO|maro>: please track SCRUM-1", "track", "SCRUM-1"),
            ("Please, track SCRUM-1", "track", "SCRUM-1"),
            ("hey maro, could you please “track SCRUM-1”", "track", "SCRUM-1"),
            ("can I track SCRUM-1?", "can", "I track SCRUM-1?"),
            ("@maro", "@maro", ""),
            ("please", "please", ""),
            ("/maro", "maro", ""),
            ("?", "help", ""),
            ("--help track", "help", "track"),
            ("create \"quoted\" words", "create", "\"quoted\" words"),
            ("'create' it's", "create", "it's"),
            ("SCRUM-1.", "scrum-1", ""),
            ("/browse/SCRUM-1", "/browse/scrum-1", ""),
            ("<https://x.example/a:>", "<https://x.example/a:>", ""),
            ("<!channel>", "<!channel>", ""),
            ("...", "...", ""),
            ("", "", ""),
        ] {
            assert_eq!(split(within(typed)), (name.to_owned(), arguments), "{typed:?}");
        }
    }

    #[test]
    fn a_name_may_be_glued_to_its_first_word() {
        let split = |text| split_at_sign(text).map(|(name, arguments)| format!("{name} {arguments}"));
        assert_eq!(split("Track:SCRUM-1 SCRUM-2").as_deref(), Some("track SCRUM-1 SCRUM-2"));
        assert_eq!(split("track（SCRUM-1）").as_deref(), Some("track SCRUM-1）"));
        assert_eq!(split("ｔｒａｃｋ：SCRUM-1").as_deref(), Some("track SCRUM-1"));
        for other in ["https://x.example/a", "track SCRUM-1:", "SCRUM-1", ":tada:", ""] {
            assert_eq!(split(other), None, "{other}");
        }
    }

    #[test]
    fn help_is_asked_for_in_many_ways() {
        for asks in ["help", " Help ", "?", "-h", "--help"] {
            assert!(asks_for_help(asks), "{asks}");
        }
        for other in ["", "help me", "SCRUM-1?"] {
            assert!(!asks_for_help(other), "{other}");
        }
    }
}
