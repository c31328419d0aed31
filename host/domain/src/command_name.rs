//! The name under which people type MARO's commands. It's the Slack app's choice: `/maro`, or `/maro-staging`.

use std::{borrow::Cow, fmt, sync::Arc};

/// What a command is called in texts that don't know the app's own name for it.
const USUAL: &str = "/maro";

/// The longest name, in characters with its slash. Slack allows 32 without it.
const MAX_LENGTH: usize = 33;

/// A slash command's name, with its slash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommandName(Arc<str>);

impl Default for CommandName {
    fn default() -> Self {
        Self(USUAL.into())
    }
}

impl CommandName {
    /// `None` if no command of Slack is called this.
    pub fn parse(text: &str) -> Option<Self> {
        let name = text.strip_prefix('/')?;
        let is_name = !name.is_empty()
            && text.chars().count() <= MAX_LENGTH
            && name.chars().all(|character| character.is_alphanumeric() || matches!(character, '-' | '_'));
        is_name.then(|| Self(text.into()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub fn is_usual(&self) -> bool {
        &*self.0 == USUAL
    }

    /// A command as it's typed, from one that is written with the usual name: `/maro help` becomes `/maro-staging
    /// help`. Any other text stays as it is.
    pub fn typed<'a>(&self, text: &'a str) -> Cow<'a, str> {
        let words = text.strip_prefix(USUAL).filter(|words| words.starts_with(' '));
        match words {
            Some(words) if !self.is_usual() => Cow::Owned([self.as_str(), words].concat()),
            _ => Cow::Borrowed(text),
        }
    }
}

impl fmt::Display for CommandName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_written_as_it_is_typed() {
        let staging = CommandName::parse("/maro-staging").unwrap();
        for (text, expected) in [
            ("/maro help", "/maro-staging help"),
            ("/maro-other help", "/maro-other help"),
            ("/marooned help", "/marooned help"),
            ("/maro", "/maro"),
            ("see /maro help", "see /maro help"),
        ] {
            assert_eq!(staging.typed(text), expected);
            assert_eq!(CommandName::default().typed(text), text);
        }
    }

    #[test]
    fn no_text_becomes_a_name_that_slack_would_not_give() {
        for name in ["/maro", "/maro_2", "/jira-é", &format!("/{}", "x".repeat(32))] {
            assert_eq!(CommandName::parse(name).unwrap().as_str(), name);
        }
        for text in ["", "/", "maro", "/maro help", "/ma`ro", "/<!channel>", &format!("/{}", "x".repeat(33))]
        {
            assert_eq!(CommandName::parse(text), None, "{text}");
        }
    }
}
