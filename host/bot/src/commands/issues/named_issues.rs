//! "Track the issues in this message": every key and link that a message has is tracked in its channel.

use crate::commands::{CommandOutcome, Commands, Typed};
use maro_domain::{
    caller::Caller,
    issue::IssueKey,
    reply::{Block, Reply},
    words::{MAX_KEYS, Word, tidy, words},
};
use maro_slack::words::parse_markup;
use maro_texts as texts;

impl Commands {
    /// Tracks the issues that a message in Slack's markup names. What only looks like a key (`UTF-8`) is left out, and so
    /// is what the person may not see here: the two can't be told apart.
    pub(crate) async fn track_named(&self, caller: Caller, message: &str) -> CommandOutcome {
        let (mut keys, is_elsewhere) = self.named(message);
        if keys.is_empty() {
            let sentence = if is_elsewhere {
                texts::issues::typed_keys::OTHER_SITE
            } else {
                texts::issues::shown_issue::NONE_IN_MESSAGE
            };
            return CommandOutcome::Refused(Reply::sentence(sentence));
        }
        let is_cut = keys.len() > MAX_KEYS;
        keys.truncate(MAX_KEYS);
        let found = match self.present(&caller, keys).await {
            Ok(found) => found,
            Err(sentence) => return CommandOutcome::Refused(Reply::sentence(sentence)),
        };
        if found.is_empty() {
            return CommandOutcome::Refused(Reply::sentence(texts::issues::shown_issue::NONE_IN_MESSAGE));
        }
        let keys: Vec<&str> = found.iter().map(IssueKey::as_str).collect();
        let text = format!("track {}", keys.join(" "));
        let mut outcome = self.run(Typed { caller, text: &text, team: None, trigger_id: None }).await;
        if let (true, CommandOutcome::Replied(reply)) = (is_cut, &mut outcome) {
            reply.blocks.push(Block::Paragraph(texts::issues::shown_issue::first_keys_alone(MAX_KEYS)));
        }
        outcome
    }

    /// The keys of a message, each once, and whether it links to another Jira.
    fn named(&self, message: &str) -> (Vec<IssueKey>, bool) {
        // The title of a pull request names issues, and is the label of its link.
        let is_of_jira = |url: &str| {
            let is_other = |word| matches!(word, Word::Other(_));
            !words(url, Some(&self.site)).all(is_other)
        };
        let text = tidy(&parse_markup::to_typed_keeping(message, is_of_jira));
        let mut keys: Vec<IssueKey> = Vec::new();
        let mut is_elsewhere = false;
        let mut add = |key: &str| {
            if let Ok(key) = IssueKey::parse(key)
                && !keys.contains(&key)
            {
                keys.push(key);
            }
        };
        // `SCRUM-1,2` by now, where `SCRUM-1/2` was written.
        let (upper, mut joined) = (text.to_ascii_uppercase(), String::new());
        for word in words(&text, Some(&self.site)) {
            if let Word::Other(number) = word
                && number.bytes().all(|digit| digit.is_ascii_digit())
                && let Some(project) = joined.split('-').next().filter(|project| !project.is_empty())
                && upper.contains(&format!("{joined},{number}"))
            {
                add(&format!("{project}-{number}"));
                joined = format!("{joined},{number}");
                continue;
            }
            joined.clear();
            match word {
                Word::Key(key) => {
                    add(&key);
                    joined = key;
                }
                Word::OtherSite(_) => is_elsewhere = true,
                // `fix(SCRUM-1):`, `feature/SCRUM-1`, but nothing of a link that leads elsewhere.
                Word::Other(word) if !word.contains("://") => {
                    word.split(|letter: char| !letter.is_ascii_alphanumeric() && !"-_".contains(letter))
                        .filter_map(key_at_start)
                        .for_each(|key| add(&key));
                }
                Word::Other(_) => {}
            }
        }
        (keys, is_elsewhere)
    }
}

/// The key that a piece of a word begins with, as the name of a branch may: `SCRUM-1-log-in`. Whether there is such an
/// issue is for Jira to say.
fn key_at_start(piece: &str) -> Option<String> {
    let (project, rest) = piece.split_once('-')?;
    let number = rest.split(['-', '_']).next()?;
    Some(format!("{}-{number}", project.to_ascii_uppercase()))
}
