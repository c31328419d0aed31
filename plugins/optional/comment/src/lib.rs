//! `/maro comment SCRUM-123 Ready for review`: adds a comment to an issue.

use maro_plugin::{
    Description, Plugin, Reply, RunError, jira_edit, keys, register,
    reply::{caller, issue, shorten},
    spans,
};

/// The longest comment, in characters: the host takes no longer one.
const MAX_COMMENT: usize = 10_000;

/// How much of it the channel reads, in characters.
const MAX_SHOWN: usize = 300;

struct Comment;

impl Plugin for Comment {
    fn describe() -> Description {
        Description {
            name: "comment",
            version: env!("CARGO_PKG_VERSION"),
            summary: "Comment on an issue",
            usage: "KEY WORDS",
        }
    }

    fn run(arguments: &str) -> Result<Reply, RunError> {
        let (key, words) = keys::leading(arguments)?;
        let text = checked(&readable(&words))?;
        jira_edit::comment(&key, &text)?;
        Ok(commented(&key, &text))
    }
}

register!(Comment);

fn checked(text: &str) -> Result<String, RunError> {
    match text.chars().count() {
        0 => Err(RunError::usage("Enter the comment after the key.")),
        1..=MAX_COMMENT => Ok(text.to_owned()),
        _ => Err(RunError::usage("Comments can be up to 10,000 characters.")),
    }
}

/// The words as people read them in Slack: `<@U1|ada>` is `@ada`, and a link is its address.
fn readable(words: &str) -> String {
    let mut text = String::new();
    let mut rest = words.trim();
    while let Some((before, after)) = rest.split_once('<') {
        text.push_str(before);
        match after.split_once('>').and_then(|(inside, after)| Some((shown(inside)?, after))) {
            Some((shown, after)) => {
                text.push_str(&shown);
                rest = after;
            }
            None => {
                text.push('<');
                rest = after;
            }
        }
    }
    text.push_str(rest);
    text
}

/// What Slack shows of a mention or link. `None` for what people typed in angle brackets.
fn shown(inside: &str) -> Option<String> {
    let (target, label) = inside.split_once('|').unwrap_or((inside, ""));
    let named = |mark: char| {
        let name = if label.is_empty() { &target[1..] } else { label.trim_start_matches(mark) };
        Some([mark.to_string().as_str(), name].concat())
    };
    match target.chars().next()? {
        '@' => named('@'),
        '#' => named('#'),
        '!' => {
            Some(["@", if label.is_empty() { &target[1..] } else { label.trim_start_matches('@') }].concat())
        }
        _ if target.contains("://") || target.starts_with("mailto:") => match label {
            "" => Some(target.to_owned()),
            label if target.ends_with(label) => Some(label.to_owned()),
            label => Some([label, " (", target, ")"].concat()),
        },
        _ => None,
    }
}

fn commented(key: &str, text: &str) -> Reply {
    let shown = shorten(text, MAX_SHOWN).into_owned();
    Reply::to_channel().paragraph(spans![caller(), " commented on ", issue(key), ": ", shown])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_what_people_read_in_slack() {
        for (typed, read) in [
            ("  Ready\nfor review ", "Ready\nfor review"),
            ("ask <@U012AB3CD|grace> in <#C012|docks>", "ask @grace in #docks"),
            ("<@U012AB3CD> and <!here>", "@U012AB3CD and @here"),
            ("<!subteam^S1|@oncall>", "@oncall"),
            ("see <https://x.example/a>", "see https://x.example/a"),
            ("see <https://x.example|the plan>", "see the plan (https://x.example)"),
            ("<http://x.example|x.example>", "x.example"),
            ("a < b and <b>", "a < b and <b>"),
            ("<", "<"),
        ] {
            assert_eq!(readable(typed), read, "{typed}");
        }
    }

    #[test]
    fn a_comment_has_words_and_not_too_many() {
        assert!(matches!(checked(""), Err(RunError::Usage(_))));
        assert_eq!(checked("x"), Ok("x".to_owned()));
        assert!(checked(&"é".repeat(MAX_COMMENT)).is_ok());
        assert!(matches!(checked(&"x".repeat(MAX_COMMENT + 1)), Err(RunError::Usage(_))));
    }

    #[test]
    fn the_channel_reads_who_said_what() {
        assert_eq!(commented("SCRUM-1", "Ready").preview(), "@caller commented on SCRUM-1: Ready");
        assert_eq!(commented("SCRUM-1", &"x".repeat(301)).preview().chars().last(), Some('…'));
    }
}
