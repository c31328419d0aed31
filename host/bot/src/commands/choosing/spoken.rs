//! What people say to MARO outside of commands: without a slash in a conversation with it, or in a mention.

use crate::commands::{
    CommandOutcome, Commands, LOADING_PATIENCE, Typed,
    choosing::{aliases, host_commands::OwnCommand},
    help,
};
use maro_domain::{
    issue::IssueKey,
    reply::{Block, Reply},
    words::{Word, asked, tidy, words},
};
use maro_slack::words::parse_markup;
use maro_texts as texts;

/// How many issues of one sentence are shown.
const MAX_NAMED: usize = 10;

impl Commands {
    /// What is said to MARO in a conversation with it: a command without its slash, or else a request for help.
    pub(crate) async fn run_said(&self, typed: Typed<'_>) -> CommandOutcome {
        let text = typed.text.trim();
        // People type it with the slash, too: Slack sends a message if a space or a word stands before it.
        let text =
            text.strip_prefix('/').and_then(|text| text.split_once(' ')).map_or(text, |(_, text)| text);
        if self.is_command(&typed, text).await {
            self.run(Typed { text, ..typed }).await
        } else if let Some(form) = self.form(text, &typed) {
            form
        } else {
            self.show_named(&typed).await.unwrap_or_else(|| self.help_said(true))
        }
    }

    /// What is said of a command that has a form, which only a command with its slash can open.
    fn form(&self, text: &str, typed: &Typed<'_>) -> Option<CommandOutcome> {
        let text = self.within(text, &typed.caller.command_name);
        let (name, _) = self.split(text);
        let own = OwnCommand::named(&name).filter(|own| own.opens_form())?;
        let CommandOutcome::Replied(mut reply) = self.help_said(true) else { return None };
        reply.blocks.push(Block::Paragraph(texts::commands::needs_slash(&own.usage())));
        Some(CommandOutcome::Replied(reply))
    }

    /// The issues that are named within a sentence: `What is SCRUM-1?` What only looks like a key (`UTF-8`) is left out.
    async fn show_named(&self, typed: &Typed<'_>) -> Option<CommandOutcome> {
        let plain = tidy(&parse_markup::to_typed(typed.text));
        let read: Vec<Word<'_>> = words(&plain, Some(&self.site)).collect();
        let keys = read.iter().filter_map(|word| match word {
            Word::Key(key) => IssueKey::parse(key).ok(),
            _ => None,
        });
        let keys: Vec<IssueKey> = keys.take(MAX_NAMED).collect();
        if keys.is_empty() && read.iter().any(|word| matches!(word, Word::OtherSite(_))) {
            let sentence = Reply::sentence(texts::issues::typed_keys::OTHER_SITE);
            return Some(CommandOutcome::Refused(sentence));
        }
        let present = self.present(&typed.caller, keys).await.ok().filter(|keys| !keys.is_empty())?;
        let keys: Vec<&str> = present.iter().map(IssueKey::as_str).collect();
        self.show(&typed.caller, &keys.join(" ")).await
    }

    /// Help for somebody who writes to MARO, or mentions it.
    pub(crate) fn help_said(&self, is_direct: bool) -> CommandOutcome {
        let mut reply: Reply = help::all(&self.registry.plugins());
        if is_direct {
            reply.blocks.push(Block::Paragraph(texts::commands::personal_list()));
        }
        CommandOutcome::Replied(reply)
    }

    /// Whether a text begins like a command that can be carried out without a form.
    async fn is_command(&self, typed: &Typed<'_>, text: &str) -> bool {
        let text = self.within(text, &typed.caller.command_name);
        let (name, _) = self.split(text);
        match OwnCommand::named(&name) {
            Some(own) => !own.opens_form(),
            None => {
                let plain = tidy(&parse_markup::to_typed(text));
                // `SCRUM 123` is a key, but not within a sentence: `In 5 minutes`.
                let are_keys = |words: Vec<Word<'_>>| {
                    !words.is_empty()
                        && words.iter().all(|word| matches!(word, Word::Key(_) | Word::OtherSite(_)))
                };
                are_keys(asked(&plain, Some(&self.site)))
                    || aliases::command(&name).is_some()
                    || self.registry.settled(&name, LOADING_PATIENCE).await.get(&name).is_some()
            }
        }
    }
}
